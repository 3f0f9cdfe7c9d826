// Printing is a record of a format's number and its arguments; the reader makes text of it. A
// record's size must be known before it is begun, so arguments are all evaluated first: strings
// stay where they are borrowed from, and nothing but the puts runs between.
#include "emit/body.h"

namespace stp::emit_c {

using namespace prog;

namespace {

bool is_histogram(const Expr* e) { return std::holds_alternative<HistogramExpr>(e->node); }

// It cannot fail.
Value pretty(Body& b, const PrintExpr& p) {
  std::string list = "0";
  if (!p.args.empty()) list = "";
  for (const Value& v : values(b, p.args)) list += (list.empty() ? "" : ", ") + v.text;
  std::string room = b.scratch();
  Value result = b.string(
      fmt::format("stp_pretty(c, {}, {}, (s64[]){{ {} }})", room, c_string(p.description), list),
      true);
  result.scratch = room;
  return result;
}

Value sprint(Body& b, const PrintExpr& p, const Expr* e) {
  const Format& format = b.module.program.formats[p.format];
  std::vector<Value> args = values(b, p.args);
  std::string room = b.scratch();
  std::string list =
      args.empty() ? "NULL" : fmt::format("(union stp_arg[]){{ {} }}", union_list(p.args, args));
  Value result =
      b.string(fmt::format("stp_sprint(c, {}, {}, {}, {}, {})", room, c_string(format.text),
                           c_string(format.letters), list, b.module.names.place(e->span)),
               true);
  b.check();
  result.scratch = room;
  return result;
}

// The plain arguments' values, left to right, and where histograms come from (pointer empty: none).
struct Arguments {
  std::vector<Value> values;
  std::vector<Statistic> statistics;
};

Arguments evaluate(Body& b, const std::vector<Expr*>& args) {
  std::vector<Expr*> plain;
  for (Expr* e : args)
    if (!is_histogram(e)) plain.push_back(e);
  std::vector<Value> plain_values = values(b, plain);
  Arguments result;
  for (size_t i = 0, next = 0; i < args.size(); ++i) {
    bool histogram = is_histogram(args[i]);
    result.statistics.push_back(histogram ? statistic(b, args[i]) : Statistic{});
    result.values.push_back(histogram ? Value{} : plain_values[next++]);
  }
  return result;
}

}  // namespace

Value print(Body& b, const PrintExpr& p, const Expr* e) {
  const Value nothing{"0", true};
  if (!p.description.empty()) return pretty(b, p);
  if (p.to_string) return sprint(b, p, e);
  Arguments args = evaluate(b, p.args);
  size_t fixed = 0;
  std::string size;
  std::vector<std::string> puts;
  std::string at = p.args.empty() ? "" : b.temp("void *");
  for (size_t i = 0; i < p.args.size(); ++i) {
    const Value& v = args.values[i];
    if (const Statistic& s = args.statistics[i]; !s.shape.empty()) {
      size += fmt::format(" + stp_histogram_size(&{})", s.shape);
      puts.push_back(fmt::format("stp_put_histogram({}, {}, &{})", at, s.pointer.text, s.shape));
    } else if (p.args[i]->type == Type::string) {
      size += fmt::format(" + STP_PUT_SIZE({})", v.text);
      puts.push_back(fmt::format("stp_put_string({}, {})", at, v.text));
    } else {
      fixed += 8;
      puts.push_back(fmt::format("stp_put_number({}, {})", at, v.text));
    }
  }
  std::string begin = fmt::format("stp_record_begin(c, {}, {}{})", p.format, fixed, size);
  if (puts.empty()) {
    b.line("{};", begin);
    return nothing;
  }
  b.line("{} = {};", at, begin);
  b.line("if ({}) {{", at);
  for (size_t i = 0; i + 1 < puts.size(); ++i) b.line("{} = {};", at, puts[i]);
  b.line("{};", puts.back());
  b.line("}}");
  return nothing;
}

}  // namespace stp::emit_c
