// Statistics of the runtime against plain computation in 128 bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

#include "testsuite/unit/kernel_shim/runtime_under_test.h"

namespace stp::test {
namespace {

using Wide = __int128;

constexpr stp_place place = {"t.stp", 3, 1};
constexpr s64 limits[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};

stp_stat_shape plain_shape() { return {STP_HIST_NONE, 1, 1, 0, 0, 0, 0, 0, 0, 0}; }
stp_stat_shape variance_shape() { return {STP_HIST_NONE, 1, 1, 0, 1, 0, 0, 0, 0, 0}; }
stp_stat_shape log_shape() { return {STP_HIST_LOG, 1, 1, 0, 0, 0, STP_HIST_LOG_BUCKETS, 0, 0, 0}; }
// As the translator makes it: two buckets for what is outside, and one that begins at `high` when a
// step ends there.
stp_stat_shape linear_shape(s64 low, s64 high, s64 step) {
  auto span = static_cast<u64>(high) - static_cast<u64>(low);
  return {
      STP_HIST_LINEAR, 1, 1, 0, 0, 0, static_cast<u32>(span / static_cast<u64>(step) + 3), low, high, step};
}

// The bucket by the definitions in stp/abi.h.
u32 bucket_by_definition(const stp_stat_shape& shape, s64 value) {
  if (shape.histogram == STP_HIST_LINEAR) {
    if (value < shape.low) return 0;
    if (value > shape.high) return shape.buckets - 1;
    return static_cast<u32>(1 + (Wide{value} - shape.low) / shape.step);
  }
  if (value == 0) return 64;
  Wide size = value < 0 ? -Wide{value} : Wide{value};
  u32 n = 1;
  while (!(size < Wide{1} << n)) ++n;
  return value < 0 ? 64 - n : 64 + n;
}

class OneStatistic {
 public:
  explicit OneStatistic(const stp_stat_shape& with)
      : shape(with), bytes(new u64[runtime.stat_size(&with) / 8]()) {}
  stp_stat* get() { return reinterpret_cast<stp_stat*>(bytes.get()); }
  void add(s64 value) { runtime.test_stat_add(get(), &shape, value); }
  s64 value(stp_stat_op op) { return runtime.stat_value(&context, get(), &shape, op, &place); }
  s64 bucket(s64 n) { return runtime.stat_bucket(&context, get(), &shape, n, &place); }

