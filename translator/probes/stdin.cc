// stdin.char and stdin.line: the standard input of whoever runs the script, character by character or
// line by line, in $value. Scripts know them as input.char and input.line, aliases of the library, and
// the former as procfs("__stdin").write (stapprobes(3stap), INPUT).
#include "probes/kind.h"

namespace stp::probes {
namespace {

void resolve(const Request& request, std::vector<Found>& found) {
  found.push_back(at_stdin(request, request.has("line")));
}

}  // namespace

Found at_stdin(const Request& request, bool lines) {
  Found f{};
  f.point.kind = prog::PointKind::standard_input;
  f.point.name = spell(request.components);
  f.point.number = lines;
  f.surroundings.kind = Surroundings::Kind::writer;
  return f;
}

std::span<const Kind> stdin_kinds() {
  static const std::vector<Kind> table = {{{{"stdin"}, {"char"}}, resolve},
                                          {{{"stdin"}, {"line"}}, resolve}};
  return table;
}

}  // namespace stp::probes
