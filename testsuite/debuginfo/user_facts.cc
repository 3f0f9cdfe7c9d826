// user-facts PROGRAM FILE: what the debug information of a program says of the source FILE, a line
// per fact, as testsuite/debuginfo/gdb_facts.py prints what gdb says.
//
//   F name address line        a function with code of its own
//   V function name type       a parameter or local variable
//   M structure member offset type
//   P address function...      an instruction: the functions it belongs to, innermost first
//   L address line             and its line
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "debuginfo/user_program.h"

namespace {

using namespace stp;
using types::Kind;

// Compilers and gdb write parameters and anonymous namespaces each in their way.
std::string plain(std::string name) {
  for (const char* drop : {"(anonymous namespace)::", "{anonymous}::"})
    for (size_t at; (at = name.find(drop)) != name.npos;) name.erase(at, std::string(drop).size());
  name = name.substr(0, name.find('('));
  // Arguments of templates are spelled in many ways: "short" is "short int".
  for (size_t close; (close = name.find('>')) != name.npos;) {
    size_t open = name.rfind('<', close);
    if (open == name.npos) break;
    name.erase(open, close + 1 - open);
  }
  return name;
}

class Facts {
 public:
  Facts(const types::Provider& provider, std::string file)
      : provider_(provider), file_(std::move(file)) {}

  void print() {
    for (const auto& f : provider_.functions({"*", file_, false})) {
      add(fmt::format("F {} {:#x} {}", plain(f.name), f.address, f.line));
      std::set<std::string> seen;
      for (uint64_t pc = f.address; pc < f.address + f.size; ++pc) {
        instruction(pc);
        auto answer = provider_.variables({f, pc, false});
        if (auto* all = types::get(answer))
          for (const auto& v : *all)
            if (seen.insert(v.name).second)
              add(fmt::format("V {} {} {}", plain(f.name), v.name, text_of(v.type)));
      }
    }
    for (const auto& line : lines_) fmt::print("{}\n", line);
  }

 private:
  void add(std::string line) { lines_.insert(std::move(line)); }

  void instruction(uint64_t pc) {
    std::string chain;
    auto frames = provider_.source_frames(pc);
    for (const auto& f : frames) {
      std::string name = plain(f.function);
      // Inlined functions go by their own name, without what is around it.
      if (f.inlined) name = name.substr(name.rfind(':') + 1);
      chain += " " + name;
    }
    if (frames.empty()) return;
    add(fmt::format("P {:#x}{}", pc, chain));
    add(fmt::format("L {:#x} {}", pc, frames[0].line));
  }

  std::string text_of(const types::Type* written) {
    const types::Type* t = types::strip(written);
    if (!t) return "void";
    switch (t->kind) {
      case Kind::pointer:
        return (t->reference ? t->reference == 1 ? "&" : "&&" : "*") + (++depth_ > 8 ? "" : text_of_inner(t->of));
      case Kind::array:
        return fmt::format("[{}]{}", t->count ? fmt::format("{}", *t->count) : "", text_of(t->of));
      case Kind::boolean:
        return "bool";
      case Kind::character:
      case Kind::integer:
        return fmt::format("int{}", t->size);
      case Kind::floating:
        return fmt::format("float{}", t->size);
      case Kind::enumeration:
        return fmt::format("enum{}", t->size);
      case Kind::function:
        return "function";
      case Kind::structure:
      case Kind::union_type:
        members(*t);
        return fmt::format("{}{}", t->kind == Kind::structure ? "struct" : "union", t->size);
      default:
        return "?";
    }
  }
  std::string text_of_inner(const types::Type* t) {
    std::string text = text_of(t);
    --depth_;
    return text;
  }

  void members(const types::Type& t) {
    // Template arguments and scopes are spelled differently; what tells types apart is enough.
    std::string name = plain(t.name);
    name = name.substr(name.rfind(':') + 1);
    if (name.empty() || !seen_.insert(&t).second || seen_.size() > 300) return;
    for (const auto& m : provider_.members(t)) {
      if (m.name.empty()) continue;
      std::string bits = m.bit_size ? fmt::format(" bit {} of {}", m.offset * 8 + m.bit_offset,
                                                  m.bit_size)
                                    : "";
      add(fmt::format("M {} {} {}{} {}", name, m.name, bits.empty() ? m.offset : 0, bits,
                      text_of(m.type)));
    }
  }

  const types::Provider& provider_;
  std::string file_;
  int depth_ = 0;
  std::set<const types::Type*> seen_;
  std::set<std::string> lines_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: user-facts PROGRAM FILE\n");
    return 2;
  }
  const auto& opened = stp::open_user_debuginfo(std::filesystem::absolute(argv[1]), {"/"});
  if (!opened.provider) {
    fmt::print(stderr, "user-facts: {}: {}\n", argv[1], opened.why_not);
    return 1;
  }
  Facts(*opened.provider, argv[2]).print();
}
