// Of a library of many files a script uses few. Which ones is told by their names: a note in the cache
// has, for each file, what it declares and which words it is made of. The words of the script, and then
// those of each file that is taken, say which files are needed; the others are not even read. Words are
// more than names that are used, so that a file too many may be taken, never one too few. A word that
// touches a pattern's character ("net*", "{a,b}x") stands for all names that it is part of.
//
// The syntax trees themselves could have been kept, too. Reading them would cost what parsing the few
// files costs that are needed.
#include "cli/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "cli/install.h"
#include "support/digest.h"
#include "syntax/lexer.h"
#include "target/cache.h"

namespace stp::cli {
namespace fs = std::filesystem;
namespace {

// Sorted, so that a run does not depend on the order of a folder.
std::vector<fs::path> files_below(const fs::path& dir, const std::string& arch) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(dir, failed), end; !failed && it != end;
       it.increment(failed)) {
    fs::path relative = it->path().lexically_relative(dir);
    bool other_arch = relative.parent_path() == "arch" && relative.filename() != arch;
    if (it->is_directory() && (relative == "tools" || other_arch)) it.disable_recursion_pending();
    std::string extension = it->path().extension();
    if (it->is_regular_file() && (extension == ".stp" || extension == ".stpm"))
      files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool is_macros(const fs::path& file) { return file.extension() == ".stpm"; }

bool is_pattern(const Token& token) {
  for (const char* op : {"*", "**", "?", "{", "}"})
    if (token.is_op(op)) return true;
  return false;
}

// Macros as "@name", words that may be a part of a name as "~word", too.
std::set<std::string> words_of(const Tokens& tokens) {
  std::set<std::string> words;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.is(Token::Kind::at_word)) words.insert("@" + token.text);
    if (!token.is(Token::Kind::identifier) && !token.is(Token::Kind::keyword)) continue;
    words.insert(token.text);
    bool behind = i > 0 && is_pattern(tokens[i - 1]) && tokens[i - 1].span.end == token.span.begin;
    bool before = i + 1 < tokens.size() && is_pattern(tokens[i + 1]) &&
                  tokens[i + 1].span.begin == token.span.end;
    if (behind || before) words.insert("~" + token.text);
  }
  return words;
}

std::set<std::string> declared_in(const ast::File& file) {
  std::set<std::string> names;
  for (const ast::Declaration& declaration : file.declarations) {
    if (auto* function = std::get_if<ast::Function*>(&declaration))
      names.insert((*function)->name.text);
    else if (auto* global = std::get_if<ast::Global*>(&declaration))
      names.insert((*global)->name.text);
    else if (auto* alias = std::get_if<ast::Alias*>(&declaration))
      for (const ast::ProbePoint* point : (*alias)->names)
        if (!point->components.empty()) names.insert(point->components[0].name + ".");
  }
  return names;
}

// A probe point may begin with a pattern that has no word in it: then nobody knows.
bool begins_with_a_pattern(const Tokens& tokens) {
  for (size_t i = 1; i < tokens.size(); ++i)
    if (tokens[i].is_op("*") || tokens[i].is_op("?") || tokens[i].is_op("{"))
      for (const char* before : {"probe", ",", "=", "+=", "{"})
        if (tokens[i - 1].text == before && !(tokens[i].is_op("{") && tokens[i - 1].text == "{"))
          return true;
  return false;
}

bool is_wanted(const std::string& declared, const std::set<std::string>& words) {
  if (!declared.ends_with('.')) return words.count(declared) > 0;
  std::string alias = declared.substr(0, declared.size() - 1);
  if (words.count(alias)) return true;
  for (auto it = words.lower_bound("~"); it != words.end() && (*it)[0] == '~'; ++it)
    if (alias.find(it->substr(1)) != alias.npos) return true;
  return false;
}

// Drops the entries that neither the words nor the entries that stay ask for.
void keep_wanted(std::vector<LibraryEntry>& entries, std::set<std::string> words) {
  std::vector<bool> taken(entries.size(), false);
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < entries.size(); ++i) {
      const LibraryEntry& e = entries[i];
      if (taken[i] || !std::any_of(e.declared.begin(), e.declared.end(), [&](const auto& name) {
            return is_wanted(name, words);
          }))
        continue;
      taken[i] = more = true;
      words.insert(e.used.begin(), e.used.end());
    }
  }
  size_t n = 0;
  for (size_t i = 0; i < entries.size(); ++i)
    if (taken[i]) std::swap(entries[n++], entries[i]);
  entries.resize(n);
}

