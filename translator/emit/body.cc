// The bookkeeping of a function that is being written; see body.h for the approach.
#include "emit/body.h"

#include <cassert>

namespace stp::emit_c {

using namespace prog;

Body::Body(Module& shared, const std::vector<Local>& locals, const std::string& entry_struct)
    : module(shared), declared_(&locals), entry_struct_(entry_struct) {
  UniqueNames names;
  for (const Local& local : locals) {
    std::string name = names.unique("l_" + c_identifier(local.name));
    if (local.type == Type::string)
      locals_.push_back({fmt::format("OWNED(frame->{})", name), name});
    else
      locals_.push_back({name, ""});
  }
  failures_.push_back({"out"});
}

void Body::line_directive(const Span& span) {
  if (!span.file) return;
  line("#line {} {}", span.file->position(span.begin).line, c_string(span.file->name()));
}

void Body::indented(const std::string& lines) {
  std::string text;
  for (size_t at = 0, end; at < lines.size(); at = end) {
    end = lines.find('\n', at) + 1;
    if (lines[at] == '\t') text += '\t';  // labels and #line stay at the margin
    text.append(lines, at, end - at);
  }
  raw(text);
}

std::string Body::temp(const std::string& type) {
  // "s64 " gives n1, "struct stp_str " s1, "struct stp_entry *" e1, "void *" at1.
  size_t tag = type.find("stp_");
  std::string kind = tag != type.npos ? type.substr(tag + 4, 1) : type.back() == '*' ? "at" : "n";
  std::string name = fmt::format("{}{}", kind, ++temp_numbers_[kind]);
  temps_[type].push_back(name);
  return name;
}

Value Body::number(const std::string& text) {
  std::string name = temp("s64 ");
  line("{} = {};", name, text);
  return {name, true};
}

Value Body::string(const std::string& text, bool stable) {
  std::string name = temp("struct stp_str ");
  line("{} = {};", name, text);
  return {name, stable};
}

Value Body::pin(Value value, Type type, const Span& span) {
  if (value.stable) return value;
  if (type != Type::string) return number(value.text);
  // The variable that it is borrowed from may get other text in the same bytes.
  std::string room = scratch();
  line("stp_copy(c, {}, {}, {});", room, value.text, module.names.place(span));
  check();
  return {fmt::format("STP_BORROW({})", room), true, room};
}

std::string Body::scratch() {
  if (++scratch_used_ > scratch_most_) scratch_most_ = scratch_used_;
  return fmt::format("OWNED(frame->scratch_{})", scratch_used_);
}

std::string Body::fail_label() {
  failures_.back().used = true;
  return failures_.back().name;
}

void Body::check() {
  line("if (stp_failed(c))");
  line("\tgoto {};", fail_label());
}

bool Body::pop_failure() {
  assert(failures_.size() > 1);
  bool used = failures_.back().used;
  failures_.pop_back();
  return used;
}

std::vector<std::string> Body::frame_fields() const {
  std::vector<std::string> fields;
  for (const Variable& local : locals_)
    if (!local.field.empty() && !local.borrowed) fields.push_back(local.field);
  for (size_t i = 1; i <= scratch_most_; ++i) fields.push_back(fmt::format("scratch_{}", i));
  return fields;
}

std::string Body::declarations() const {
  std::string text;
  size_t params = is_function ? param_count : 0;
  for (size_t i = params; i < locals_.size(); ++i)
    if (locals_[i].field.empty()) text += fmt::format("\ts64 {} = 0;\n", locals_[i].text);
  for (const auto& [type, names] : temps_) {
    // A pointer's star belongs to each name.
    std::string star = type.back() == '*' ? "*" : "";
    std::string base = type.substr(0, type.find_last_not_of("* ") + 1);
    text += fmt::format("\t{} {}{};\n", base, star, fmt::join(names, ", " + star));
  }
  return text;
}

std::string Body::initial_values() const {
  std::string text;
  for (size_t i = is_function ? param_count : 0; i < locals_.size(); ++i)
    if (!locals_[i].field.empty()) text += fmt::format("\tframe->{}.len = 0;\n", locals_[i].field);
  return text;
}

}  // namespace stp::emit_c
