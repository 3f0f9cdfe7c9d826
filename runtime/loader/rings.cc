// Reading goes in rounds. A round fixes the time T up to which every CPU's records are known
// to be complete, sorts each ring's new records by time (they nearly always are: only an NMI
// that prints in the middle of a handler's output disturbs it), and merges the rings. The
// kernel gets the room back when the caller says that the text is safely written.
#include "rings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace stp::load {
namespace {

uint64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

uint64_t now_of(stp_u32 clock) {
  if (clock != STP_CLOCK_TSC) return now_ns();
  // Not before what was read earlier (SDM 2B, RDTSC).
  __builtin_ia32_lfence();
  return __builtin_ia32_rdtsc();
}

uint64_t load_acquire(const stp_u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }

// How long to wait for a handler that is in the middle of printing. Handlers are bounded; only
// a virtual CPU that its host has put aside takes longer, and then order suffers, not content.
constexpr uint64_t patience_ns = 200'000'000;

// Of a ring, in a round. What is read is given back only when it is written out: with less at a time there
// is room again while the next part is read.
constexpr uint64_t most_of_a_round = 256 << 10;

struct Pending {
  uint64_t time;
  unsigned cpu;
  const stp_record* head;
  uint64_t end;  // position behind it
};

}  // namespace

struct Rings::Ring {
  stp_ring* shared = nullptr;
  const char* data = nullptr;
  size_t mapped = 0;
  unsigned cpu = 0;
  uint64_t next = 0;  // position behind what was handed over
  std::vector<Pending> pending;
  // A copy of what the ring had from `begin` to `end`.
  struct Aside {
    uint64_t begin, end;
    std::unique_ptr<char[]> bytes;
  };
  std::deque<Aside> aside;  // in order, up to where the ring goes on

  ~Ring() {
    if (shared) munmap(shared, mapped);
  }

  uint64_t given_back() const { return aside.empty() ? next : std::max(next, aside.back().end); }

  // The bytes that it takes; none when the ring has room, or more is there than `most`.
  uint64_t put_aside(uint64_t most) {
    uint64_t begin = given_back(), end = load_acquire(shared->commit), size = end - begin;
    if (size < shared->size / 2 || size > shared->size || size > most) return 0;
    auto bytes = std::make_unique_for_overwrite<char[]>(size);
    uint64_t at = begin & (shared->size - 1), first = std::min(size, shared->size - at);
    std::memcpy(bytes.get(), data + at, first);
    std::memcpy(bytes.get() + first, data, size - first);
    aside.push_back({begin, end, std::move(bytes)});
    give_back();
    return size;
  }
  void give_back() {
    __atomic_store_n(&shared->consumed, given_back(), __ATOMIC_RELEASE);
    while (!aside.empty() && aside.front().end <= next) aside.pop_front();
  }

  const stp_record* record_at(uint64_t position) const {
    for (const Aside& a : aside)
      if (position < a.end) return reinterpret_cast<const stp_record*>(a.bytes.get() + (position - a.begin));
    return reinterpret_cast<const stp_record*>(data + (position & (shared->size - 1)));
  }

  // Whether a record may stand at `position`: its head and body end before `end` and before
  // the end of the data. Guards against a module that writes nonsense.
  bool plausible(uint64_t position, uint64_t end) const {
    uint64_t room = std::min(end - position, shared->size - (position & (shared->size - 1)));
    if (room < 8) return false;
    const stp_record* r = record_at(position);
    return r->length >= 8 && r->length % 8 == 0 && r->length <= room &&
           (r->kind == STP_RECORD_PAD || r->length >= sizeof *r);
  }

  // Collects records of [next, end), a round's worth. False when that leaves some, and `horizon` is
  // then the time up to which it has all.
  bool collect(uint64_t end, uint64_t& horizon) {
    pending.clear();
    uint64_t latest = 0;
    for (uint64_t position = next; position < end;) {
      if (!plausible(position, end))
        throw std::runtime_error(
            fmt::format("the ring of CPU {} is damaged at position {}", cpu, position));
      const stp_record* r = record_at(position);
      // Not between two that are out of order.
      if (position - next >= most_of_a_round && r->kind != STP_RECORD_PAD && r->time >= latest) {
        horizon = std::min(horizon, latest);
        return false;
      }
      position += r->length;
      if (r->kind == STP_RECORD_PAD) continue;
      pending.push_back({r->time, cpu, r, position});
      latest = std::max(latest, r->time);
    }
    return true;
  }

  // Of these, those up to the last whose time is not after `horizon`, in order.
  void keep(uint64_t horizon) {
    while (!pending.empty() && pending.back().time > horizon) pending.pop_back();
    if (!pending.empty()) next = pending.back().end;
    auto by_time = [](const Pending& a, const Pending& b) { return a.time < b.time; };
    if (!std::is_sorted(pending.begin(), pending.end(), by_time))
      std::stable_sort(pending.begin(), pending.end(), by_time);
  }
};

