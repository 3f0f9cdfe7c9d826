// The tree is written in re2c's notation, and re2c makes a deterministic automaton that takes the
// longest match from one place on, with the groups as POSIX disambiguates them. Around it stands a loop
// over the places where a match can begin: an automaton that does both at once has exponentially
// many states for expressions like `a.{20}`.
//
// ^ and $ match symbols that lie around the text (regex_peek() in the runtime's script.h): as many
// of each as the expression has, since each ^ takes one. No byte is such a symbol, so that all re2c
// has to know of anchors is two more letters of the alphabet.
#include "regex/matcher.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "support/subprocess.h"

namespace stp::regex {
namespace {

namespace fs = std::filesystem;
using Kind = Node::Kind;

constexpr const char* begin_symbol = "[\\u0101]";
constexpr const char* end_symbol = "[\\u0100]";
constexpr const char* most_seconds = "10";
// A module of megabytes for one expression is no use to anybody.
constexpr size_t most_text = 2 << 20;

// The tree in re2c's notation, and what must be known of it to use what re2c makes.
class Notation {
 public:
  std::string text(const Node& node) {
    switch (node.kind) {
      case Kind::empty:
        return "\"\"";
      case Kind::bytes:
        return set(node.set);
      case Kind::begin:
        ++begins;
        return begin_symbol;
      case Kind::end:
        ++ends;
        return end_symbol;
      case Kind::all:
      case Kind::any:
        return in_parentheses(node);
      case Kind::repeat:
        return repeat(node);
      case Kind::group:
        groups.push_back(++parentheses);
        return "(" + bare(node.children[0]) + ")";
    }
    return "";
  }

  int begins = 0, ends = 0;
  int parentheses = 0;
  std::vector<int> groups;  // re2c's number of each of ours: it counts all parentheses

 private:
  static std::string set(const std::bitset<256>& bytes) {
    if (bytes.none()) return "[\\u0102]";  // which is never there
    std::string text;
    for (int c = 0; c < 256; ++c) {
      if (!bytes[c]) continue;
      int last = c;
      while (last < 255 && bytes[last + 1]) ++last;
      text += fmt::format("\\x{:02x}", c);
      if (last > c) text += fmt::format("-\\x{:02x}", last);
      c = last;
    }
    return "[" + text + "]";
  }

  // What stands in parentheses already gets no more: re2c tells no iterations of ((x))+ apart.
  std::string bare(const Node& node) {
    bool is_list = node.kind == Kind::all || node.kind == Kind::any;
    return is_list ? joined(node) : text(node);
  }

  std::string joined(const Node& node) {
    std::string list;
    for (const Node& child : node.children) {
      if (!list.empty()) list += node.kind == Kind::any ? " | " : " ";
      list += text(child);
    }
    return list;
  }

  std::string in_parentheses(const Node& node) {
    ++parentheses;
    return "(" + bare(node) + ")";
  }

