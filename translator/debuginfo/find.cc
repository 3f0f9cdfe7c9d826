// Debug information is a file of its own, tied to what it describes by a build-id, by a name with a
// checksum (.gnu_debuglink), or by where it lies. The ways are tried from the surest to the most
// expensive: the file itself, the build-id below usr/lib/debug of each tree, the link, the same path
// below usr/lib/debug, a server. A file that was found is taken only if it has DWARF and is of the
// same build: addresses of another build would put probes into the middle of instructions.
#include "debuginfo/find.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "debuginfo/debuginfod.h"
#include "debuginfo/elf_file.h"
#include "target/locate.h"

namespace stp {
namespace {

namespace fs = std::filesystem;

class Search {
 public:
  Search(const Trees& trees, std::string build_id)
      : trees_(trees), build_id_(std::move(build_id)) {}

  bool found() const { return !result_.file.empty(); }
  DebugSearch take() && { return std::move(result_); }
  void note(LookedFor looked) { result_.looked_for.push_back(std::move(looked)); }

  // usr/lib/debug/.build-id/xx/yyyy.debug
  void by_build_id() {
    if (build_id_.size() < 4) return;
    fs::path place = fmt::format("/usr/lib/debug/.build-id/{}/{}.debug", build_id_.substr(0, 2),
                                 build_id_.substr(2));
    for (const fs::path& tree : trees_) in_tree(tree, place, std::nullopt);
  }

  void by_link(const fs::path& file, const std::string& link, uint32_t crc) {
    // A name, not a path: what a damaged file says is not followed to other folders.
    if (found() || link.empty() || link.find('/') != link.npos) return;
    fs::path folder = file.parent_path();
    std::error_code ignored;
    if (!fs::equivalent(folder / link, file, ignored)) candidate(folder / link, crc);
    candidate(folder / ".debug" / link, crc);
    for (const fs::path& tree : trees_)
      in_tree(tree, "/usr/lib/debug" / inside(tree, folder) / link, crc);
  }

  // As some distributions have it, without a link: the path itself, or with ".debug" behind.
  void by_path(const fs::path& file) {
    if (build_id_.empty()) return;
    for (const fs::path& tree : trees_)
      for (const char* ending : {"", ".debug"})
        in_tree(tree, "/usr/lib/debug" / fs::path(inside(tree, file).string() + ending),
                std::nullopt);
  }

  void by_server() {
    const char* urls = getenv("DEBUGINFOD_URLS");
    if (found() || build_id_.empty() || !urls || !*urls) return;
    std::string why_not;
    fs::path path = ask_debuginfod(build_id_, why_not);
    if (path.empty())
      note({{}, fmt::format("{} on {}", build_id_, urls), why_not});
    else
      candidate(path, std::nullopt);
  }

 private:
  // The path of a file of a tree as it is inside of the tree, without the leading "/".
  static fs::path inside(const fs::path& tree, const fs::path& path) {
    fs::path below = path.lexically_relative(tree);
    bool outside = below.empty() || *below.begin() == "..";
    return outside ? path.relative_path() : below == "." ? fs::path{} : below;
  }

  void in_tree(const fs::path& tree, const fs::path& place, std::optional<uint32_t> crc) {
    if (found()) return;
    fs::path path = inside_tree(tree, place);
    if (path.empty())
      note({tree, place.relative_path(), ""});
    else
      candidate(path, crc);
  }

  void candidate(const fs::path& path, std::optional<uint32_t> crc) {
    if (found()) return;
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) return note({{}, path, ""});
    std::string why_not;
    auto elf = read_elf_file(path, why_not);
    if (elf && !elf->has_dwarf) why_not = "it has no DWARF";
    if (elf && !build_id_.empty() && !elf->build_id.empty() && elf->build_id != build_id_)
      why_not = fmt::format("it is of another build, {}", elf->build_id);
    // The build-id is as good as the checksum, and need not read all of the file.
    bool sure = elf && !build_id_.empty() && elf->build_id == build_id_;
    if (why_not.empty() && !sure && (!crc || debuglink_crc_of(path) != crc))
      why_not = crc ? "its checksum is not the one of .gnu_debuglink" : "it has no build-id";
    if (why_not.empty())
      result_.file = path;
    else
      note({{}, path, why_not});
  }

  const Trees& trees_;
  std::string build_id_;
  DebugSearch result_;
};

}  // namespace

DebugSearch find_debuginfo(const fs::path& path, const Trees& trees) {
  std::string why_not;
  std::error_code ignored;
  // Links are followed, for what is beside the file and not beside the link.
  fs::path file = fs::weakly_canonical(path, ignored);
  fs::path plain = unpacked_file(file, why_not);
  auto elf = plain.empty() ? std::nullopt : read_elf_file(plain, why_not);
  if (!elf) return {{}, {{{}, path, why_not}}};
  if (elf->has_dwarf) return {plain, {}};
  Search search(trees, elf->build_id);
  search.note({{}, path, "it has no DWARF"});
  search.by_build_id();
  search.by_link(file, elf->debuglink, elf->debuglink_crc);
  search.by_path(file);
  search.by_server();
  return std::move(search).take();
}

DebugSearch find_debuginfo_of(const std::string& build_id, const Trees& trees) {
  Search search(trees, build_id);
  search.by_build_id();
  search.by_server();
  return std::move(search).take();
}

std::vector<std::string> told(const std::vector<LookedFor>& looked_for) {
  // Once each, in their order: two ways may lead to one place.
  std::vector<std::string> below, trees, whole, notes;
  auto add = [](std::vector<std::string>& to, const std::string& text) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  };
  for (const auto& [tree, place, why_not] : looked_for) {
    if (!why_not.empty())
      add(notes, fmt::format("{}: {}", place.string(), why_not));
    else
      add(tree.empty() ? whole : below, place.string());
    if (!tree.empty()) add(trees, tree.string());
  }
  // "x" and "x.debug" read better as one.
  for (auto& place : below)
    if (auto other = std::find(below.begin(), below.end(), place + ".debug"); other != below.end()) {
      place += "[.debug]";
      other->clear();
    }
  std::erase(below, "");
  if (!whole.empty())
    notes.insert(notes.begin(), fmt::format("looked for {}", fmt::join(whole, ", ")));
  if (!below.empty())
    notes.insert(notes.begin(), fmt::format("looked for {} below {}", fmt::join(below, ", "),
                                            fmt::join(trees, ", ")));
  return notes;
}

}  // namespace stp
