// Arrays of the runtime against a model made of std::map: the same random operations on both, and
// after each the two must hold the same elements in the same order.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <variant>

#include "testsuite/unit/kernel_shim/runtime_under_test.h"

namespace stp::test {
namespace {

using Part = std::variant<s64, std::string>;
using Key = std::vector<Part>;

struct Element {
  u64 sequence;  // of its insertion
  Part value;
};

// An element that a walk found: what it is called and which insertion it was.
struct Seen {
  Key key;
  u64 sequence;
  bool operator==(const Seen&) const = default;
};

constexpr stp_stat_shape plain_statistic = {STP_HIST_NONE, 1, 1, 0, 0, 0, 0, 0, 0, 0};
constexpr stp_place place = {"t.stp", 3, 1};

stp_str borrow(const std::string& text) { return {text.data(), static_cast<u32>(text.size())}; }

// The array and its model.
class Pair {
 public:
  Pair(stp_type value, std::vector<stp_type> keys, u32 max_entries, bool wrap = false,
       u8 walks = 3, bool grows = false) {
    global.grows = grows;
    global.name = "counts";
    global.type = value;
    global.is_array = 1;
    global.wrap = wrap;
    global.n_keys = static_cast<u8>(keys.size());
    std::copy(keys.begin(), keys.end(), global.key_types);
    global.walks = walks;
    global.max_entries = max_entries;
    global.shape = &plain_statistic;
    global.rank = [](const stp_stat* s, const stp_stat_shape* shape, stp_stat_op op) {
      return Runtime::get().stat_rank(s, shape, op);
    };
    global.storage = &map;
    map = runtime.map_create(&global);
    runtime.global = global;
  }
  ~Pair() {
    runtime.global = {};
    runtime.map_destroy(map);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  std::vector<stp_key> raw(const Key& key) const {
    std::vector<stp_key> keys(key.size());
    for (size_t k = 0; k < key.size(); ++k) {
      if (auto* text = std::get_if<std::string>(&key[k]))
        keys[k].string = borrow(*text);
      else
        keys[k].number = std::get<s64>(key[k]);
    }
    return keys;
  }
  stp_entry* find(const Key& key) const { return runtime.map_find(map, raw(key).data()); }

  // Makes the element and gives it a value, in both. False when the array is full.
  bool set(const Key& key, s64 value) {
    bool is_new = !model.contains(key);
    bool fits = !is_new || model.size() < global.max_entries || global.wrap || global.grows;
    stp_entry* e = runtime.map_make(&context, map, raw(key).data(), &place);
    EXPECT_EQ(e != nullptr, fits);
    EXPECT_EQ(context.error == nullptr, fits);
    context.error = nullptr;
    if (!e || !fits) return false;
    if (is_new) {
      EXPECT_TRUE(is_nothing(e));
      if (global.wrap && model.size() == global.max_entries) model.erase(by_age().front().key);
      model[key].sequence = next_sequence++;
    }
    put(e, value);
    model[key].value = value_of(e);
    return true;
  }
  void remove(const Key& key) {
    runtime.map_delete(map, raw(key).data());
    model.erase(key);
  }
  void clear() {
    runtime.map_clear(map);
    model.clear();
  }

  Key key_of(const stp_entry* e) const {
    Key key;
    for (u32 k = 0; k < global.n_keys; ++k) {
      if (global.key_types[k] == STP_STRING) {
        stp_str text = runtime.entry_key_string(map, e, k);
        key.emplace_back(std::string(text.p, text.len));
      } else {
        key.emplace_back(runtime.entry_key(map, e, k));
      }
    }
    return key;
  }
  // Statistics: their number of values and their sum in one.
  Part value_of(stp_entry* e) const {
    if (global.type == STP_STRING) {
      stp_text* text = runtime.entry_text(e);
      return std::string(text->text, text->len);
    }
    if (global.type == STP_STAT) return runtime.entry_stat(e)->sum;
    return *runtime.entry_number(e);
  }
  bool is_nothing(stp_entry* e) const {
    if (global.type == STP_STAT)
      return runtime.entry_stat(e)->count == 0 && runtime.entry_stat(e)->sum == 0;
    return value_of(e) == (global.type == STP_STRING ? Part(std::string()) : Part(s64{0}));
  }

  // The elements of the model, oldest first.
  std::vector<Seen> by_age() const {
    std::vector<Seen> all;
    for (const auto& [key, element] : model) all.push_back({key, element.sequence});
    std::sort(all.begin(), all.end(),
              [](const Seen& a, const Seen& b) { return a.sequence < b.sequence; });
    return all;
  }
  // What a walk in this order must find when nothing is changed.
  std::vector<Seen> expected(const stp_walk_order& order, const Key& slice) const {
    std::vector<Seen> all = by_age();
    std::erase_if(all, [&](const Seen& seen) {
      for (size_t k = 0; k < seen.key.size(); ++k)
        if ((order.slice_mask >> k & 1) && seen.key[k] != slice[k]) return true;
      return false;
    });
    auto rank = [&](const Seen& seen) {
      return order.key ? seen.key[order.key - 1] : model.at(seen.key).value;
    };
    // Elements of one rank stay in order of their age, whatever the direction.
    if (order.direction)
      std::stable_sort(all.begin(), all.end(), [&](const Seen& a, const Seen& b) {
        return order.direction > 0 ? rank(a) < rank(b) : rank(b) < rank(a);
      });
    if (order.limit >= 0 && static_cast<u64>(order.limit) < all.size())
      all.resize(static_cast<size_t>(order.limit));
    return all;
  }
  bool begin(stp_walk& walk, const stp_walk_order& order, const Key& slice = {}) {
    return runtime.walk_begin(&context, &walk, map, &order, raw(slice).data(), &place);
  }
  // The keys that an undisturbed walk finds.
  std::vector<Key> walk(const stp_walk_order& order, const Key& slice = {}) {
    std::vector<Key> found;
    stp_walk walk;
    EXPECT_TRUE(begin(walk, order, slice));
    while (stp_entry* e = runtime.walk_next(&walk)) found.push_back(key_of(e));
    runtime.walk_end(&walk);
    return found;
  }
  void compare() {
    stp_walk_order order = {0, 0, 0, 0, -1};
    std::vector<Key> ages;
    for (const Seen& seen : by_age()) ages.push_back(seen.key);
    ASSERT_EQ(walk(order), ages);
    for (const auto& [key, element] : model) {
      stp_entry* e = find(key);
      ASSERT_NE(e, nullptr);
      ASSERT_EQ(value_of(e), element.value);
    }
  }

  const Runtime& runtime = Runtime::get();
  stp_global global{};
  stp_map* map = nullptr;
  stp_context context{};
  std::map<Key, Element> model;

 private:
  void put(stp_entry* e, s64 value) {
    if (global.type == STP_STRING)
      EXPECT_TRUE(runtime.copy(&context, runtime.entry_text(e),
                               borrow(std::to_string(value % 1000)), &place));
    else if (global.type == STP_STAT)
      runtime.test_stat_add(runtime.entry_stat(e), &plain_statistic, value % 1000);
    else
      *runtime.entry_number(e) = value;
  }
  u64 next_sequence = 0;
};

struct Kind {
  const char* name;
  stp_type value;
  std::vector<stp_type> keys;
  u32 max_entries;
  bool wrap;
  u32 hash_mask;
  bool grows = false;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class RandomMap : public testing::TestWithParam<Kind> {
 protected:
  RandomMap() : both(GetParam().value, GetParam().keys, GetParam().max_entries, GetParam().wrap, 3,
                     GetParam().grows) {
    // begin and end probes have their arrays grow at once.
    both.context.flags = STP_CONTEXT_INTERRUPTIBLE;
    both.runtime.total_pages = 1ul << 18;
    Runtime::get().hash_mask = GetParam().hash_mask;
  }
  ~RandomMap() override {
    Runtime::get().hash_mask = ~0u;
    both.runtime.total_pages = 0;
  }

  s64 number(s64 below) { return std::uniform_int_distribution<s64>(0, below - 1)(random); }
  // Few enough keys that they come again, of all lengths that fit, with the limits of numbers.
  Part part(stp_type type) {
    static const s64 limits[] = {INT64_MIN, INT64_MAX, -1, 0};
    s64 choice = number((GetParam().grows ? 40 : 2) * GetParam().max_entries);
    if (type == STP_NUMBER) return choice < 4 ? limits[choice] : choice - 20;
    std::string text(static_cast<size_t>(choice % Runtime::string_size), 'a');
    if (!text.empty()) text[0] = static_cast<char>(choice * 37);
    return text;
  }
  Key key() {
    Key made;
    for (stp_type type : GetParam().keys) made.push_back(part(type));
    return made;
  }
  // One that is there, if there is any.
  Key known_key() {
    if (both.model.empty()) return key();
    auto at = both.model.begin();
    std::advance(at, number(static_cast<s64>(both.model.size())));
    return at->first;
  }
  s64 value() { return number(4) ? number(10) - 5 : static_cast<s64>(random()); }
  void change() {
    s64 choice = number(100);
    if (choice < 60)
      both.set(key(), value());
    else if (choice < 70)
      both.set(known_key(), value());
    else if (choice < 85)
      both.remove(known_key());
    else if (choice < 99)
      both.remove(key());
    else if (number(5) == 0)
      both.clear();
  }
  stp_walk_order order() {
    stp_walk_order made{};
    made.direction = static_cast<s32>(number(3)) - 1;
    made.key = static_cast<u32>(number(both.global.n_keys + 1));
    made.stat_op = STP_SUM;
    made.slice_mask = number(3) ? 0 : static_cast<u32>(number(1 << both.global.n_keys));
    made.limit = number(3) ? -1 : number(both.global.max_entries + 2);
    return made;
  }

  Pair both;
  std::mt19937_64 random{20};
};

INSTANTIATE_TEST_SUITE_P(
    Kinds, RandomMap,
    testing::Values(
        Kind{"numbers", STP_NUMBER, {STP_NUMBER}, 50, false, ~0u},
        Kind{"numbers_that_collide", STP_NUMBER, {STP_NUMBER}, 50, false, 1},
        Kind{"numbers_that_wrap", STP_NUMBER, {STP_NUMBER}, 33, true, ~0u},
        Kind{"one_entry", STP_NUMBER, {STP_NUMBER}, 1, false, ~0u},
        Kind{"one_entry_that_wraps", STP_NUMBER, {STP_STRING}, 1, true, ~0u},
        Kind{"strings", STP_STRING, {STP_STRING}, 40, false, ~0u},
        Kind{"mixed_keys", STP_STRING, {STP_NUMBER, STP_STRING, STP_NUMBER}, 64, true, 3},
        Kind{"statistics", STP_STAT, {STP_STRING, STP_NUMBER}, 40, true, ~0u},
        Kind{"numbers_that_grow", STP_NUMBER, {STP_NUMBER}, 3, false, ~0u, true},
        Kind{"mixed_keys_that_grow", STP_STRING, {STP_STRING, STP_NUMBER}, 20, false, ~0u, true},
        Kind{"statistics_that_grow_and_collide", STP_STAT, {STP_NUMBER}, 4, false, 16, true},
        Kind{"nine_keys", STP_NUMBER, std::vector<stp_type>(9, STP_STRING), 20, false, ~0u}),
    [](const auto& info) { return info.param.name; });

TEST_P(RandomMap, HoldsWhatTheModelHolds) {
  for (int step = 0; step < 5000; ++step) {
    change();
    Key other = key();
    ASSERT_EQ(both.find(other) != nullptr, both.model.contains(other)) << "step " << step;
    if (step % 16 == 0) both.compare();
    ASSERT_FALSE(HasFailure()) << "step " << step;
  }
}

TEST_P(RandomMap, IsWalkedInEveryOrder) {
  for (int step = 0; step < 3000; ++step) {
    change();
    stp_walk_order o = order();
    Key slice = known_key();
    std::vector<Key> keys;
    for (const Seen& seen : both.expected(o, slice)) keys.push_back(seen.key);
    ASSERT_EQ(both.walk(o, slice), keys) << "step " << step;
  }
}

TEST_P(RandomMap, IsChangedDuringNestedWalks) {
  // A walk finds what was there when it began and was not removed since, also when the same key was
  // inserted again.
  auto walk = [&](auto& self, int depth) -> void {
    stp_walk_order o = order();
    Key slice = known_key();
    std::vector<Seen> planned = both.expected(o, slice);
    stp_walk w;
    ASSERT_TRUE(both.begin(w, o, slice));
    for (const Seen& seen : planned) {
      auto at = both.model.find(seen.key);
      if (at == both.model.end() || at->second.sequence != seen.sequence) continue;
      stp_entry* e = both.runtime.walk_next(&w);
      ASSERT_NE(e, nullptr);
      ASSERT_EQ(both.key_of(e), seen.key);
      ASSERT_EQ(both.value_of(e), at->second.value);
      for (s64 changes = number(3); changes > 0; --changes) change();
      if (depth < 2 && number(20) == 0) self(self, depth + 1);
      if (number(50) == 0) break;
    }
    both.runtime.walk_end(&w);
  };
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 30; ++i) both.set(key(), value());
    walk(walk, 0);
    ASSERT_FALSE(HasFailure()) << "round " << round;
    both.compare();
  }
}

// What an entry is larger than its keys and its value; the string of a key has 4 + 16 bytes.
TEST(Map, KeepsLittleOfAnEntry) {
  struct Row {
    stp_type value;
    std::vector<stp_type> keys;
    stp_stat_shape shape;
    u8 walks;
    long bytes;
    u16 room = 0;
  };
  const stp_stat_shape count{}, all = plain_statistic;
  stp_stat_shape sum{}, variance{}, log{};
  sum.sum = variance.variance = 1;
  log.histogram = STP_HIST_LOG;
  log.buckets = 100;
  const std::vector<Row> rows = {
      {STP_NUMBER, {STP_NUMBER}, count, 3, 16 + 8 + 8},
      {STP_NUMBER, std::vector<stp_type>(5, STP_NUMBER), count, 3, 16 + 8 + 5 * 8},
      {STP_NUMBER, {STP_STRING}, count, 3, 16 + 8 + 4 + 20},
      {STP_NUMBER, {STP_STRING, STP_STRING}, count, 3, 16 + 8 + 4 + (4 + 4) + 20, 4},
      {STP_STRING, {STP_NUMBER}, count, 3, 16 + 20 + 4 + 8},
      {STP_NUMBER, {STP_STRING, STP_NUMBER, STP_STRING}, count, 3, 16 + 8 + 8 + 4 + 2 * 20 + 4},
      {STP_STAT, {STP_NUMBER}, count, 0, 16 + 8 + 8},
      {STP_STAT, {STP_NUMBER}, count, 1, 16 + 8 + 8 + 8},
      {STP_STAT, {STP_NUMBER}, sum, 0, 16 + 16 + 8},
      {STP_STAT, {STP_NUMBER}, all, 0, 16 + 32 + 8},
      {STP_STAT, {STP_NUMBER}, variance, 0, 16 + 56 + 8},
      {STP_STAT, {STP_NUMBER}, log, 0, 16 + 8 + 800 + 8},
  };
  for (const Row& row : rows) {
    stp_global global{};
    global.name = "counts";
    global.type = row.value;
    global.n_keys = static_cast<u8>(row.keys.size());
    std::copy(row.keys.begin(), row.keys.end(), global.key_types);
    if (row.room) global.key_rooms[0] = row.room;
    global.walks = row.walks;
    global.max_entries = 2;
    global.shape = &row.shape;
    const Runtime& runtime = Runtime::get();
    stp_map* map = runtime.map_create(&global);
    stp_context context{};
    stp_entry* made[2];
    for (s64 i = 0; i < 2; ++i) {
      std::vector<stp_key> keys(row.keys.size());
      for (size_t k = 0; k < keys.size(); ++k) {
        if (row.keys[k] == STP_STRING)
          keys[k].string = {"ab", static_cast<u32>(i)};
        else
          keys[k].number = i;
      }
      made[i] = runtime.map_make(&context, map, keys.data(), &place);
      ASSERT_NE(made[i], nullptr);
    }
    EXPECT_EQ(reinterpret_cast<char*>(made[1]) - reinterpret_cast<char*>(made[0]), row.bytes)
        << &row - rows.data();
    runtime.map_destroy(map);
  }
}

TEST(Map, SaysThatItIsFull) {
  Pair both(STP_NUMBER, {STP_NUMBER}, 2);
  stp_key keys[] = {{1}, {2}, {3}};
  for (auto& key : keys) both.runtime.map_make(&both.context, both.map, &key, &place);
  EXPECT_STREQ(both.context.error,
               "array counts is full: it has 2 entries; give it a size, or -D MAXMAPENTRIES=N");
  EXPECT_EQ(both.context.error_place, &place);
}

TEST(Map, HasRoomAgainAfterADeletion) {
  Pair both(STP_NUMBER, {STP_NUMBER}, 2);
  EXPECT_TRUE(both.set({1}, 1) && both.set({2}, 2));
  EXPECT_FALSE(both.set({3}, 3));
  both.remove({1});
  EXPECT_TRUE(both.set({3}, 3));
  both.compare();
}

TEST(Map, DropsTheOldestInsertionWhenItWraps) {
  Pair both(STP_NUMBER, {STP_NUMBER}, 3, true);
  for (s64 i = 1; i <= 3; ++i) both.set({i}, i);
  both.set({1}, 10);  // a new value does not make it younger
  both.set({4}, 4);
  EXPECT_EQ(both.find({1}), nullptr);
  both.compare();
}

TEST(Map, RefusesAKeyThatIsTooLongAndStaysAsItIs) {
  for (bool wrap : {false, true}) {
    Pair both(STP_NUMBER, {STP_NUMBER, STP_STRING}, 2, wrap);
    both.set({1, "a"}, 1);
    for (int full = 0; full < 2; ++full) {
      if (full) both.set({2, "b"}, 2);
      std::string text(Runtime::string_size, 'x');
      auto keys = both.raw({3, text});
      EXPECT_EQ(both.runtime.map_make(&both.context, both.map, keys.data(), &place), nullptr);
      EXPECT_NE(both.context.error, nullptr);
      both.context.error = nullptr;
      std::vector<Key> before;
      for (const Seen& seen : both.by_age()) before.push_back(seen.key);
      EXPECT_EQ(both.walk({0, 0, 0, 0, -1}), before) << (wrap ? "wrapping" : "not wrapping");
    }
  }
}

TEST(Map, TakesAKeyOfTheGreatestLength) {
  Pair both(STP_NUMBER, {STP_STRING}, 2);
  EXPECT_TRUE(both.set({std::string(Runtime::string_size - 1, 'x')}, 1));
  EXPECT_TRUE(both.set({std::string()}, 2));
  both.compare();
}

TEST(Map, TellsTheLimitsOfNumbersApartWhenItSorts) {
  Pair both(STP_NUMBER, {STP_NUMBER}, 4);
  for (s64 key : std::vector<s64>{0, INT64_MAX, -1, INT64_MIN}) both.set({key}, key);
  std::vector<Key> ascending = {{INT64_MIN}, {s64{-1}}, {s64{0}}, {INT64_MAX}};
  EXPECT_EQ(both.walk({1, 1, 0, 0, -1}), ascending);
  EXPECT_EQ(both.walk({1, 0, 0, 0, -1}), ascending);
}

TEST(Map, SortsStringsAsUnsignedBytes) {
  Pair both(STP_NUMBER, {STP_STRING}, 4);
  for (const char* key : {"b", "\xff", "", "bb"}) both.set({std::string(key)}, 1);
  EXPECT_EQ(both.walk({-1, 1, 0, 0, -1}), (std::vector<Key>{{"\xff"}, {"bb"}, {"b"}, {""}}));
}

TEST(Map, SortsStatisticsByWhatIsAsked) {
  Pair both(STP_STAT, {STP_NUMBER}, 3);
  const std::vector<std::vector<s64>> values = {{1, 1, 1, 97}, {50, 50}, {-200, 199, 4}};
  for (s64 i = 0; i < 3; ++i)
    for (s64 value : values[static_cast<size_t>(i)]) both.set({i}, value);
  auto first = [&](stp_stat_op op) { return both.walk({1, 0, static_cast<u32>(op), 0, 1})[0]; };
  EXPECT_EQ(first(STP_COUNT), Key{s64{1}});
  EXPECT_EQ(first(STP_SUM), Key{s64{2}});
  EXPECT_EQ(first(STP_MIN), Key{s64{2}});
  EXPECT_EQ(first(STP_MAX), Key{s64{1}});
  EXPECT_EQ(first(STP_AVG), Key{s64{2}});
}

TEST(Map, RanksAStatisticWithoutValuesAsZero) {
  Pair both(STP_STAT, {STP_NUMBER}, 3);
  both.set({1}, 5);
  both.set({2}, -5);
  stp_key empty = {3};
  both.runtime.map_make(&both.context, both.map, &empty, &place);
  EXPECT_EQ(both.walk({1, 0, STP_MIN, 0, -1}), (std::vector<Key>{{2}, {3}, {1}}));
}

TEST(Map, RefusesMoreWalksThanItHasRoomFor) {
  Pair both(STP_NUMBER, {STP_NUMBER}, 2, false, 1);
  both.set({1}, 1);
  stp_walk outer, inner;
  stp_walk_order order = {0, 0, 0, 0, -1};
  ASSERT_TRUE(both.begin(outer, order));
  EXPECT_FALSE(both.begin(inner, order));
  EXPECT_STREQ(both.context.error, "more than 1 nested foreach over array counts");
  both.runtime.walk_end(&inner);  // pairs with a begin that failed as well
  both.runtime.walk_end(&outer);
  EXPECT_TRUE(both.begin(outer, order));
  both.runtime.walk_end(&outer);
}

TEST(Map, ThatNobodyWalksHasNoRoomForWalks) {
  Pair both(STP_NUMBER, {STP_NUMBER}, 2, false, 0);
  stp_walk walk;
  EXPECT_FALSE(both.begin(walk, {0, 0, 0, 0, -1}));
}

// An array of one number that grows, of handlers that cannot wait for it.
class GrowingMap : public testing::Test {
 public:
  GrowingMap() {
    both.runtime.test_work();
    both.runtime.total_pages = 1ul << 18;
  }
  ~GrowingMap() override {
    both.runtime.meanwhile = nullptr;
    both.runtime.total_pages = 0;
  }
  // What it said when element `from` or one behind it did not fit; how many there are then.
  std::string fill(s64 from) {
    for (s64 key = from;; ++key) {
      stp_key raw = {key};
      if (both.runtime.map_make(&both.context, both.map, &raw, &place)) continue;
      std::string said = both.context.error;
      both.context.error = nullptr;
      return said;
    }
  }

