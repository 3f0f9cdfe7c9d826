// SPDX-License-Identifier: GPL-2.0
/*
 * Packets at netfilter's hooks, in every network namespace, those that come later included. A hook
 * that does not fit into a namespace (no memory, or a thousand are there already) is left out of
 * that one: a namespace must come up whoever watches.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_bridge.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "runtime.h"

/* What translator/probes/netfilter.cc calls $hooknum, $skb, $in, $out, $verdict. */
enum { HOOKNUM, SKB, IN, OUT, VERDICT, ARGUMENTS };

#ifdef CONFIG_NETFILTER

static struct nf_hook_ops *hooks;
static u32 n_hooks;
static unsigned int id;
static int init_error; /* the last of init_net */

static STP_HOT unsigned int passed(void *point, struct sk_buff *skb, const struct nf_hook_state *state)
{
	u64 args[ARGUMENTS] = {
		[HOOKNUM] = state->hook, [SKB] = (u64)skb,	    [IN] = (u64)state->in,
		[OUT] = (u64)state->out, [VERDICT] = NF_ACCEPT,
	};

	stp_hit(point, NULL, args, 0, NULL);
	return args[VERDICT];
}

/* Which of the hooks a namespace has. */
struct attached {
	bool *each; /* NULL: none of them */
};

static int __net_init attach(struct net *net)
{
	struct attached *attached = net_generic(net, id);
	int error = -ENOMEM;
	u32 i;

	attached->each = kvcalloc(n_hooks, sizeof(*attached->each), GFP_KERNEL);
	for (i = 0; attached->each && i < n_hooks; i++) {
		error = nf_register_net_hook(net, &hooks[i]);
		attached->each[i] = !error;
		if (error && net == &init_net)
			init_error = error;
	}
	if (!attached->each && net == &init_net)
		init_error = error;
	return 0;
}

static void __net_exit detach(struct net *net)
{
	struct attached *attached = net_generic(net, id);
	u32 i;

	for (i = 0; attached->each && i < n_hooks; i++)
		if (attached->each[i])
			nf_unregister_net_hook(net, &hooks[i]);
	kvfree(attached->each);
}

static struct pernet_operations namespaces = {
	.init = attach,
	.exit = detach,
	.id = &id,
	.size = sizeof(struct attached),
};

/* To ask the kernel for a family or a hook that it does not have is answered with a warning in its log. */
static int check(const struct stp_point *point)
{
	switch (point->offset) {
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
		return point->number < NF_INET_NUMHOOKS ? 0 : -EINVAL;
#ifdef CONFIG_NETFILTER_FAMILY_ARP
	case NFPROTO_ARP:
		return point->number < NF_ARP_NUMHOOKS ? 0 : -EINVAL;
#endif
#ifdef CONFIG_NETFILTER_FAMILY_BRIDGE
	case NFPROTO_BRIDGE:
		return point->number < NF_BR_BROUTING ? 0 : -EINVAL;
#endif
	}
	return -EPFNOSUPPORT;
}

/* There is one set of these points: they are armed as long as the session runs. */
static int netfilter_arm(const struct stp_point *const *points, u32 n, void **set)
{
	const struct attached *attached;
	int error, armed = 0;
	u32 i;

	hooks = kvcalloc(n, sizeof(*hooks), GFP_KERNEL);
	if (!hooks)
		return -ENOMEM;
	n_hooks = 0;
	for (i = 0; i < n; i++) {
		error = check(points[i]);
		if (error)
			stp_point_failed(points[i], error);
		else
			hooks[n_hooks++] = (struct nf_hook_ops){
				.hook = passed,
				.priv = (void *)points[i],
				.pf = points[i]->offset,
				.hooknum = points[i]->number,
				.priority = points[i]->number2,
			};
	}
	error = n_hooks ? register_pernet_subsys(&namespaces) : 0;
	if (error || !n_hooks) {
		kvfree(hooks);
		return error;
	}
	*set = hooks;
	attached = net_generic(&init_net, id);
	for (i = 0; i < n_hooks; i++) {
		if (attached->each && attached->each[i])
			armed++;
		else
			stp_point_failed(hooks[i].priv, init_error);
	}
	return armed;
}

static void netfilter_disarm(void *set)
{
	unregister_pernet_subsys(&namespaces);
	/* Packets on their way through the hooks are under RCU. */
	synchronize_rcu();
	kvfree(set);
}

static const char *netfilter_explain(int error)
{
	return error == -EPFNOSUPPORT ? "the kernel was built without netfilter of this family" :
	       error == -EINVAL	      ? "the family has no such hook" :
	       error == -E2BIG	      ? "the kernel has as many hooks there as it takes" :
					NULL;
}

/* nf_hook_slow() knows these, and warns in the kernel's log of others. */
static bool is_verdict(u64 verdict)
{
	u8 kind = verdict & NF_VERDICT_MASK;

	return verdict <= U32_MAX && (kind == NF_DROP || kind == NF_ACCEPT || kind == NF_STOLEN || kind == NF_QUEUE);
}

#else

static int netfilter_arm(const struct stp_point *const *points, u32 n, void **set) { return -EPFNOSUPPORT; }
static void netfilter_disarm(void *set) { }
static const char *netfilter_explain(int error) { return "the kernel was built without netfilter"; }
static bool is_verdict(u64 verdict) { return false; }

#endif

STP_HOT void stp_set_verdict(struct stp_context *c, s64 verdict, const struct stp_place *place)
{
	if (is_verdict(verdict))
		((u64 *)c->args)[VERDICT] = verdict;
	else
		stp_fail(c, place, "the kernel takes no verdict %lld here: 0 drops, 1 accepts, 2 steals, 3 queues",
			 verdict);
}

const struct stp_probe_kind stp_netfilter_kind = {
	.name = "netfilter hook",
	.arm = netfilter_arm,
	.disarm = netfilter_disarm,
	.explain = netfilter_explain,
};
