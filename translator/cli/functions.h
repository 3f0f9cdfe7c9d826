// `stp help functions`.
#pragma once

namespace stp::cli {

// Lists the functions that scripts can call, with their types; returns an exit status.
int print_functions();

}  // namespace stp::cli
