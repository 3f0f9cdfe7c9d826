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

#include "probes/kinds.h"

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

static struct interval *intervals;
static u32 n_intervals;

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	const struct stp_point *point = container_of(timer, struct interval, timer)->point;

	stp_hit(point, get_irq_regs(), NULL, 0, NULL);
	/* A machine that cannot keep up skips ticks; it must not do nothing else. */
	hrtimer_forward_now(timer, ns_to_ktime(next_interval(point)));
	return HRTIMER_RESTART;
}

static int arm(const struct stp_point *const *points, u32 n)
{
	intervals = kvcalloc(n, sizeof(*intervals), GFP_KERNEL);
	if (!intervals)
		return -ENOMEM;
	for (n_intervals = 0; n_intervals < n; n_intervals++) {
		struct interval *i = &intervals[n_intervals];

		i->point = points[n_intervals];
		hrtimer_setup(&i->timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		hrtimer_start(&i->timer, ns_to_ktime(next_interval(i->point)), HRTIMER_MODE_REL);
	}
	return n;
}

static void disarm(void)
{
	u32 i;

	for (i = 0; i < n_intervals; i++)
		hrtimer_cancel(&intervals[i].timer);
	kvfree(intervals);
	intervals = NULL;
	n_intervals = 0;
}

const struct stp_probe_kind stp_timer_kind = {
	.name = "timer",
	.arm = arm,
	.disarm = disarm,
};

/* ------------------------------------------------------------- of jiffies */

struct wheel {
	struct timer_list timer;
	const struct stp_point *point;
};

static struct wheel *wheels;
static u32 n_wheels;
static bool turning;

static void turn(struct timer_list *timer)
{
	struct wheel *wheel = container_of(timer, struct wheel, timer);

	stp_hit(wheel->point, NULL, NULL, 0, NULL);
	if (READ_ONCE(turning))
		mod_timer(timer, jiffies + next_interval(wheel->point));
}

static int arm_jiffies(const struct stp_point *const *points, u32 n)
{
	wheels = kvcalloc(n, sizeof(*wheels), GFP_KERNEL);
	if (!wheels)
		return -ENOMEM;
	WRITE_ONCE(turning, true);
	for (n_wheels = 0; n_wheels < n; n_wheels++) {
		wheels[n_wheels].point = points[n_wheels];
		timer_setup(&wheels[n_wheels].timer, turn, 0);
		mod_timer(&wheels[n_wheels].timer, jiffies + next_interval(points[n_wheels]));
	}
	return n;
}

static void disarm_jiffies(void)
{
	u32 i;

	WRITE_ONCE(turning, false);
	/* Waits for a handler that runs; one that has just asked for the next turn is seen by it. */
	for (i = 0; i < n_wheels; i++)
		timer_delete_sync(&wheels[i].timer);
	kvfree(wheels);
	wheels = NULL;
	n_wheels = 0;
}

const struct stp_probe_kind stp_jiffies_kind = {
	.name = "jiffies timer",
	.arm = arm_jiffies,
	.disarm = disarm_jiffies,
};
