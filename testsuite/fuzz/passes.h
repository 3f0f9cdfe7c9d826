// The passes as the fuzz targets run them, and the unit test that repeats what they found.
//
// Properties beyond "does not crash": text that is accepted prints as text that is accepted and
// prints the same; what is wrong with a text is said with a place inside of it; what sema accepts
// can be emitted. Each function returns what is wrong, or nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emit/emit.h"
#include "fuzz/fake_kernel.h"
#include "optimize/optimize.h"
#include "sema/analyze.h"
#include "sema/dump.h"
#include "syntax/parser.h"
#include "syntax/printer.h"

namespace stp::fuzz {

inline PreprocessorContext context() {
  PreprocessorContext context;
  context.kernel_version = "6.1.0";
  context.kernel_release = "6.1.0-56-amd64";
  context.arch = "x86_64";
  context.config["CONFIG_SMP"] = "y";
  context.args = {"a", "kernel.function(\"f\")", "3"};
  context.guru = true;
  return context;
}

// The library that comes with stp, parsed once.
class Library {
 public:
  explicit Library(const std::filesystem::path& tapsets) {
    std::vector<std::filesystem::path> scripts;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(tapsets / "core", none)) {
      if (entry.path().extension() == ".stpm")
        macros.add(map_.read(entry.path(), SourceFile::Role::tapset), context(), diagnostics_);
      if (entry.path().extension() == ".stp") scripts.push_back(entry.path());
    }
    for (const auto& path : scripts) {
      owned_.push_back(
          parse(map_.read(path, SourceFile::Role::tapset), context(), macros, map_, diagnostics_));
      files.push_back(owned_.back().get());
    }
  }

  MacroLibrary macros;
  std::vector<const ast::File*> files;

 private:
  SourceMap map_;
  Diagnostics diagnostics_;
  std::vector<std::unique_ptr<ast::File>> owned_;
};

inline std::string misplaced(const Diagnostics& diagnostics, bool all_have_places) {
  for (const Diagnostic& d : diagnostics.all()) {
    if (render(d).empty()) return "an error without text";
    if (!d.span && all_have_places) return "an error without a place: " + d.text;
    if (d.span && (d.span.begin > d.span.end || d.span.end > d.span.file->text().size()))
      return "an error with a place outside of the text: " + d.text;
  }
  return "";
}

// The form of -p1. Its parentheses may nest deeper than those of a text that is deep already.
inline std::string sorted_wrong(const ast::File& file, const Library& library) {
  SourceMap map;
  Diagnostics diagnostics;
  std::string printed = print_sorted(file);
  auto again = parse(map.add("again", printed), context(), library.macros, map, diagnostics);
  for (const Diagnostic& d : diagnostics.all())
    if (d.code == Code::too_deep) return "";
  if (diagnostics.failed())
    return "what -p1 prints is refused: " + render(diagnostics.all().front()) + printed;
  std::string twice = print_sorted(*again);
  return twice == printed ? "" : "-p1 prints\n" + printed + "and, parsed again,\n" + twice;
}

// Lexer, preprocessor, macros, parser, printer.
inline std::string parse_wrong(std::string_view text, const Library& library) {
  SourceMap map;
  Diagnostics diagnostics;
  auto file =
      parse(map.add("fuzz", std::string(text)), context(), library.macros, map, diagnostics);
  std::string printed = print(*file);
  if (std::string wrong = misplaced(diagnostics, true); !wrong.empty()) return wrong;
  if (diagnostics.failed()) return "";
  auto again = parse(map.add("again", printed), context(), library.macros, map, diagnostics);
  if (diagnostics.failed())
    return "what was printed is refused: " + render(diagnostics.all().front()) + printed;
  std::string twice = print(*again);
  if (twice != printed) return "printed as\n" + printed + "and, parsed again, as\n" + twice;
  return sorted_wrong(*file, library);
}

// All passes up to the C text. Regular expressions are left out of emit: re2c is a program of its
// own. `emitted`, when given, gets the C text of what was accepted.
inline std::string compile_wrong(std::string_view text, const Library& library,
                                 std::string* emitted = nullptr) {
  static const FakeKernel kernel;
  Target target;
  target.release = "6.1.0-56-amd64";
  target.version = "6.1.0";
  target.arch = "x86_64";
  SourceMap map;
  Diagnostics diagnostics;
  auto file =
      parse(map.add("fuzz", std::string(text)), context(), library.macros, map, diagnostics);
  if (diagnostics.failed()) return "";
  SemaOptions options;
  options.guru = true;
  FakeSources sources(kernel);
  auto program = analyze(*file, library.files, target, sources, options, diagnostics);
  if (std::string wrong = misplaced(diagnostics, false); !wrong.empty()) return wrong;
  if (diagnostics.failed()) return "";
  if (!program) return "there is no program, and no error";
  if (prog::dump(*program).empty()) return "the program has no text";
  optimize(*program);
  if (!program->regexes.empty()) return "";
  std::string c = emit(*program, {.release = target.release, .build_id = "ab"});
  if (emitted) *emitted = c;
  return c.empty() ? "nothing was emitted" : "";
}

}  // namespace stp::fuzz
