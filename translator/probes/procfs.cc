// procfs("PATH").read and .write, and the same of the file "command" without the path: files below
// /proc/systemtap/MODULE that handlers answer. .umask(M) says who may open it, .maxsize(N) how
// much a reader may get (stapprobes(3stap), PROCFS).
#include <fmt/format.h>

#include "probes/kind.h"

namespace stp::probes {
namespace {

constexpr int64_t most_bytes = 1 << 24;
constexpr size_t longest_name = 255;

// What is wrong with a path; null: nothing.
const char* wrong_in(const std::string& path) {
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = std::min(path.find('/', begin), path.size());
    std::string name = path.substr(begin, end - begin);
    if (name.empty()) return "a name in it is empty";
    if (name == "." || name == "..") return "it is a way, and not a name";
    if (name.size() > longest_name) return "a name in it has more than 255 bytes";
    begin = end + 1;
  }
  return nullptr;
}

void resolve(const Request& request, std::vector<Found>& found) {
  const std::string* given = request.text("procfs");
  std::string path = given ? *given : "command";
  if (const char* wrong = wrong_in(path)) {
    request.diagnostics.error(Code::no_match, request.component("procfs").arg_span,
                              fmt::format("'{}' is no path of a file below /proc/systemtap/MODULE: {}",
                                          path, wrong));
    return;
  }
  bool write = request.has("write");
  if (path == "__stdin" && write) return found.push_back(at_stdin(request, false));
  int64_t size = request.number("maxsize").value_or(0);
  if (request.has("maxsize") && (size < 1 || size > most_bytes)) {
    request.diagnostics.error(Code::bad_interval, request.component("maxsize").arg_span,
                              fmt::format("maxsize({}) is not between 1 and {}", size, most_bytes));
    return;
  }
  // Without it the owner alone is let in.
  int64_t mask = request.number("umask").value_or(077);
  Found f{};
  f.point.kind = prog::PointKind::procfs;
  f.point.name = spell(request.components);
  f.point.symbol = path;
  f.point.offset = static_cast<uint32_t>((write ? 0222 : 0444) & ~mask);
  f.point.number = write;
  f.point.number2 = size;
  f.surroundings.kind = write ? Surroundings::Kind::writer : Surroundings::Kind::reader;
  found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> procfs_kinds() {
  static const std::vector<Kind> table = [] {
    const Part umask{"umask", Arg::number}, maxsize{"maxsize", Arg::number};
    std::vector<Kind> rows;
    for (const Part& file : {Part{"procfs"}, Part{"procfs", Arg::string}}) {
      rows.push_back({{file, {"read"}}, resolve});
      rows.push_back({{file, {"write"}}, resolve});
      rows.push_back({{file, umask, {"read"}}, resolve});
      rows.push_back({{file, umask, {"write"}}, resolve});
      rows.push_back({{file, {"read"}, maxsize}, resolve});
      rows.push_back({{file, umask, {"read"}, maxsize}, resolve});
    }
    return rows;
  }();
  return table;
}

}  // namespace stp::probes
