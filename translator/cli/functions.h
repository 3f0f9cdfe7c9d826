// `stp help functions`.
#pragma once

#include <set>
#include <string>

namespace stp::cli {

class Library;

// A row for each: name:type (parameters). Where nothing says a type, `unknown` stands; null: "void"
// for no value and "any" for either.
std::set<std::string> function_rows(const Library&, const char* unknown = nullptr);

// Lists the functions that scripts can call, with their types; returns an exit status.
int print_functions();

}  // namespace stp::cli