// ------------------------------------------------------------------ the note

// Changes with any of the files, and with what conditions in them may ask for.
fs::path note_path(const std::vector<LibraryEntry>& entries, const Target& target,
                   const ScriptOptions& o) {
  std::vector<std::string> parts = {"1",
                                    target.release,
                                    target.build_id,
                                    file_key(target.build_dir / ".config"),
                                    target.arch,
                                    o.language,
                                    o.guru ? "guru" : ""};
  for (const LibraryEntry& e : entries) parts.push_back(file_key(e.path));
  return cache_dir() / "index" / ("library-" + digest({parts.begin(), parts.end()}));
}

std::set<std::string> words_in(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

// Two lines for each file, and one behind all that tells that they are.
constexpr const char* note_end = "end";

bool read_note(const fs::path& path, std::vector<LibraryEntry>& entries) {
  std::ifstream in(path);
  std::string declared, used, end;
  for (LibraryEntry& e : entries) {
    if (!std::getline(in, declared) || !std::getline(in, used)) return false;
    e.declared = words_in(declared);
    e.used = words_in(used);
  }
  return std::getline(in, end) && end == note_end;
}

void write_note(const fs::path& path, const std::vector<LibraryEntry>& entries) {
  std::string note;
  for (const LibraryEntry& e : entries)
    note += fmt::format("{}\n{}\n", fmt::join(e.declared, " "), fmt::join(e.used, " "));
  note += note_end;
  // Without it the next run parses all again.
  write_atomically(path, {note});
}

}  // namespace

PreprocessorContext preprocessor_context(const Target& target, const ScriptOptions& o,
                                         std::vector<std::string> args) {
  PreprocessorContext context;
  context.kernel_version = target.version;
  context.kernel_release = target.release;
  context.arch = target.arch;
  context.guru = o.guru;
  context.config = target.config;
  context.args = std::move(args);
  if (!o.language.empty()) context.stap_version = o.language;
  return context;
}

// Macros first, in each folder: any of its tapset files may use any of them.
void Library::find_files(const Target& target, const ScriptOptions& o, Diagnostics& d) {
  auto add = [&](const fs::path& dir, SourceFile::Role role) {
    auto files = files_below(dir, target.arch);
    std::stable_partition(files.begin(), files.end(), is_macros);
    for (const fs::path& file : files) entries_.push_back({file, role, {}, {}});
  };
  if (fs::path standard = tapset_dir(); !standard.empty()) add(standard, SourceFile::Role::standard);
  for (const auto& dir : o.library) {
    if (fs::is_directory(dir))
      add(dir, SourceFile::Role::tapset);
    else
      d.error(Code::bad_option, {}, fmt::format("-I {}: there is no such folder", dir));
  }
}

void Library::parse_all(const Target& target, const ScriptOptions& o, SourceMap& map,
                        Diagnostics& d) {
  PreprocessorContext context = preprocessor_context(target, o, {});
  for (LibraryEntry& e : entries_) {
    const SourceFile* source = read_text_file(e.path, e.role, map, d);
    if (!source) continue;
    ++parsed_;
    if (whole_) e.used = words_of(lex(*source));
    if (is_macros(e.path)) {
      std::vector<std::string> before = macros_.names();
      macros_.add(*source, context, d);
      for (const std::string& name : macros_.names())
        if (whole_ && std::find(before.begin(), before.end(), name) == before.end())
          e.declared.insert("@" + name);
      continue;
    }
    owned_.push_back(stp::parse(*source, context, macros_, map, d));
    files_.push_back(owned_.back().get());
    if (whole_) e.declared = declared_in(*owned_.back());
  }
}

Library::Library(const Target& target, const ScriptOptions& o, SourceMap& map, Diagnostics& d) {
  find_files(target, o, d);
  parse_all(target, o, map, d);
}

Library::Library(const SourceFile& script, const Target& target, const ScriptOptions& o,
                 SourceMap& map, Diagnostics& d) {
  find_files(target, o, d);
  fs::path note = note_path(entries_, target, o);
  Tokens tokens = lex(script);
  whole_ = begins_with_a_pattern(tokens) || !read_note(note, entries_);
  if (!whole_) keep_wanted(entries_, words_of(tokens));
  parse_all(target, o, map, d);
  if (whole_ && !d.failed() && !fs::exists(note)) write_note(note, entries_);
}

}  // namespace stp::cli
