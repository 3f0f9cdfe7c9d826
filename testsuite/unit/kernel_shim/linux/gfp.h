/* Pages of a file in memory, so that each can be mapped more than once: runtime_under_test.c. */
#ifndef SHIM_GFP_H
#define SHIM_GFP_H

#include <linux/slab.h>

#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12
struct page;
struct page *shim_page(void);
void shim_free_page(struct page *page);
#define alloc_pages_node(node, flags, order) shim_page()
#define __free_page(page) shim_free_page(page)

#endif
