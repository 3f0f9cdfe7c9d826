// A libFuzzer target for everything between text and tree:
//
//   clang++ -std=c++20 -fsanitize=fuzzer,address,undefined -Itranslator
//   testsuite/fuzz/parse_fuzz.cc
//       translator/syntax/*.cc translator/support/*.cc -lfmt -o parse-fuzz
//   ./parse-fuzz corpus testsuite/parse testsuite/run
//
// Two properties beyond "does not crash": text that is accepted prints as text that is
// accepted and prints the same, and text that is not accepted has an error with a place.
#include <cstdlib>
#include <string>

#include "syntax/parser.h"
#include "syntax/printer.h"

using namespace stp;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SourceMap map;
  MacroLibrary library;
  PreprocessorContext context;
  context.kernel_version = "6.1.0";
  context.kernel_release = "6.1.0-56-amd64";
  context.arch = "x86_64";
  context.args = {"a", "kernel.function(\"f\")", "3"};
  context.guru = true;

  Diagnostics diagnostics;
  const SourceFile& source =
      map.add("fuzz", std::string(reinterpret_cast<const char*>(data), size));
  auto file = parse(source, context, library, map, diagnostics);
  std::string text = print(*file);
  for (const Diagnostic& d : diagnostics.all())
    if (!d.span || d.span.end > d.span.file->text().size() || render(d).empty()) abort();
  if (diagnostics.failed()) return 0;

  auto again = parse(map.add("again", text), context, library, map, diagnostics);
  if (diagnostics.failed() || print(*again) != text) abort();
  return 0;
}
