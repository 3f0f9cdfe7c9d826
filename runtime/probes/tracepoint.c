// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints, with their raw arguments.
 *
 * A tracepoint calls what is registered with it as a C function of its own arguments, so a
 * function that takes as many 64-bit numbers as any tracepoint has sees them all, in registers and on
 * the stack (System V x86-64 ABI, 3.2.3); BPF's raw tracepoints rest on the same. Arguments narrower than
 * a register have undefined upper bits: the translator knows their width. Those that the tracepoint
 * does not have are whatever lies on the caller's stack, which is always deeper than this reads.
 */
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "runtime.h"
#include "probes/tracepoint.h"

#define MOST_ARGS 12

struct listener {
	struct tracepoint *tracepoint;
	const struct stp_point *point;
};

struct listeners {
	u32 n;
	struct listener each[];
};

/* Up to five arguments arrive in registers, behind the first, which is ours. */
static STP_HOT void fired_in_registers(void *data, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	const u64 args[MOST_ARGS] = { a, b, c, d, e };

	stp_hit(data, NULL, args, 0, NULL);
}

static STP_HOT void fired(void *data, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, u64 i, u64 j,
		  u64 k, u64 l)
{
	const u64 args[MOST_ARGS] = { a, b, c, d, e, f, g, h, i, j, k, l };

	stp_hit(data, NULL, args, 0, NULL);
}

/* For handlers that look at no argument. */
static STP_HOT void fired_bare(void *data)
{
	stp_hit(data, NULL, NULL, 0, NULL);
}

/* The translator tells how many arguments there are in `number`; 0 when it does not know. */
static void *handler_of(const struct stp_point *point)
{
	if (stp_script.probes[point->probe].flags & STP_PROBE_BARE)
		return (void *)fired_bare;
	return point->number > 0 && point->number <= 5 ? (void *)fired_in_registers : (void *)fired;
}

struct search {
	const char *name;
	struct tracepoint *found;
};

static void look_at(struct tracepoint *tracepoint, void *data)
{
	struct search *search = data;

	if (!strcmp(tracepoint->name, search->name))
		search->found = tracepoint;
}

/* What looks for the tracepoint of a module: the kernel tells of those that have any, one after the other. */
struct module_search {
	struct notifier_block block;
	struct stp_str module;
	struct search search;
};

static int look_at_module(struct notifier_block *block, unsigned long state, void *data)
{
	struct module_search *s = container_of(block, struct module_search, block);
	const struct module *module = ((struct tp_module *)data)->mod;
	u32 i;

	if (state != MODULE_STATE_COMING || !stp_equal(stp_str_of(module->name), s->module))
		return NOTIFY_OK;
	for (i = 0; i < module->num_tracepoints; i++)
		look_at(tracepoint_ptr_deref(&module->tracepoints_ptrs[i]), &s->search);
	return NOTIFY_OK;
}

struct tracepoint *stp_tracepoint_find(const char *symbol)
{
	const char *colon = strchr(symbol, ':');
	struct module_search s = {
		.block.notifier_call = look_at_module,
		.module = { symbol, colon ? colon - symbol : 0 },
		.search = { colon ? colon + 1 : symbol, NULL },
	};

	if (!colon) {
		for_each_kernel_tracepoint(look_at, &s.search);
	} else if (!register_tracepoint_module_notifier(&s.block)) {
		/* It was called for all that are loaded. */
		unregister_tracepoint_module_notifier(&s.block);
	}
	return s.search.found;
}

static int arm_one(struct listener *l, const struct stp_point *point)
{
	l->tracepoint = stp_tracepoint_find(point->symbol);
	if (!l->tracepoint)
		return -ENOENT;
	l->point = point;
	return tracepoint_probe_register(l->tracepoint, handler_of(point), (void *)point);
}

static int tracepoint_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct listeners *listeners = kvzalloc(struct_size(listeners, each, n), GFP_KERNEL);
	int error;
	u32 i;

	if (!listeners)
		return -ENOMEM;
	*set = listeners;
	for (i = 0; i < n; i++) {
		error = arm_one(&listeners->each[listeners->n], points[i]);
		if (error)
			stp_point_failed(points[i], error);
		else
			listeners->n++;
	}
	return listeners->n;
}

static void tracepoint_disarm(void *set)
{
	struct listeners *listeners = set;
	u32 i;

	for (i = 0; i < listeners->n; i++) {
		struct listener *l = &listeners->each[i];

		tracepoint_probe_unregister(l->tracepoint, handler_of(l->point), (void *)l->point);
	}
	kvfree(listeners);
}

/* A handler knows its point alone, so that sets which come and go need not wait for those that run. */
static void tracepoint_settle(void)
{
	tracepoint_synchronize_unregister();
}

const struct stp_probe_kind stp_tracepoint_kind = {
	.name = "tracepoint",
	.arm = tracepoint_arm,
	.disarm = tracepoint_disarm,
	.leaves_first = true,
	/* Each takes a dozen changes of code that all CPUs must have seen: 0.5 ms on a virtual machine whose CPUs
	 * are idle, 50 ms where one thread emulates two that are not. */
	.most = 8,
	.settle = tracepoint_settle,
};
