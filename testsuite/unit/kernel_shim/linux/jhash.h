#ifndef SHIM_JHASH_H
#define SHIM_JHASH_H

#include <linux/hash.h>

static inline u32 jhash(const void *key, u32 length, u32 hash)
{
	const u8 *p = (const u8 *)key;

	for (hash ^= 2166136261u; length--; p++)
		hash = (hash ^ *p) * 16777619u;
	return hash & shim_hash_mask;
}

#endif
