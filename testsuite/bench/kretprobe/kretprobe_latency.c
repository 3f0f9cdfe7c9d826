// SPDX-License-Identifier: GPL-2.0
/*
 * A latency histogram of one function as SystemTap takes it: a kretprobe, whose entry notes the time. There is
 * nothing else in its way, no array, no session, no account: what this costs is the kernel's kretprobes.
 */
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/timekeeping.h>

static char *function;
module_param(function, charp, 0444);

struct histogram {
	u64 sum, count[65];
};
static DEFINE_PER_CPU(struct histogram, histogram);

static int on_entry(struct kretprobe_instance *call, struct pt_regs *regs)
{
	*(u64 *)call->data = ktime_get_real_ns();
	return 0;
}

static int on_return(struct kretprobe_instance *call, struct pt_regs *regs)
{
	u64 took = ktime_get_real_ns() - *(u64 *)call->data;
	struct histogram *h = this_cpu_ptr(&histogram);

	h->sum += took;
	h->count[took ? ilog2(took) + 1 : 0]++;
	return 0;
}

static struct kretprobe probe = {
	.entry_handler = on_entry,
	.handler = on_return,
	.data_size = sizeof(u64),
	.maxactive = 64,
};

static int __init begin(void)
{
	probe.kp.symbol_name = function;
	return register_kretprobe(&probe);
}

static void __exit end(void)
{
	u64 sum = 0, count = 0;
	int cpu;

	unregister_kretprobe(&probe);
	for_each_possible_cpu(cpu) {
		struct histogram *h = per_cpu_ptr(&histogram, cpu);

		sum += h->sum;
		for (int i = 0; i < ARRAY_SIZE(h->count); i++)
			count += h->count[i];
	}
	pr_info("kretprobe_latency: %llu calls, %llu ns, %u missed\n", count, sum, probe.nmissed);
}

module_init(begin);
module_exit(end);
MODULE_LICENSE("GPL");
