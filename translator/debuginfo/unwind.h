// How to get from a frame to its caller, for ranges of addresses: call frame information as a table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stp {

// One operation of a DWARF expression.
struct UnwindOp {
  uint8_t atom;
  uint64_t number, number2;
  auto operator<=>(const UnwindOp&) const = default;
};

// Where the caller's value of a register is.
struct UnwindRule {
  enum class Kind : uint8_t {
    same,        // the register still has it
    undefined,   // nowhere; of the return address: this is the outermost frame
    at_cfa,      // in memory, at CFA + offset
    is_cfa,      // it is CFA + offset
    reg,         // in register `offset`
    expression,  // in memory, at what the expression computes
    value,       // it is what the expression computes
  } kind = Kind::same;
  int64_t offset = 0;
  std::vector<UnwindOp> expression = {};
  auto operator<=>(const UnwindRule&) const = default;
};

// What holds from one instruction up to another.
struct UnwindState {
  int cfa_register = -1;  // -1: `cfa` computes the CFA
  int64_t cfa_offset = 0;
  std::vector<UnwindOp> cfa = {};
  // Of DWARF registers 0 to 16; 16 is the return address on x86-64.
  static constexpr int registers = 17, return_address = 16;
  std::vector<UnwindRule> rules = {};
  bool signal_frame = false;
  auto operator<=>(const UnwindState&) const = default;
};

using AddressRanges = std::vector<std::pair<uint64_t, uint64_t>>;

class UnwindTable {
 public:
  // Of the file's .debug_frame and .eh_frame; .debug_frame wins where both say something. With
  // `only`, of functions that begin in these ranges. Null, with a phrase in `why_not`, when the file
  // has neither or cannot be read.
  static std::unique_ptr<UnwindTable> read(const std::filesystem::path&, const AddressRanges& only,
                                           std::string& why_not);

  // Null where nothing is known.
  const UnwindState* at(uint64_t pc) const;

  // A row holds up to the next; `state` is an index of states(), or `none`.
  struct Row {
    uint64_t begin;
    uint32_t state;
  };
  static constexpr uint32_t none = UINT32_MAX;
  const std::vector<Row>& rows() const { return rows_; }
  // Each different state once: a kernel has half a million rows and some hundred states.
  const std::vector<UnwindState>& states() const { return states_; }

 private:
  std::vector<Row> rows_;
  std::vector<UnwindState> states_;
};

}  // namespace stp
