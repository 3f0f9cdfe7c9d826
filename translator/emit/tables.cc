// The tables that the runtime reads: variables, points, probes, limits, and the sections that the
// reader of the module finds by name.
//
// Rows name only the members that are not zero: a script may have ten thousand points.
#include <map>
#include <set>

#include "emit/body.h"
#include "stp/abi.h"

namespace stp::emit_c {

using namespace prog;

namespace {

// ", .member = value" unless the value is 0.
template <typename T>
std::string member(const char* name, T value) {
  return value ? fmt::format(", .{} = {}", name, value) : "";
}

const char* type_name(Type type) {
  return type == Type::string ? "STP_STRING" : type == Type::stat ? "STP_STAT" : "STP_NUMBER";
}

std::string shape_text(const Module& module, size_t index) {
  const StatShape& shape = module.program.globals[index].shape;
  const char* histogram = shape.histogram == StatShape::Histogram::log      ? "STP_HIST_LOG"
                          : shape.histogram == StatShape::Histogram::linear ? "STP_HIST_LINEAR"
                                                                            : "STP_HIST_NONE";
  std::string range;
  if (shape.histogram == StatShape::Histogram::linear)
    range = fmt::format(", .low = {}, .high = {}, .step = {}", c_number(shape.low),
                        c_number(shape.high), c_number(shape.step));
  return fmt::format(
      "static const struct stp_stat_shape {} = {{ .histogram = {}{}{}{}{}{}, .buckets = {}{} }};\n",
      shape_name(module, index), histogram, member("sum", int{shape.sum}),
      member("extremes", int{shape.extremes}), member("counted", int{shape.counted}), member("variance", int{shape.variance}),
      member("variance_shift", shape.shift), shape.buckets(), range);
}

// Whether handlers that run on several CPUs change it.
bool changes(const Program& program, size_t global) {
  return std::any_of(program.probes.begin(), program.probes.end(), [&](const Probe& probe) {
    return std::any_of(probe.locks.begin(), probe.locks.end(),
                       [&](const LockUse& use) { return use.global == global && use.write; });
  });
}

// A variable that changes has a cache line of its own: what other handlers use must not lie there.
std::string scalar_text(const char* type, const std::string& name, const std::string& init, bool changes) {
  if (!changes) return fmt::format("static {} {}{};\n", type, name, init.empty() ? "" : " = " + init);
  return fmt::format("static struct {{ {} value; }} STP_OWN_LINE line_of_{}{};\n#define {} line_of_{}.value\n", type,
                     name, init.empty() ? "" : " = { " + init + " }", name, name);
}

std::string variable_text(const Module& module, size_t index) {
  const Global& g = module.program.globals[index];
  const std::string& name = module.names.globals[index];
  if (g.array) return fmt::format("static struct stp_map *{};\n", name);
  if (g.value == Type::stat) return fmt::format("static struct stp_stats *{};\n", name);
  bool changing = changes(module.program, index);
  if (g.value == Type::number) {
    auto* init = std::get_if<int64_t>(&g.init);
    return scalar_text("s64", name, init ? c_number(*init) : "", changing) +
           (g.counter ? fmt::format("static s64 *{};\n", counter_name(module, index)) : "");
  }
  auto* init = std::get_if<std::string>(&g.init);
  return scalar_text("struct owned", name,
                     init ? fmt::format("{{ {}, {} }}", init->size(), c_string(*init)) : "", changing);
}

std::string global_row(const Module& module, size_t index, size_t walks, const std::vector<size_t>& key_rooms) {
  const Global& g = module.program.globals[index];
  const Limits& limits = module.program.limits;
  std::string keys;
  for (Type key : g.keys) keys += (keys.empty() ? "" : ", ") + std::string(type_name(key));
  std::string row =
      fmt::format("\t{{ .name = {}, .type = {}", c_string(g.name), type_name(g.value));
  // A size that somebody has asked for is what an array has.
  bool grows = g.array && !g.max_entries && !limits.map_entries && !g.wrap;
  uint32_t entries = g.max_entries.value_or(limits.map_entries.value_or(2048));
  if (g.array)
    row +=
        fmt::format(", .is_array = 1{}, .n_keys = {}, .key_types = {{ {} }}{}, .max_entries = {}",
                    member("wrap", int{g.wrap}), g.keys.size(), keys,
                    member("walks", walks) + member("grows", int{grows}), entries);
  if (std::any_of(key_rooms.begin(), key_rooms.end(), [](size_t room) { return room; }))
    row += fmt::format(", .key_rooms = {{ {} }}", fmt::join(key_rooms, ", "));
  if (g.value == Type::stat) row += fmt::format(", .shape = &{}", shape_name(module, index));
  if (g.array && g.value == Type::stat && walks) row += ", .rank = stp_stat_rank";
  if (g.array || g.value == Type::stat)
    row += fmt::format(", .store = &{}", g.array ? "stp_array_store" : "stp_statistic_store");
  if (g.counter) row += fmt::format(", .parts = &{}", counter_name(module, index));
  return row + fmt::format(", .storage = &{} }},\n", module.names.globals[index]);
}

// What the runtime calls a kind of point.
struct Kind {
  const char* number;  // null for points that are never attached
  const char* object;  // what arms them; null for those that the session runs itself
};

Kind kind_of(PointKind kind) {
  switch (kind) {
    case PointKind::begin:
      return {"STP_KIND_BEGIN", nullptr};
    case PointKind::end:
      return {"STP_KIND_END", nullptr};
    case PointKind::error:
      return {"STP_KIND_ERROR", nullptr};
    case PointKind::never:
      return {};
    case PointKind::timer:
      return {"STP_KIND_TIMER", "stp_timer_kind"};
    case PointKind::timer_jiffies:
      return {"STP_KIND_TIMER_JIFFIES", "stp_jiffies_kind"};
    case PointKind::profile:
      return {"STP_KIND_PROFILE", "stp_perf_kind"};
    case PointKind::entry:
      return {"STP_KIND_ENTRY", "stp_entry_kind"};
    case PointKind::function_return:
      return {"STP_KIND_RETURN", "stp_return_kind"};
    case PointKind::statement:
      return {"STP_KIND_STATEMENT", "stp_statement_kind"};
    case PointKind::tracepoint:
      return {"STP_KIND_TRACEPOINT", "stp_tracepoint_kind"};
    case PointKind::perf:
      return {"STP_KIND_PERF", "stp_perf_kind"};
    case PointKind::perf_tasks:
      return {"STP_KIND_PERF_TASKS", "stp_perf_tasks_kind"};
    case PointKind::watch:
      return {"STP_KIND_WATCH", "stp_watch_kind"};
    case PointKind::netfilter:
      return {"STP_KIND_NETFILTER", "stp_netfilter_kind"};
    case PointKind::procfs:
      return {"STP_KIND_PROCFS", "stp_procfs_kind"};
    case PointKind::standard_input:
      return {"STP_KIND_STDIN", "stp_stdin_kind"};
  }
  return {};
}

// The table of kinds: its rows have what is linked with the script.
std::string kinds_text(const Program& program) {
  std::map<std::string, std::string> rows;
  for (const Probe& probe : program.probes)
    for (const Point& p : probe.points)
      if (Kind kind = kind_of(p.kind); kind.object) rows[kind.number] = kind.object;
  std::string text;
  for (const auto& [number, object] : rows) text += fmt::format("\t[{}] = &{},\n", number, object);
  return "\nstatic const struct stp_probe_kind *const kinds[STP_KINDS] = {\n" + text + "};\n";
}

// The rows of a point's callers, in a table of their own; nothing for most.
std::string callers_text(const Point& p, const std::string& name) {
  std::string rows;
  for (size_t level = 0; level < p.callers.size(); ++level)
    for (uint64_t address : p.callers[level])
      rows += fmt::format("\t{{ {}, {} }},\n", c_hex(address), level + 1);
  if (rows.empty()) return "";
  return fmt::format("static const struct stp_caller {}[] = {{\n{}}};\n", name, rows);
}

// The names of one way in, by number.
std::string call_names_text(const std::vector<std::string>& names, const char* table) {
  std::string rows;
  for (size_t i = 0; i < names.size(); ++i)
    if (!names[i].empty()) rows += fmt::format("\t[{}] = {},\n", i, c_string(names[i]));
  return rows.empty() ? "" : fmt::format("static const char *const {}[] = {{\n{}}};\n", table, rows);
}

// The names of all calls, when some point is of all, and the members of stp_script that name them.
std::string all_call_names(const Program& program, std::string& members) {
  constexpr const char* tables[] = {"calls_64", "calls_32"};
  for (const Probe& probe : program.probes)
    for (const Point& p : probe.points) {
      if (!p.call || !p.call->names) continue;
      std::string text;
      for (size_t i = 0; i < 2; ++i) {
        std::string rows = call_names_text((*p.call->names)[i], tables[i]);
        if (rows.empty()) continue;
        text += rows;
        members += fmt::format("\t.call_names[{0}] = {1},\n\t.n_call_names[{0}] = sizeof({1}) / sizeof({1}[0]),\n",
                               i, tables[i]);
      }
      return text;
    }
  return "";
}

std::string call_row(const PointCall& call) {
  return fmt::format("\t{{ .name = {}, .arguments = {}, .number = {}, .ia32 = {}, .result = '{}' }},\n",
                     c_string(call.name), c_string(call.arguments), call.number, call.ia32, call.result);
}

std::string point_row(const Point& p, size_t probe, const std::string& callers, size_t call) {
  const char* kind = kind_of(p.kind).number;
  if (!kind) return "";
  std::string row = fmt::format("\t{{ .kind = {}, .probe = {}", kind, probe);
  if (p.address) row += ", .address = " + c_hex(p.address);
  row += p.section == absolute_section ? ", .section = STP_ABSOLUTE"
                                       : member("section", p.section);
  row += member("gate", p.gate) + member("offset", p.offset) + member("is_wild", p.is_wild);
  if (!p.symbol.empty()) row += ", .symbol = " + c_string(p.symbol);
  if (p.number) row += ", .number = " + c_number(p.number);
  if (p.number2) row += ", .number2 = " + c_number(p.number2);
  if (p.priority) row += ", .priority = " + c_number(p.priority);
  if (!p.callers.empty())
    row += fmt::format(", .callers = {0}, .n_callers = sizeof({0}) / sizeof({0}[0])", callers);
  if (!p.counter.empty()) row += ", .counter = " + c_string(p.counter);
  if (p.call && !p.call->names) row += fmt::format(", .call = calls + {}", call);
  return row + fmt::format(",\n\t  .name = {}, .function = {} }},\n", c_string(p.name),
                           c_string(p.function));
}

std::string flags(const Probe& probe) {
  std::vector<const char*> set;
  if (probe.all_registers) set.push_back("STP_PROBE_ALL_REGS");
  if (probe.alone) set.push_back("STP_PROBE_INTERRUPTIBLE");
  if (probe.weight == Weight::light) set.push_back("STP_PROBE_LIGHT");
  if (probe.weight == Weight::guarded) set.push_back("STP_PROBE_GUARDED");
  if (probe.bare) set.push_back("STP_PROBE_BARE");
  return fmt::format("{}", fmt::join(set, " | "));
}

std::string locks_text(const Probe& probe, size_t index) {
  if (probe.locks.empty()) return "";
  std::string rows;
  for (const LockUse& use : probe.locks)
    rows +=
        fmt::format(" {{ {}, {} }},", use.global, use.write ? "STP_LOCK_WRITE" : "STP_LOCK_READ");
  return fmt::format("static const struct stp_lock_use locks_{}[] = {{{} }};\n", index, rows);
}

std::string probe_row(const Module& module, size_t index) {
  const Probe& probe = module.program.probes[index];
  const std::string& handler = module.names.probes[index];
  std::string row = fmt::format("\t{{ .handler = {}", handler);
  if (!probe.entry_values.empty())
    row += fmt::format(", .entry_handler = {}_entry, .entry_size = sizeof(struct {})", handler,
                       entry_struct_name(index));
  if (std::string f = flags(probe); !f.empty()) row += ", .flags = " + f;
  if (!probe.locks.empty())
    row += fmt::format(",\n\t  .locks = locks_{}, .n_locks = {}", index, probe.locks.size());
  return row + fmt::format(",\n\t  .name = {}, .place = {} }},\n", c_string(probe.name),
                           module.names.place_value(probe.span));
}

std::string limits_text(const Program& program, const Depths& depths) {
  const Limits& l = program.limits;
  auto row = [](const char* name, uint64_t value) {
    return fmt::format("\t\t.{} = {},\n", name, value);
  };
  return row("actions", l.actions) +
         row("actions_interruptible", l.actions_interruptible.value_or(10 * l.actions)) +
         row("nesting", depths.nesting) + row("string_size", l.string_size) +
         row("frame_stack", depths.frame_stack) + row("trylock", l.trylock) +
         row("trylock_delay_us", l.trylock_delay_us) + row("max_errors", l.max_errors) +
         row("max_skipped", l.max_skipped) + row("buffer_bytes", l.buffer_bytes) +
         row("return_slots", l.return_slots) + row("keeps_match", program.keeps_match) +
         row("map_megabytes", l.map_megabytes.value_or(0)) +
         row("procfs_size", l.procfs_size.value_or(l.string_size - 1));
}

// A table and the two members of stp_script that name it; nothing for an empty one, which C has
// not.
std::string table(const char* type, const char* name, const std::string& rows,
                  std::string& members) {
  if (rows.empty()) return "";
  members += fmt::format("\t.{0} = {0},\n\t.n_{0} = sizeof({0}) / sizeof({0}[0]),\n", name);
  return fmt::format("\nstatic const struct {} {}[] = {{\n{}}};\n", type, name, rows);
}

std::string section(const char* variable, const char* name, const std::string& strings) {
  // The compiler adds the last one's NUL.
  return strings.empty() ? ""
                         : fmt::format(
                               "\nstatic const char {}[] __attribute__((section({}), used)) "
                               "=\n{};\n",
                               variable, c_string(name), strings);
}

}  // namespace

std::string globals_text(const Module& module) {
  std::string text;
  for (size_t i = 0; i < module.program.globals.size(); ++i) {
    const Global& g = module.program.globals[i];
    if (g.value == Type::stat) text += shape_text(module, i);
    text += variable_text(module, i);
  }
  return text;
}

namespace {

// As the assembler reads it.
std::string assembler_string(std::string_view text) {
  std::string out = "\"";
  for (char ch : text) {
    if (ch == '"' || ch == '\\') out += '\\';
    out += ch;
  }
  return out + '"';
}

// Tables of places, each file once, and a row for each section that one is of.
std::string places_text(const Program& program, std::string& members) {
  std::vector<std::filesystem::path> files;
  std::string text, rows;
  for (const PlaceTable& p : program.places) {
    size_t number = std::find(files.begin(), files.end(), p.file) - files.begin();
    if (number == files.size()) {
      files.push_back(p.file);
      std::string label = fmt::format("stp_places_{}", number);
      text += fmt::format("\nasm({});\nextern const char {}[];\n",
                          c_string(fmt::format("\t.pushsection .rodata\n\t.balign 8\n{}:\t.incbin "
                                               "{}\n\t.popsection\n",
                                               label, assembler_string(p.file.native()))),
                          label);
    }
    rows += fmt::format("\t{{ .table = stp_places_{}, .begin = {}, .end = {}{}{} }},\n", number,
                        c_hex(p.begin), c_hex(p.end), member("section", p.section),
                        member("inlined", int{p.kind == types::PlaceKind::inlined}));
  }
  return text + table("stp_places", "places", rows, members);
}

}  // namespace

namespace {

template <class What>
bool has_point(const Program& program, What&& what) {
  return std::any_of(program.probes.begin(), program.probes.end(), [&](const Probe& probe) {
    return std::any_of(probe.points.begin(), probe.points.end(), what);
  });
}

// A symbol of a module is "module:symbol".
bool uses_modules(const Program& program) {
  return !program.sections.empty() ||
         has_point(program, [](const Point& p) { return p.symbol.find(':') != std::string::npos; });
}

}  // namespace

// What of the runtime this script needs, of that which not every one does.
std::string parts_text(const Program& program) {
  bool arrays = std::any_of(program.globals.begin(), program.globals.end(),
                            [](const Global& g) { return g.array; });
  std::string parts;
  if (!program.globals.empty()) parts += "\t\t.globals = &stp_globals_part,\n";
  if (arrays) parts += "\t\t.growing = &stp_growing_part,\n";
  if (uses_modules(program)) parts += "\t\t.modules = &stp_modules_part,\n";
  if (program.timing) parts += "\t\t.timing = &stp_timing_part,\n";
  if (has_point(program, [](const Point& p) { return !p.callers.empty(); }))
    parts += "\t\t.called = stp_called_as_said,\n";
  if (!program.gates.empty()) parts += "\t\t.run_gates = stp_run_gates,\n";
  if (has_point(program, [](const Point& p) { return p.kind == PointKind::standard_input; }))
    parts += "\t\t.stdin = stp_stdin,\n";
  return parts.empty() ? "" : "\t.parts = {\n" + parts + "\t},\n";
}

namespace {

using Needs = std::set<std::string>;

void add_needs_of_probe(const Probe& probe, Needs& needs) {
  if (probe.alone) return;  // the session runs it itself
  needs.insert(probe.weight == Weight::light     ? "stp_hit_light_while_busy"
               : probe.weight == Weight::guarded ? "stp_hit_guarded"
                                                 : "stp_hit_full");
  for (const Point& p : probe.points) {
    if (p.section == absolute_section) needs.insert("stp_verified_address");
    if (!p.callers.empty()) needs.insert({"stp_entry_hit_called", "stp_statement_hit_called"});
    if (!p.callers.empty() && p.kind == PointKind::function_return) needs.insert("stp_followed_of");
    if (p.call && !p.call->names && p.kind == PointKind::entry) needs.insert("stp_entry_hit_call");
  }
}

}  // namespace

// What of the runtime is STP_IF_NEEDED, and is.
std::string needs_text(const Program& program) {
  Needs needs;
  std::map<PointKind, size_t> points;
  for (const Probe& probe : program.probes) {
    add_needs_of_probe(probe, needs);
    for (const Point& p : probe.points) ++points[p.kind];
  }
  if (points[PointKind::entry] > 1) needs.insert("stp_entry_hit");
  if (points[PointKind::function_return] > 1) needs.insert("stp_followed_of");
  for (const Global& g : program.globals) {
    if (g.keys.size() > 1) needs.insert("stp_map_make_of_several");
    if (g.keys.size() == 1 && g.keys[0] == Type::string) needs.insert("stp_map_make_of_text");
  }
  if (!program.gates.empty()) needs.insert("stp_gates_settle");
  if (uses_modules(program)) needs.insert({"stp_modules_watch", "stp_modules_unwatch", "stp_tell_of_unused"});
  std::string text = needs.empty() ? "" : "\n";
  for (const std::string& function : needs) text += fmt::format("STP_NEEDS({});\n", function);
  return text;
}

std::string tables_text(Module& module, const Depths& depths) {
  const Program& program = module.program;
  std::string globals, points, probes, locks, callers, calls, sections, members;
  size_t n_callers = 0, n_calls = 0;
  for (const types::Section& s : program.sections)
    sections += fmt::format("\t{{ .module = {}, .name = {}, .anchor = {}, .address = {} }},\n",
                            c_string(s.module), c_string(s.name), c_string(s.anchor),
                            c_hex(s.anchor_address));
  std::vector<std::vector<size_t>> rooms = key_rooms(program);
  for (size_t i = 0; i < program.globals.size(); ++i)
    globals += global_row(module, i, depths.walks[i], rooms[i]);
  for (size_t i = 0; i < program.probes.size(); ++i) {
    for (const Point& p : program.probes[i].points) {
      std::string name = fmt::format("callers_{}", n_callers += !p.callers.empty());
      callers += callers_text(p, name);
      points += point_row(p, i, name, n_calls);
      if (!p.call || p.call->names) continue;
      calls += call_row(*p.call);
      ++n_calls;
    }
    locks += locks_text(program.probes[i], i);
    probes += probe_row(module, i);
  }
  std::string text = kinds_text(program) + table("stp_global", "globals", globals, members) +
                     table("stp_section", "sections", sections, members) +
                     places_text(program, members) +
                     callers + all_call_names(program, members) +
                     (calls.empty() ? "" : "\nstatic const struct stp_call calls[] = {\n" + calls + "};\n") +
                     table("stp_point", "points", points, members) + "\n" + locks +
                     table("stp_probe", "probes", probes, members);
  if (!program.gates.empty()) {
    std::string names;
    for (size_t i = 0; i < program.gates.size(); ++i) names += fmt::format("{}{}", i ? ", " : "", gate_name(i));
    text += fmt::format("\nstatic void (*const gates[])(struct stp_context *c) = {{ {} }};\n", names);
    members += fmt::format("\t.gates = gates,\n\t.n_gates = {},\n", program.gates.size());
  }
  if (program.anchor) members += fmt::format("\t.anchor = {},\n", c_hex(program.anchor));
  if (program.clock) members += fmt::format("\t.clock = {},\n", c_hex(program.clock));
  members += parts_text(program);
  if (program.suppress_handler_errors) members += "\t.suppress_handler_errors = true,\n";
  if (!program.formats.empty())
    members += "\t.formats = formats,\n\t.formats_size = sizeof(formats),\n";
  return text + needs_text(program) + fmt::format(
                    "\nconst struct stp_script stp_script = {{\n\t.abi = {},\n\t.name = {},\n"
                    "\t.kinds = kinds,\n{}\t.limits = {{\n{}\t}},\n}};\n",
                    STP_ABI, c_string(program.name), members, limits_text(program, depths));
}

namespace {

// How the reader is to take its standard input: by the most eager of the script's probes.
const char* use_of_stdin(const Program& program) {
  const char* use = "";
  for (const Probe& probe : program.probes)
    for (const Point& p : probe.points)
      if (p.kind == PointKind::standard_input) {
        if (!p.number) return "char";
        use = "line";
      }
  return use;
}

}  // namespace

std::string sections_text(const Program& program, const std::string& release,
                          const std::string& build_id) {
  std::string formats;
  for (const Format& f : program.formats) {
    // Each string but the last needs its own NUL: C joins adjacent literals without.
    if (!formats.empty()) formats += " \"\\0\"\n";
    formats += fmt::format("\t{} \"\\0\" {}", c_string(f.letters), c_string(f.text));
  }
  std::string info = fmt::format("\t\"abi={}\\0\"\n\t{} \"\\0\"\n\t{} \"\\0\"\n\t{}", STP_ABI,
                                 c_string("release=" + release), c_string("script=" + program.name),
                                 c_string("buildid=" + build_id));
  if (std::string use = use_of_stdin(program); !use.empty())
    info += fmt::format(" \"\\0\"\n\t{}", c_string("stdin=" + use));
  return section("formats", STP_FORMATS_SECTION, formats) + section("info", STP_INFO_SECTION, info);
}

}  // namespace stp::emit_c
