// The tapset library: macros and tapset files, parsed.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/options.h"
#include "support/diagnostics.h"
#include "support/source.h"
#include "syntax/ast.h"
#include "syntax/parser.h"
#include "target/target.h"

namespace stp::cli {

// What the preprocessor is told; `args` are the script's.
PreprocessorContext preprocessor_context(const Target&, const ScriptOptions&,
                                         std::vector<std::string> args);

// What one file of the library declares, and what of other files it may use.
struct LibraryEntry {
  std::filesystem::path path;
  SourceFile::Role role;
  std::set<std::string> declared;  // functions, globals, aliases' first parts as "a.", macros as "@m"
  std::set<std::string> used;      // words of its text, macros as "@m"
};

// A view of what analyze() takes.
class Library {
 public:
  // Every .stpm and .stp below the library's folder and those of -I. The folders arch/* of other
  // architectures, and tools/ (scripts of their own), are left out.
  Library(const Target&, const ScriptOptions&, SourceMap&, Diagnostics&);
  // Of these, the files that `script` may use, by what an earlier run has noted of them in the cache;
  // all when there is no such note. A script in which something is wrong is to be told so by the
  // whole library: it knows the names that were meant.
  Library(const SourceFile& script, const Target&, const ScriptOptions&, SourceMap&, Diagnostics&);

  const MacroLibrary& macros() const { return macros_; }
  const std::vector<const ast::File*>& files() const { return files_; }
  size_t parsed() const { return parsed_; }  // files, those of macros too
  bool is_whole() const { return whole_; }

 private:
  void find_files(const Target&, const ScriptOptions&, Diagnostics&);
  void parse_all(const Target&, const ScriptOptions&, SourceMap&, Diagnostics&);

  std::vector<LibraryEntry> entries_;  // in the order in which they are parsed
  MacroLibrary macros_;
  std::vector<std::unique_ptr<ast::File>> owned_;
  std::vector<const ast::File*> files_;
  size_t parsed_ = 0;
  bool whole_ = true;
};

}  // namespace stp::cli
