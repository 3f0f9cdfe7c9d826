// stp cache: what is kept for the next run, and how to get rid of it.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/options.h"
#include "target/cache_room.h"
#include "target/target.h"

namespace stp::cli {
namespace {

std::string size_text(uintmax_t bytes) {
  return bytes < uintmax_t{1} << 20 ? fmt::format("{} KB", (bytes + 1023) >> 10)
                                    : fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1 << 20));
}

std::string age_text(std::filesystem::file_time_type used) {
  auto age = std::filesystem::file_time_type::clock::now() - used;
  auto hours = std::chrono::duration_cast<std::chrono::hours>(age).count();
  return hours < 1 ? "within an hour" : hours < 48 ? fmt::format("{} h ago", hours)
                                                   : fmt::format("{} days ago", hours / 24);
}

void print_table() {
  fmt::print("{}\n", cache_dir().string());
  uintmax_t all = 0;
  for (const auto& kind : cache_kinds()) {
    auto entries = cache_entries(kind.folder);
    uintmax_t bytes = 0;
    for (const auto& entry : entries) bytes += entry.bytes;
    all += bytes;
    fmt::print("  {:<9} {:>6} {:>11}  {}{}\n", kind.folder, entries.size(), size_text(bytes), kind.what,
               entries.empty() ? "" : ", used last " + age_text(entries.back().used));
  }
  fmt::print("  {:<9} {:>6} {:>11}  of {} (STP_CACHE_LIMIT)\n", "all", "", size_text(all),
             size_text(cache_limit()));
}

}  // namespace

int cache_command(const Words& words) {
  std::vector<std::string> cleared;
  std::string limit;
  CLI::App app{"Show what stp keeps for the next run, or remove it.", "stp cache"};
  set_usage(app, "stp cache\n       stp cache --clear [FOLDER...]\n       stp cache --limit SIZE");
  auto* clear = app.add_option("--clear", cleared, "remove all of it, or what is in these folders of it")
                    ->type_name("[FOLDER...]")
                    ->expected(0, 100)
                    ->check(CLI::IsMember(cache_folders()).description(""));
  auto* trim = app.add_option("--limit", limit,
                              "remove what was not used for the longest time, until SIZE is left: "
                              "bytes, or with K, M or G behind")
                   ->type_name("SIZE");
  app.footer(
      "What was not used for the longest time goes by itself when all of it takes more than\n"
      "STP_CACHE_LIMIT (2G). Everything can be made again; kernels that vm/fetch-kernel unpacked\n"
      "beside it are not touched.\n"
      "Exit status: 0, or 2 for a wrong command line.\n"
      "\nExample: stp cache --limit 200M");
  int status;
  if (!parse(app, words, status)) return status;
  if (clear->count() && trim->count()) return usage_error(app, "--clear and --limit exclude each other");
  if (!clear->count() && !trim->count()) {
    print_table();
    return status_good;
  }
  auto size = clear->count() ? uintmax_t{0} : parse_size(limit);
  if (!size) return usage_error(app, fmt::format("--limit {}: a size such as 500M was expected", limit));
  auto removed = trim_cache(clear->count() && !cleared.empty() ? cleared : cache_folders(), *size,
                            std::chrono::seconds(0));
  fmt::print("removed {} entries, {}\n", removed.entries, size_text(removed.bytes));
  return status_good;
}

}  // namespace stp::cli
