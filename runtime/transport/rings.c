// SPDX-License-Identifier: GPL-2.0
/*
 * The rings before and after what handlers write to them: relay's files and buffers, and their sums; and what is
 * done when they are full.
 */
#include <linux/debugfs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/relay.h>

#include "transport/ring.h"
#include "transport/transport.h"

/* Half a million lines of printf; of all CPUs together a 32nd of the memory at most. */
#define MOST_RING (16ull << 20)
#define MOST_RINGS (256ull << 20)
#define MANY_CPUS_RING (4ull << 20)
#define LEAST_RING (64ull << 10)

static struct rchan *channel;
static u64 ring_size;

static noinline struct stp_cpu_ring *ring_of(int cpu)
{
	return per_cpu_ptr(&stp_cpu_rings, cpu);
}

/* relay's operations, but a read gives the header: its size is what a mapping must be told. */
static struct file_operations ring_operations;

static ssize_t read_header(struct file *file, char __user *to, size_t size, loff_t *position)
{
	const struct rchan_buf *buf = file->private_data;

	return simple_read_from_buffer(to, size, position, buf->start, sizeof(struct stp_ring));
}

/* In all headers: the reader must know of a new ring before it believes that it has all records of a time. */
static void tell_number(void)
{
	u32 rings = 0;
	int cpu;

	stp_each_cpu(cpu)
		rings += !!ring_of(cpu)->shared;
	stp_each_cpu(cpu)
		if (ring_of(cpu)->shared)
			smp_store_release(&ring_of(cpu)->shared->rings, rings);
}

/* Relay makes one at a time. */
static struct dentry *create_file(const char *name, struct dentry *parent, umode_t mode,
				  struct rchan_buf *buf, int *is_global)
{
	struct stp_ring *shared = buf->start;
	struct stp_cpu_ring *ring;
	struct dentry *file;
	unsigned int cpu;

	/* buf->cpu is not set yet; the name that relay has made ends in the number. */
	if (sscanf(name, "ring%u", &cpu) != 1 || cpu >= nr_cpu_ids)
		return NULL;
	ring = ring_of(cpu);
	/* Before somebody can open it. */
	memset(shared, 0, STP_RING_HEADER);
	shared->magic = STP_RING_MAGIC;
	shared->cpu = cpu;
	shared->size = ring_size;
	shared->clock = stp_rings_by_tsc ? STP_CLOCK_TSC : STP_CLOCK_MONOTONIC;
	ring->size = ring_size;
	ring->nest = 0;
	ring->woken = 0;
	/* The plain operations: debugfs's wrapper has no mmap. */
	file = debugfs_create_file_unsafe(name, 0600, parent, buf, &ring_operations);
	if (IS_ERR(file))
		return NULL;
	smp_store_release(&ring->shared, shared);
	tell_number();
	return file;
}

static int remove_file(struct dentry *file)
{
	debugfs_remove(file);
	return 0;
}

static const struct rchan_callbacks callbacks = {
	.create_buf_file = create_file,
	.remove_buf_file = remove_file,
};

/* Of one CPU: what was asked for, or what a burst may need, as far as that is little of the memory. */
static u64 choose_size(void)
{
	u64 fair = ((u64)totalram_pages() << PAGE_SHIFT) / 32 / num_possible_cpus();
	u64 most = clamp(MOST_RINGS / num_possible_cpus(), MANY_CPUS_RING, MOST_RING);

	if (stp_script.limits.buffer_bytes)
		return roundup_pow_of_two(max(stp_script.limits.buffer_bytes, 4096u));
	/* What the kernel keeps for itself is not counted as memory, and would halve the ring. */
	return clamp(rounddown_pow_of_two(min(fair + fair / 4, most)), LEAST_RING, MOST_RING);
}

int stp_rings_init(void)
{
	ring_size = choose_size();
	ring_operations = relay_file_operations;
	ring_operations.owner = THIS_MODULE;
	ring_operations.read = read_header;
	/* A CPU that comes later gets its buffer from relay. */
	channel = relay_open("ring", stp_directory, STP_RING_HEADER + ring_size, 1, &callbacks, NULL);
	return channel ? 0 : -ENOMEM;
}

