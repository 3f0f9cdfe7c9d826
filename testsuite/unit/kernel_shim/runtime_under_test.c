// SPDX-License-Identifier: GPL-2.0
/*
 * What runtime/map.c and stat.c take from the kernel and from the rest of the runtime. They are
 * compiled as they are, with string.c, and with this file become a library that the tests load.
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "script.h"

#define PAGE 4096ul

const struct stp_script stp_script = { .limits = { .string_size = 16 } };

u32 shim_hash_mask = ~0u;
long shim_blocks;
long shim_allocations_left = -1;

/* A page in front of the block has the size of the whole mapping; one behind it cannot be read. */
void *shim_allocate(size_t size, bool zeroed)
{
	size_t room = (size + 7) & ~7ul, body = (room + PAGE - 1) / PAGE * PAGE;
	size_t whole = body + 2 * PAGE;
	char *mapping, *block;

	if (shim_allocations_left == 0)
		return NULL;
	if (shim_allocations_left > 0)
		shim_allocations_left--;
	mapping = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapping == MAP_FAILED || mprotect(mapping + PAGE + body, PAGE, PROT_NONE))
		return NULL;
	*(size_t *)mapping = whole;
	block = mapping + PAGE + body - room;
	if (!zeroed)
		memset(block, 0xa5, room);
	shim_blocks++;
	return block;
}

void shim_free(const void *block)
{
	/* A block begins in its first page: less than one is left free in front of it. */
	char *mapping = (char *)((unsigned long)block / PAGE * PAGE - PAGE);

	if (!block)
		return;
	munmap(mapping, *(size_t *)mapping);
	shim_blocks--;
}

int shim_cpu, shim_nmi;

/* They are inline in scripts. */
void stp_test_stats_count(struct stp_stats *s, const struct stp_stat_shape *shape, s64 value)
{
	stp_stats_count(s, shape, value);
}

void stp_test_stat_add(struct stp_stat *s, const struct stp_stat_shape *shape, s64 value)
{
	stp_stat_add(s, shape, value);
}

void stp_fail(struct stp_context *c, const struct stp_place *place, const char *text, ...)
{
	va_list args;

	if (c->error)
		return;
	va_start(args, text);
	vsnprintf(c->error_text, sizeof(c->error_text), text, args);
	va_end(args);
	c->error = c->error_text;
	c->error_place = place;
}
