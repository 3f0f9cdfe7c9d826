// Types as C writes them. A declarator is read inside out: arrays bind before pointers, so a
// pointer to an array needs parentheses.
#include "types/type.h"

#include <fmt/format.h>

namespace stp::types {
namespace {

const char* keyword(Kind kind) {
  switch (kind) {
    case Kind::structure:
    case Kind::forward:
      return "struct ";
    case Kind::union_type:
      return "union ";
    case Kind::enumeration:
      return "enum ";
    default:
      return "";
  }
}

// The type with `inner` where the declared name would stand.
std::string declare(const Type* type, const std::string& inner, int depth) {
  // Damaged debug information can be circular.
  if (depth > 64) return "...";
  auto base = [&](const std::string& text) { return inner.empty() ? text : text + " " + inner; };
  if (!type) return base("void");
  switch (type->kind) {
    case Kind::pointer: {
      bool binds_later =
          type->of && (type->of->kind == Kind::array || type->of->kind == Kind::function);
      const char* marks[] = {"*", "&", "&&"};
      std::string name = marks[type->reference % 3] + inner;
      return declare(type->of, binds_later ? "(" + name + ")" : name, depth + 1);
    }
    case Kind::array:
      return declare(type->of, inner + (type->count ? fmt::format("[{}]", *type->count) : "[]"),
                     depth + 1);
    case Kind::function:
      return declare(type->of, inner + "()", depth + 1);
    case Kind::qualifier:
      return declare(type->of, inner, depth + 1);
    default:
      return base(keyword(type->kind) + (type->name.empty() ? "{...}" : type->name));
  }
}

}  // namespace

const Type* strip(const Type* type) {
  for (int depth = 0; type && depth < 64; ++depth) {
    if (type->kind != Kind::type_alias && type->kind != Kind::qualifier) break;
    type = type->of;
  }
  return type;
}

std::string spell(const Type* type) { return declare(type, "", 0); }

}  // namespace stp::types
