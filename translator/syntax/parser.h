// Text to syntax tree: preprocessor, lexer and parser in one call.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/diagnostics.h"
#include "support/source.h"
#include "syntax/ast.h"

namespace stp {

// What the preprocessor may ask: %( kernel_v >= "6.1" %? ... %). Plain data, so
// that a test can invent a target.
struct PreprocessorContext {
  std::string kernel_version;   // kernel_v: "6.1.0"
  std::string kernel_release;   // kernel_vr: "6.1.0-56-amd64"
  std::string arch;             // "x86_64"
  std::string stap_version = "4.8";  // systemtap_v: the language level we accept
  std::string privilege = "stapdev";
  bool guru = false;
  std::map<std::string, std::string> config;  // CONFIG_FOO -> y, m or its text
  std::vector<std::string> args;              // $1 @1 $# @#
};

struct Macro;  // a @define; syntax/macros.h

// Library macros: those of tapset .stpm files, visible to every script.
class MacroLibrary {
 public:
  MacroLibrary();
  ~MacroLibrary();
  // Reads the @define blocks of one .stpm file.
  void add(const SourceFile&, const PreprocessorContext&, Diagnostics&);
  const Macro* find(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::unique_ptr<Macro>> macros_;
};

// Parses one file. Never null; after errors the tree holds what could be read.
// `used_args`, when given, is set to the highest $N or @N that was used, or to
// args.size() when $# or @# or $$N was, so that the caller can report unused arguments.
std::unique_ptr<ast::File> parse(const SourceFile&, const PreprocessorContext&,
                                 const MacroLibrary&, SourceMap&, Diagnostics&,
                                 size_t* used_args = nullptr);

}  // namespace stp
