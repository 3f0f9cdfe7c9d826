/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that grows and keeps its contents in place: pages, and mappings of them. See area.c.
 */
#ifndef STP_AREA_H
#define STP_AREA_H

#include "runtime.h"

/* Enough for an array that grows fourfold, then by half, then by an eighth of what it has (grow.c), to all memory. */
#define STP_AREA_MAPPINGS 96

struct page;
struct stp_area {
	struct page **pages;
	size_t n_pages;
	void *mappings[STP_AREA_MAPPINGS];
	u32 n_mappings;
};

/* Room for so many bytes from now on, new ones zero: where it is now. What it was before stays
 * valid and shows the same memory. NULL when there is none: then it is as it was. Process context. */
void *stp_area_grow(struct stp_area *area, size_t bytes);
void stp_area_free(struct stp_area *area);

#endif
