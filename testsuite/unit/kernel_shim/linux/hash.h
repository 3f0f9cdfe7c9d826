#ifndef SHIM_HASH_H
#define SHIM_HASH_H

#include <linux/types.h>

/* Ones where hashes may differ: few of them make keys collide. */
extern u32 shim_hash_mask;
static inline u32 hash_64(u64 n, unsigned int bits)
{
	return (u32)(n * 0x61c8864680b583ebull >> (64 - bits)) & shim_hash_mask;
}

#endif
