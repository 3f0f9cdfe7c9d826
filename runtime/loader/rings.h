// The per-CPU rings of a running module, as one stream of records in order of time.
//
// The protocol, and why merging is safe, stand in include/stp/abi.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "backlog.h"
#include "stp/abi.h"

namespace stp::load {

// One record, valid during the call that hands it over.
struct Record {
  unsigned cpu;
  const stp_record* head;
  std::string_view payload;
};

struct Loss {
  uint64_t records = 0;
  uint64_t bytes = 0;
  std::map<unsigned, uint64_t> records_by_cpu;  // only CPUs that lost some
};

// Records that were not read, since it was last told: no room for them, or taken from them.
struct Losses {
  Loss lost, overwritten;
};

class Rings {
 public:
  // `directory` is the module's folder in debugfs. At most about `aside_limit` bytes are put aside (see
  // read()). Throws std::runtime_error when its rings cannot be mapped.
  explicit Rings(std::string directory, size_t aside_limit = Backlog::fair_limit());
  ~Rings();
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  // Hands over, in order of time, records that are certain to be next: so many that the room of
  // each ring is given back in parts. With `everything`, of all that is there: for when no handler runs
  // any more. Returns how many; none: there is no more. A record counts as
  // read only when release() follows: a reader that dies before it loses nothing. But what is in a ring
  // that is half full is put aside into the reader's memory first, and its room given back at once: that is
  // ten times as fast as printing it.
  size_t read(bool everything, const std::function<void(const Record&)>& use);

  // From here on nothing more is put aside: for who ends before all was read.
  void put_nothing_aside() { aside_limit_ = 0; }
  // Whether read() has still to hand over what was put aside.
  bool any_aside() const;

  // Whether the last read() left some of what it could have read.
  bool more() const { return more_; }

  // Gives the room of all records that were handed over back to the kernel.
  void release();

  // Each loss is in one answer only, whoever reads the rings.
  Losses take_losses();

 private:
  struct Ring;
  // Maps the rings of CPUs that came online since.
  void rescan();
  std::string directory_;
  size_t aside_limit_;
  bool more_ = false;
  std::map<unsigned, std::unique_ptr<Ring>> rings_;
};

}  // namespace stp::load
