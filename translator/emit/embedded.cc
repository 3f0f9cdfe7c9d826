// C of the script: functions, statements and expressions that are transcribed as they are, with
// SystemTap's names for what is around them defined before and undefined behind. What never changes of
// this is in runtime/embedded.h. #line leads the compiler's complaints to the script.
#include <algorithm>

#include "emit/body.h"

namespace stp::emit_c {

using namespace prog;

namespace {

// The code on lines of its own, so that a comment at its end ends there.
std::string transcribed(const EmbeddedC& c) {
  std::string text;
  if (c.span.file)
    text = fmt::format("#line {} {}\n", c.span.file->position(c.span.begin).line,
                       c_string(c.span.file->name()));
  return text + c.code + "\n";
}

// Definitions that are defined around a piece of C.
class Definitions {
 public:
  void define(const std::string& name, const std::string& params, const std::string& text) {
    defined_ += fmt::format("#define {}{} {}\n", name, params, text);
    undefined_ += fmt::format("#undef {}\n", name);
  }
  const std::string& defined() const { return defined_; }
  const std::string& undefined() const { return undefined_; }

 private:
  std::string defined_, undefined_;
};

// STAP_GLOBAL_GET_name and STAP_GLOBAL_SET_name of what the pragmas ask for.
void define_globals(const Module& module, const EmbeddedC& c, Definitions& around) {
  for (const GlobalUse& use : c.globals) {
    const Global& g = module.program.globals[use.global];
    const std::string& variable = module.names.globals[use.global];
    std::string get = "STAP_GLOBAL_GET_" + g.name, set = "STAP_GLOBAL_SET_" + g.name;
    bool string = g.value == Type::string;
    if (g.array) {
      std::vector<std::string> keys;
      for (size_t i = 0; i < g.keys.size(); ++i) keys.push_back(fmt::format("k{}", i));
      std::string list = fmt::format("{}", fmt::join(keys, ", "));
      around.define(get, "(" + list + ")", fmt::format("get_{}(c, {})", variable, list));
      around.define(set, fmt::format("({}, v)", list),
                   fmt::format("set_{}(c, {}, v, stp_here)", variable, list));
    } else if (string) {
      around.define(get, "()", fmt::format("stp_c_text(OWNED({}))", variable));
      around.define(set, "(v)",
                   fmt::format("stp_copy(c, OWNED({}), stp_c_str(v), stp_here)", variable));
    } else {
      around.define(get, "()", fmt::format("({})", variable));
      around.define(set, "(v)", fmt::format("({} = (s64)(v))", variable));
    }
  }
}

// The element of an array that embedded C names.
std::string array_access(const Module& module, size_t index) {
  const Global& g = module.program.globals[index];
  const std::string& variable = module.names.globals[index];
  std::string params, keys;
  for (size_t i = 0; i < g.keys.size(); ++i) {
    bool string = g.keys[i] == Type::string;
    params += fmt::format(", {}k{}", string ? "const char *" : "s64 ", i);
    keys += fmt::format("{}{{ .{} = {} }}", i ? ", " : "", string ? "string" : "number",
                        fmt::format(fmt::runtime(string ? "stp_c_str(k{})" : "k{}"), i));
  }
  bool string = g.value == Type::string;
  return fmt::format(
      "static inline {0}get_{1}(struct stp_context *c{2})\n{{\n"
      "\tstruct stp_entry *e = stp_map_find({1}, (union stp_key[]){{ {3} }});\n\n"
      "\treturn e ? {4} : {5};\n}}\n"
      "static inline void set_{1}(struct stp_context *c{2}, {6}v, const struct stp_place *from)\n{{\n"
      "\tstruct stp_entry *e = stp_map_make(c, {1}, (union stp_key[]){{ {3} }}, from);\n\n"
      "\tif (e)\n\t\t{7};\n}}\n",
      string ? "const char *" : "s64 ", variable, params, keys,
      string ? "stp_c_text(stp_entry_text(e))" : "*stp_entry_number(e)", string ? "\"\"" : "0",
      string ? "const char *" : "s64 ",
      string ? "stp_copy(c, stp_entry_text(e), stp_c_str(v), from)" : "*stp_entry_number(e) = v");
}

template <typename Use>
void each_embedded(const Module& module, Use use) {
  for (const EmbeddedC* c : module.program.embedded) use(*c);
}

}  // namespace

std::string embedded_top(const Module& module) {
  std::string text;
  for (const EmbeddedC& c : module.program.embedded_top) text += transcribed(c);
  return text;
}

std::string embedded_access(const Module& module) {
  std::set<size_t> arrays;
  each_embedded(module, [&](const EmbeddedC& c) {
    for (const GlobalUse& use : c.globals)
      if (module.program.globals[use.global].array) arrays.insert(use.global);
  });
  std::string text;
  for (size_t index : arrays) text += array_access(module, index);
  return text;
}

void embedded_statement(Body& b, const EmbeddedC& c, const Span& span) {
  Definitions around;
  around.define("STAP_FAULT", "", "goto " + b.fail_label());
  define_globals(b.module, c, around);
  b.line("{{");
  b.line("const struct stp_place *stp_here = {};", b.module.names.place(span));
  b.line("(void)stp_here;");
  b.raw(around.defined() + transcribed(c) + around.undefined());
  b.line("}}");
  b.check();
}

Value embedded_value(Body& b, const EmbeddedC& c, Type type, const Span& span) {
  Definitions around;
  around.define("STAP_FAULT", "", "goto " + b.fail_label());
  define_globals(b.module, c, around);
  bool string = type == Type::string;
  std::string result = b.temp(string ? "struct stp_str " : "s64 ");
  b.line("{{");
  b.line("const struct stp_place *stp_here = {};", b.module.names.place(span));
  b.line("(void)stp_here;");
  b.raw(around.defined());
  b.line("{} = {}(", result, string ? "stp_c_str" : "(s64)");
  b.raw(transcribed(c));
  b.line(");");
  b.raw(around.undefined());
  b.line("}}");
  b.check();
  // Whose bytes a string's are is the code's secret.
  Value v{result, !string};
  return string ? b.pin(v, type, span) : v;
}

std::string embedded_body(Module& module, const Function& f, const std::vector<std::string>& args) {
  const EmbeddedC& c = *f.embedded;
  bool string = f.result == Type::string;
  Definitions around;
  around.define("STAP_FAULT", "", "goto out");
  std::string fields, values;
  for (size_t i = 0; i < f.params; ++i) {
    const std::string& name = f.locals[i].name;
    fields += fmt::format(" {}{};", f.locals[i].type == Type::string ? "char *" : "int64_t ", name);
    values += fmt::format("{}, ", args[i]);
    around.define("STAP_ARG_" + name, "", fmt::format("(THIS->{})", name));
  }
  if (f.result != Type::none) {
    fields += string ? " char *__retvalue;" : " int64_t __retvalue;";
    values += string ? "stp_c_text(result)" : "0";
    around.define("STAP_RETVALUE", "", "(THIS->__retvalue)");
  }
  std::string leave = "goto out";
  if (string)
    around.define("STAP_RETURN", "(v)",
                 "do { strscpy(STAP_RETVALUE, v, MAXSTRINGLEN); goto out; } while (0)");
  else if (f.result == Type::number)
    around.define("STAP_RETURN", "(...)",
                 "do { __VA_OPT__(STAP_RETVALUE = (int64_t)(__VA_ARGS__);) goto out; } while (0)");
  else
    around.define("STAP_RETURN", "(...)", "goto out");
  define_globals(module, c, around);
  std::string text = fmt::format(
      "\tstruct {{{} }} stp_this = {{ {} }}, *THIS = &stp_this;\n"
      "\tconst struct stp_place *stp_here = from;\n\n\t(void)THIS, (void)stp_here;\n\t{{\n",
      fields.empty() ? " int unused;" : fields, values.empty() ? "0" : values);
  text += around.defined() + transcribed(c) + around.undefined() + "\t}\nout: __maybe_unused;\n";
  if (string) text += "\tresult->len = strnlen(result->text, MAXSTRINGLEN - 1);\n";
  return text;
}

}  // namespace stp::emit_c