namespace {

// Merges sorted lists; of equal times the lower CPU goes first, whole.
void merge(const std::vector<const std::vector<Pending>*>& lists,
           const std::function<void(const Pending&)>& use) {
  struct Cursor {
    const Pending* at;
    const Pending* end;
  };
  auto later = [](const Cursor& a, const Cursor& b) {
    return a.at->time != b.at->time ? a.at->time > b.at->time : a.at->cpu > b.at->cpu;
  };
  std::vector<Cursor> heap;
  for (const auto* list : lists)
    if (!list->empty()) heap.push_back({list->data(), list->data() + list->size()});
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    Cursor& first = heap.back();
    use(*first.at);
    if (++first.at == first.end)
      heap.pop_back();
    else
      std::push_heap(heap.begin(), heap.end(), later);
  }
}

}  // namespace

Rings::Rings(std::string directory, size_t aside_limit)
    : directory_(std::move(directory)), aside_limit_(aside_limit) {
  rescan();
}
Rings::~Rings() = default;

void Rings::rescan() {
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    std::string name = entry.path().filename();
    if (name.compare(0, 4, "ring") != 0) continue;
    auto cpu = static_cast<unsigned>(std::strtoul(name.c_str() + 4, nullptr, 10));
    if (rings_.count(cpu)) continue;
    int fd = open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0)
      throw std::runtime_error(fmt::format("{}: {}", entry.path().string(), strerror(errno)));
    // A mapping must be as long as the buffer is: reading the file tells.
    auto ring = std::make_unique<Ring>();
    stp_ring header{};
    if (::read(fd, &header, sizeof header) == sizeof header)
      ring->mapped = STP_RING_HEADER + header.size;
    void* mapping = mmap(nullptr, ring->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int error = errno;
    close(fd);
    if (mapping == MAP_FAILED)
      throw std::runtime_error(
          fmt::format("cannot map {}: {}", entry.path().string(), strerror(error)));
    ring->shared = static_cast<stp_ring*>(mapping);
    ring->data = static_cast<const char*>(mapping) + STP_RING_HEADER;
    ring->cpu = cpu;
    ring->next = load_acquire(ring->shared->consumed);
    if (ring->shared->magic != STP_RING_MAGIC ||
        ring->shared->size + STP_RING_HEADER > ring->mapped)
      throw std::runtime_error(fmt::format("{} is not a ring of stp", entry.path().string()));
    rings_.emplace(cpu, std::move(ring));
  }
}

size_t Rings::read(bool everything, const std::function<void(const Record&)>& use) {
  uint64_t room = aside_limit_;
  for (const auto& [cpu, ring] : rings_)
    for (const Ring::Aside& a : ring->aside) room -= std::min(room, a.end - a.begin);
  for (const auto& [cpu, ring] : rings_) room -= ring->put_aside(room);
  uint64_t horizon = UINT64_MAX;
  if (!everything && !rings_.empty()) horizon = now_of(rings_.begin()->second->shared->clock);
  // CPUs that came before that may have printed.
  if (!rings_.empty() && __atomic_load_n(&rings_.begin()->second->shared->rings, __ATOMIC_ACQUIRE) > rings_.size())
    rescan();
  std::vector<uint64_t> reserved;
  for (const auto& [cpu, ring] : rings_) reserved.push_back(load_acquire(ring->shared->reserve));
  uint64_t deadline = now_ns() + patience_ns;
  std::vector<const std::vector<Pending>*> lists;
  size_t index = 0, total = 0;
  more_ = false;
  for (auto& [cpu, ring] : rings_) {
    uint64_t commit = load_acquire(ring->shared->commit);
    while (commit < reserved[index] && now_ns() < deadline) {
      sched_yield();
      commit = load_acquire(ring->shared->commit);
    }
    ++index;
    more_ |= !ring->collect(commit, horizon);
  }
  for (auto& [cpu, ring] : rings_) {
    ring->keep(horizon);
    total += ring->pending.size();
    lists.push_back(&ring->pending);
  }
  merge(lists, [&](const Pending& p) {
    use({p.cpu, p.head,
         std::string_view(reinterpret_cast<const char*>(p.head + 1),
                          p.head->length - sizeof *p.head)});
  });
  return total;
}

void Rings::release() {
  for (auto& [cpu, ring] : rings_) ring->give_back();
}

bool Rings::any_aside() const {
  return std::any_of(rings_.begin(), rings_.end(), [](const auto& one) { return !one.second->aside.empty(); });
}

Losses Rings::take_losses() {
  Losses all;
  auto take = [](unsigned cpu, Loss& loss, const stp_u64& count, const stp_u64& bytes,
                 stp_u64& told, stp_u64& told_bytes) {
    uint64_t records = load_acquire(count), length = load_acquire(bytes);
    if (records == told) return;
    loss.records += records - told;
    loss.bytes += length - told_bytes;
    loss.records_by_cpu[cpu] = records - told;
    told = records;
    told_bytes = length;
  };
  for (const auto& [cpu, ring] : rings_) {
    stp_ring& r = *ring->shared;
    take(cpu, all.lost, r.lost, r.lost_bytes, r.told_lost, r.told_lost_bytes);
    take(cpu, all.overwritten, r.overwritten, r.overwritten_bytes, r.told_overwritten,
         r.told_overwritten_bytes);
  }
  return all;
}

}  // namespace stp::load
