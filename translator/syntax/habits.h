// What people write who come from other languages, and what the language has for it.
#pragma once

#include <string_view>

#include "syntax/token.h"

namespace stp {

// A cure for the token at `at`, where `wanted` was expected ("')' was expected after ..."); null: there
// is none.
const char* cure_of_habit(const Tokens&, size_t at, std::string_view wanted);

// The same for a function that there is not, and for a name without a value.
const char* cure_of_function(std::string_view name);
const char* cure_of_name(std::string_view name);

}  // namespace stp