void stp_rings_exit(void)
{
	int cpu;

	if (channel)
		relay_close(channel);
	channel = NULL;
	stp_each_cpu(cpu)
		ring_of(cpu)->shared = NULL;
}

void stp_rings_clock(u32 clock)
{
	int cpu;

	stp_rings_by_tsc = clock == STP_CLOCK_TSC;
	stp_each_cpu(cpu) {
		struct stp_ring *shared = READ_ONCE(ring_of(cpu)->shared);

		if (shared)
			shared->clock = clock;
	}
}

void stp_rings_sum(struct stp_rings_sum *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	stp_each_cpu(cpu) {
		const struct stp_ring *shared = READ_ONCE(ring_of(cpu)->shared);

		if (!shared)
			continue;
		sum->size += ring_size;
		sum->waiting += READ_ONCE(shared->commit) - READ_ONCE(shared->consumed);
		sum->lost += READ_ONCE(shared->lost);
		sum->overwritten += READ_ONCE(shared->overwritten);
	}
}

/* ------------------------------------------------------------------ full */

static u64 reserve(struct stp_cpu_ring *ring, u32 length)
{
	return stp_ring_reserve_at_once(ring, length);
}

/* Waits until the reader has made room; false when there is no reader. Process context. */
static bool wait_for_room(struct stp_cpu_ring *ring, u32 length)
{
	/* What this handler has printed so far is whole; the reader must have it to go on. */
	stp_ring_commit(ring);
	while (stp_control_attached()) {
		stp_control_wake();
		schedule_timeout_uninterruptible(1);
		if (ring->shared->reserve - READ_ONCE(ring->shared->consumed) <=
		    ring->size - 2 * (u64)length)
			return true;
	}
	return false;
}

/*
 * Gives the room of the oldest record to the next; false when nothing is whole. Interrupts are off,
 * but an NMI may do the same in between, and then `consumed` has moved.
 */
static bool drop_oldest(struct stp_cpu_ring *ring)
{
	struct stp_ring *shared = ring->shared;
	u64 from = READ_ONCE(shared->consumed), whole = READ_ONCE(shared->commit) - from;
	const struct stp_record *record;
	u32 length, kind;

	if (!whole || whole > ring->size)
		return false;
	record = (void *)shared + STP_RING_HEADER + (from & (ring->size - 1));
	length = READ_ONCE(record->length);
	kind = READ_ONCE(record->kind);
	/* User space can write there: nonsense costs it what is in the ring. */
	if (length < 8 || length % 8 || length > whole)
		length = whole;
	if (local64_cmpxchg((local64_t *)&shared->consumed, from, from + length) != from)
		return true;
	if (kind != STP_RECORD_PAD) {
		local64_inc((local64_t *)&shared->overwritten);
		local64_add(length, (local64_t *)&shared->overwritten_bytes);
	}
	return true;
}

/* As reserve(), in a recorder that nobody reads. */
static u64 overwrite(struct stp_cpu_ring *ring, u32 length)
{
	unsigned long flags;
	u64 at = ~0ULL;

	/* A reader that comes waits for interrupts to be on: see stp_control_attach(). */
	flags = stp_interrupts_off();
	while (stp_recorder_alone()) {
		at = reserve(ring, length);
		if (at != ~0ULL || !drop_oldest(ring))
			break;
	}
	stp_interrupts_as(flags);
	return at;
}

/* The ring is full. */
u64 stp_ring_reserve_patiently(struct stp_context *c, struct stp_cpu_ring *ring, u32 length)
{
	u64 at = ~0ULL;

	/* There may never be so much in one piece. */
	if (length > ring->size / 2)
		return at;
	if (c->flags & STP_CONTEXT_INTERRUPTIBLE && wait_for_room(ring, length))
		at = reserve(ring, length);
	return at == ~0ULL && stp_recorder_alone() ? overwrite(ring, length) : at;
}
