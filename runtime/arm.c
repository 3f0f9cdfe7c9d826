// SPDX-License-Identifier: GPL-2.0
/*
 * Which points are armed, and when.
 *
 * Points that come and go together are a set: those of one kind, one kernel module and one arming
 * condition; but where the kernel takes points one by one, and long for each, a condition has several sets.
 * A set is armed while the session runs, its module is loaded and its condition holds.
 * The thread of the session arms and disarms, and whoever loads or unloads a module; handlers only
 * say that a condition has changed, from any context, through an irq_work. The thread then changes one set
 * after the other, and looks before each which is next: of conditions that change faster than the kernel can
 * arm, each gets its share of the time.
 */
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/workqueue.h>

#include "runtime.h"

struct set {
	const struct stp_point *const *points;
	u32 n;
	u32 armed;	    /* of them */
	struct stp_str module;
	void *state;	    /* the kind's; NULL: nothing is armed */
	bool on;
	bool tried; /* was on before */
};

/* The table, sorted so that those of one kind lie together, and of one set; begin, end and error probes by
 * priority alone. */
static const struct stp_point **sorted;
static u32 first_of[STP_KINDS + 1];
static struct set *sets;
static u32 n_sets;
static struct gate {
	bool open; /* the condition holds */
	u32 spent; /* on its sets, lately; microseconds */
} *gates;	   /* by number */

/* For scripts with arming conditions. */
STP_IF_NEEDED void stp_gates_settle(void);
/* For scripts with points in modules. */
STP_IF_NEEDED int stp_modules_watch(void);
STP_IF_NEEDED void stp_modules_unwatch(void);
STP_IF_NEEDED void stp_tell_of_unused(void);

/* Sets are armed and disarmed one at a time, and only while the session runs. */
static DEFINE_MUTEX(arming);
static bool running, started; /* started: all that was to be armed at once has been */
static bool watching; /* for modules */
static bool quiet;
static u32 total, failed;

/* ------------------------------------------------------------- the points */

static bool has_own_name(const struct stp_point *point)
{
	const struct stp_probe_kind *kind = stp_script.kinds[point->kind];

	return kind && kind->own_names;
}

/* len 0: the kernel. A symbol of a module is "module:symbol". */
static struct stp_str module_of(const struct stp_point *point)
{
	const char *colon = point->symbol ? strchr(point->symbol, ':') : NULL;

	if (point->section == STP_ABSOLUTE || has_own_name(point))
		return (struct stp_str){ "", 0 };
	if (!point->section)
		return (struct stp_str){ point->symbol, colon ? colon - point->symbol : 0 };
	return stp_str_of(stp_script.sections[point->section - 1].module);
}

static int compare_modules(struct stp_str a, struct stp_str b)
{
	return a.len != b.len ? (a.len < b.len ? -1 : 1) : strncmp(a.p, b.p, a.len);
}

static int compare_sets(const struct stp_point *p, const struct stp_point *q)
{
	if (p->kind != q->kind)
		return p->kind < q->kind ? -1 : 1;
	if (p->gate != q->gate)
		return p->gate < q->gate ? -1 : 1;
	return compare_modules(module_of(p), module_of(q));
}

static int compare_points(const void *a, const void *b)
{
	const struct stp_point *p = *(const struct stp_point **)a;
	const struct stp_point *q = *(const struct stp_point **)b;
	bool in_sets = stp_script.kinds[p->kind];
	int order = (int)p->kind - (int)q->kind;

	if (!order && in_sets)
		order = compare_sets(p, q);
	if (order)
		return order;
	if (has_own_name(p))
		order = strcmp(p->symbol ?: "", q->symbol ?: "");
	if (order)
		return order;
	if (!in_sets && p->priority != q->priority)
		return p->priority < q->priority ? -1 : 1;
	return p < q ? -1 : p > q;
}

static void sort_points(void)
{
	u32 i, kind = 0;

	for (i = 0; i < stp_script.n_points; i++)
		sorted[i] = stp_script.points + i;
	sort(sorted, stp_script.n_points, sizeof(*sorted), compare_points, NULL);
	for (i = 0; i < stp_script.n_points; i++)
		while (kind <= sorted[i]->kind)
			first_of[kind++] = i;
	while (kind <= STP_KINDS)
		first_of[kind++] = stp_script.n_points;
}