  const Runtime& runtime = Runtime::get();
  stp_stat_shape shape;
  std::unique_ptr<u64[]> bytes;
  stp_context context{};
};

void expect_statistic_of(const std::vector<s64>& values, const stp_stat* s,
                         const stp_stat_shape& shape) {
  const Runtime& runtime = Runtime::get();
  stp_context context{};
  auto value = [&](stp_stat_op op) { return runtime.stat_value(&context, s, &shape, op, &place); };
  Wide sum = 0;
  std::vector<s64> buckets(shape.buckets);
  for (s64 v : values) {
    sum += v;
    if (shape.histogram) ++buckets.at(bucket_by_definition(shape, v));
  }
  auto wrapped = static_cast<s64>(sum);
  auto count = static_cast<s64>(values.size());
  EXPECT_EQ(value(STP_COUNT), count);
  EXPECT_EQ(value(STP_SUM), wrapped);
  if (!values.empty()) {
    EXPECT_EQ(value(STP_MIN), *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(value(STP_MAX), *std::max_element(values.begin(), values.end()));
    EXPECT_EQ(value(STP_AVG), wrapped / count);
  }
  for (u32 n = 0; n < shape.buckets; ++n)
    EXPECT_EQ(runtime.stat_bucket(&context, s, &shape, n, &place), buckets[n]) << "bucket " << n;
  EXPECT_EQ(context.error, nullptr);
}

// Of every magnitude, both signs, and the limits.
class Values {
 public:
  s64 next() {
    if (random_() % 16 == 0) return limits[random_() % std::size(limits)];
    auto value = static_cast<s64>(random_() >> random_() % 64);
    return random_() % 2 ? value : static_cast<s64>(0 - static_cast<u64>(value));
  }
  u64 below(u64 n) { return random_() % n; }

 private:
  std::mt19937_64 random_{21};
};

const std::vector<stp_stat_shape>& shapes() {
  static const std::vector<stp_stat_shape> all = {
      plain_shape(),
      variance_shape(),
      log_shape(),
      linear_shape(0, 100, 10),
      linear_shape(-50, 49, 7),
      linear_shape(-3, 3, 1),
      linear_shape(5, 6, 100),
      linear_shape(INT64_MIN, INT64_MAX, INT64_MAX / 100),
  };
  return all;
}

TEST(Statistic, IsWhatPlainComputationGives) {
  Values random;
  for (const auto& shape : shapes())
    for (int round = 0; round < 50; ++round) {
      OneStatistic s(shape);
      std::vector<s64> values;
      for (u64 n = random.below(60); n > 0; --n) {
        values.push_back(random.below(2) ? random.next()
                                         : static_cast<s64>(random.below(140)) - 70);
        s.add(values.back());
      }
      expect_statistic_of(values, s.get(), shape);
      ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
    }
}

TEST(Statistic, KeepsWhatIsAskedForAlone) {
  stp_stat_shape shape{};
  shape.histogram = STP_HIST_LOG;
  shape.buckets = STP_HIST_LOG_BUCKETS;
  OneStatistic s(shape);
  for (s64 v : {7, -9}) s.add(v);
  EXPECT_EQ(s.get()->count, 2);
  EXPECT_EQ(s.runtime.stat_size(&shape), 8 + 8 * shape.buckets);
  EXPECT_EQ(stp_stat_buckets(s.get(), &s.shape)[64 + 3], 1);
  EXPECT_EQ(stp_stat_buckets(s.get(), &s.shape)[64 - 4], 1);
}

TEST(Statistic, AveragesRoundTowardsZero) {
  OneStatistic up(plain_shape()), down(plain_shape());
  for (s64 v : {1, 2}) up.add(v), down.add(-v);
  EXPECT_EQ(up.value(STP_AVG), 1);
  EXPECT_EQ(down.value(STP_AVG), -1);
}

TEST(Statistic, OfNothingHasACountAndASumAlone) {
  OneStatistic s(plain_shape());
  EXPECT_EQ(s.value(STP_COUNT), 0);
  EXPECT_EQ(s.value(STP_SUM), 0);
  EXPECT_EQ(s.context.error, nullptr);
  for (auto op : {STP_MIN, STP_MAX, STP_AVG, STP_VARIANCE}) {
    for (const stp_stat* nothing :
         {static_cast<const stp_stat*>(s.get()), (const stp_stat*)nullptr}) {
      s.context.error = nullptr;
      EXPECT_EQ(s.runtime.stat_value(&s.context, nothing, &s.shape, op, &place), 0);
      EXPECT_STREQ(s.context.error, "empty aggregate");
      EXPECT_EQ(s.context.error_place, &place);
    }
    EXPECT_EQ(s.runtime.stat_rank(s.get(), &s.shape, op), 0);
  }
}

TEST(Statistic, OfAnElementThatIsAbsentIsNothing) {
  OneStatistic s(log_shape());
  EXPECT_EQ(s.runtime.stat_value(&s.context, nullptr, &s.shape, STP_COUNT, &place), 0);
  EXPECT_EQ(s.runtime.stat_bucket(&s.context, nullptr, &s.shape, 64, &place), 0);
  EXPECT_EQ(s.context.error, nullptr);
}

TEST(LogHistogram, BucketsBeginAtPowersOfTwo) {
  for (int bit = 0; bit < 64; ++bit)
    for (s64 offset : {-1, 0, 1})
      for (u64 sign : {1ull, ~0ull}) {
        auto value = static_cast<s64>(sign * (u64{1} << bit) + static_cast<u64>(offset));
        OneStatistic s(log_shape());
        s.add(value);
        EXPECT_EQ(s.bucket(bucket_by_definition(s.shape, value)), 1) << value;
      }
}

TEST(LogHistogram, HasABucketForTheLimits) {
  OneStatistic s(log_shape());
  s.add(INT64_MIN);
  s.add(INT64_MAX);
  s.add(0);
  EXPECT_EQ(s.bucket(0), 1);
  EXPECT_EQ(s.bucket(127), 1);
  EXPECT_EQ(s.bucket(64), 1);
}

TEST(LinearHistogram, KeepsWhatIsOutsideInTheOuterBuckets) {
  OneStatistic s(linear_shape(0, 100, 10));
  ASSERT_EQ(s.shape.buckets, 13u);
  for (s64 v : std::vector<s64>{-1, INT64_MIN}) s.add(v);
  for (s64 v : std::vector<s64>{101, INT64_MAX}) s.add(v);
  for (s64 v : {0, 9, 10, 99, 100}) s.add(v);
  const s64 expected[] = {2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2};
  for (s64 n = 0; n < 13; ++n) EXPECT_EQ(s.bucket(n), expected[n]) << n;
}

TEST(Histogram, RefusesABucketThatItDoesNotHave) {
  for (s64 n : std::vector<s64>{-1, 129, INT64_MIN, INT64_MAX, s64{1} << 32}) {
    OneStatistic s(log_shape());
    EXPECT_EQ(s.bucket(n), 0);
    EXPECT_EQ(s.context.error, "a histogram of 129 buckets has no bucket " + std::to_string(n));
  }
}

TEST(Histogram, TravelsWithItsShape) {
  for (const auto& shape : {log_shape(), linear_shape(-50, 49, 7)}) {
    OneStatistic s(shape);
    s.add(3);
    std::vector<u64> record(s.runtime.histogram_size(&shape) / 8 + 1, 0xa5a5a5a5a5a5a5a5);
    for (const stp_stat* of : {static_cast<const stp_stat*>(s.get()), (const stp_stat*)nullptr}) {
      void* end = s.runtime.put_histogram(record.data(), of, &shape);
      EXPECT_EQ(end, &record.back());
      EXPECT_EQ(record.back(), 0xa5a5a5a5a5a5a5a5);
      stp_histogram_head head;
      memcpy(&head, record.data(), sizeof head);
      EXPECT_EQ(head.low, shape.low);
      EXPECT_EQ(head.high, shape.high);
      EXPECT_EQ(head.step, shape.step);
      EXPECT_EQ(head.buckets, shape.buckets);
      EXPECT_EQ(head.unused, 0u);
      for (u32 n = 0; n < shape.buckets; ++n)
        EXPECT_EQ(record[sizeof head / 8 + n], of && n == bucket_by_definition(shape, 3) ? 1u : 0u);
    }
  }
}

s64 variance_of(const std::vector<s64>& values) {
  OneStatistic s(variance_shape());
  for (s64 v : values) s.add(v);
  return s.value(STP_VARIANCE);
}

// (n * sum of squares - sum^2) / (n * (n - 1)), for values whose squares leave room.
s64 exact_variance(const std::vector<s64>& values) {
  Wide n = static_cast<Wide>(values.size()), sum = 0, squares = 0;
  for (s64 v : values) sum += v, squares += Wide{v} * v;
  return n < 2 ? 0 : static_cast<s64>((n * squares - sum * sum) / (n * (n - 1)));
}

TEST(Variance, OfFewerThanTwoValuesIsZero) { EXPECT_EQ(variance_of({17}), 0); }

TEST(Variance, IsExactWhenItIsWhole) {
  EXPECT_EQ(variance_of({1, 3}), 2);
  EXPECT_EQ(variance_of({-5, -5, -5}), 0);
  EXPECT_EQ(variance_of({1, 2, 3, 4, 5, 6, 7, 8}), 6);
  EXPECT_EQ(variance_of({1000000000, 1000000002}), 2);
  EXPECT_EQ(variance_of({-2000000000, 2000000000}), 8000000000000000000);
}

TEST(Variance, IsExactToTheLastDivision) {
  EXPECT_EQ(variance_of({0, 1}), 0);  // 1/2
  Values random;
  for (int round = 0; round < 2000; ++round) {
    std::vector<s64> values(2 + random.below(8));
    for (s64& v : values) v = static_cast<s64>(random.below(2000)) - 1000;
    ASSERT_EQ(variance_of(values), exact_variance(values)) << testing::PrintToString(values);
  }
}

TEST(Variance, OfEqualValuesIsZeroAtTheLimits) {
  for (s64 limit : limits) {
    EXPECT_EQ(variance_of({limit, limit}), 0) << limit;
    EXPECT_EQ(variance_of({limit, limit, limit, limit, limit}), 0) << limit;
  }
}

TEST(Variance, ThatDoesNotFitIsNotSmall) {
  EXPECT_GT(variance_of({INT64_MIN, INT64_MAX}), INT64_MAX / 2);
  EXPECT_GT(variance_of({-4000000000, 4000000000}), INT64_MAX / 2);  // 3.2e19
}

class ScalarStatistic {
 public:
  explicit ScalarStatistic(const stp_stat_shape& with) : shape(with) {
    stats = runtime.stats_create(&shape);
  }
  ~ScalarStatistic() { runtime.stats_destroy(stats); }
  void add(u32 cpu, bool nmi, s64 value) {
    runtime.cpu = static_cast<int>(cpu);
    runtime.nmi = nmi;
    runtime.test_stat_add(runtime.stats_part(stats), &shape, value);
    runtime.nmi = 0;
  }
  stp_stat* merge() { return runtime.stats_merge(&context, stats); }

  const Runtime& runtime = Runtime::get();
  stp_stat_shape shape;
  stp_stats* stats = nullptr;
  stp_context context{};
};

// In user space GS is 0: what is counted goes to the part of CPU 0.
TEST(ScalarStatistic, CountsAnInstructionAtATime) {
  const stp_stat_shape log{STP_HIST_LOG, 1, 0, 1, 0, 0, STP_HIST_LOG_BUCKETS, 0, 0, 0};
  ScalarStatistic counted(log);
  ASSERT_NE(counted.stats->counted, nullptr);
  Values random;
  std::vector<s64> values = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MIN + 1};
  for (int i = 0; i < 200; ++i) values.push_back(random.next());
  s64 sum = 0;
  std::vector<s64> buckets(log.buckets);
  for (s64 v : values) {
    counted.runtime.test_stats_count(counted.stats, &log, v);
    sum = static_cast<s64>(static_cast<u64>(sum) + static_cast<u64>(v));
    ++buckets[bucket_by_definition(log, v)];
  }
  stp_stat* all = counted.merge();
  EXPECT_EQ(all->count, static_cast<s64>(values.size()));
  EXPECT_EQ(all->sum, sum);
  for (u32 n = 0; n < log.buckets; ++n) EXPECT_EQ(stp_stat_buckets(all, &log)[n], buckets[n]) << n;
  counted.runtime.stats_clear(counted.stats);
  EXPECT_EQ(counted.merge()->count, 0);
}

TEST(ScalarStatistic, MergesAllCpusAndLevels) {
  const u32 cpus[] = {0, 1, 3};  // see the shim's linux/percpu.h
  Values random;
  for (const auto& shape : shapes()) {
    ScalarStatistic s(shape);
    for (int round = 0; round < 20; ++round) {
      std::vector<s64> values;
      for (u64 n = random.below(40); n > 0; --n) {
        values.push_back(random.next());
        s.add(cpus[random.below(3)], random.below(4) == 0, values.back());
        // Reading changes nothing.
        if (random.below(4) == 0) expect_statistic_of(values, s.merge(), shape);
      }
      expect_statistic_of(values, s.merge(), shape);
      ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
      s.runtime.stats_clear(s.stats);
    }
  }
}

TEST(ScalarStatistic, AddsUpTheSquaresOfAllCpus) {
  ScalarStatistic s(variance_shape());
  s.add(0, false, 1);
  s.add(1, false, 3);
  s.add(3, true, -1);
  EXPECT_EQ(s.runtime.stat_value(&s.context, s.merge(), &s.shape, STP_VARIANCE, &place), 4);
}

TEST(ScalarStatistic, IsNothingAfterClear) {
  ScalarStatistic s(log_shape());
  s.add(1, false, 5);
  s.add(1, true, 5);
  s.runtime.stats_clear(s.stats);
  expect_statistic_of({}, s.merge(), s.shape);
  s.add(0, false, -7);
  expect_statistic_of({-7}, s.merge(), s.shape);
}

TEST(ScalarStatistic, FreesAllWhenMemoryRunsOutHalfWay) {
  const Runtime& runtime = Runtime::get();
  long before = runtime.blocks;
  ScalarStatistic s(log_shape());
  long needed = runtime.blocks - before;
  EXPECT_GT(needed, 4);
  for (long left = 0; left < needed; ++left) {
    runtime.allocations_left = left;
    EXPECT_EQ(runtime.stats_create(&s.shape), nullptr);
    runtime.allocations_left = -1;
    EXPECT_EQ(runtime.blocks, before + needed);
  }
}

}  // namespace
}  // namespace stp::test
