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

#include "compat/follow.h"
#include "runtime.h"

/* fprobe keeps data for each call, and a handler may refuse one (76d0de5729c0 and 39d954200bf6, v6.3). */
#if IS_ENABLED(CONFIG_FPROBE) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)

static int entered(struct fprobe *fprobe, unsigned long ip, unsigned long parent,
		   struct pt_regs *regs, void *data)
{
	struct stp_follow *follow = container_of(fprobe, struct stp_follow, fprobe);

	return follow->entered(follow, ip, regs, data);
}

static void returned(struct fprobe *fprobe, unsigned long ip, unsigned long parent,
		     struct pt_regs *regs, void *data)
{
	struct stp_follow *follow = container_of(fprobe, struct stp_follow, fprobe);

	follow->returned(follow, ip, regs, data);
}

int stp_follow(struct stp_follow *follow, unsigned long *ips, u32 n)
{
	follow->fprobe.entry_handler = entered;
	follow->fprobe.exit_handler = returned;
	follow->fprobe.entry_data_size = follow->data_size;
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
	unsigned long ip;
	u64 data[];
};

static struct {
	typeof(rethook_alloc) *alloc;
	typeof(rethook_stop) *stop;
	typeof(rethook_free) *free;
	typeof(rethook_add_node) *add_node;
	typeof(rethook_try_get) *try_get;
	typeof(rethook_recycle) *recycle;
	typeof(rethook_hook) *hook;
} rethook;

static bool find_rethook(void)
{
	rethook.alloc = (void *)stp_symbol_address("rethook_alloc");
	rethook.stop = (void *)stp_symbol_address("rethook_stop");
	rethook.free = (void *)stp_symbol_address("rethook_free");
	rethook.add_node = (void *)stp_symbol_address("rethook_add_node");
	rethook.try_get = (void *)stp_symbol_address("rethook_try_get");
	rethook.recycle = (void *)stp_symbol_address("rethook_recycle");
	rethook.hook = (void *)stp_symbol_address("rethook_hook");
	return rethook.alloc && rethook.stop && rethook.free && rethook.add_node &&
	       rethook.try_get && rethook.recycle && rethook.hook;
}

static void entered(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		    struct ftrace_regs *fregs)
{
	struct stp_follow *follow = container_of(ops, struct stp_follow, fprobe.ops);
	struct pt_regs *regs = ftrace_get_regs(fregs);
	struct rethook_node *node;
	struct call *call;
	int bit;

	bit = ftrace_test_recursion_trylock(ip, parent);
	if (bit < 0 || !rcu_is_watching()) {
		atomic_long_inc(&follow->skipped);
		goto out;
	}
	node = rethook.try_get(follow->pool);
	if (!node) {
		atomic_long_inc(&follow->no_slot);
		goto out;
	}
	call = container_of(node, struct call, node);
	call->ip = ip;
	if (follow->entered(follow, ip, regs, call->data))
		rethook.recycle(node);
	else
		rethook.hook(node, regs, true);
out:
	if (bit >= 0)
		ftrace_test_recursion_unlock(bit);
}

static void returned(struct rethook_node *node, void *data, struct pt_regs *regs)
{
	struct call *call = container_of(node, struct call, node);
	struct stp_follow *follow = data;

	follow->returned(follow, call->ip, regs, call->data);
}

static int fill_pool(struct stp_follow *follow)
{
	u32 i;

	follow->pool = rethook.alloc(follow, returned);
	for (i = 0; follow->pool && i < follow->slots; i++) {
		struct call *call = kzalloc(sizeof(*call) + follow->data_size, GFP_KERNEL);

		if (!call)
			break;
		rethook.add_node(follow->pool, &call->node);
	}
	return follow->pool && i == follow->slots ? 0 : -ENOMEM;
}

static void empty_pool(struct stp_follow *follow)
{
	if (!follow->pool)
		return;
	/* Who got a slot just now has returned, or will find that nobody waits for it. */
	rethook.stop(follow->pool);
	synchronize_rcu();
	rethook.free(follow->pool);
}

int stp_follow(struct stp_follow *follow, unsigned long *ips, u32 n)
{
	struct ftrace_ops *ops = &follow->fprobe.ops;
	int error;

	if (!find_rethook())
		return -EOPNOTSUPP;
	ops->func = entered;
	ops->flags = FTRACE_OPS_FL_SAVE_REGS;
	error = fill_pool(follow);
	if (!error)
		error = ftrace_set_filter_ips(ops, ips, n, 0, 0);
	if (!error)
		error = register_ftrace_function(ops);
	if (error) {
		empty_pool(follow);
		ftrace_free_filter(ops);
	}
	return error;
}

void stp_unfollow(struct stp_follow *follow)
{
	unregister_ftrace_function(&follow->fprobe.ops);
	empty_pool(follow);
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
