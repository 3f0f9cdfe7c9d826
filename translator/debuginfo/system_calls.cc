// System calls, from what every build of a module needs anyway and from the image.
//
// The kernel's headers hold the tables that its entry code was made from (scripts/syscalltbl.sh):
//   __NR_stat 4                                        names and numbers, asm/unistd_64.h
//   __SYSCALL(4, sys_newstat)                          numbers and functions, asm/syscalls_64.h
//   __SYSCALL_WITH_COMPAT(11, sys_execve, compat_sys_execve)
// The table in the image (sys_call_table) would tell as much, but kernels from 6.9 on dispatch by a switch
// and keep the one of 32 bits no more (1e3ad78334a6).
//
// Parameters: SYSCALL_DEFINEx (include/linux/syscalls.h) makes the function proper, __do_sys_NAME, which
// compilers inline, so BTF has nothing of it; what BTF has is __x64_sys_NAME(struct pt_regs *). But with
// CONFIG_FTRACE_SYSCALLS the macro also leaves a struct syscall_metadata, __syscall_meta__NAME, with the
// names and types of all parameters as text: initialised data, which the image holds. COMPAT_SYSCALL_DEFINEx
// does not; the call that is stood in for has the same parameters, as user space passes the same.
#include "debuginfo/system_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>

namespace stp {
namespace {

namespace fs = std::filesystem;

struct Row {
  uint32_t number;
  std::string function, compat;
};

// The names between the brackets of "__SYSCALL(4, sys_newstat)"; the first is the number.
std::vector<std::string> arguments(std::string_view line) {
  std::vector<std::string> found;
  size_t open = line.find('('), close = line.rfind(')');
  if (open == line.npos || close == line.npos || close < open) return found;
  line = line.substr(open + 1, close - open - 1);
  while (!line.empty()) {
    size_t end = std::min(line.find(','), line.size());
    std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    found.emplace_back(word);
  }
  return found;
}

bool read_number(std::string_view text, uint32_t& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<Row> read_functions(const fs::path& file) {
  std::vector<Row> rows;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    auto words = line.starts_with("__SYSCALL") ? arguments(line) : std::vector<std::string>{};
    Row row{};
    if (words.size() < 2 || !read_number(words[0], row.number)) continue;
    if (words[1] == "sys_ni_syscall" && words.size() == 2) continue;
    row.function = words[1];
    if (words.size() > 2) row.compat = words[2];
    rows.push_back(std::move(row));
  }
  return rows;
}

std::map<uint32_t, std::string> read_names(const fs::path& file) {
  std::map<uint32_t, std::string> names;
  constexpr std::string_view define = "#define __NR_";
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(define)) continue;
    size_t space = line.find(' ', define.size());
    uint32_t number;
    if (space == line.npos || !read_number(std::string_view(line).substr(space + 1), number)) continue;
    names.emplace(number, line.substr(define.size(), space - define.size()));
  }
  return names;
}

std::string without(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

SystemCall call_of(const Row& row, const std::string& name, bool ia32) {
  SystemCall call;
  call.name = name;
  call.number = row.number;
  call.ia32 = ia32;
  call.compat = ia32 && !row.compat.empty();
  call.declared = without("sys_", row.function);
  call.function = call.compat ? without("compat_sys_", row.compat) : call.declared;
  // arch/x86/include/asm/syscall_wrapper.h
  call.symbol = fmt::format("__{}_{}", ia32 ? "ia32" : "x64", call.compat ? row.compat : row.function);
  return call;
}

}  // namespace

std::vector<SystemCall> read_system_calls(const Target& target, std::string& why_not) {
  std::vector<SystemCall> calls;
  fs::path generated = target.build_dir / "arch/x86/include/generated";
  for (bool ia32 : {false, true}) {
    std::string bits = ia32 ? "32.h" : "64.h";
    fs::path functions = generated / ("asm/syscalls_" + bits), names = generated / ("uapi/asm/unistd_" + bits);
    auto rows = read_functions(functions);
    auto called = read_names(names);
    if (!ia32 && (rows.empty() || called.empty())) {
      why_not = fmt::format("{} is not there, or has no table", (rows.empty() ? functions : names).string());
      return {};
    }
    size_t first = calls.size();
    for (const Row& row : rows)
      if (auto name = called.find(row.number); name != called.end())
        calls.push_back(call_of(row, name->second, ia32));
    std::sort(calls.begin() + static_cast<ptrdiff_t>(first), calls.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
  }
  return calls;
}

SystemCallParameters::SystemCallParameters(const Target& target, const types::Provider& provider)
    : provider_(provider) {
  std::string ignored;
  if (!target.vmlinux.empty()) image_ = Image::open(target.vmlinux, ignored);
}

std::vector<SystemCallParameters::Parameter> SystemCallParameters::of(const SystemCall& call) const {
  // struct syscall_metadata (include/trace/syscall.h), the same since 3.2.
  constexpr uint64_t nb_args = 12, types = 16, args = 24;
  std::vector<Parameter> parameters;
  auto metadata = image_ ? provider_.symbol("__syscall_meta__" + call.declared) : std::nullopt;
  if (!metadata) return parameters;
  uint32_t count = image_->read<uint32_t>(*metadata + nb_args).value_or(0);
  auto type_list = image_->read<uint64_t>(*metadata + types);
  auto name_list = image_->read<uint64_t>(*metadata + args);
  for (uint64_t i = 0; type_list && name_list && i < std::min(count, 6u); ++i) {
    auto type = image_->read<uint64_t>(*type_list + 8 * i), name = image_->read<uint64_t>(*name_list + 8 * i);
    if (!type || !name) return {};
    parameters.push_back({std::string(image_->string_at(*type)), std::string(image_->string_at(*name))});
  }
  return parameters;
}

}  // namespace stp
