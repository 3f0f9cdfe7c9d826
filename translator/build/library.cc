// Programs do this too. But ar wants each member as a file, and looks for plugins of the compiler for each: half of what
// is done for a kernel seen for the first time, the compiler aside.
//
// The format is System V's, as of ar(5) and GNU ld: a magic line; each member behind a header of 60 characters, at an
// even place. The first member, "/", is the index: the number of symbols and for each the place of its member's header, 4
// bytes each with the highest first, then the symbols' names. Names of members end with a slash and have at most 15
// characters; the second member, "//", has the longer ones.
#include "build/library.h"

#include <elf.h>
#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace stp {
namespace {

constexpr size_t header_size = 60, longest_name = 15;

// Time, owner and mode are of no use: the same members make the same library.
std::string header(const std::string& name, size_t size) {
  return fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, "644", size);
}

std::string even(std::string bytes) {
  if (bytes.size() % 2) bytes += '\n';
  return bytes;
}

std::string big_endian(size_t n) {
  if (n > UINT32_MAX) throw std::runtime_error("a library of over 4 GB");
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)};
}

}  // namespace

void write_library(const std::vector<LibraryMember>& members, const std::filesystem::path& file) {
  std::string long_names, names, body;
  std::vector<size_t> places;  // of each symbol's member, behind the index and the long names
  for (const LibraryMember& member : members) {
    std::string name = member.name + "/";
    if (name.size() > longest_name + 1) {
      name = fmt::format("/{}", long_names.size());
      long_names += member.name + "/\n";
    }
    for (const ObjectSymbol& symbol : member.object.symbols) {
      if (!symbol.section || symbol.binding == STB_LOCAL) continue;
      places.push_back(body.size());
      names += symbol.name + '\0';
    }
    std::string bytes = object_bytes(member.object, member.name);
    body += header(name, bytes.size()) + even(bytes);
  }
  constexpr std::string_view magic = "!<arch>\n";
  size_t index_size = 4 + 4 * places.size() + names.size();
  std::string long_part = long_names.empty() ? "" : header("//", long_names.size()) + even(long_names);
  size_t begin = magic.size() + header_size + index_size + index_size % 2 + long_part.size();
  std::string index = big_endian(places.size());
  for (size_t place : places) index += big_endian(begin + place);
  std::ofstream out(file, std::ios::binary);
  out << magic << header("/", index_size) << even(index + names) << long_part << body;
  if (!out.flush()) throw std::runtime_error(fmt::format("cannot write {}", file.string()));
}

}  // namespace stp