  std::string repeat(const Node& node) {
    // Of counted anchors each copy takes a symbol of its own.
    int begins_before = begins, ends_before = ends;
    bool alone = node.children[0].kind == Kind::group || node.children[0].kind == Kind::bytes;
    std::string inner = alone ? text(node.children[0]) : in_parentheses(node.children[0]);
    int copies = std::max({node.least, node.most, 1});
    begins = begins_before + (begins - begins_before) * copies;
    ends = ends_before + (ends - ends_before) * copies;
    if (node.most < 0)
      return node.least == 0   ? inner + "*"
             : node.least == 1 ? inner + "+"
                               : fmt::format("{}{{{},}}", inner, node.least);
    if (node.least == 0 && node.most == 0) return "\"\"";
    return fmt::format("{}{{{},{}}}", inner, node.least, node.most);
  }

};

// True when a match can only begin where the text does.
bool anchored(const Node& node) {
  auto all_of = [](const std::vector<Node>& list) {
    for (const Node& child : list)
      if (!anchored(child)) return false;
    return true;
  };
  switch (node.kind) {
    case Kind::begin:
      return true;
    case Kind::group:
    case Kind::all:
      return anchored(node.children[0]);
    case Kind::any:
      return all_of(node.children);
    case Kind::repeat:
      return node.least > 0 && anchored(node.children[0]);
    default:
      return false;
  }
}

constexpr const char* configuration = R"re(/*!re2c
re2c:api = custom;
re2c:api:style = free-form;
re2c:define:YYCTYPE = u32;
re2c:define:YYPEEK = "stp_regex_peek(s, at, ENDS)";
re2c:define:YYSKIP = "++at;";
re2c:define:YYBACKUP = "mark = at;";
re2c:define:YYRESTORE = "at = mark;";
re2c:define:YYSTAGP = "@@{tag} = at;";
re2c:define:YYSTAGN = "@@{tag} = STP_REGEX_NONE;";
re2c:define:YYSHIFT = "at += @@{shift};";
re2c:define:YYSHIFTSTAG = "@@{tag} += @@{shift};";
re2c:yyfill:enable = 0;
re2c:flags:posix-captures = POSIX;
re2c:flags:wide-chars = 1;
)re";

void replace(std::string& text, const std::string& word, const std::string& by) {
  for (size_t at = 0; (at = text.find(word, at)) != text.npos; at += by.size())
    text.replace(at, word.size(), by);
}

// The automaton: from `from` on, the end of the longest match, or STP_REGEX_NONE.
std::string specification(const std::string& name, const Pattern& pattern, bool groups,
                          Notation& notation) {
  std::string expression = notation.text(pattern.root);
  std::string head = configuration, stores;
  replace(head, "ENDS", std::to_string(notation.ends));
  replace(head, "POSIX", groups ? "1" : "0");
  if (groups) {
    // re2c's group 0 is the whole rule.
    stores = "tags[0] = from; tags[1] = at;";
    for (size_t i = 0; i < notation.groups.size(); ++i)
      for (int side = 0; side < 2; ++side)
        stores += fmt::format(" tags[{}] = yypmatch[{}];", 2 * (i + 1) + side,
                              2 * notation.groups[i] + side);
  }
  std::string variables;
  if (groups)
    variables = fmt::format(
        "\ts32 yypmatch[{}];\n\tu32 yynmatch;\n"
        "\t/*!stags:re2c format = '\\ts32 @@ = STP_REGEX_NONE;\\n'; */\n",
        2 * (notation.parentheses + 1));
  // The second rule takes no byte, so that it wins only where the first does not match at all.
  return fmt::format(
      "static s32 {}_from(struct stp_str s, s32 from, s32 *tags)\n{{\n"
      "\ts32 at = from, mark = from;\n{}\n{}"
      "{} {{ {} return at; }}\n\"\" {{ return STP_REGEX_NONE; }}\n*/\n}}\n",
      name, variables, head, expression, stores);
}

// Files that are gone when their owner is.
struct Scratch {
  fs::path dir;
  Scratch() {
    std::string name = (fs::temp_directory_path() / "stp-regex-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw std::runtime_error("no folder can be made in " + fs::temp_directory_path().string());
    dir = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(dir, ignored);
  }
};

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string run_re2c(const std::string& text) {
  Scratch scratch;
  fs::path in = scratch.dir / "in.re", out = scratch.dir / "out.c", log = scratch.dir / "log";
  std::ofstream(in) << text;
  int status = run_logged({"timeout", most_seconds, "re2c", "--no-debug-info",
                           "--no-generation-date", "--no-version", "-o", out.string(), in.string()},
                          log);
  if (status == 127)
    throw std::runtime_error("regular expressions need re2c: apt-get install re2c");
  std::string made = read(out);
  if (status == 124 || made.size() > most_text) throw TooLarge{};
  std::string said = read(log);
  if (said.find("too many states") != said.npos) throw TooLarge{};
  if (status != 0) throw std::runtime_error("re2c failed: " + said);
  return made;
}

}  // namespace

std::string matcher(const std::string& name, const Pattern& pattern, bool groups) {
  Notation notation;
  std::string spec = specification(name, pattern, groups, notation);
  std::string automaton = run_re2c(spec);
  std::string try_begin;
  int first = -notation.begins;
  // Each ^ takes a symbol before the text: of the matches at its beginning the longest counts, where somebody
  // asks what it is.
  if (notation.begins && groups) {
    first = 1;
    try_begin = fmt::format(
        "\ts32 best = STP_REGEX_NONE, at = 0;\n\n"
        "\tfor (from = -{1}; from <= 0; from++) {{\n"
        "\t\tend = {0}_from(s, from, tags);\n"
        "\t\tif (end > best) {{\n\t\t\tbest = end;\n\t\t\tat = from;\n\t\t}}\n\t}}\n"
        "\tif (best != STP_REGEX_NONE)\n\t\treturn {0}_from(s, at, tags) != STP_REGEX_NONE;\n",
        name, notation.begins);
  }
  return automaton +
         fmt::format(
             "\nstatic bool {0}(struct stp_str s, s32 *tags)\n{{\n\ts32 from, end;\n{1}\n"
             "\tfor (from = {2}; from <= {3}; from++) {{\n"
             "\t\tend = {0}_from(s, from, tags);\n"
             "\t\tif (end != STP_REGEX_NONE)\n\t\t\treturn true;\n\t}}\n"
             "\treturn false;\n}}\n",
             name, try_begin, first,
             anchored(pattern.root) ? "0" : "(s32)s.len");
}

}  // namespace stp::regex
