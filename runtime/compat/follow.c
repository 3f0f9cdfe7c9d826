// SPDX-License-Identifier: GPL-2.0
/*
 * Following the returns of many functions.
 *
 * A kretprobe for each of them is what every kernel has; but each changes the filter of all kprobes on
 * ftrace: 3000 of them take a minute to be armed in a virtual machine. From v6.3 to v6.13 there is
 * fprobe, where it is configured. Where not, what it is made of is there when kretprobes are made of it as
 * well, though not exported. That is called by address, which a kernel built for indirect branch tracking
 * would not allow; those that Debian builds so have fprobe. v6.14 made fprobe anew and hands out
 * other registers (4346ba160409, "fprobe: Rewrite fprobe on function-graph tracer").
 */
#include <linux/rethook.h>
#include <linux/slab.h>
#include <linux/trace_recursion.h>
#include <linux/version.h>

#include "probes/hooks.h"
#include "runtime.h"

/* As fprobe and rethook keep it for each call. */
struct stp_call_data {
	struct stp_followed followed;
	u64 data[];
};

/* fprobe keeps data for each call, and a handler may refuse one (76d0de5729c0 and 39d954200bf6, v6.3). */
#if IS_ENABLED(CONFIG_FPROBE) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)

static int entered(struct fprobe *fprobe, unsigned long ip, unsigned long parent,
		   struct pt_regs *regs, void *data)
{
	struct stp_follow *follow = container_of(fprobe, struct stp_follow, fprobe);
	struct stp_call_data *call = data;

	call->followed = stp_followed(follow, ip, regs);
	return !call->followed.point ||
	       !stp_hit_entry(call->followed.point, regs, call->followed.entry, call->data);
}

static void returned(struct fprobe *fprobe, unsigned long ip, unsigned long parent,
		     struct pt_regs *regs, void *data)
{
	struct stp_call_data *call = data;

	stp_hit(call->followed.point, regs, NULL, call->followed.entry, call->data);
}

int stp_follow(struct stp_follow *follow, unsigned long *ips, u32 n)
{
	follow->fprobe.entry_handler = entered;
	follow->fprobe.exit_handler = returned;
	follow->fprobe.entry_data_size = sizeof(struct stp_call_data) + follow->data_size;
	follow->fprobe.nr_maxactive = follow->slots;
	return register_fprobe_ips(&follow->fprobe, ips, n);
}

void stp_unfollow(struct stp_follow *follow)
{
	unregister_fprobe(&follow->fprobe);
	/* Handlers of returns run with preemption off. */
	synchronize_rcu();
}

void stp_follow_missed(struct stp_follow *follow, unsigned long *no_slot, unsigned long *skipped)
{
	*no_slot = follow->fprobe.nmissed;
	*skipped = 0;
}

/* A handler of rethook gets the return address from v6.6 on (cb16330d1274). */
#elif IS_ENABLED(CONFIG_RETHOOK) && !IS_ENABLED(CONFIG_X86_KERNEL_IBT) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)

struct call {
	struct rethook_node node;
	struct stp_call_data kept;
};

static struct {
	typeof(rethook_alloc) *alloc;
	typeof(rethook_stop) *stop;
	typeof(rethook_free) *free;
	typeof(rethook_add_node) *add_node;
	unsigned long trampoline;
} rethook;

static bool find_rethook(void)
{
	rethook.alloc = (void *)stp_symbol_address("rethook_alloc");
	rethook.stop = (void *)stp_symbol_address("rethook_stop");
	rethook.free = (void *)stp_symbol_address("rethook_free");
	rethook.add_node = (void *)stp_symbol_address("rethook_add_node");
	rethook.trampoline = stp_symbol_address("arch_rethook_trampoline");
	return rethook.alloc && rethook.stop && rethook.free && rethook.add_node && rethook.trampoline;
}

/* This CPU's slots are taken: those of the others. */
static noinline struct freelist_node *find_slot(struct stp_follow *follow)
{
	struct freelist_node *node = NULL;
	u32 i;

	for (i = 0; i < follow->n_pools && !node; i++)
		node = freelist_try_get(&follow->pools[i]->pool);
	if (!node)
		atomic_long_inc(&follow->no_slot);
	return node;
}

/* As rethook_try_get(). A slot goes back to where it came from. */
static __always_inline struct call *take_slot(struct stp_follow *follow)
{
	struct freelist_node *node;

	if (unlikely(!rcu_is_watching())) {
		atomic_long_inc(&follow->skipped);
		return NULL;
	}
	node = freelist_try_get(&follow->pools[raw_smp_processor_id()]->pool);
	if (unlikely(!node))
		node = find_slot(follow);
	return node ? container_of(node, struct call, node.freelist) : NULL;
}

/* rethook_recycle() is for tasks that cannot be preempted. Here they can be: as long as calls enter there is the list. */
static __always_inline void give_back(struct call *call)
{
	freelist_add(&call->node.freelist, &call->node.rethook->pool);
}

