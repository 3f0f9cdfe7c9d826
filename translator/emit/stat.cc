// Statistics: values go into a per-CPU part (scalars) or into an element of an array, and what
// is asked of them comes out through a merged view.
#include "emit/body.h"

namespace stp::emit_c {

using namespace prog;

std::string counter_name(const Module& module, size_t global) {
  return "count_of_" + module.names.globals[global];
}

std::string shape_name(const Module& module, size_t global) {
  return "shape_of_" + module.names.globals[global];
}

const char* stat_op_name(ast::AggregateOp op) {
  switch (op) {
    case ast::AggregateOp::sum:
      return "STP_SUM";
    case ast::AggregateOp::min:
      return "STP_MIN";
    case ast::AggregateOp::max:
      return "STP_MAX";
    case ast::AggregateOp::avg:
      return "STP_AVG";
    case ast::AggregateOp::variance:
      return "STP_VARIANCE";
    default:
      return "STP_COUNT";
  }
}

Value accumulate(Body& b, const AccumulateExpr& a, const Expr* e, bool wanted) {
  auto added = [&] {
    Value v = value(b, a.value);
    return wanted ? b.pin(v, Type::number, e->span) : v;
  };
  if (auto* scalar = std::get_if<GlobalRef>(&a.target->node)) {
    Value v = added();
    bool counted = b.module.program.globals[scalar->index].shape.counted;
    b.line("{}({}, &{}, {});", counted ? "stp_stats_count" : "stp_stats_add",
           b.module.names.globals[scalar->index], shape_name(b.module, scalar->index), v.text);
    return v;
  }
  const auto& element = std::get<ElementRef>(a.target->node);
  std::vector<Value> keys = values(b, element.keys, a.value);
  Value v = added();
  std::string entry = b.temp("struct stp_entry *");
  b.line("{} = stp_map_make(c, {}, (union stp_key[]){{ {} }}, {});", entry,
         b.module.names.globals[element.global], union_list(element.keys, keys),
         b.module.names.place(e->span));
  b.line("if (!{})", entry);
  b.line("\tgoto {};", b.fail_label());
  b.line("stp_stat_add(stp_entry_stat({}), &{}, {});", entry, shape_name(b.module, element.global),
         v.text);
  return v;
}

Statistic statistic(Body& b, const Expr* e) {
  if (auto* histogram = std::get_if<HistogramExpr>(&e->node))
    return statistic(b, histogram->operand);
  if (auto* scalar = std::get_if<GlobalRef>(&e->node))
    // Merged where it is used: the view lasts until the next merge.
    return {{fmt::format("stp_stats_merge(c, {})", b.module.names.globals[scalar->index])},
            shape_name(b.module, scalar->index)};
  if (auto* at = std::get_if<WalkValueRef>(&e->node)) {
    for (size_t i = b.walks.size(); i-- > 0;)
      if (b.walks[i].id == at->foreach_id)
        return {{fmt::format("stp_entry_stat({})", b.walks[i].entry), true},
                shape_name(b.module, b.walks[i].global)};
  }
  const auto& element = std::get<ElementRef>(e->node);
  std::vector<Value> keys = values(b, element.keys);
  std::string entry = b.temp("struct stp_entry *");
  b.line("{} = stp_map_find({}, (union stp_key[]){{ {} }});", entry,
         b.module.names.globals[element.global], union_list(element.keys, keys));
  return {{fmt::format("({0} ? stp_entry_stat({0}) : NULL)", entry)},
          shape_name(b.module, element.global)};
}

Value aggregate(Body& b, const AggregateExpr& a, const Expr* e) {
  Statistic s = statistic(b, a.operand);
  Value result = b.number(fmt::format("stp_stat_value(c, {}, &{}, {}, {})", s.pointer.text, s.shape,
                                      stat_op_name(a.op), b.module.names.place(e->span)));
  if (a.op != ast::AggregateOp::count && a.op != ast::AggregateOp::sum) b.check();
  return result;
}

Value bucket(Body& b, const BucketExpr& k, const Expr* e) {
  Value index = b.pin(value(b, k.index), Type::number, e->span);
  Statistic s = statistic(b, k.operand);
  Value result = b.number(fmt::format("stp_stat_bucket(c, {}, &{}, {}, {})", s.pointer.text,
                                      s.shape, index.text, b.module.names.place(e->span)));
  b.check();
  return result;
}

}  // namespace stp::emit_c
