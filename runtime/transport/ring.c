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
void stp_ring_put_pad(struct stp_record *record, u32 length)
{
	record->length = length;
	record->kind = STP_RECORD_PAD;
	record->format = 0;
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
	at = stp_ring_reserve_at_once(ring, length);
	if (unlikely(at == ~0ULL)) {
		at = stp_ring_reserve_patiently(c, ring, length);
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
