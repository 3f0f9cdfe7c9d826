// Debug information of the kernel and its modules, opened as it is asked for.
#pragma once

#include <memory>

#include "debuginfo/open.h"
#include "target/target.h"
#include "types/sources.h"

namespace stp {

// `target` must outlive it.
std::unique_ptr<types::Sources> debuginfo_sources(const Target& target, DebuginfoChoice);

}  // namespace stp
