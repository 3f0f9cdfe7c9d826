// Boost.Process does the forking; what is ours is how a failure to start is told.
#include "support/subprocess.h"

#include <sys/wait.h>

#include <boost/process.hpp>
#include <fstream>

namespace stp {
namespace bp = boost::process;

int run_logged(const std::vector<std::string>& command, const std::filesystem::path& log,
               const std::filesystem::path& directory) {
  auto tell = [&](const std::string& why) {
    std::ofstream(log, std::ios::app) << command.front() << ": " << why << '\n';
    return 127;
  };
  // As execvp() has it: a name with a slash is a path.
  bool is_path = command.front().find('/') != std::string::npos;
  auto program =
      is_path ? boost::filesystem::path(command.front()) : bp::search_path(command.front());
  if (program.empty()) return tell("not found in PATH");
  FILE* file = std::fopen(log.c_str(), "a");
  if (!file) return 127;
  std::error_code error;
  std::string where = directory.empty() ? "." : directory.string();
  bp::child child(program, bp::args(std::vector<std::string>(command.begin() + 1, command.end())),
                  bp::std_in<bp::null, (bp::std_out & bp::std_err)> file, bp::start_dir(where),
                  error);
  std::fclose(file);
  if (error) return tell(error.message());
  child.wait(error);
  if (error) return tell(error.message());
  int status = child.native_exit_code();
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string shell_quote(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

}  // namespace stp
