// --monitor: what a session does, while it does it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "control.h"

namespace stp::load {

// One probe on the screen.
struct MonitorRow {
  size_t number = 0;  // its line in `account`
  uint64_t hits = 0, missed = 0, least = 0, average = 0, most = 0;
  std::string probe;
  bool on = true;
};

enum class MonitorOrder { number, hits, missed, least, average, most, probe };
MonitorOrder next(MonitorOrder);
void sort_rows(std::vector<MonitorRow>&, MonitorOrder);

// All probes of a session, in the order of `account`; times are 0 unless it measures.
std::vector<MonitorRow> read_rows(const std::string& directory);

class Monitor {
 public:
  // On a terminal: a screen, and keys that are read from standard input. Otherwise tables, one after
  // the other, to `fd`.
  Monitor(std::string name, std::string directory, Control& control, int fd, double seconds);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // For poll(): keys; -1 without a terminal.
  int keys() const;
  // Shows what is new, when it is time to. True when a key asks for the end of the session.
  bool look();
  // The script's output: to the screen, or 0 or errno of writing it to `fd`.
  int take(std::string& text);

 private:
  bool press(char key);
  void scroll(int lines);
  bool press_in_prompt(char key);
  void switch_all(bool on);
  void switch_one(size_t number);
  std::string status_text();
  std::string probes_text(size_t rows);
  void draw();
  void print_table();

  std::string name_, directory_;
  Control& control_;
  int fd_;
  bool screen_;
  std::chrono::duration<double> interval_;
  std::chrono::steady_clock::time_point shown_;
  MonitorOrder order_ = MonitorOrder::number;
  std::vector<bool> off_;
  std::deque<std::string> lines_;
  std::string partial_, prompt_, note_;
  bool prompting_ = false, hidden_ = false, in_output_ = false, changed_ = true;
  int first_probe_ = 0, back_ = 0;
  std::string keys_;
};

}  // namespace stp::load
