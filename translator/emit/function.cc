// A body becomes a C function: its frame of strings, its declarations, and the way out.
//
// A string parameter is copied when the function could change what it is borrowed from, and
// stays borrowed otherwise. A string result goes into room that the caller gives.
#include <algorithm>

#include "emit/body.h"

namespace stp::emit_c {

using namespace prog;

namespace {

// The struct that holds the frame's strings; empty when there are none.
std::string frame_struct(const Body& body, const std::string& name) {
  std::vector<std::string> fields = body.frame_fields();
  if (fields.empty()) return "";
  return fmt::format("struct frame_{} {{\n\tstruct owned {};\n}};\n", name,
                     fmt::join(fields, ", "));
}

struct Shape {
  std::string name, comment, prototype;
  std::string parameters_in;  // lines that fill string parameters' copies
  std::string place;          // where a frame that does not fit is told
  bool counts = false;        // takes a nesting level even with no frame
  std::string no_result;      // `return;` of a call that could not start
  std::string result;         // declared at the head
  std::string last;           // `return result;` or nothing
  std::string entry;          // struct of entry values
};

Written assemble(Body& body, const Shape& shape) {
  Written written;
  written.prototype = shape.prototype + ";\n";
  std::string frame = frame_struct(body, shape.name);
  written.enters = !frame.empty() || shape.counts;
  written.frame_bytes = body.frame_fields().size() * owned_bytes(body.module.program);
  Writer out;
  out.raw(fmt::format("\n{}{}{}\n{{\n", shape.comment, frame, shape.prototype));
  std::string size = frame.empty() ? "0" : "sizeof(*frame)";
  std::string type = frame.empty() ? "void" : "struct frame_" + shape.name;
  if (written.enters)
    out.raw(fmt::format("\t{} *frame = stp_enter(c, {}, {});\n", type, size, shape.place));
  if (!shape.entry.empty()) out.raw(fmt::format("\tstruct {0} *entry = c->entry;\n", shape.entry));
  out.raw(shape.result + body.declarations());
  if (written.enters) out.raw(fmt::format("\n\tif (!frame)\n\t\t{}\n", shape.no_result));
  out.raw(body.initial_values() + shape.parameters_in + body.text());
  if (body.leaves_early()) out.raw("out:\n");
  if (written.enters) out.raw("\tstp_leave(c, frame);\n");
  out.raw(shape.last.empty() ? body.leaves_early() && !written.enters ? "\treturn;\n" : ""
                             : "\t" + shape.last + "\n");
  out.raw("}\n");
  written.definition = out.take();
  return written;
}

// Parameters as C declares them; those that are copied get another name first.
std::string parameters(const Function& function, Body& body, std::string& copies,
                       const std::string& place) {
  std::string text;
  for (size_t i = 0; i < function.params; ++i) {
    if (function.locals[i].type != Type::string) {
      text += fmt::format(", s64 {}", body.local(i));
    } else if (body.is_borrowed(i)) {
      text += fmt::format(", struct stp_str {}", body.local(i));
    } else {
      text += fmt::format(", struct stp_str param_{}", i);
      // The compiler must see a goto out only where `out` is.
      copies += fmt::format("\tif (!stp_copy(c, {}, param_{}, {}))\n\t\tgoto {};\n", body.local(i),
                            i, place, body.out_label());
    }
  }
  return text;
}

Shape handler_shape(Module& module, const Span& span, const std::string& name, const Body& body) {
  Shape shape;
  shape.name = name;
  shape.prototype = fmt::format("static void {}(struct stp_context *c)", name);
  shape.counts = body.calls;
  // Only what is used is defined.
  if (shape.counts || !body.frame_fields().empty()) shape.place = module.names.place(span);
  shape.no_result = "return;";
  return shape;
}

// A function in C. It gets copies of its strings, which it may change.
Written assemble_embedded(Module& module, const Function& function, Body& body, Shape& shape) {
  std::vector<std::string> args;
  for (size_t i = 0; i < function.params; ++i)
    args.push_back(function.locals[i].type == Type::string
                       ? fmt::format("stp_c_text({})", body.local(i))
                       : body.local(i));
  std::string copies = shape.parameters_in;
  shape.parameters_in = "";
  Written written;
  written.prototype = shape.prototype + ";\n";
  std::string frame = frame_struct(body, shape.name);
  written.enters = !frame.empty();
  written.frame_bytes = body.frame_fields().size() * owned_bytes(module.program);
  std::string text = fmt::format("\n{}{}{}\n{{\n", shape.comment, frame, shape.prototype);
  if (written.enters)
    text += fmt::format("\tstruct frame_{} *frame = stp_enter(c, sizeof(*frame), from);\n\n"
                        "\tif (!frame)\n\t\t{}\n",
                        shape.name, shape.no_result);
  // A copy that fails leaves before the C is reached.
  std::string failed = written.enters ? "{ stp_leave(c, frame); " + shape.no_result + " }" : "";
  for (size_t at; (at = copies.find("goto out;")) != copies.npos;)
    copies.replace(at, 9, failed);
  text += copies + embedded_body(module, function, args);
  if (written.enters) text += "\tstp_leave(c, frame);\n";
  if (function.result == Type::number) text += "\treturn THIS->__retvalue;\n";
  if (function.result == Type::string) text += "\treturn STP_BORROW(result);\n";
  written.definition = text + "}\n";
  return written;
}

// A comment cannot be ended by what it quotes.
std::string comment_text(std::string text) {
  for (size_t at; (at = text.find("*/")) != text.npos;) text.replace(at, 2, "* /");
  for (char& ch : text)
    if (ch == '\n') ch = ' ';
  return text;
}

}  // namespace

size_t owned_bytes(const Program& program) {
  return (sizeof(uint32_t) + program.limits.string_size + 7) / 8 * 8;
}

std::string entry_struct_name(size_t probe) { return fmt::format("entry_{}", probe); }

Written write_function(Module& module, size_t index) {
  const Function& function = module.program.functions[index];
  Body body(module, function.locals, function.of_probe ? entry_struct_name(*function.of_probe) : "");
  body.is_function = true;
  body.function_name = function.name;
  body.param_count = function.params;
  body.has_result = function.result != Type::none;
  body.result_is_string = function.result == Type::string;
  for (size_t i = 0; i < function.params; ++i)
    if (function.locals[i].type == Type::string && !function.embedded && module.borrows_param(index, i))
      body.borrow_local(i);

  Shape shape;
  shape.entry = body.entry_struct();
  shape.name = module.names.functions[index];
  shape.place = "from";
  shape.counts = function.recursive;
  std::string params = parameters(function, body, shape.parameters_in, "from");
  std::string type = "void ", first = "struct stp_context *c";
  if (body.result_is_string) {
    type = "struct stp_str ";
    first += ", struct stp_text *result";
    shape.parameters_in = "\tresult->len = 0;\n" + shape.parameters_in;
    shape.no_result = "return STP_STR(\"\");";
    shape.last = "return STP_BORROW(result);";
  } else if (body.has_result) {
    type = "s64 ";
    shape.result = "\ts64 result = 0;\n";
    shape.no_result = "return 0;";
    shape.last = "return result;";
  } else {
    shape.no_result = "return;";
  }
  shape.prototype = fmt::format("static {}{}({}{}, const struct stp_place *from)", type, shape.name,
                                first, params);
  shape.comment = fmt::format("/* function {} */\n", comment_text(function.name));
  if (function.body) statement(body, function.body);
  return function.embedded ? assemble_embedded(module, function, body, shape)
                           : assemble(body, shape);
}

Written write_handler(Module& module, size_t index) {
  const Probe& probe = module.program.probes[index];
  Body body(module, probe.locals, probe.entry_values.empty() ? "" : entry_struct_name(index));
  body.pays = probe.weight == Weight::full;
  body.alone = probe.alone;
  if (probe.body) statement(body, probe.body);
  const std::string& name = module.names.probes[index];
  bool wrapped = !probe.gates.empty() || module.program.timing;
  Shape shape = handler_shape(module, probe.span, wrapped ? name + "_body" : name, body);
  shape.comment = fmt::format("/* probe {} */\n", comment_text(probe.name));
  shape.entry = body.entry_struct();
  Written written = assemble(body, shape);
  if (!wrapped) return written;
  // Whatever way the body is left: what it wrote may arm and disarm points; and its time counts.
  bool timing = module.program.timing;
  written.prototype += fmt::format("static void {}(struct stp_context *c);\n", name);
  written.definition += fmt::format("\nstatic void {0}(struct stp_context *c)\n{{\n{1}\t{0}_body(c);\n", name,
                                    timing ? "\tu64 from = stp_cycles();\n\n" : "");
  for (size_t gate : probe.gates) written.definition += fmt::format("\t{}(c);\n", gate_name(gate));
  if (timing) written.definition += "\tstp_timed(c, stp_cycles() - from);\n";
  written.definition += "}\n";
  return written;
}

std::string gate_name(size_t gate) { return fmt::format("gate_{}", gate); }

Written write_gate(Module& module, size_t index) {
  const Gate& gate = module.program.gates[index];
  const std::vector<Local> no_locals;
  Body body(module, no_locals, "");
  Value open = value(body, gate.condition);
  body.line("stp_gate_set({}, {} != 0);", index, open.text);
  Shape shape = handler_shape(module, gate.span, gate_name(index), body);
  shape.comment = "/* an arming condition */\n";
  return assemble(body, shape);
}

Written write_entry_handler(Module& module, size_t index) {
  const Probe& probe = module.program.probes[index];
  if (probe.entry_values.empty()) return {};
  std::string name = entry_struct_name(index), fields;
  const std::vector<Local> no_locals;  // what is kept is made of the probed code's values
  Body body(module, no_locals, name);
  for (size_t slot = 0; slot < probe.entry_values.size(); ++slot) {
    const Expr* e = probe.entry_values[slot];
    bool string = e->type == Type::string;
    fields += fmt::format("\t{} value_{};\n", string ? "struct owned" : "s64", slot);
    size_t mark = body.scratch_mark();
    std::string lines = body.capture([&] {
      Value v = value(body, e);
      if (string) {
        body.line("stp_copy(c, OWNED(entry->value_{}), {}, {});", slot, v.text,
                  module.names.place(e->span));
        body.check();
      } else {
        body.line("entry->value_{} = {};", slot, v.text);
      }
    });
    body.line("{{");
    body.indented(lines);
    body.line("}}");
    body.scratch_reset(mark);
  }
  Shape shape = handler_shape(module, probe.span, module.names.probes[index] + "_entry", body);
  shape.comment = fmt::format("/* what probe {} keeps from the call's beginning */\n",
                              comment_text(probe.name));
  shape.entry = name;
  Written written = assemble(body, shape);
  written.prototype = fmt::format("struct {} {{\n{}}};\n{}", name, fields, written.prototype);
  return written;
}

}  // namespace stp::emit_c
