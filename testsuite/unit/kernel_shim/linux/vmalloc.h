#ifndef SHIM_VMALLOC_H
#define SHIM_VMALLOC_H

#include <linux/gfp.h>

#define VM_MAP 0
#define PAGE_KERNEL 0
void *shim_map(struct page **pages, size_t n);
void shim_unmap(void *mapping);
#define vmap(pages, n, flags, protection) shim_map(pages, n)
#define vunmap(mapping) shim_unmap(mapping)

#endif