/* As rethook_hook() and arch_rethook_prepare(). */
static __always_inline void hook(struct rethook_node *node, const struct pt_regs *regs)
{
	unsigned long *stack = (unsigned long *)regs->sp;

	node->ret_addr = *stack;
	node->frame = regs->sp;
	__llist_add(&node->llist, &current->rethooks);
	/* Who unwinds this stack now finds what the slot says. */
	barrier();
	*stack = rethook.trampoline;
}

/* stp_hit_entry() keeps a handler from being reached from itself. */
static __always_inline void follow_call(struct stp_follow *follow, unsigned long ip,
					struct ftrace_regs *fregs)
{
	const struct pt_regs *regs = stp_ftrace_regs(fregs);
	struct stp_followed followed = stp_followed(follow, ip, regs);
	struct call *call = followed.point ? take_slot(follow) : NULL;

	if (!call)
		return;
	call->kept.followed = followed;
	if (likely(stp_hit_entry(followed.point, regs, followed.entry, call->kept.data)))
		hook(&call->node, regs);
	else
		give_back(call);
}

static void entered(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		    struct ftrace_regs *fregs)
{
	follow_call(container_of(ops, struct stp_follow, fprobe.ops), ip, fregs);
}

static void entered_asking(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	struct stp_follow *follow = container_of(ops, struct stp_follow, fprobe.ops);
	int bit = ftrace_test_recursion_trylock(ip, parent);

	if (bit < 0) {
		atomic_long_inc(&follow->skipped);
		return;
	}
	follow_call(follow, ip, fregs);
	ftrace_test_recursion_unlock(bit);
}

static void returned(struct rethook_node *node, void *data, struct pt_regs *regs)
{
	struct call *call = container_of(node, struct call, node);

	stp_hit(call->kept.followed.point, regs, NULL, call->kept.followed.entry, call->kept.data);
}

static int fill_pool(struct stp_follow *follow, struct rethook *pool, u32 slots)
{
	u32 i;

	for (i = 0; i < slots; i++) {
		struct call *call = kzalloc(sizeof(*call) + follow->data_size, GFP_KERNEL);

		if (!call)
			return -ENOMEM;
		rethook.add_node(pool, &call->node);
	}
	return 0;
}

static int fill_pools(struct stp_follow *follow)
{
	u32 n = min(num_online_cpus(), follow->slots), i;
	int error = 0;

	follow->pools = kcalloc(nr_cpu_ids, sizeof(*follow->pools), GFP_KERNEL);
	if (!follow->pools)
		return -ENOMEM;
	for (i = 0; i < n && !error; i++) {
		struct rethook *pool = rethook.alloc(NULL, returned);

		if (!pool)
			return -ENOMEM;
		follow->pools[follow->n_pools++] = pool;
		error = fill_pool(follow, pool, follow->slots / n + (i < follow->slots % n));
	}
	for (; i < nr_cpu_ids && !error; i++)
		follow->pools[i] = follow->pools[i % n];
	return error;
}

static void empty_pools(struct stp_follow *follow)
{
	u32 i;

	for (i = 0; i < follow->n_pools; i++)
		rethook.stop(follow->pools[i]);
	/* Calls that return now find that nobody waits for them. */
	synchronize_rcu();
	for (i = 0; i < follow->n_pools; i++)
		rethook.free(follow->pools[i]);
	kfree(follow->pools);
}

int stp_follow(struct stp_follow *follow, unsigned long *ips, u32 n)
{
	struct ftrace_ops *ops = &follow->fprobe.ops;
	int error;

	if (!find_rethook())
		return -EOPNOTSUPP;
	ops->func = follow->asks ? entered_asking : entered;
	ops->flags = follow->all_regs ? FTRACE_OPS_FL_SAVE_REGS : 0;
	error = fill_pools(follow);
	if (!error)
		error = ftrace_set_filter_ips(ops, ips, n, 0, 0);
	if (!error)
		error = register_ftrace_function(ops);
	if (error) {
		empty_pools(follow);
		ftrace_free_filter(ops);
	}
	return error;
}

void stp_unfollow(struct stp_follow *follow)
{
	unregister_ftrace_function(&follow->fprobe.ops);
	empty_pools(follow);
	ftrace_free_filter(&follow->fprobe.ops);
}

void stp_follow_missed(struct stp_follow *follow, unsigned long *no_slot, unsigned long *skipped)
{
	*no_slot = atomic_long_read(&follow->no_slot);
	*skipped = atomic_long_read(&follow->skipped);
}

#else

int stp_follow(struct stp_follow *follow, unsigned long *ips, u32 n)
{
	return -EOPNOTSUPP;
}

void stp_unfollow(struct stp_follow *follow)
{
}

void stp_follow_missed(struct stp_follow *follow, unsigned long *no_slot, unsigned long *skipped)
{
	*no_slot = *skipped = 0;
}

#endif
