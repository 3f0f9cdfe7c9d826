// Variables of the probed code: where they are, members and elements behind them, and the bits that
// are read in the end.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sema/builtins.h"
#include "sema/place.h"
#include "support/overloaded.h"
#include "types/calling_convention.h"

namespace stp::sema {

using prog::Expr;
using prog::Type;
using types::Kind;
using types::Lack;

namespace {

bool is_signed(const types::Type* type) { return type && type->is_signed; }

std::string no_such_variable(const ast::Target& t, const std::string& what,
                             const probes::Surroundings* around) {
  return t.kind == ast::Target::Kind::at_var
             ? fmt::format("the kernel has no variable {}", what)
             : fmt::format("{}() has no variable {} here", around->place.function.name, what);
}

types::Answer<types::Variable> argument_of(const types::Tracepoint& tracepoint, const std::string& name,
                                           const types::Provider& provider) {
  std::vector<std::string> names;
  for (auto& variable : types::tracepoint_arguments(provider, tracepoint.params).each) {
    names.push_back(variable.name);
    if (variable.name != name) continue;
    if (!variable.location.known())
      return Lack{Lack::Kind::unusable, "it is not among the words that tracepoints are followed in", {}};
    return variable;
  }
  auto any_type = provider.type("int");
  if (auto* lack = std::get_if<Lack>(&any_type); lack && lack->kind == Lack::Kind::debuginfo)
    return *lack;
  return Lack{Lack::Kind::not_found,
              fmt::format("tracepoint {} has no argument '${}'", tracepoint.name, name),
              types::near_among(name, std::move(names))};
}

}  // namespace

Expr* Lowering::target(const ast::Target& t, const Span& span) {
  Type type = t.pretty ? Type::string : Type::number;
  bool nowhere = !surroundings_ || surroundings_->kind == probes::Surroundings::Kind::none;
  bool global = t.kind == ast::Target::Kind::at_var && provider_;
  if (nowhere && !global)
    return error(Code::not_allowed_here, span,
                 probe_functions_ ? "this kind of probe has no target variables"
                                  : "an overloaded function has no target variables; pass the value "
                                    "as an argument",
                 t.name.size() > 1 && t.name[0] == '$' ? Type::string : Type::number);
  if (!nowhere && surroundings_->has_text() && t.kind == ast::Target::Kind::variable)
    return text_value(t, span, false);
  if (t.kind == ast::Target::Kind::variable && !t.name.empty() && t.name[0] == '$')
    return target_group(t, span);
  auto lower = [&]() -> Expr* {
    auto place = is_handed(t) ? hook_argument(t, span) : find_variable(t, span);
    return place ? follow(*place, t, span) : bad(type, span);
  };
  // A parameter in a return probe is what it was at the entry, with all that was behind it.
  bool at_return = !nowhere && surroundings_->kind == probes::Surroundings::Kind::at_return;
  if (at_return && !at_entry_ && t.name != "return" && t.kind == ast::Target::Kind::variable)
    return kept_from_entry(lower, span);
  return lower();
}

std::nullopt_t Lowering::no_variable(const ast::Target& t, const Span& span, Code code,
                                     const std::string& text, const std::vector<std::string>& near) {
  auto& e = diagnostics().error(code, span, text);
  const char* sigil = t.kind == ast::Target::Kind::at_var ? "" : "$";
  for (const auto& name : near) e.note(fmt::format("did you mean '{}{}'?", sigil, name));
  bool at_return = surroundings_ && surroundings_->kind == probes::Surroundings::Kind::at_return;
  if (*sigil && at_return && !nearest(t.name, {"return"}).empty() && t.name != "return")
    e.note("did you mean '$return'?");
  bool one_of_few = t.kind == ast::Target::Kind::variable && t.name != "return";
  if (near.empty() && code != Code::no_location && one_of_few) note_known_variables(e);
  return std::nullopt;
}

std::nullopt_t Lowering::no_variable(const ast::Target& t, const Span& span, const Lack& lack) {
  std::string what = fmt::format("'{}{}'", t.kind == ast::Target::Kind::at_var ? "" : "$", t.name);
  std::string detail = lack.detail.empty() ? "" : ": " + lack.detail;
  switch (lack.kind) {
    case Lack::Kind::dwarf:
      return no_variable(t, span, Code::no_debuginfo,
                         fmt::format("{} needs DWARF debug information, which was not found{}", what, detail));
    case Lack::Kind::debuginfo:
      return no_variable(t, span, Code::no_debuginfo,
                         fmt::format("{} needs debug information, DWARF or BTF: {}", what, lack.detail));
    case Lack::Kind::no_value:
      return no_variable(t, span, Code::no_location,
                         fmt::format("{} is not kept at this place{}", what, detail));
    case Lack::Kind::unusable:
      return no_variable(t, span, Code::no_location, fmt::format("{} cannot be read{}", what, detail));
    default:
      return no_variable(t, span, Code::no_variable,
                         lack.detail.empty() ? no_such_variable(t, what, surroundings_) : lack.detail,
                         lack.alike());
  }
}

// @var("name@file", "module").
std::optional<Lowering::Place> Lowering::global_variable(const ast::Target& t, const Span& span) {
  size_t at = t.name.find('@');
  std::string name = t.name.substr(0, at);
  std::string file = at == std::string::npos ? "" : t.name.substr(at + 1);
  std::optional<Place> place;
  std::optional<Lack> lack;
  size_t errors = diagnostics().errors();
  bool known = any_provider(t.module, span, [&](const types::Provider& each) {
    auto here = each.global(name, file);
    if (auto* variable = types::get(here)) {
      place = place_of(*variable, span, &each);
      return true;
    }
    // Where the probe is comes first, and it is what an error is about.
    if (!lack || types::lack(here).kind != Lack::Kind::not_found) lack = types::lack(here);
    return false;
  });
  if (known) return place;
  if (diagnostics().errors() != errors) return std::nullopt;  // there is no such module
  return no_variable(t, span, lack.value_or(Lack{Lack::Kind::not_found, "", {}}));
}

std::optional<Lowering::Place> Lowering::find_variable(const ast::Target& t, const Span& span) {
  using Surround = probes::Surroundings::Kind;
  if (t.kind == ast::Target::Kind::at_var) return global_variable(t, span);
  types::Answer<types::Variable> answer = Lack{Lack::Kind::not_found, "", {}};
  if (surroundings_ && surroundings_->kind == Surround::tracepoint &&
      t.kind == ast::Target::Kind::variable) {
    answer = argument_of(surroundings_->tracepoint, t.name, *provider_);
  } else if (const types::Variable* variable = call_variable(t.name)) {
    return place_of(*variable, span);
  } else if (surroundings_->call_variables && t.name != "return") {
    return no_variable(t, span, Code::no_variable,
                       fmt::format("this system call has no parameter '${}'", t.name));
  } else if (t.name == "return") {
    if (surroundings_->kind != Surround::at_return)
      return no_variable(t, span, Code::no_variable, "$return exists only in probes of a function's return");
    answer = provider_->return_value(surroundings_->place.function);
  } else {
    answer = provider_->variable(surroundings_->place, t.name);
  }
  if (auto* variable = types::get(answer)) return place_of(*variable, span);
  return no_variable(t, span, types::lack(answer));
}

// Of a system call's parameters and its result; null: it is none of them.
const types::Variable* Lowering::call_variable(const std::string& name) const {
  if (!surroundings_ || !surroundings_->call_variables) return nullptr;
  for (const types::Variable& v : *surroundings_->call_variables)
    if (v.name == name) return &v;
  return nullptr;
}

std::vector<std::string> Lowering::known_variables() {
  using Surround = probes::Surroundings::Kind;
  std::vector<std::string> names;
  if (!surroundings_ || surroundings_->kind == Surround::none) return names;
  if (surroundings_->kind == probes::Surroundings::Kind::tracepoint) {
    for (const auto& param : surroundings_->tracepoint.params) names.push_back(param.name);
  } else if (surroundings_->call_variables) {
    for (const auto& v : *surroundings_->call_variables) names.push_back(v.name);
  } else if (surroundings_->kind == Surround::place || surroundings_->kind == Surround::at_return) {
    // A handler that names no variable has no provider; the kernel's may then be missing.
    size_t mark = diagnostics().mark();
    const types::Provider* provider = provider_ ? provider_ : surroundings_->provider;
    if (!provider) provider = unit_.sources->kernel(diagnostics());
    diagnostics().rewind(mark);
    if (!provider) return names;
    auto answer = provider->variables(surroundings_->place);
    if (auto* variables = types::get(answer))
      for (const types::Variable& v : *variables) names.push_back(v.name);
  }
  return names;
}

bool Lowering::is_variable_of_probed_code(const std::string& name) {
  std::vector<std::string> names = known_variables();
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The names that there are, when none of them is near to the one that was written.
void Lowering::note_known_variables(Diagnostic& error) {
  std::vector<std::string> names = known_variables();
  constexpr size_t most = 12;
  std::string list;
  for (size_t i = 0; i < names.size() && i < most; ++i)
    list += fmt::format("{}${}", i ? ", " : "", names[i]);
  if (names.size() > most) list += fmt::format(" and {} more", names.size() - most);
  error.note(names.empty() ? "there are no variables here" : fmt::format("there are {}", list));
}

// Where the second argument of @var and the third of @cast look: modules, with : between; "kernel",
// with a header in < > behind it, whose types the kernel has as well; nothing: where the probe is, then
// the kernel. What lies behind the one that has it is not opened.
bool Lowering::any_provider(const std::string& modules, const Span& span,
                            const std::function<bool(const types::Provider&)>& use) {
  auto in_kernel = [&] {
    const types::Provider* kernel = unit_.sources->kernel(diagnostics());
    return kernel && use(*kernel);
  };
  if (modules.empty()) return (provider_ && use(*provider_)) || in_kernel();
  std::string no_header;
  for (size_t begin = 0; begin < modules.size();) {
    size_t end = std::min(modules.find(':', begin), modules.size());
    std::string name = modules.substr(begin, end - begin);
    begin = end + 1;
    if (name == "kernel" || name.find('<') != name.npos) {
      bool in_header = name.starts_with("kernel<") && name.ends_with('>');
      std::string header = in_header ? name.substr(7, name.size() - 8) : "";
      if (in_header && !unit_.sources->has_header(header))
        no_header = header;
      else if (in_kernel())
        return true;
      continue;
    }
    const types::Provider* module = unit_.sources->module(name, span, diagnostics());
    if (module && use(*module)) return true;
  }
  if (!no_header.empty())
    diagnostics().error(Code::no_type, span, fmt::format("the kernel has no header '{}'", no_header));
  return false;
}

std::optional<Lowering::Place> Lowering::place_of(const types::Variable& v, const Span& span,
                                                  const types::Provider* from) {
  using Where = types::Location::Kind;
  if (!from) from = provider_;
  auto moved = [&](const types::LocPtr& loc) {
    auto section_of = [&](uint64_t address) {
      unit_.addresses |= from->module().empty();
      return unit_.section_of(*from, address);
    };
    return types::loc_in_sections(loc, section_of);
  };
  const types::Type* type = types::strip(v.type);
  bool compound = type && (type->kind == Kind::structure || type->kind == Kind::union_type ||
                           type->kind == Kind::array);
  if (v.location.kind == Where::pieces) {
    Place place{v.type, nullptr, false, 0, 0, v.location.pieces};
    for (auto& piece : place.parts) piece.value = moved(piece.value);
    return place;
  }
  if (v.location.kind == Where::pointer) {
    Place place{v.type, nullptr, false};
    place.target = v.location.target;
    place.target_offset = v.location.offset;
    return place;
  }
  if (!v.location.value) {
    diagnostics().error(
        Code::no_location, span,
        fmt::format("'${}' is not kept at this place: it was optimised out", v.name));
    return std::nullopt;
  }
  types::LocPtr value = moved(v.location.value);
  if (v.location.kind == Where::memory)
    if (Expr* here = of_this_cpu(value, *from, span)) return Place{v.type, here, true};
  Place place{v.type, program().expr(Type::number, span, prog::LocExpr{value}),
              v.location.kind == Where::memory};
  if (compound && !place.in_memory)
    place.parts = {{Where::value, value, static_cast<uint32_t>(type->size * 8)}};
  return place;
}

// Where this CPU's copy of a per-cpu variable is; null when the variable is none. What debug information
// has for its address tells where it is in each CPU's area, and those begin where __per_cpu_offset says
// (include/linux/percpu.h). vmlinux's begin at 0 and do not move with it, or, in newer kernels,
// in the image; a module's are allotted to it.
Expr* Lowering::of_this_cpu(const types::LocPtr& loc, const types::Provider& from, const Span& span) {
  if (!loc || loc->op != types::LocOp::address) return nullptr;
  auto address = static_cast<uint64_t>(loc->value);
  bool of_module = !from.module().empty();
  auto section = of_module ? from.section_at(address) : std::nullopt;
  uint64_t begin = of_module ? UINT64_MAX : from.symbol("__per_cpu_start").value_or(UINT64_MAX);
  if (of_module ? !section || section->name != ".data..percpu"
                : address < begin || address >= from.symbol("__per_cpu_end").value_or(0))
    return nullptr;
  const types::Provider* kernel = of_module ? unit_.sources->kernel(diagnostics()) : &from;
  auto table = kernel ? kernel->symbol("__per_cpu_offset") : std::nullopt;
  if (!table)
    return error(Code::no_location, span,
                 "this variable is per CPU, and without the kernel's symbols it is not known where "
                 "the CPUs' areas are");
  unit_.addresses = true;
  auto number = [&](auto node) { return program().expr(Type::number, span, std::move(node)); };
  auto binary = [&](ast::BinaryOp op, Expr* a, Expr* b) { return number(prog::BinaryExpr{op, a, b}); };
  Expr* cpu = number(prog::BuiltinCall{find_builtin("cpu"), {}});
  Expr* entry = binary(ast::BinaryOp::add, number(prog::LocExpr{types::loc_address(*table)}),
                       binary(ast::BinaryOp::mul, cpu, constant(8, span)));
  Expr* here = begin == 0 ? constant(loc->value, span) : number(prog::LocExpr{loc});
  return binary(ast::BinaryOp::add, here, number(prog::LoadExpr{entry, 8, false}));
}

// The value at a place, as a number.
Expr* Lowering::read(const Place& p, const Span& span) {
  const types::Type* type = types::strip(p.type);
  uint64_t size = type ? type->size : 0;
  if (type && type->kind == Kind::array)
    return p.in_memory ? p.at : error(Code::bad_access, span, "this array has no address");
  if (type && (type->kind == Kind::structure || type->kind == Kind::union_type)) {
    // A small structure in a register, as functions return it.
    if (!p.in_memory && size <= 8) return read_parts(p, size * 8, span);
    return error(Code::bad_access, span,
                 fmt::format("{} is no number: name a member, or take its address with &",
                             types::spell(p.type)));
  }
  if (!type || type->kind == Kind::forward || type->kind == Kind::function)
    return p.in_memory && type && type->kind == Kind::function
               ? p.at
               : error(Code::bad_access, span,
                       fmt::format("{} has no value", types::spell(p.type)));
  if (p.target)
    return error(Code::no_location, span,
                 "this pointer has no value: what it points at was optimised out; its members, or "
                 "element [0], can be read");
  if (type->kind == Kind::floating)
    return error(Code::bad_access, span, "floating point values cannot be read");
  if (!p.parts.empty()) {
    uint64_t bits = p.bit_size ? p.bit_size : size * 8;
    if (bits > 64)
      return error(Code::bad_access, span,
                   fmt::format("{} of {} bytes is no number", types::spell(p.type), size));
    if (Expr* one = in_one_part(p, bits, is_signed(type), span)) return one;
    Expr* whole = read_parts(p, bits, span);
    if (bits == 64) return whole;
    return program().expr(Type::number, span,
                          prog::NarrowExpr{whole, static_cast<uint8_t>(bits), is_signed(type)});
  }
  if (!p.in_memory) {
    if (size == 0 || size >= 8) return p.at;
    return program().expr(Type::number, span,
                          prog::NarrowExpr{p.at, static_cast<uint8_t>(size * 8), is_signed(type)});
  }
  if (size != 1 && size != 2 && size != 4 && size != 8)
    return error(Code::bad_access, span,
                 fmt::format("{} of {} bytes is no number", types::spell(p.type), size));
  return program().expr(Type::number, span,
                        prog::LoadExpr{p.at, static_cast<uint8_t>(size), is_signed(type),
                                       p.bit_offset, p.bit_size, false});
}

// One -> or [ ]. False after an error.
bool Lowering::step(Place& p, const ast::Access& access) {
  const types::Type* type = types::strip(p.type);
  // A reference of C++ is what it refers to; that may itself be a pointer, or an array.
  const types::Type* referred = type && type->reference ? types::strip(type->of) : nullptr;
  if (referred && !p.target && (referred->kind == Kind::pointer || referred->kind == Kind::array)) {
    p = {type->of, read(p, access.span), true};
    type = referred;
  }
  auto fail = [&](Code code, const std::string& text) {
    diagnostics().error(code, access.span, text);
    return false;
  };
  auto add = [&](Expr* base, Expr* offset) {
    return program().expr(Type::number, access.span,
                          prog::BinaryExpr{ast::BinaryOp::add, base, offset});
  };
  bool pointer = type && type->kind == Kind::pointer;
  bool array = type && type->kind == Kind::array;
  if (pointer && p.target) return step_to_target(p, access);
  if (pointer) {
    p.at = read(p, access.span);
    p.in_memory = true;
    p.bit_size = 0;
    p.parts.clear();
  }
  if (!p.in_memory && !p.parts.empty()) return step_in_parts(p, access);
  if (access.kind == ast::Access::Kind::index) {
    if ((!pointer && !array) || type->reference)
      return fail(Code::bad_access, fmt::format("{} has no elements", types::spell(p.type)));
    const types::Type* element = types::strip(type->of);
    if (!element || element->size == 0)
      return fail(Code::bad_access,
                  fmt::format("elements of {} have no size", types::spell(p.type)));
    Expr* n = value(*access.index, Type::number);
    Expr* scaled = program().expr(
        Type::number, access.span,
        prog::BinaryExpr{ast::BinaryOp::mul, n,
                         constant(static_cast<int64_t>(element->size), access.span)});
    p = {type->of, add(p.at, scaled), true};
    return true;
  }
  const types::Type* whole = pointer ? types::strip(type->of) : type;
  if (!whole || (whole->kind != Kind::structure && whole->kind != Kind::union_type))
    return fail(Code::bad_access,
                fmt::format("{} has no member '{}'", types::spell(p.type), access.member));
  if (!p.in_memory)
    return fail(Code::bad_access, "the members of a structure in registers cannot be read");
  auto answer = types::find_member(*provider_, *whole, access.member);
  if (auto* lack = std::get_if<Lack>(&answer)) {
    auto& e = diagnostics().error(Code::no_member, access.span, lack->detail);
    for (const auto& near : lack->alike()) e.note(fmt::format("did you mean '{}'?", near));
    return false;
  }
  const types::Member& member = *types::get(answer);
  auto behind = [&](Expr* begin, uint64_t offset) {
    return offset ? add(begin, constant(static_cast<int64_t>(offset), access.span)) : begin;
  };
  auto word = [&](Expr* address) {
    return program().expr(Type::number, access.span, prog::LoadExpr{address, 8, false});
  };
  Expr* at = p.at;
  for (const types::VirtualBase& base : member.through) {
    at = behind(at, base.offset);
    at = add(at, word(behind(word(at), static_cast<uint64_t>(base.entry))));
  }
  at = behind(at, member.offset);
  p = {member.type, at, true, member.bit_offset, member.bit_size};
  return true;
}

// The accesses of a Target, a Cast or a Dereference, and what is asked of the place they lead to.
template <typename Node>
Expr* Lowering::follow(Place p, const Node& node, const Span& span) {
  for (const ast::Access& access : node.accesses)
    if (!step(p, access)) return bad(node.pretty ? Type::string : Type::number, span);
  if (node.pretty && node.address_of)
    return error(Code::bad_access, span, "this is text, which has no address: leave out the & or the $",
                 Type::string);
  if (node.pretty) return pretty(p, node.pretty, span);
  if (!node.address_of) return read(p, span);
  if (!p.in_memory || p.bit_size)
    return error(Code::bad_access, span,
                 "this has no address: it is kept in a register or is a bit-field");
  return p.at;
}

const types::Type* Lowering::type_named(const std::string& name, const std::string& modules,
                                        const Span& span) {
  const types::Type* found = nullptr;
  any_provider(modules, span, [&](const types::Provider& each) {
    auto answer = each.type(name);
    if (!types::get(answer) && name.find(' ') == std::string::npos)
      answer = each.type("struct " + name);
    if (auto* type = types::get(answer)) found = *type;
    return found != nullptr;
  });
  return found;
}

// @enum("NAME") and @enum("NAME", "MODULE"): the number that an enumerator stands for, looked for
// where @cast looks for types.
Expr* Lowering::enumerator(const ast::AtOperator& a, const Span& span) {
  std::string words[2];
  for (size_t i = 0; i < a.args.size(); ++i) {
    auto* literal = std::get_if<ast::String>(&a.args[i]->node);
    if (!literal)
      return error(Code::not_constant, a.args[i]->span, "@enum takes literal strings");
    words[i] = literal->value;
  }
  size_t errors = diagnostics().errors();
  std::optional<int64_t> found;
  bool types_known = false;
  any_provider(words[1], span, [&](const types::Provider& each) {
    types_known |= each.source() != "symbols";
    found = each.enumerator(words[0]);
    return found.has_value();
  });
  if (found) return constant(*found, span);
  if (diagnostics().errors() != errors) return bad(Type::number, span);  // there is no such module
  if (!types_known)
    return error(Code::no_debuginfo, span,
                 fmt::format("'{}' needs debug information, DWARF or BTF", words[0]));
  return error(Code::no_type, span, fmt::format("no enumeration has '{}'", words[0]));
}

// The place that @cast makes of a pointer: the operand is a pointer to the type, unless the type is
// itself a pointer or a number. None, and an error, when there is no such type.
std::optional<Lowering::Place> Lowering::cast_type(const ast::Cast& c, const Span& span) {
  size_t errors = diagnostics().errors();
  if (const types::Type* type = type_named(c.type, c.module, span)) {
    const types::Type* bare = types::strip(type);
    bool points = bare && (bare->kind == Kind::structure || bare->kind == Kind::union_type);
    return Place{type, constant(0, span), points};
  }
  if (diagnostics().errors() != errors) return std::nullopt;  // there is no such module
  bool elsewhere = !c.module.empty() && !c.module.starts_with("kernel");
  auto asked = provider_->type(c.type);
  if (auto* lack = std::get_if<Lack>(&asked); lack && lack->kind == Lack::Kind::debuginfo) {
    diagnostics().error(Code::no_debuginfo, span,
                        fmt::format("'{}' needs debug information, DWARF or BTF: {}", c.type,
                                    lack->detail));
    return std::nullopt;
  }
  auto& e = diagnostics().error(
      Code::no_type, span,
      elsewhere ? fmt::format("there is no type '{}' in '{}'", c.type, c.module)
                : fmt::format("the kernel has no type '{}'", c.type));
  bool bare = c.type.find(' ') == std::string::npos;
  for (const std::string& name : {c.type, bare ? "struct " + c.type : std::string()}) {
    auto answer = provider_->type(name);
    auto* lack = name.empty() ? nullptr : std::get_if<Lack>(&answer);
    if (!lack) continue;
    for (const auto& near : lack->alike()) e.note(fmt::format("did you mean '{}'?", near));
  }
  return std::nullopt;
}

Expr* Lowering::cast(const ast::Cast& c, const Span& span) {
  Expr* pointer = value(*c.operand, Type::number);
  Type wanted = c.pretty ? Type::string : Type::number;
  if (!provider_)
    return error(Code::not_allowed_here, span,
                 "@cast needs the types of the kernel, and none were found", wanted);
  auto place = cast_type(c, span);
  if (!place) return bad(wanted, span);
  place->at = pointer;
  // Without accesses it is the pointer that it was given, and known to point there.
  if (c.accesses.empty() && !c.pretty && place->in_memory) return pointer;
  return follow(*place, c, span);
}

template Expr* Lowering::follow(Place, const ast::Dereference&, const Span&);

bool Lowering::is_defined(const ast::Expr& e) {
  size_t mark = diagnostics().mark();
  size_t before = diagnostics().errors();
  size_t kept = entry_values_ ? entry_values_->size() : 0;
  expression(e, Type::none);
  bool defined = diagnostics().errors() == before;
  diagnostics().rewind(mark);
  if (entry_values_) entry_values_->resize(kept);
  return defined;
}

}  // namespace stp::sema
