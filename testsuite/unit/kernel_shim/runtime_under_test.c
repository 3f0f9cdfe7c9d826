// SPDX-License-Identifier: GPL-2.0
/*
 * What runtime/map.c, walk.c and stat.c take from the kernel and from the rest of the runtime. They are
 * compiled as they are, with what they use of it, and with this file become a library that the tests load.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime.h"
#include "words.h"

#define PAGE PAGE_SIZE

struct stp_map *stp_map_create(const struct stp_global *global)
{
	return stp_array_store.create(global);
}

void stp_map_destroy(struct stp_map *map)
{
	stp_array_store.destroy(map);
}

struct stp_stats *stp_stats_create(const struct stp_stat_shape *shape)
{
	struct stp_global global = { .shape = shape };

	return stp_statistic_store.create(&global);
}

void stp_stats_destroy(struct stp_stats *stats)
{
	stp_statistic_store.destroy(stats);
}

/* Nobody shows anything here. */
void seq_printf(struct seq_file *file, const char *format, ...) { }

/* The array that grows in the background. */
struct stp_global shim_global;
const struct stp_script stp_script = { .limits = { .string_size = 16, .trylock = 2 }, .globals = &shim_global, .n_globals = 1 };

u32 shim_hash_mask = ~0u;
long shim_blocks;
long shim_allocations_left = -1;

static bool may_allocate(void)
{
	if (shim_allocations_left == 0)
		return false;
	if (shim_allocations_left > 0)
		shim_allocations_left--;
	shim_blocks++;
	return true;
}

/* A page in front of the block has the size of the whole mapping; one behind it cannot be read. */
void *shim_allocate(size_t size, bool zeroed)
{
	size_t room = (size + 7) & ~7ul, body = (room + PAGE - 1) / PAGE * PAGE;
	size_t whole = body + 2 * PAGE;
	char *mapping, *block;

	if (!may_allocate())
		return NULL;
	mapping = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapping == MAP_FAILED || mprotect(mapping + PAGE + body, PAGE, PROT_NONE))
		return NULL;
	*(size_t *)mapping = whole;
	block = mapping + PAGE + body - room;
	if (!zeroed)
		memset(block, 0xa5, room);
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

/* A page is a place in this file, which grows only: every page is zero at first. */
static int memory = -1;
static unsigned long n_pages;

struct page *shim_page(void)
{
	if (!may_allocate())
		return NULL;
	if (memory < 0)
		memory = memfd_create("pages", 0);
	if (ftruncate(memory, ++n_pages * PAGE))
		abort();
	return (struct page *)(n_pages * PAGE);
}

void shim_free_page(struct page *page)
{
	shim_blocks--;
}

/* As a block: the size in front of it, nothing behind it. */
void *shim_map(struct page **pages, size_t n)
{
	char *mapping;
	size_t i;

	if (!may_allocate())
		return NULL;
	mapping = mmap(NULL, (n + 2) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapping == MAP_FAILED || mprotect(mapping + (n + 1) * PAGE, PAGE, PROT_NONE))
		abort();
	*(size_t *)mapping = (n + 2) * PAGE;
	for (i = 0; i < n; i++)
		if (mmap(mapping + (i + 1) * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 memory, (unsigned long)pages[i] - PAGE) == MAP_FAILED)
			abort();
	return mapping + PAGE;
}

void shim_unmap(void *mapping)
{
	shim_free(mapping);
}

int shim_cpu, shim_nmi;
unsigned long shim_total_pages;
void (*shim_meanwhile)(void);

static struct work_struct *queued;

void shim_queue_work(struct work_struct *work)
{
	queued = work;
}

/* That of lock.c, and what it was when work was done. */
int stp_awaited_cpu = -1, shim_awaited_at_work = -1;

/* Does what was queued; false when nothing was. */
bool stp_test_work(void)
{
	struct work_struct *work = queued;

	if (work)
		shim_awaited_at_work = stp_awaited_cpu;
	queued = NULL;
	if (work)
		work->run(work);
	return work;
}

/* In so many delays nothing happens but that another handler ends its own wait. */
int shim_idle_delays;

void shim_delay(void)
{
	if (shim_idle_delays) {
		shim_idle_delays--;
		stp_awaited_cpu = -1;
		return;
	}
	stp_test_work();
}

/* They are inline in scripts. */
void stp_test_stats_count(struct stp_stats *s, const struct stp_stat_shape *shape, s64 value)
{
	stp_stats_count(s, shape, value);
}

void stp_test_stat_add(struct stp_stat *s, const struct stp_stat_shape *shape, s64 value)
{
	stp_stat_add(s, shape, value);
}

void stp_test_move(char *to, const char *from, u32 n)
{
	stp_words_move(to, from, n);
}
