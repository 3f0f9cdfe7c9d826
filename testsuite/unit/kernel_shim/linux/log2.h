#ifndef SHIM_LOG2_H
#define SHIM_LOG2_H

#include <linux/types.h>

static inline int fls64(u64 n) { return n ? 64 - __builtin_clzll(n) : 0; }
static inline int ilog2(u64 n) { return fls64(n) - 1; }
static inline u64 roundup_pow_of_two(u64 n) { return n < 2 ? 1 : 1ull << fls64(n - 1); }

#endif
