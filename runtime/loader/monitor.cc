// The screen is drawn whole, with the few control sequences that every terminal since the VT100 has:
// a library for it would be larger than this program, and is not on the host that has but the loader.
//
// Above is what the module tells of itself, below what the script prints. Keys are those of stap(1).
#include "monitor.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>

#include "account.h"
#include "printer.h"
#include "recorder.h"
#include "times.h"

namespace stp::load {
namespace {

constexpr size_t kept_lines = 1000;
termios before;  // the terminal as it was

constexpr const char* order_names[] = {"number", "hits", "missed", "min", "avg", "max", "probe"};

std::string uptime(uint64_t ns) {
  uint64_t s = ns / 1'000'000'000;
  return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string size_text(uint64_t bytes) { return fmt::format("{} kB", (bytes + 1023) / 1024); }

// What the module itself takes.
uint64_t core_size(const std::string& name) {
  uint64_t bytes = 0;
  std::ifstream("/sys/module/" + name + "/coresize") >> bytes;
  return bytes;
}

std::string globals_text(const std::string& directory) {
  std::ifstream in(directory + "/globals");
  std::string text;
  for (std::string line; std::getline(in, line);) text += (text.empty() ? "" : ", ") + line;
  return text;
}

std::string row_text(const MonitorRow& row) {
  return fmt::format("{:>4} {:>3} {:>10} {:>8} {:>9} {:>9} {:>10}  {}\n", row.number,
                     row.on ? "on" : "off", row.hits, row.missed, row.least, row.average, row.most,
                     row.probe);
}

const std::string heading = fmt::format("{:>4} {:>3} {:>10} {:>8} {:>9} {:>9} {:>10}  {}\n", "NO", "", "HITS",
                                        "MISSED", "MIN", "AVG", "MAX", "PROBE");

struct Size {
  size_t rows = 24, columns = 80;
};
Size size_of_screen(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || !size.ws_row || !size.ws_col) return {};
  return {size.ws_row, size.ws_col};
}

// One line of the screen: cut, and without what could move the cursor.
std::string screen_line(std::string text, size_t columns) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  if (text.size() > columns) text.resize(columns);
  return text + "\033[K\r\n";
}

}  // namespace

MonitorOrder next(MonitorOrder order) {
  return order == MonitorOrder::probe ? MonitorOrder::number
                                      : static_cast<MonitorOrder>(static_cast<int>(order) + 1);
}

// Numbers from the greatest on.
void sort_rows(std::vector<MonitorRow>& rows, MonitorOrder order) {
  auto by = [&](auto member) {
    std::stable_sort(rows.begin(), rows.end(), [&](const MonitorRow& a, const MonitorRow& b) {
      return a.*member > b.*member;
    });
  };
  switch (order) {
    case MonitorOrder::number:
      return;
    case MonitorOrder::hits:
      return by(&MonitorRow::hits);
    case MonitorOrder::missed:
      return by(&MonitorRow::missed);
    case MonitorOrder::least:
      return by(&MonitorRow::least);
    case MonitorOrder::average:
      return by(&MonitorRow::average);
    case MonitorOrder::most:
      return by(&MonitorRow::most);
    case MonitorOrder::probe:
      std::stable_sort(rows.begin(), rows.end(), [](const MonitorRow& a, const MonitorRow& b) {
        return a.probe < b.probe;
      });
  }
}

std::vector<MonitorRow> read_rows(const std::string& directory) {
  std::vector<MonitorRow> rows;
  for (const AccountRow& account : read_account(directory))
    rows.push_back({.number = rows.size(),
                    .hits = account.hits,
                    .missed = account.all_missed(),
                    .probe = account.probe});
  // Points to probes, by place and name.
  std::map<std::string, TimesRow> sums;
  for (const TimesRow& point : read_times(directory)) {
    TimesRow& sum = sums[point.probe];
    if (point.hits) sum.least = sum.hits ? std::min(sum.least, point.least) : point.least;
    sum.most = std::max(sum.most, point.most);
    sum.sum += point.sum;
    sum.hits += point.hits;
  }
  for (MonitorRow& row : rows) {
    auto found = sums.find(row.probe);
    if (found == sums.end() || !found->second.hits) continue;
    row.least = found->second.least;
    row.most = found->second.most;
    row.average = found->second.sum / found->second.hits;
  }
  return rows;
}

Monitor::Monitor(std::string name, std::string directory, Control& control, int fd, double seconds)
    : name_(std::move(name)),
      directory_(std::move(directory)),
      control_(control),
      fd_(fd),
      screen_(isatty(fd) && isatty(STDIN_FILENO)),
      interval_(seconds),
      shown_(std::chrono::steady_clock::now()) {
  if (!screen_ || tcgetattr(STDIN_FILENO, &before) != 0) return;
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // ^C and ^\ stay signals
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  Output out(fd_);
  out.append("\033[?1049h");
  out.flush();
}

Monitor::~Monitor() {
  if (!screen_) return;
  tcsetattr(STDIN_FILENO, TCSANOW, &before);
  // The last lines stay on the terminal, as without a monitor.
  Output out(fd_);
  out.append("\033[?1049l");
  for (const auto& line : lines_) out.append(line + "\n");
  out.append(partial_);
  out.flush();
}

int Monitor::keys() const { return screen_ ? STDIN_FILENO : -1; }

int Monitor::take(std::string& text) {
  if (!screen_) {
    Output out(fd_);
    out.append(text);
    text.clear();
    return out.flush();
  }
  for (char c : text) {
    if (c != '\n') {
      partial_ += c;
      continue;
    }
    lines_.push_back(std::move(partial_));
    partial_.clear();
    if (lines_.size() > kept_lines) lines_.pop_front();
  }
  changed_ |= !text.empty();
  text.clear();
  return 0;
}