/* Fills `sets`, unless that is NULL, and says how many there are. */
static u32 divide(void)
{
	u32 i, begin = 0, n = 0;

	for (i = 1; i <= stp_script.n_points; i++) {
		const struct stp_probe_kind *kind = stp_script.kinds[sorted[begin]->kind];
		bool full = kind && kind->most && sorted[begin]->gate && i - begin == kind->most;

		if (i < stp_script.n_points && !full && !compare_sets(sorted[begin], sorted[i]))
			continue;
		if (kind) {
			if (sets)
				sets[n] = (struct set){ .points = sorted + begin,
							.n = i - begin,
							.module = module_of(sorted[begin]) };
			n++;
		}
		begin = i;
	}
	return n;
}

const struct stp_point *const *stp_points_of(enum stp_kind kind, u32 *n)
{
	*n = first_of[kind + 1] - first_of[kind];
	return sorted + first_of[kind];
}

/* ------------------------------------------------------------------- sets */

void stp_point_failed(const struct stp_point *point, int error)
{
	const struct stp_probe_kind *kind = stp_script.kinds[point->kind];
	const char *reason = NULL;
	char place[80] = "";
	unsigned long address;

	if (quiet)
		return;
	failed++;
	if (error == -ENOENT && point->section != STP_ABSOLUTE && point->symbol && !point->address &&
	    !has_own_name(point)) {
		stp_tell(STP_RECORD_WARN, "probe %s was not armed: %s", point->name,
			 strchr(point->symbol, ':') ? stp_script.parts.modules->symbol_lack(point->symbol) :
						      "the kernel has no such symbol");
		return;
	}
	if (point->section && point->section != STP_ABSOLUTE && !stp_section_offsets[point->section - 1]) {
		stp_tell(STP_RECORD_WARN, "probe %s was not armed: %s", point->name,
			 stp_script.parts.modules->section_lack(&stp_script.sections[point->section - 1]));
		return;
	}
	if (kind->explain)
		reason = kind->explain(error);
	if (reason) {
		stp_tell(STP_RECORD_WARN, "probe %s was not armed: %s", point->name, reason);
		return;
	}
	/* A function's name stands for its inlined copies, too, which are elsewhere. */
	address = point->address || point->section ? stp_resolve(point) : 0;
	if (address)
		scnprintf(place, sizeof(place), ", at %pS", (void *)address);
	stp_tell(STP_RECORD_WARN, "probe %s was not armed: error %d%s%s", point->name, error,
		 error == -ENOENT ? " (nothing is there)" :
		 error == -EILSEQ ? " (no instruction begins there)" :
		 error == -EINVAL ? " (the kernel allows no probe there)" :
		 error == -EDEADLK ? " (the kernel would not survive a probe there)" : "",
		 place);
}

void stp_points_left_out(u32 n)
{
	if (!quiet)
		stp_tell(STP_RECORD_WARN,
			 "%u functions that wildcards match were left out: the kernel keeps ftrace out of "
			 "them (notrace, inline); by name they can be probed", n);
}

static const struct stp_probe_kind *kind_of(const struct set *set)
{
	return stp_script.kinds[set->points[0]->kind];
}

static void arm(struct set *set)
{
	u32 i;
	int n;

	/* What could not be armed is told once, however often the set comes and goes. */
	quiet = set->tried;
	n = kind_of(set)->arm(set->points, set->n, &set->state);
	for (i = 0; n < 0 && i < set->n; i++)
		stp_point_failed(set->points[i], n);
	set->tried = true;
	set->on = true;
	set->armed = max(n, 0);
	total += set->armed;
}

static void disarm(struct set *set)
{
	if (set->state)
		kind_of(set)->disarm(set->state);
	set->state = NULL;
	set->on = false;
	/* When the session ends, what was armed until then counts as armed. */
	if (running)
		total -= set->armed;
	set->armed = 0;
}

static void change(struct set *set)
{
	if (set->on)
		disarm(set);
	else
		arm(set);
}

static bool wanted(const struct set *set)
{
	u16 gate = set->points[0]->gate;

	return (!gate || READ_ONCE(gates[gate - 1].open)) &&
	       (!set->module.len || stp_script.parts.modules->is_loaded(set->module));
}

/* Whether the set could be armed, or could have been. */
static bool came(const struct set *set)
{
	return set->tried || !set->module.len || stp_script.parts.modules->is_loaded(set->module);
}

