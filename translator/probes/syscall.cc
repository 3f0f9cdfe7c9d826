// syscall.NAME and syscall.NAME.return, with wildcards; nd_syscall.NAME is the same. syscall_any and
// syscall_any.return are all calls, by the two tracepoints that they pass.
//
// A call's points are the functions that serve it, one for each way in: of 64 bits, and of 32 bits. They take
// the caller's registers, so the declared parameters are read from there. Some functions serve several
// names, and both ways (without parameters nothing tells them apart): the runtime lets a point have only
// the hits that came by its own number. Nothing about a call is listed here but what no declaration tells.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "debuginfo/system_calls.h"
#include "probes/kind.h"

namespace stp::probes {
namespace {

using From = ScriptVariable::From;

// Where entry code puts them in struct pt_regs (arch/x86/include/asm/syscall_wrapper.h).
constexpr int arguments_64[] = {112, 104, 96, 56, 72, 64};  // di si dx r10 r8 r9
constexpr int arguments_32[] = {40, 88, 96, 104, 112, 32};  // bx cx dx si di bp
constexpr int dwarf_rax = 0, dwarf_rdi = 5;

// Calls that do not return, and those that return no plain number; all are declared `long`.
constexpr const char* never_return[] = {"exit", "exit_group"};
constexpr const char* return_addresses[] = {"mmap", "mmap2", "mremap", "brk", "shmat"};
constexpr const char* return_modes[] = {"umask"};
constexpr const char* open_files[] = {"open", "openat", "open_by_handle_at"};

template <size_t N>
bool lists(const char* const (&names)[N], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_pointer(const std::string& type) { return type.ends_with('*'); }
bool is_text(const std::string& type) { return type == "const char *"; }

// What debug information calls a type that is written so; a number where it has no such type.
const types::Type* type_of(const types::Provider& provider, std::string spelling) {
  static const types::Type number = [] {
    types::Type t{};
    t.kind = types::Kind::integer;
    t.name = "long int";
    t.size = 8;
    t.is_signed = true;
    return t;
  }();
  constexpr std::string_view constant = "const ";
  if (spelling.starts_with(constant)) spelling.erase(0, constant.size());
  // The declarations' shorter spellings; debug information has the whole.
  static const std::map<std::string, std::string> whole = {
      {"unsigned", "unsigned int"},           {"long", "long int"},
      {"unsigned long", "long unsigned int"}, {"unsigned long *", "long unsigned int *"},
      {"unsigned short", "short unsigned int"}};
  if (auto known = whole.find(spelling); known != whole.end()) spelling = known->second;
  auto found = provider.type(spelling);
  return types::get(found) ? *types::get(found) : &number;
}

// The argument as the function gets it: of 32-bit callers the upper half is cleared, and stand-ins take
// the narrower types that such a caller means.
types::LocPtr argument(const SystemCall& call, size_t index, bool is_signed) {
  auto at = [&](int offset) {
    return types::loc_binary(types::LocOp::add, types::loc_reg(dwarf_rdi), types::loc_constant(offset));
  };
  if (!call.ia32) return types::loc_deref(at(arguments_64[index]), 8);
  types::LocPtr value = types::loc_deref(at(arguments_32[index]), 4);
  if (!call.compat || !is_signed) return value;
  types::LocPtr half = types::loc_constant(32);
  return types::loc_binary(types::LocOp::sar, types::loc_binary(types::LocOp::shl, value, half), half);
}

// A letter of struct stp_call: how argstr shows an argument.
char letter(const SystemCall& call, const SystemCallParameters::Parameter& parameter,
            const types::Type* type, bool counted) {
  if (is_text(parameter.type)) return counted ? 'b' : 's';
  if (is_pointer(parameter.type)) return 'p';
  if (parameter.type == "umode_t") return 'o';
  if (parameter.type == "int" && parameter.name.ends_with("dfd")) return 'd';
  if (parameter.type == "int" && parameter.name == "flags" && lists(open_files, call.name)) return 'f';
  type = types::strip(type);
  uint64_t size = type ? type->size : 8;
  bool is_signed = type && type->is_signed && !(size > 4 && call.ia32 && !call.compat);
  if (call.ia32) size = std::min<uint64_t>(size, 4);
  const char* letters = size > 4 ? "lL" : size > 2 ? "iI" : "hH";
  return letters[!is_signed];
}

class Resolution {
 public:
  Resolution(const Request& request, const types::Provider& provider, std::vector<Found>& found)
      : request_(request), provider_(provider), parameters_(request.target, provider), found_(found), forbidden_(provider) {}

  void run() {
    std::string why_not;
    auto calls = read_system_calls(request_.target, why_not);
    const ast::Component& pattern = request_.components[1];
    if (calls.empty()) {
      request_.diagnostics
          .error(Code::no_kernel, pattern.span, "the system calls of the kernel are not known: " + why_not);
      return;
    }
    size_t before = found_.size();
    for (const SystemCall& call : calls)
      if (glob_match(pattern.name, call.name)) add(call);
    // By the name that the kernel has for it: newuname, for what user space calls uname.
    if (found_.size() == before && !unreturning_)
      for (const SystemCall& call : calls)
        if (glob_match(pattern.name, call.function)) add(call);
    if (found_.size() == before) report(calls);
  }

 private:
  // Hundreds of calls have a few dozen types.
  const types::Type* type_of(const std::string& spelling) {
    auto [at, fresh] = types_.try_emplace(spelling, nullptr);
    if (fresh) at->second = probes::type_of(provider_, spelling);
    return at->second;
  }

  void add(const SystemCall& call) {
    bool at_return = request_.has("return");
    if (at_return && lists(never_return, call.name)) {
      unreturning_ = true;
      return;
    }
    auto address = provider_.symbol(call.symbol);
    if (!address && provider_.symbol("_printk")) return;  // not built into this kernel
    if (address && !forbidden_.at(*address).empty()) return;
    Found f{};
    f.point.kind = at_return ? prog::PointKind::function_return : prog::PointKind::entry;
    f.point.number = request_.number("maxactive").value_or(0);
    f.point.address = address.value_or(0);
    f.point.symbol = f.point.function = call.symbol;
    std::vector<ast::Component> components = request_.components;
    components[1].name = call.name;
    f.point.name = spell(components);
    f.point.call = prog::PointCall{};
    f.point.call->ia32 = call.ia32;
    f.point.call->number = call.number;
    f.point.call->name = call.name;
    f.point.call->result = lists(return_addresses, call.name) ? 'p' : lists(return_modes, call.name) ? 'o' : 'l';
    describe(call, f, at_return);
    found_.push_back(std::move(f));
  }

  void describe(const SystemCall& call, Found& f, bool at_return) {
    Surroundings& around = f.surroundings;
    around.kind = at_return ? Surroundings::Kind::at_return : Surroundings::Kind::place;
    around.place.function.name = around.place.function.symbol = call.symbol;
    around.place.function.address = around.place.address = f.point.address;
    around.script_variables = {{From::builtin, "name", "__stp_syscall_name"},
                               {From::builtin, "argstr", "__stp_syscall_argstr"}};
    if (at_return) {
      around.script_variables.push_back({From::builtin, "retval", "__stp_syscall_retval"});
      around.script_variables.push_back({From::builtin, "retstr", "__stp_syscall_retstr"});
    }
    around.call_variables.emplace();
    auto parameters = parameters_.of(call);
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto& [type_name, name] = parameters[i];
      const types::Type* type = type_of(type_name);
      bool counted = i + 1 < parameters.size() && parameters[i + 1].type == "size_t";
      const types::Type* bare = types::strip(type);
      types::Location place{types::Location::Kind::value, argument(call, i, bare && bare->is_signed), {}};
      around.call_variables->push_back({name, type, place, true});
      f.point.call->arguments += letter(call, parameters[i], type, counted);
      add_script_variables(around.script_variables, parameters[i], counted ? parameters[i + 1].name : "");
    }
    if (at_return)
      around.call_variables->push_back(
          {"return", type_of("long int"),
           {types::Location::Kind::value, types::loc_reg(dwarf_rax), {}}, false});
  }

  static void add_script_variables(std::vector<ScriptVariable>& all,
                                   const SystemCallParameters::Parameter& parameter,
                                   const std::string& count) {
    const std::string& name = parameter.name;
    if (is_text(parameter.type)) {
      all.push_back({From::quoted, name, name, count});
      all.push_back({From::text, name + "_unquoted", name, count});
    } else {
      all.push_back({From::parameter, name, name});
    }
    if (is_pointer(parameter.type)) all.push_back({From::parameter, name + "_uaddr", name});
  }

  void report(const std::vector<SystemCall>& calls) {
    const ast::Component& pattern = request_.components[1];
    if (unreturning_) {
      request_.diagnostics.error(Code::no_match, request_.component("return").span,
                                 fmt::format("system call '{}' does not return", pattern.name));
      return;
    }
    auto& error = request_.diagnostics.error(
        Code::no_match, pattern.span,
        fmt::format("no system call '{}' in the kernel", pattern.name));
    if (has_wildcard(pattern.name) || !request_.diagnostics.suggests()) return;
    std::set<std::string> names;
    for (const SystemCall& call : calls) names.insert(call.name);
    for (const auto& near : nearest(pattern.name, {names.begin(), names.end()}))
      error.note(fmt::format("did you mean '{}'?", near));
  }

  const Request& request_;
  const types::Provider& provider_;
  SystemCallParameters parameters_;
  std::map<std::string, const types::Type*> types_;  // by spelling
  std::vector<Found>& found_;
  ForbiddenText forbidden_;
  bool unreturning_ = false;
};

void resolve_any(const Request& request, std::vector<Found>& found) {
  bool at_return = request.has("return");
  Found f{};
  f.point.kind = prog::PointKind::tracepoint;
  f.point.symbol = at_return ? "sys_exit" : "sys_enter";
  f.point.number = 2;
  f.point.name = spell(request.components);
  f.point.call = prog::PointCall{};
  std::string ignored;
  auto names = std::make_shared<prog::CallNames>();
  for (const SystemCall& call : read_system_calls(request.target, ignored)) {
    auto& list = (*names)[call.ia32];
    if (list.size() <= call.number) list.resize(call.number + 1);
    list[call.number] = call.name;
  }
  f.point.call->names = names;
  f.surroundings.script_variables = {{From::builtin, "name", "__stp_syscall_name"},
                                     {From::builtin, "syscall_nr", "__stp_syscall_nr"}};
  if (at_return)
    f.surroundings.script_variables.push_back({From::builtin, "retval", "__stp_syscall_retval"});
  found.push_back(std::move(f));
}

void resolve(const Request& request, std::vector<Found>& found) {
  if (request.components[1].name == "any") return resolve_any(request, found);
  if (const types::Provider* provider = request.provider()) Resolution(request, *provider, found).run();
}

}  // namespace

std::span<const Kind> syscall_kinds() {
  static const std::vector<Kind> table = [] {
    std::vector<Kind> rows = {{{{"syscall_any"}}, resolve_any}, {{{"syscall_any"}, {"return"}}, resolve_any}};
    for (const char* family : {"syscall", "nd_syscall"}) {
      rows.push_back({{{family}, {"*"}}, resolve});
      rows.push_back({{{family}, {"*"}, {"return"}}, resolve});
      rows.push_back({{{family}, {"*"}, {"return"}, {"maxactive", Arg::number}}, resolve});
    }
    return rows;
  }();
  return table;
}

}  // namespace stp::probes
