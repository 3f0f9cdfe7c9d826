/* All allocators are one, which counts blocks and fails on demand: runtime_under_test.c. */
#ifndef SHIM_SLAB_H
#define SHIM_SLAB_H

#include <linux/types.h>

#define GFP_KERNEL 0u
#define __GFP_NOWARN 1u
#define __GFP_RETRY_MAYFAIL 2u
#define __GFP_ZERO 4u

extern long shim_blocks;           /* that are allocated */
extern long shim_allocations_left; /* until they fail; negative: they do not */
void *shim_allocate(size_t size, bool zeroed);
void shim_free(const void *block);

static inline void *shim_allocate_array(size_t n, size_t size, bool zeroed)
{
	return __builtin_mul_overflow(n, size, &size) ? NULL : shim_allocate(size, zeroed);
}
#define kzalloc(size, flags) shim_allocate(size, true)
#define kzalloc_node(size, flags, node) shim_allocate(size, true)
#define kvzalloc(size, flags) shim_allocate(size, true)
#define kvzalloc_node(size, flags, node) shim_allocate(size, true)
#define kcalloc(n, size, flags) shim_allocate_array(n, size, true)
#define kvcalloc(n, size, flags) shim_allocate_array(n, size, true)
#define kvmalloc_array(n, size, flags) shim_allocate_array(n, size, (flags)&__GFP_ZERO)
#define kfree(block) shim_free(block)
#define kvfree(block) shim_free(block)

#endif
