// SPDX-License-Identifier: GPL-2.0
/*
 * Timers: high resolution ones for intervals of time, the timer wheel for jiffies. Each is
 * started again from its own handler, on the CPU that it fired on.
 */
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <asm/irq_regs.h>

#include "runtime.h"

/* The interval, or one of [interval - randomize, interval + randomize]. */
static s64 next_interval(const struct stp_point *point)
{
	u64 range = 2 * point->number2 + 1;

	if (!point->number2)
		return point->number;
	return max_t(s64, 1, point->number - point->number2 + get_random_u64() % range);
}

/* ---------------------------------------------------------------- of time */

struct interval {
	struct hrtimer timer;
	const struct stp_point *point;
};

struct intervals {
	u32 n;
	struct interval each[];
};

static STP_HOT enum hrtimer_restart tick(struct hrtimer *timer)
{
	const struct stp_point *point = container_of(timer, struct interval, timer)->point;

	stp_hit(point, get_irq_regs(), NULL, 0, NULL);
	/* A machine that cannot keep up skips ticks; it must not do nothing else. */
	hrtimer_forward_now(timer, ns_to_ktime(next_interval(point)));
	return HRTIMER_RESTART;
}

static int timer_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct intervals *intervals = kvzalloc(struct_size(intervals, each, n), GFP_KERNEL);

	if (!intervals)
		return -ENOMEM;
	*set = intervals;
	for (; intervals->n < n; intervals->n++) {
		struct interval *i = &intervals->each[intervals->n];

		i->point = points[intervals->n];
		hrtimer_setup(&i->timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		hrtimer_start(&i->timer, ns_to_ktime(next_interval(i->point)), HRTIMER_MODE_REL);
	}
	return n;
}

static void timer_disarm(void *set)
{
	struct intervals *intervals = set;
	u32 i;

	for (i = 0; i < intervals->n; i++)
		hrtimer_cancel(&intervals->each[i].timer);
	kvfree(intervals);
}

const struct stp_probe_kind stp_timer_kind = {
	.name = "timer",
	.arm = timer_arm,
	.disarm = timer_disarm,
};

/* ------------------------------------------------------------- of jiffies */

struct wheels;
struct wheel {
	struct timer_list timer;
	const struct stp_point *point;
	const struct wheels *all;
};
struct wheels {
	bool turning;
	u32 n;
	struct wheel each[];
};

static STP_HOT void turn(struct timer_list *timer)
{
	struct wheel *wheel = container_of(timer, struct wheel, timer);

	/* The wheel is late by up to one: counted from now, each turn would be longer by that. */
	unsigned long next = timer->expires + next_interval(wheel->point);

	stp_hit(wheel->point, NULL, NULL, 0, NULL);
	if (READ_ONCE(wheel->all->turning))
		mod_timer(timer, time_before(next, jiffies) ? jiffies : next);
}

static int arm_jiffies(const struct stp_point *const *points, u32 n, void **set)
{
	struct wheels *wheels = kvzalloc(struct_size(wheels, each, n), GFP_KERNEL);

	if (!wheels)
		return -ENOMEM;
	*set = wheels;
	WRITE_ONCE(wheels->turning, true);
	for (; wheels->n < n; wheels->n++) {
		struct wheel *wheel = &wheels->each[wheels->n];

		wheel->point = points[wheels->n];
		wheel->all = wheels;
		timer_setup(&wheel->timer, turn, 0);
		mod_timer(&wheel->timer, jiffies + next_interval(wheel->point));
	}
	return n;
}

static void disarm_jiffies(void *set)
{
	struct wheels *wheels = set;
	u32 i;

	WRITE_ONCE(wheels->turning, false);
	/* Waits for a handler that runs; one that has just asked for the next turn is seen by it. */
	for (i = 0; i < wheels->n; i++)
		timer_delete_sync(&wheels->each[i].timer);
	kvfree(wheels);
}

const struct stp_probe_kind stp_jiffies_kind = {
	.name = "jiffies timer",
	.arm = arm_jiffies,
	.disarm = disarm_jiffies,
};
