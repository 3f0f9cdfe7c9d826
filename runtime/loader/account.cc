#include "account.h"

#include <fmt/format.h>

#include <fstream>
#include <numeric>
#include <sstream>

namespace stp::load {
namespace {

// In the order of enum stp_miss.
constexpr std::array<const char*, STP_MISSES> causes = {
    "a handler was already running on that CPU (reentry)",
    "a variable stayed locked (MAXTRYLOCK)",
    "no free slot to follow the return (raise KRETACTIVE or .maxactive)",
    "the session was over its budget",
    "the CPU had just come online",
    "the kernel skipped the probe",
};

std::string describe_row(const AccountRow& row) {
  std::string text = fmt::format("stp: {}: {} hits = {} handled + {} missed\n", row.probe, row.hits,
                                 row.handled, row.all_missed());
  for (size_t cause = 0; cause < causes.size(); ++cause)
    if (row.missed[cause])
      text += fmt::format("stp:   {} missed: {}\n", row.missed[cause], causes[cause]);
  return text;
}

std::string describe_loss(const Loss& loss, const char* fate) {
  if (!loss.records) return "";
  std::string text =
      fmt::format("stp: warning: {} records ({} bytes) were {}", loss.records, loss.bytes, fate);
  const char* separator = " (";
  for (const auto& [cpu, records] : loss.records_by_cpu) {
    text += fmt::format("{}cpu {}: {}", separator, cpu, records);
    separator = ", ";
  }
  return text + "); -s MB makes them larger\n";
}

}  // namespace

uint64_t AccountRow::all_missed() const {
  return std::accumulate(missed.begin(), missed.end(), uint64_t{0});
}

std::vector<AccountRow> read_account(const std::string& directory) {
  std::vector<AccountRow> rows;
  std::ifstream in(directory + "/account");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    AccountRow row;
    words >> row.hits >> row.handled;
    for (uint64_t& count : row.missed) words >> count;
    if (!words) continue;
    words.get();
    std::getline(words, row.probe);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string describe(const std::vector<AccountRow>& rows, bool all) {
  std::string text;
  for (const AccountRow& row : rows)
    if (all || row.all_missed() > 0 || row.hits != row.handled) text += describe_row(row);
  return text;
}

std::string describe(const Losses& losses) {
  return describe_loss(losses.overwritten, "overwritten: nobody read them") +
         describe_loss(losses.lost, "lost: the buffers were full");
}

}  // namespace stp::load
