// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel calls when a function is entered or returns: finds the point and runs its handler. What arms
 * them is entry.c and return.c, which is compiled to be small; this is compiled to be fast.
 */
#include "probes/hooks.h"
#include "runtime.h"

/* ---------------------------------------------------------------- entries */

static noinline void hit_several(const struct stp_sites *sites, const struct stp_site *site,
				 unsigned long ip, struct ftrace_regs *fregs)
{
	for (; site; site = stp_site_next(sites, site))
		stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip), NULL);
}

void stp_entry_hit(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		   struct ftrace_regs *fregs)
{
	const struct stp_sites *sites = &container_of(ops, struct stp_entry_group, ops)->sites;
	const struct stp_site *site = stp_sites_at(sites, ip);

	if (unlikely(!site))
		return;
	if (unlikely(stp_site_next(sites, site)))
		return hit_several(sites, site, ip, fregs);
	stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip), NULL);
}

/* Of an ops with one site and one point there: its filter lets nothing else through. */
void stp_entry_hit_one(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		       struct ftrace_regs *fregs)
{
	stp_hit(container_of(ops, struct stp_entry_group, ops)->only, stp_ftrace_regs(fregs), NULL, ip,
		NULL);
}

/* The same, of a function that begins 4 bytes before, with ENDBR. */
void stp_entry_hit_one_behind(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			      struct ftrace_regs *fregs)
{
	stp_hit(container_of(ops, struct stp_entry_group, ops)->only, stp_ftrace_regs(fregs), NULL,
		ip - 4, NULL);
}

/* Of points that want certain callers. Who asks the unwinder may probe it: this ops leaves it to ftrace
 * to keep what it does itself from coming here. */
void stp_entry_hit_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			  struct ftrace_regs *fregs)
{
	const struct stp_sites *sites = &container_of(ops, struct stp_entry_group, ops)->sites;
	const struct stp_site *site = stp_sites_at(sites, ip);

	for (; site; site = stp_site_next(sites, site))
		if (stp_script.parts.called(site->point, stp_ftrace_regs(fregs), 0))
			stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip),
				NULL);
}

/* Of system calls: only some of the ways to the function are a point's own. */
void stp_entry_hit_call(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *fregs)
{
	const struct stp_sites *sites = &container_of(ops, struct stp_entry_group, ops)->sites;
	const struct stp_site *site = stp_sites_at(sites, ip);
	struct stp_made_call made = stp_made_call();

	for (; site; site = stp_site_next(sites, site))
		if (stp_is_call(stp_call_of(site->point), made))
			stp_hit(site->point, stp_ftrace_regs(fregs), NULL, stp_site_entry(site, ip),
				NULL);
}

/* ---------------------------------------------------------------- returns */

/* Only certain calls of the function may be a point's own. `ip`: as of struct stp_parts. */
static bool is_meant(const struct stp_point *point, const struct pt_regs *regs, unsigned long ip)
{
	const struct stp_call *call = stp_call_of(point);

	if (point->n_callers)
		return stp_script.parts.called(point, regs, ip);
	return !call || stp_is_call(call, stp_made_call());
}

static struct stp_follower *follower_of(struct kretprobe_instance *instance)
{
	return container_of(get_kretprobe(instance), struct stp_follower, probe);
}

/* Non-zero: the return is not followed. */
int stp_kretprobe_entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct stp_follower *f = follower_of(instance);

	if (!is_meant(f->point, regs, f->entry))
		return 1;
	return !stp_hit_entry(f->point, regs, f->entry, instance->data);
}

int stp_kretprobe_returned(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct stp_follower *f = follower_of(instance);

	stp_hit(f->point, regs, NULL, f->entry, instance->data);
	return 0;
}

/* The point of the system call that is made, where the first of a place means one. NULL: none of them. */
static const struct stp_site *site_of_made(const struct stp_return_group *group, const struct stp_site *site)
{
	struct stp_made_call made = stp_made_call();

	for (; site; site = stp_site_next(&group->sites, site))
		if (stp_call_of(site->point) && stp_is_call(stp_call_of(site->point), made))
			return site;
	return NULL;
}

STP_IF_NEEDED struct stp_followed stp_followed_of(const struct stp_return_group *group, unsigned long ip,
						  const struct pt_regs *regs)
{
	const struct stp_site *site = stp_sites_at(&group->sites, ip);

	if (site && group->is_shared && stp_call_of(site->point))
		site = site_of_made(group, site);
	else if (site && !is_meant(site->point, regs, 0))
		site = NULL;
	return site ? (struct stp_followed){ site->point, stp_site_entry(site, ip) } : (struct stp_followed){};
}
