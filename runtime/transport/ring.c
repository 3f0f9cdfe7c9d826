// SPDX-License-Identifier: GPL-2.0
/*
 * Records to the reader: one buffer per CPU, laid out as include/stp/abi.h says.
 *
 * relay allocates the buffers, maps them for user space and makes the files; the protocol inside
 * them is ours. Relay's own hands over whole sub-buffers, so a reader waits for one to fill or
 * takes a part of it on trust, and what did not fit is only known per sub-buffer. Here a record is
 * visible as soon as its handler ends, and each that finds no room is counted.
 *
 * Only its own CPU writes to a ring, with interrupts off, but an NMI may write in the middle of a
 * record. So room is reserved by an atomic step (local to the CPU), and what was written becomes
 * visible when the outermost handler leaves: then nothing on this CPU is half-written.
 */
#include <asm/local64.h>
#include <asm/tsc.h>

#include "transport/ring.h"
#include "transport/transport.h"

DEFINE_PER_CPU(struct stp_cpu_ring, stp_cpu_rings);
bool stp_rings_by_tsc __read_mostly;

void stp_ring_enter(struct stp_context *c)
{
	stp_ring_of(c)->nest++;
	barrier();
	stp_slot(c)->wrote = true;
}

void stp_ring_commit_again(struct stp_cpu_ring *ring)
{
	ring->nest++;
	barrier();
	stp_ring_commit(ring);
	barrier();
	ring->nest--;
}

static void count_lost(struct stp_ring *shared, u32 length)
{
	local64_inc((local64_t *)&shared->lost);
	local64_add(length, (local64_t *)&shared->lost_bytes);
}

/* A pad may be 8 bytes: then it has no room for a time. */
static noinline void put_pad(struct stp_record *record, u32 length)
{
	record->length = length;
	record->kind = STP_RECORD_PAD;
	record->format = 0;
}

/*
 * Moves `reserve` over `length` bytes that lie in one piece; gives their position, or ~0 when there
 * is no room. What is left at the end of the data becomes a pad.
 */
static __always_inline u64 reserve_at_once(struct stp_cpu_ring *ring, u32 length)
{
	struct stp_ring *shared = ring->shared;
	u64 from, pad, used, mask = ring->size - 1;

	do {
		from = READ_ONCE(shared->reserve);
		used = from - READ_ONCE(shared->consumed);
		pad = (from & mask) + length > ring->size ? ring->size - (from & mask) : 0;
		/* A reader that writes nonsense loses its own records. */
		if (used > ring->size || length + pad > ring->size - used)
			return ~0ULL;
	} while (local64_cmpxchg((local64_t *)&shared->reserve, from, from + pad + length) != from);
	if (unlikely(pad))
		put_pad((void *)shared + STP_RING_HEADER + (from & mask), pad);
	return from + pad;
}

static u64 reserve(struct stp_cpu_ring *ring, u32 length)
{
	return reserve_at_once(ring, length);
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
	local_irq_save(flags);
	while (stp_recorder_alone()) {
		at = reserve(ring, length);
		if (at != ~0ULL || !drop_oldest(ring))
			break;
	}
	local_irq_restore(flags);
	return at;
}

/* The ring is full. */
static noinline u64 reserve_patiently(struct stp_context *c, struct stp_cpu_ring *ring, u32 length)
{
	u64 at = ~0ULL;

	/* There may never be so much in one piece. */
	if (length > ring->size / 2)
		return at;
	if (c->flags & STP_CONTEXT_INTERRUPTIBLE && wait_for_room(ring, length))
		at = reserve(ring, length);
	return at == ~0ULL && stp_recorder_alone() ? overwrite(ring, length) : at;
}

void *stp_ring_reserve(struct stp_context *c, u32 what, u32 payload)
{
	struct stp_slot *slot = stp_slot(c);
	struct stp_cpu_ring *ring = stp_ring_of(c);
	u32 length = sizeof(struct stp_record) + ALIGN(payload, 8);
	struct stp_record *record;
	u64 at;

	if (unlikely(!READ_ONCE(ring->shared)))
		return NULL;
	if (!slot->wrote)
		stp_ring_enter(c);
	at = reserve_at_once(ring, length);
	if (unlikely(at == ~0ULL)) {
		at = reserve_patiently(c, ring, length);
		if (at == ~0ULL)
			goto lost;
	}
	/* After `reserve` moved: the reader's merge relies on it. */
	if (!slot->time)
		slot->time = stp_rings_by_tsc ? rdtsc_ordered() : ktime_get_mono_fast_ns();
	record = (void *)ring->shared + STP_RING_HEADER + (at & (ring->size - 1));
	record->length = length;
	BUILD_BUG_ON(offsetof(struct stp_record, format) != offsetof(struct stp_record, kind) + 2);
	*(u32 *)&record->kind = what;
	record->time = slot->time;
	return record + 1;
lost:
	count_lost(ring->shared, length);
	return NULL;
}

void stp_ring_text(struct stp_context *c, u16 kind, struct stp_str text)
{
	void *at = stp_ring_reserve(c, kind, STP_PUT_SIZE(text));

	if (at)
		stp_put_string(at, text);
}
