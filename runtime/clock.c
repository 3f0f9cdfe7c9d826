// SPDX-License-Identifier: GPL-2.0
/*
 * The time of day, read as programs read it: from the page that the kernel keeps for them (lib/vdso/gettimeofday.c),
 * where the counter, what to multiply it with and where it began stand beside each other. That takes half of the
 * instructions of ktime_get_real_fast_ns(), and calls nothing that might be probed: a handler that asks for the time
 * need not be guarded from itself.
 *
 * Where there is no such page, its clock is no TSC, or it is just being changed (an NMI may come in the middle), that
 * function is asked. The page's address is believed once both have told the same.
 */
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#if STP_HAVE_VDSO_DATA
#include <vdso/datapage.h>
#endif

#include "builtins.h"
#include "runtime.h"

#define MOST_TRIES 3

static const struct vdso_data *page;
static DEFINE_PER_CPU(bool, asking);

#if STP_HAVE_VDSO_DATA
static atomic_t tries;

/* False: not now. */
static __always_inline bool read_page(const struct vdso_data *data, s64 *time)
{
	const struct vdso_timestamp *base = &data->basetime[CLOCK_REALTIME];
	u32 seq = READ_ONCE(data->seq);
	u64 cycles, ns;

	if (unlikely((seq & 1) || data->clock_mode != VDSO_CLOCKMODE_TSC))
		return false;
	smp_rmb();
	cycles = rdtsc_ordered();
	ns = base->nsec;
	/* Another CPU's counter may be a little ahead. */
	if (likely(cycles > data->cycle_last))
		ns += (cycles - data->cycle_last) * data->mult;
	*time = base->sec * NSEC_PER_SEC + (ns >> data->shift);
	smp_rmb();
	return likely(READ_ONCE(data->seq) == seq);
}

/* Compares both clocks, a few times. */
static void look_for_page(void)
{
	const struct vdso_data *data = (const void *)stp_address(stp_script.clock);
	struct vdso_data copy;
	s64 before, time, after;

	if (!stp_script.clock || atomic_read(&tries) >= MOST_TRIES || atomic_inc_return(&tries) > MOST_TRIES)
		return;
	/* It is somewhere else, if the kernel is not the one that the script was made for. */
	if (copy_from_kernel_nofault(&copy, data, sizeof(copy)))
		return;
	before = ktime_get_real_fast_ns();
	if (!read_page(data, &time))
		return;
	after = ktime_get_real_fast_ns();
	/* They round differently. */
	if (time >= before - NSEC_PER_USEC && time <= after + NSEC_PER_USEC)
		WRITE_ONCE(page, data);
}
#else
static __always_inline bool read_page(const struct vdso_data *data, s64 *time)
{
	return false;
}

static void look_for_page(void)
{
}
#endif

/* What is asked here may be probed by a handler that asks for the time. Such a one gets the other clock that may be
 * read anywhere, which is not traced, as of this session's first. */
static noinline s64 ask_kernel(void)
{
	static s64 offset;
	unsigned long flags;
	s64 time;

	local_irq_save(flags);
	if (this_cpu_read(asking)) {
		time = ktime_get_mono_fast_ns() + READ_ONCE(offset);
	} else {
		this_cpu_write(asking, true);
		/* What a nested hit on this CPU must see in this order. */
		barrier();
		time = ktime_get_real_fast_ns();
		if (!READ_ONCE(offset))
			WRITE_ONCE(offset, time - ktime_get_mono_fast_ns());
		if (!READ_ONCE(page))
			look_for_page();
		barrier();
		this_cpu_write(asking, false);
	}
	local_irq_restore(flags);
	return time;
}

s64 stp_fn_gettimeofday_ns(struct stp_context *c)
{
	const struct vdso_data *data = READ_ONCE(page);
	s64 time;

	return likely(data) && read_page(data, &time) ? time : ask_kernel();
}

s64 stp_fn_gettimeofday_us(struct stp_context *c)
{
	return stp_fn_gettimeofday_ns(c) / NSEC_PER_USEC;
}

s64 stp_fn_gettimeofday_ms(struct stp_context *c)
{
	return stp_fn_gettimeofday_ns(c) / NSEC_PER_MSEC;
}

s64 stp_fn_gettimeofday_s(struct stp_context *c)
{
	return stp_fn_gettimeofday_ns(c) / NSEC_PER_SEC;
}
