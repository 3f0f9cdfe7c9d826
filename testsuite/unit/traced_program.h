// A program compiled for a test and run under ptrace: what debug information says about its
// variables is compared with what they are.
#pragma once

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>

#include "types/location.h"

namespace stp::testing_dwarf {

// A child that runs to an address and stops there. Link-time addresses: it is not
// position-independent.
class TracedProgram {
 public:
  explicit TracedProgram(const std::filesystem::path& program) {
    child_ = fork();
    if (child_ == 0) {
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      execl(program.c_str(), program.c_str(), nullptr);
      _exit(127);
    }
    int status;
    waitpid(child_, &status, 0);
    alive_ = WIFSTOPPED(status);
  }
  ~TracedProgram() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  TracedProgram(const TracedProgram&) = delete;
  TracedProgram& operator=(const TracedProgram&) = delete;

  // False when the program ends without coming there.
  bool run_to(uint64_t address) {
    if (!alive_) return false;
    errno = 0;
    long saved = ptrace(PTRACE_PEEKTEXT, child_, address, nullptr);
    if (errno) return false;
    ptrace(PTRACE_POKETEXT, child_, address, (saved & ~0xffl) | 0xcc);
    ptrace(PTRACE_CONT, child_, nullptr, nullptr);
    int status;
    waitpid(child_, &status, 0);
    alive_ = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
    if (!alive_) return false;
    ptrace(PTRACE_POKETEXT, child_, address, saved);
    ptrace(PTRACE_GETREGS, child_, nullptr, &registers_);
    registers_.rip = address;
    ptrace(PTRACE_SETREGS, child_, nullptr, &registers_);
    return true;
  }

  uint64_t stack_pointer() const { return registers_.rsp; }
  uint64_t memory(uint64_t address, unsigned size = 8) const {
    uint64_t value = static_cast<uint64_t>(ptrace(PTRACE_PEEKDATA, child_, address, nullptr));
    return cut(value, size);
  }

  // `size` bytes of the variable from `offset` on, zero-extended; nothing when it has no value.
  std::optional<uint64_t> value(const types::Location& at, unsigned size,
                                unsigned offset = 0) const {
    using Kind = types::Location::Kind;
    if (at.kind == Kind::pieces) {
      uint64_t begin = 0;
      for (const auto& piece : at.pieces) {
        uint64_t length = piece.bits / 8;
        if (offset >= begin && offset + size <= begin + length)
          return value({piece.kind, piece.value, {}}, size, static_cast<unsigned>(offset - begin));
        begin += length;
      }
      return std::nullopt;
    }
    if (!at.value) return std::nullopt;
    uint64_t word = 0;
    try {
      word = evaluate(*at.value);
    } catch (const UnknownCaller&) {
      return std::nullopt;
    }
    if (at.kind == Kind::memory) return memory(word + offset, size);
    return cut(word >> (8 * offset), size);
  }

  uint64_t evaluate(const types::Loc& loc) const {
    using types::LocOp;
    auto arg = [&](size_t i) { return evaluate(*loc.args.at(i)); };
    switch (loc.op) {
      case LocOp::constant:
      case LocOp::address:
        return static_cast<uint64_t>(loc.value);
      case LocOp::reg:
        return dwarf_register(loc.value);
      case LocOp::deref:
        return memory(arg(0), loc.size);
      case LocOp::add:
        return arg(0) + arg(1);
      case LocOp::sub:
        return arg(0) - arg(1);
      case LocOp::mul:
        return arg(0) * arg(1);
      case LocOp::bit_and:
        return arg(0) & arg(1);
      case LocOp::bit_or:
        return arg(0) | arg(1);
      case LocOp::shl:
        return arg(0) << arg(1);
      case LocOp::shr:
        return arg(0) >> arg(1);
      case LocOp::sar:
        return static_cast<uint64_t>(static_cast<int64_t>(arg(0)) >> arg(1));
      case LocOp::neg:
        return -arg(0);
      case LocOp::thread:
        return registers_.fs_base;
      case LocOp::by_caller:
        for (size_t i = 1; i + 1 < loc.args.size(); i += 2)
          if (arg(i) == arg(0)) return arg(i + 1);
        throw UnknownCaller();
      default:
        throw std::logic_error("the test programs need no such operation");
    }
  }

 private:
  struct UnknownCaller {};
  static uint64_t cut(uint64_t value, unsigned size) {
    return size >= 8 ? value : value & ((1ull << (8 * size)) - 1);
  }
  uint64_t dwarf_register(int64_t number) const {
    const auto& r = registers_;
    // System V ABI, AMD64 supplement, figure 3.36.
    const unsigned long long in_order[] = {r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi,
                                           r.rbp, r.rsp, r.r8,  r.r9,  r.r10, r.r11,
                                           r.r12, r.r13, r.r14, r.r15, r.rip};
    return in_order[number];
  }

  pid_t child_;
  bool alive_ = false;
  user_regs_struct registers_{};
};

}  // namespace stp::testing_dwarf
