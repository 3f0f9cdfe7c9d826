// A regular expression as C: a function that finds its leftmost, longest match.
#pragma once

#include <string>

#include "regex/ere.h"

namespace stp::regex {

struct TooLarge {};

// The definition of
//
//     static bool NAME(struct stp_str s, s32 *tags)
//
// which is true when the expression matches somewhere in `s`. With `groups`, tags[2n] and
// tags[2n + 1] then say where group n begins and ends (group 0 is the whole match; below 0: it took no
// part); without, `tags` is not looked at. The automaton is re2c's, which is run here.
//
// Throws TooLarge when the automaton needs too many states, std::runtime_error when re2c is missing.
std::string matcher(const std::string& name, const Pattern& pattern, bool groups);

}  // namespace stp::regex