/* Brings the sets of `module`, or all, to what they should be: at the start and at the end, and when a module
 * comes or goes. At the start timers come last: they run from when everything else does. Caller holds `arming`. */
static void update(const char *module)
{
	u32 i;

	for (i = 0; i < n_sets; i++) {
		struct set *set = &sets[started ? i : n_sets - 1 - i];

		if (set->on != (running && wanted(set)) &&
		    !(module && compare_modules(set->module, stp_str_of(module))))
			change(set);
	}
}

/* Waits for handlers of sets that were disarmed. */
static void settle(void)
{
	u32 i;

	for (i = 0; i < STP_KINDS; i++)
		if (stp_script.kinds[i] && stp_script.kinds[i]->settle)
			stp_script.kinds[i]->settle();
}

void stp_arm_all(void)
{
	mutex_lock(&arming);
	if (stp_script.parts.modules)
		stp_script.parts.modules->find(NULL);
	running = true;
	update(NULL);
	started = true;
	mutex_unlock(&arming);
}

/* A probe of the script is several here where its handler differs from point to point. `waiting`: as below. Whether
 * another part of this one came, or was told of. */
static bool is_settled(u32 probe, const u32 *waiting)
{
	u32 i;

	for (i = 0; i < stp_script.n_probes; i++)
		if ((i < probe || !waiting[i]) && !strcmp(stp_script.probes[i].name, stp_script.probes[probe].name))
			return true;
	return false;
}

/* Of probes none of whose modules came. */
STP_IF_NEEDED void stp_tell_of_unused(void)
{
	/* By probe: 1 + its first set that waits; 0: something of it was armed, or could have been. */
	u32 *waiting = kvcalloc(stp_script.n_probes, sizeof(*waiting), GFP_KERNEL);
	u32 i, k;

	for (i = 0; waiting && i < n_sets; i++)
		for (k = 0; !came(&sets[i]) && k < sets[i].n; k++)
			if (!waiting[sets[i].points[k]->probe])
				waiting[sets[i].points[k]->probe] = i + 1;
	for (i = 0; waiting && i < n_sets; i++)
		for (k = 0; came(&sets[i]) && k < sets[i].n; k++)
			waiting[sets[i].points[k]->probe] = 0;
	for (i = 0; waiting && i < stp_script.n_probes; i++) {
		const struct set *set = waiting[i] ? &sets[waiting[i] - 1] : NULL;

		if (set && !is_settled(i, waiting))
			stp_tell(STP_RECORD_WARN, "probe %s was never armed: module '%.*s' was not loaded",
				 stp_script.probes[i].name, (int)set->module.len, set->module.p);
	}
	kvfree(waiting);
}

void stp_disarm_all(void)
{
	mutex_lock(&arming);
	running = false;
	update(NULL);
	settle();
	if (watching)
		stp_tell_of_unused();
	mutex_unlock(&arming);
}

void stp_arm_count(u32 *armed, u32 *not_armed)
{
	*armed = READ_ONCE(total);
	*not_armed = READ_ONCE(failed);
}

/* ------------------------------------------------------------- conditions */

/* Which of the sets that should change is next: the least. What holds something of which there is little goes
 * first. Else it is a set of a condition that took little time lately, so that what changes seldom does not wait for
 * what changes all the time; among about as little (powers of two of 65 ms), what shall be armed is before what
 * goes: the kernel may take tenths of a second to be done with each of those. */
static u64 rank(const struct set *set)
{
	u16 gate = set->points[0]->gate;
	u32 spent = gate ? gates[gate - 1].spent : 0;

	if (set->on && kind_of(set)->scarce)
		return 0;
	return (u64)(1 + 2 * fls(spent >> 16) + set->on) << 32 | spent;
}

static struct set *next_to_change(void)
{
	struct set *next = NULL;
	u32 i;

	for (i = 0; i < n_sets; i++)
		if (wanted(&sets[i]) != sets[i].on && (!next || rank(&sets[i]) < rank(next)))
			next = &sets[i];
	return next;
}

/* Of what was long ago little is left: a condition that was quiet until now shall not have all the time. */
static void charge(const struct set *set, ktime_t since)
{
	u16 gate = set->points[0]->gate;
	u32 i;

	if (!gate)
		return;
	gates[gate - 1].spent += min_t(s64, ktime_us_delta(ktime_get(), since), USEC_PER_SEC);
	if (gates[gate - 1].spent >= USEC_PER_SEC)
		for (i = 0; i < stp_script.n_gates; i++)
			gates[i].spent /= 2;
}

