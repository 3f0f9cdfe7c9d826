// A script whose comments say what running it must print.
//
//   # expect: LINE             a line of stdout. Together they are all of it, in order; where
//   # expect re: REGEX         regular expressions are among them, other lines may stand between
//   # expect count: N          how many lines stdout has
//   # expect stderr: REGEX     some line of stderr; without any, stderr must be empty
//   # allow stderr: REGEX      such lines of stderr do not matter
//   # expect status: N         of stp-load; default 0
//   # expect build-error: CODE `stp build` fails and reports [CODE]; nothing runs
//   # build: ARGS              for `stp build`
//   # run: ARGS                for stp-load; a shell reads them, $PROGS are the test programs
//   # load: SHELL              runs beside it
//   # only: dwarf|btf|none     not with the other sources of types
//   # kernel: NAME             only on that one of vm/kernels.list
//   # kmod: NAME...            once with each of these modules of testsuite/kmod in the guest's kernel;
//                              its file is $KMOD in `# build:` and in the test
//   # timeout: SECONDS         default 60
//
// A test that is more than one run of stp-load is a shell script, *.sh:
//
//   # script: LINE             the lines of a script, built to $MODULE (repeatable)
//                              $ROUNDS is how often to repeat what may leak: 20, of all kernels 200
//   # where: host              runs here instead of in the guest: $STP is the command then
//
// and passes when it ends with 0.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stp::harness {

struct Expected {
  std::string text;
  bool regex = false;
};

struct RunCase {
  std::filesystem::path file;
  std::vector<Expected> out;
  std::optional<size_t> lines;
  std::vector<std::string> err, allowed;
  int status = 0;
  std::string build_error, build, run, load, only, kernel;
  std::vector<std::string> kmods;
  int timeout = 60;
  bool needs_types = false;  // differs between DWARF and BTF
  std::string script;        // of a *.sh
  bool on_host = false;
};

// Throws std::runtime_error for a directive that is none: a typing mistake would test nothing.
RunCase read_case(const std::filesystem::path& file);

// What is wrong with the result of a run; empty when it is as expected.
std::string mismatch(const RunCase&, int status, const std::string& out, const std::string& err);

}  // namespace stp::harness