  Pair both{STP_NUMBER, {STP_NUMBER}, 1024, false, 3, true};
};

TEST_F(GrowingMap, GrowsInTheBackgroundWhileHandlersChangeIt) {
  static GrowingMap* test;
  static s64 next, changes, walked;
  static std::mt19937_64 random;
  test = this;
  next = changes = walked = 0;
  random.seed(20);
  // One more, and at times one less, or a walk, between all steps of growing.
  auto change = [] {
    Pair& both = test->both;
    ++changes;
    both.set({next}, next * 3), ++next;
    s64 other = static_cast<s64>(random() % static_cast<u64>(next));
    if (random() % 3 == 0) both.remove({other});
    Key key = {static_cast<s64>(random() % static_cast<u64>(next))};
    ASSERT_EQ(both.find(key) != nullptr, both.model.contains(key));
    if (random() % 64 == 0 && ++walked) both.compare();
  };
  both.runtime.meanwhile = +change;
  s64 grown = 0;
  while (next < 30000) {
    change();
    grown += both.runtime.test_work();
    ASSERT_FALSE(HasFailure()) << next;
  }
  EXPECT_GE(grown, 3);
  EXPECT_GT(changes, 29000);
  EXPECT_GT(walked, 100);
  both.compare();
}

TEST_F(GrowingMap, SaysThatItWasFilledFasterThanItGrows) {
  EXPECT_EQ(fill(0),
            "array counts is full: it has 1024 entries, and was filled faster than it grows; give it "
            "a size, or -D MAXMAPENTRIES=N");
  EXPECT_TRUE(both.runtime.test_work());
  fill(1024);
  EXPECT_NE(both.find({s64{4095}}), nullptr);
  EXPECT_EQ(both.find({s64{4096}}), nullptr);
}

TEST_F(GrowingMap, IsWaitedForByHandlersOfOtherProcessors) {
  stp_key key = {0};
  for (; key.number < 1023; ++key.number) both.runtime.map_make(&both.context, both.map, &key, &place);
  both.runtime.cpu = 1;
  for (; key.number < 3000; ++key.number)
    EXPECT_NE(both.runtime.map_make(&both.context, both.map, &key, &place), nullptr) << key.number;
  // Handlers of the first are told to get out of the way.
  EXPECT_EQ(both.runtime.awaited_at_work, 0);
  EXPECT_EQ(both.runtime.awaited, -1);
  both.runtime.cpu = 0;
}

TEST_F(GrowingMap, IsWaitedForWhileOthersEndTheirWait) {
  stp_key key = {0};
  for (; key.number < 1024; ++key.number) both.runtime.map_make(&both.context, both.map, &key, &place);
  both.runtime.cpu = 1;
  both.runtime.idle_delays = 1;  // it tries twice
  EXPECT_NE(both.runtime.map_make(&both.context, both.map, &key, &place), nullptr);
  EXPECT_EQ(both.runtime.idle_delays, 0);
  EXPECT_EQ(both.runtime.awaited_at_work, 0);
  EXPECT_EQ(both.runtime.awaited, -1);
  both.runtime.cpu = 0;
}

TEST_F(GrowingMap, GrowsToTheLimitAndSaysSo) {
  // 8 MB of memory: 1 MB.
  both.runtime.total_pages = 2048;
  both.context.flags = STP_CONTEXT_INTERRUPTIBLE;
  std::string said = fill(0);
  EXPECT_TRUE(said.ends_with(" entries, and arrays may have 1 MB together; -D MAXMAPMEMORY=MB")) << said;
  // 32 bytes of an entry, 3 x 8 for walks, 4 or 8 of the table.
  u32 entries = static_cast<u32>(std::stoul(said.substr(said.find("has ") + 4)));
  EXPECT_GT(entries, (1u << 20) / (32 + 24 + 8) - 16);
  EXPECT_LE(entries, (1u << 20) / (32 + 24 + 4));
  EXPECT_NE(both.find({static_cast<s64>(entries) - 1}), nullptr);
}

TEST_F(GrowingMap, HasRoomForNoMoreThanTwiceWhatIsUsed) {
  for (s64 used : {150000, 250000, 350000, 450000}) {
    Pair other(STP_NUMBER, {STP_NUMBER}, 1024, false, 1, true);
    stp_key key = {0};
    auto fits = [&] { return other.runtime.map_make(&other.context, other.map, &key, &place) != nullptr; };
    other.context.flags = STP_CONTEXT_INTERRUPTIBLE;
    for (; key.number < used; ++key.number) ASSERT_TRUE(fits());
    // No more is allowed: what still fits there was room for.
    other.runtime.total_pages = 2048;
    for (; fits(); ++key.number);
    other.runtime.total_pages = 1ul << 18;
    EXPECT_GE(key.number, used + used / 8);
    EXPECT_LE(key.number, 2 * used);
  }
}

TEST_F(GrowingMap, StaysAsItIsWithoutMemory) {
  fill(0);
  const Runtime& runtime = both.runtime;
  long before = runtime.blocks;
  runtime.allocations_left = 20;
  EXPECT_TRUE(runtime.test_work());
  runtime.allocations_left = -1;
  EXPECT_EQ(runtime.blocks, before);
  EXPECT_EQ(fill(2000),
            "array counts is full: it has 1024 entries, and there is no memory for more; delete some, "
            "or give it a size");
  EXPECT_NE(both.find({s64{1023}}), nullptr);
}

TEST_F(GrowingMap, IsWalkedWhileItGrows) {
  both.context.flags = STP_CONTEXT_INTERRUPTIBLE;
  for (s64 i = 0; i < 500; ++i) both.set({i}, i);
  stp_walk outer, inner;
  stp_walk_order descending = {-1, 1, 0, 0, -1};
  ASSERT_TRUE(both.begin(outer, descending));
  s64 next = 500;
  for (s64 i = 499; i >= 0; --i) {
    stp_entry* e = both.runtime.walk_next(&outer);
    ASSERT_NE(e, nullptr);
    ASSERT_EQ(both.key_of(e), Key{i});
    for (int more = 0; more < 20; ++more, ++next) both.set({next}, next);
    if (i % 100) continue;
    s64 expected = next;
    ASSERT_TRUE(both.begin(inner, descending));
    while (stp_entry* found = both.runtime.walk_next(&inner)) ASSERT_EQ(both.key_of(found), Key{--expected});
    ASSERT_EQ(expected, 0);
    both.runtime.walk_end(&inner);
  }
  EXPECT_EQ(both.runtime.walk_next(&outer), nullptr);
  both.runtime.walk_end(&outer);
}

TEST_F(GrowingMap, IsEmptiedAtEveryStageOfGrowing) {
  for (s64 size = 50; size < 2500; size += 7) {
    both.runtime.total_pages = 0;  // it begins with no more than its size
    Pair other(STP_NUMBER, {STP_NUMBER}, 100, false, 2, true);
    both.runtime.total_pages = 1ul << 18;
    other.context.flags = STP_CONTEXT_INTERRUPTIBLE;
    stp_walk first, second;
    stp_walk_order ascending = {1, 1, 0, 0, -1};
    for (s64 i = 0; i < size; ++i) other.set({i}, i);
    ASSERT_TRUE(other.begin(first, ascending) && other.begin(second, ascending));
    other.clear();
    EXPECT_EQ(other.runtime.walk_next(&second), nullptr);
    other.runtime.walk_end(&second);
    for (s64 i = 0; i < size; ++i) ASSERT_EQ(other.find({i}), nullptr) << i << " of " << size;
    for (s64 i = 1; i < 2 * size; i += 2) other.set({i}, -i);
    for (s64 i = 1; i < size; i += 6) other.remove({i});
    EXPECT_EQ(other.runtime.walk_next(&first), nullptr);
    other.runtime.walk_end(&first);
    other.compare();
    ASSERT_FALSE(HasFailure()) << size;
  }
}

TEST_F(GrowingMap, BeginsWithTwoMegabytesWhereThatIsLittle) {
  Pair other(STP_NUMBER, {STP_NUMBER}, 1024, false, 0, true);
  for (s64 i = 0; i < (2 << 20) / 64; ++i) {
    stp_key key = {i};
    ASSERT_NE(other.runtime.map_make(&other.context, other.map, &key, &place), nullptr) << i;
  }
}

TEST_F(GrowingMap, FreesWhatItGrewTo) {
  long before = both.runtime.blocks;
  {
    Pair other(STP_STRING, {STP_STRING}, 100, false, 1, true);
    other.context.flags = STP_CONTEXT_INTERRUPTIBLE;
    for (s64 i = 0; i < 5000; ++i) other.set({std::to_string(i)}, i);
    EXPECT_GT(both.runtime.blocks, before + 50);
  }
  EXPECT_EQ(both.runtime.blocks, before);
}

TEST(Map, FreesAllWhenMemoryRunsOutHalfWay) {
  for (bool grows : {false, true}) {
    const Runtime& runtime = Runtime::get();
    long before = runtime.blocks;
    Pair both(STP_NUMBER, {STP_NUMBER}, 2, false, 3, grows);
    long needed = runtime.blocks - before;
    EXPECT_GT(needed, 2);
    for (long left = 0; left < needed; ++left) {
      runtime.allocations_left = left;
      EXPECT_EQ(runtime.map_create(&both.global), nullptr);
      runtime.allocations_left = -1;
      EXPECT_EQ(runtime.blocks, before + needed);
    }
  }
}

// Bytes of strings are looked at a word or two at a time: none may be left out, and none beside them read.
TEST(Words, TellEveryByteApart) {
  const Runtime& runtime = Runtime::get();
  for (u32 n = 0; n < 100; ++n) {
    std::string text(n, 'a');
    for (u32 i = 0; i < n; ++i) text[i] = static_cast<char>('a' + i % 23);
    std::string before = "<" + text + ">", other = "[[" + text + "]";
    stp_str a = {before.data() + 1, n}, b = {other.data() + 2, n};
    EXPECT_TRUE(runtime.equal(a, b)) << n;
    EXPECT_EQ(runtime.hash(a, 5), runtime.hash(b, 5)) << n;
    EXPECT_FALSE(runtime.equal(a, stp_str{b.p, n + 1})) << n;
    for (u32 i = 0; i < n; ++i) {
      other[2 + i] ^= 0x20;
      EXPECT_FALSE(runtime.equal(a, b)) << i << " of " << n;
      EXPECT_NE(runtime.hash(a, 5), runtime.hash(b, 5)) << i << " of " << n;
      other[2 + i] ^= 0x20;
    }
  }
}

TEST(Words, AreMovedAsOfMemmove) {
  const Runtime& runtime = Runtime::get();
  for (u32 n = 0; n < 80; ++n)
    for (int by = -40; by <= 40; ++by) {
      std::string text(200, 'a');
      for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i);
      std::string expected = text;
      memmove(expected.data() + 60 + by, expected.data() + 60, n);
      runtime.test_move(text.data() + 60 + by, text.data() + 60, n);
      ASSERT_EQ(text, expected) << n << " bytes by " << by;
    }
}

}  // namespace
}  // namespace stp::test