/* One set at a time: the end of the session, which the same thread brings, comes between two. */
static void apply(struct work_struct *work)
{
	ktime_t since = ktime_get();
	struct set *set;

	mutex_lock(&arming);
	set = running ? next_to_change() : NULL;
	if (set) {
		change(set);
		charge(set, since);
	}
	mutex_unlock(&arming);
	if (set)
		stp_session_queue(work);
}
static DECLARE_WORK(apply_work, apply);

static void pass_on(struct irq_work *work)
{
	stp_session_queue(&apply_work);
}
static DEFINE_IRQ_WORK(changed, pass_on);

/* The caller holds the locks of what the condition reads. */
void stp_gate_set(u32 gate, bool open)
{
	if (gates[gate].open == open)
		return;
	WRITE_ONCE(gates[gate].open, open);
	/* Work that waits will see it: the flag is cleared before that runs. Where handlers of interrupts and of the
	 * queueing itself change conditions, there would be no end of interrupts, and no CPU left for the work. */
	smp_mb();
	if (!work_pending(&apply_work))
		irq_work_queue(&changed);
}

/* The work of an interrupt does not go on. */
STP_IF_NEEDED void stp_gates_settle(void)
{
	irq_work_sync(&changed);
}

/* ---------------------------------------------------------------- modules */

static int module_changed(struct notifier_block *block, unsigned long state, void *data)
{
	const struct module *module = data;

	if (state != MODULE_STATE_COMING && state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	mutex_lock(&arming);
	if (state == MODULE_STATE_COMING)
		stp_script.parts.modules->find(module);
	else
		stp_script.parts.modules->forget(module);
	update(module->name);
	mutex_unlock(&arming);
	return NOTIFY_DONE;
}
static struct notifier_block watch = { .notifier_call = module_changed };

/* Before the kernel's own parts take leave of the module: it warns of tracepoints that are in use. Breakpoints it
 * has to see gone first, or it finds remains of them when the module comes back. */
static int module_going(struct notifier_block *block, unsigned long state, void *data)
{
	const struct module *module = data;
	u32 i;

	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	mutex_lock(&arming);
	for (i = 0; i < n_sets; i++)
		if (sets[i].on && kind_of(&sets[i])->leaves_first &&
		    !compare_modules(sets[i].module, stp_str_of(module->name)))
			disarm(&sets[i]);
	settle();
	mutex_unlock(&arming);
	return NOTIFY_DONE;
}
static struct notifier_block watch_going = { .notifier_call = module_going, .priority = INT_MAX };

STP_IF_NEEDED int stp_modules_watch(void)
{
	int error = register_module_notifier(&watch);

	if (error)
		return error;
	error = register_module_notifier(&watch_going);
	if (error)
		unregister_module_notifier(&watch);
	return error;
}

STP_IF_NEEDED void stp_modules_unwatch(void)
{
	unregister_module_notifier(&watch_going);
	unregister_module_notifier(&watch);
}

/* ------------------------------------------------------------ init, exit */

int stp_arm_init(void)
{
	int error = -ENOMEM;
	u32 i;

	sorted = kvcalloc(max(stp_script.n_points, 1u), sizeof(*sorted), GFP_KERNEL);
	gates = kvcalloc(max(stp_script.n_gates, 1u), sizeof(*gates), GFP_KERNEL);
	if (!sorted || !gates)
		goto fail;
	sort_points();
	n_sets = divide();
	sets = kvcalloc(max(n_sets, 1u), sizeof(*sets), GFP_KERNEL);
	if (!sets)
		goto fail;
	divide();
	for (i = 0; i < n_sets; i++)
		watching |= sets[i].module.len > 0;
	error = watching ? stp_modules_watch() : 0;
	if (!error)
		return 0;
fail:
	kvfree(sets);
	kvfree(gates);
	kvfree(sorted);
	return error;
}

void stp_arm_exit(void)
{
	if (watching)
		stp_modules_unwatch();
	if (stp_script.n_gates)
		stp_gates_settle();
	kvfree(sets);
	kvfree(gates);
	kvfree(sorted);
}
