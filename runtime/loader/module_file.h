// What a module file says about itself: its name, its formats, the kernel it is for.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stp::load {

struct Format {
  std::string letters;  // one for each argument: include/stp/abi.h
  std::string text;
};

struct ModuleFile {
  std::string path;
  std::string image;  // the whole file
  std::string name;   // as the kernel will call it
  std::vector<Format> formats;
  std::map<std::string, std::string> info;  // "release", "script", ...
};

// Throws std::runtime_error, with a text for the user, when the file cannot be read, is no
// module of ours, or speaks another version of the interface.
ModuleFile read_module_file(const std::string& path);

// The entries of a section ".stp.formats".
std::vector<Format> read_formats(std::string_view section);

// Gives the module another name, in `image` and in `name`, so that one script can run twice at a
// time. `stp build` leaves room for names of up to 55 bytes. False when there is too little room, or the
// name does not stand there as expected.
bool rename_module(ModuleFile&, const std::string& name);

}  // namespace stp::load