bool Monitor::look() {
  bool end = false;
  char keys[64];
  ssize_t got = screen_ ? read(STDIN_FILENO, keys, sizeof keys) : 0;
  if (got > 0) keys_.append(keys, static_cast<size_t>(got));
  while (!keys_.empty()) {
    // Cursor keys and pages: escape, [, a letter or a digit and ~.
    static const std::map<std::string, int> moves = {
        {"\033[A", -1}, {"\033[B", 1}, {"\033[5~", -10}, {"\033[6~", 10}, {"\033[H", -100000}, {"\033[F", 100000}};
    auto move = std::find_if(moves.begin(), moves.end(),
                             [&](const auto& m) { return keys_.starts_with(m.first); });
    if (move != moves.end()) scroll(move->second);
    else end |= prompting_ ? press_in_prompt(keys_[0]) : press(keys_[0]);
    keys_.erase(0, move != moves.end() ? move->first.size() : 1);
    changed_ = true;
  }
  auto now = std::chrono::steady_clock::now();
  if (!changed_ && now - shown_ < interval_) return end;
  if (!screen_ && now - shown_ < interval_) return end;
  shown_ = now;
  changed_ = false;
  if (screen_) draw();
  else print_table();
  return end;
}

void Monitor::scroll(int by) {
  if (in_output_)
    back_ = std::clamp(back_ - by, 0, static_cast<int>(lines_.size()));
  else
    first_probe_ = std::max(0, first_probe_ + by);
}

bool Monitor::press(char key) {
  note_.clear();
  switch (key) {
    case 'c':
      note_ = control_.reset() ? "globals cannot be reset" : "globals were reset";
      break;
    case 's':
      order_ = next(order_);
      break;
    case 't':
      prompting_ = true;
      break;
    case 'r':
      switch_all(true);
      break;
    case 'p':
      switch_all(false);
      break;
    case 'x':
      hidden_ = !hidden_;
      break;
    case '\t':
      in_output_ = !in_output_;
      break;
    case 'q':
      return true;
  }
  return false;
}

bool Monitor::press_in_prompt(char key) {
  if (key >= '0' && key <= '9' && prompt_.size() < 6) prompt_ += key;
  else if ((key == 127 || key == 8) && !prompt_.empty()) prompt_.pop_back();
  else if (key == '\n' || key == '\r' || key == 27) {
    if (key != 27 && !prompt_.empty()) switch_one(std::stoul(prompt_));
    prompting_ = false;
    prompt_.clear();
  }
  return false;
}

void Monitor::switch_one(size_t number) {
  if (off_.size() <= number) off_.resize(number + 1);
  if (control_.switch_probe(static_cast<uint32_t>(number), off_[number])) {
    note_ = fmt::format("there is no probe {}", number);
    return;
  }
  off_[number] = !off_[number];
}

void Monitor::switch_all(bool on) {
  size_t count = read_rows(directory_).size();
  off_.resize(count);
  for (size_t i = 0; i < count; ++i)
    if (off_[i] == on) switch_one(i);
}

std::string Monitor::status_text() {
  auto state = SessionState::read(directory_);
  if (!state) return name_ + "\n";
  return fmt::format(
      "{}  script {}  {}  up {}  uid {}\n"
      "memory: module {}, buffers {}, waiting {}; lost {}; errors {}\n"
      "globals: {}\n",
      name_, state->text("script"), state->text("state"), uptime(state->number("nanoseconds")),
      state->text("uid"), size_text(core_size(name_)), size_text(state->number("buffers")),
      size_text(state->number("waiting")), state->text("lost"), state->text("errors"),
      globals_text(directory_));
}

std::string Monitor::probes_text(size_t room) {
  std::vector<MonitorRow> rows = read_rows(directory_);
  for (MonitorRow& row : rows) row.on = row.number >= off_.size() || !off_[row.number];
  sort_rows(rows, order_);
  first_probe_ = std::clamp(first_probe_, 0, std::max(0, static_cast<int>(rows.size()) - 1));
  std::string text = heading;
  for (size_t i = static_cast<size_t>(first_probe_); i < rows.size() && room-- > 0; ++i)
    text += row_text(rows[i]);
  return text;
}

void Monitor::print_table() {
  Output out(fd_);
  out.append(status_text() + probes_text(SIZE_MAX));
  out.flush();
}

void Monitor::draw() {
  Size size = size_of_screen(fd_);
  std::string above;
  if (!hidden_)
    above = status_text() + probes_text(size.rows > 16 ? size.rows / 2 - 6 : 2);
  above += fmt::format("-- sorted by {}; c s t r p x q, Tab: {} scrolls{}{}\n",
                       order_names[static_cast<int>(order_)], in_output_ ? "output" : "probes",
                       note_.empty() ? "" : "; ", note_);
  if (prompting_) above += fmt::format("probe to switch on or off: {}\n", prompt_);
  std::string text = "\033[H";
  size_t used = 0;
  for (size_t at = 0; at < above.size(); ++used) {
    size_t end = above.find('\n', at);
    text += screen_line(above.substr(at, end - at), size.columns);
    at = end + 1;
  }
  size_t room = size.rows > used + 1 ? size.rows - used - 1 : 0;
  size_t last = lines_.size() - std::min(lines_.size(), static_cast<size_t>(back_));
  for (size_t i = last - std::min(last, room); i < last; ++i)
    text += screen_line(lines_[i], size.columns);
  Output out(fd_);
  out.append(text + "\033[J");
  out.flush();
}

}  // namespace stp::load
