// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that grows while it is in use.
 *
 * It is single pages that are mapped side by side. To grow is to map them once more, with new ones
 * behind them: nothing is copied, however much it is, and who looks things up by address and index
 * pays nothing for it, as with a table of chunks. The older mappings stay until the end: a begin probe
 * makes an array grow while it holds on to an entry. They cost page tables: a fivehundredth of the memory each,
 * a fiftieth all together where each is an eighth longer than the one before.
 *
 * Where memory has nodes its pages come from each in turn: all CPUs use an array, and none has more of it
 * nearby than others. (What is allocated once, at the load, the loader's policy spreads.)
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "area.h"

/* Fails quietly, and before the kernel kills programs to make room. */
#define STP_AREA_GFP (GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

static void free_pages_from(struct page **pages, size_t first, size_t end)
{
	while (end > first)
		__free_page(pages[--end]);
}

/* The area's pages and new ones; NULL: no memory. */
static struct page **more_pages(const struct stp_area *area, size_t n)
{
	struct page **pages = kvmalloc_array(n, sizeof(*pages), STP_AREA_GFP);
	size_t i;
	int node = first_memory_node;

	if (!pages)
		return NULL;
	if (area->n_pages)
		memcpy(pages, area->pages, area->n_pages * sizeof(*pages));
	for (i = area->n_pages; i < n; i++) {
		/* From another node when that one has none. */
		pages[i] = alloc_pages_node(node, STP_AREA_GFP | __GFP_ZERO, 0);
		node = next_memory_node(node) < MAX_NUMNODES ? next_memory_node(node) : first_memory_node;
		if (!pages[i]) {
			free_pages_from(pages, area->n_pages, i);
			kvfree(pages);
			return NULL;
		}
		cond_resched();
	}
	return pages;
}

void *stp_area_grow(struct stp_area *area, size_t bytes)
{
	size_t n = (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
	struct page **pages;
	void *mapping;

	if (area->n_mappings && n <= area->n_pages)
		return area->mappings[area->n_mappings - 1];
	if (area->n_mappings == STP_AREA_MAPPINGS)
		return NULL;
	pages = more_pages(area, n);
	if (!pages)
		return NULL;
	mapping = vmap(pages, n, VM_MAP, PAGE_KERNEL);
	if (!mapping) {
		free_pages_from(pages, area->n_pages, n);
		kvfree(pages);
		return NULL;
	}
	kvfree(area->pages);
	area->pages = pages;
	area->n_pages = n;
	area->mappings[area->n_mappings++] = mapping;
	return mapping;
}

void stp_area_free(struct stp_area *area)
{
	while (area->n_mappings)
		vunmap(area->mappings[--area->n_mappings]);
	free_pages_from(area->pages, 0, area->n_pages);
	kvfree(area->pages);
	area->pages = NULL;
	area->n_pages = 0;
}
