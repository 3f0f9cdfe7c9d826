// SPDX-License-Identifier: GPL-2.0
/*
 * Where ftrace can attach.
 *
 * The code at a function's entry tells most of it. But code may begin with a nop or a call of its own, and
 * ftrace takes all addresses of a list or none. So the list is tried on an ops that is never
 * registered, piece by piece, and a piece that is refused in halves: 57 of 37 000 functions of a kernel
 * are. To try it on the ops that is meant would copy the filter, of up to all functions, each time.
 */
#include <linux/ftrace.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probes/endbr.h"
#include "probes/sites.h"

#define PIECE 256

/*
 * The function's first instruction, or the one behind ENDBR or its remains on kernels built for indirect branch
 * tracking. The nop or call that ftrace keeps there, or a breakpoint on its way from one to the other,
 * tells. 0: there is none.
 */
static unsigned long site_of(unsigned long entry)
{
	u8 code[9], *at = code;

	if (copy_from_kernel_nofault(code, (void *)entry, sizeof(code)))
		return 0;
	if (stp_is_endbr(code))
		at += STP_ENDBR_SIZE;
	if (at[0] == 0xe8 || at[0] == 0xcc || (at[0] == 0x0f && at[1] == 0x1f && at[2] == 0x44))
		return entry + (at - code);
	return 0;
}

static void never_hit(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		  struct ftrace_regs *fregs)
{
}

/* Zeroes what ftrace refuses. Recursion as deep as the logarithm of PIECE. */
static void try(struct ftrace_ops *ops, unsigned long *ips, u32 n)
{
	if (!n || !ftrace_set_filter_ips(ops, ips, n, 0, 1))
		return;
	if (n == 1) {
		ips[0] = 0;
		return;
	}
	try(ops, ips, n / 2);
	try(ops, ips + n / 2, n - n / 2);
}

/* The next piece of sites, from *at on, and which they are. */
static u32 gather_piece(const unsigned long *ips, u32 n, u32 *at, unsigned long *piece, u32 *which)
{
	u32 count = 0;

	for (; *at < n && count < PIECE; (*at)++) {
		if (!ips[*at])
			continue;
		which[count] = *at;
		piece[count++] = ips[*at];
	}
	return count;
}

static void find_sites(const unsigned long *entries, unsigned long *ips, u32 n)
{
	struct trial {
		struct ftrace_ops ops;
		unsigned long piece[PIECE];
		u32 which[PIECE];
	} *trial = kvzalloc(sizeof(*trial), GFP_KERNEL);
	u32 i, at = 0, count;

	for (i = 0; i < n; i++)
		ips[i] = trial && entries[i] ? site_of(entries[i]) : 0;
	if (!trial)
		return;
	trial->ops.func = never_hit;
	while ((count = gather_piece(ips, n, &at, trial->piece, trial->which)) > 0) {
		try(&trial->ops, trial->piece, count);
		for (i = 0; i < count; i++)
			ips[trial->which[i]] = trial->piece[i];
	}
	ftrace_free_filter(&trial->ops);
	kvfree(trial);
}

/*
 * Breakpoints are slow to arm: for each the kernel walks its tables of jump labels, 3.4 million instructions. Of
 * 42 000 functions 5 200 have no site, as what is inline or notrace has none: minutes. Nobody who
 * writes kernel.function("*") means just those.
 */
#define MOST_WILD_BREAKPOINTS 200

static void leave_out(const struct stp_point *const *points, unsigned long *entries,
		      const unsigned long *ips, u32 n)
{
	u32 i, count = 0;

	for (i = 0; i < n; i++)
		count += points[i]->is_wild && entries[i] && !ips[i];
	if (count <= MOST_WILD_BREAKPOINTS)
		return;
	for (i = 0; i < n; i++)
		if (points[i]->is_wild && !ips[i])
			entries[i] = 0;
	stp_points_left_out(count);
}

void stp_sites_of(const struct stp_point *const *points, unsigned long *entries, unsigned long *ips,
		  u32 n)
{
	stp_resolve_all(points, entries, n);
	find_sites(entries, ips, n);
	leave_out(points, entries, ips, n);
}

/* --------------------------------------------------------------- the table */

/* False: the site is there already. */
static bool insert(struct stp_sites *sites, struct stp_site site)
{
	u32 mask = (1u << sites->bits) - 1, at = hash_32(site.ip, sites->bits);

	for (; sites->table[at].ip; at = (at + 1) & mask)
		if (sites->table[at].ip == site.ip)
			return false;
	sites->table[at] = site;
	return true;
}

static struct stp_site site_at(const struct stp_point *point, unsigned long entry, unsigned long ip)
{
	return (struct stp_site){ .ip = ip, .is_behind = ip != entry, .point = point };
}

int stp_sites_create(struct stp_sites *sites, const struct stp_point *const *points,
		     const unsigned long *entries, const unsigned long *ips, u32 n)
{
	u32 i, count = 0, further = 0;

	for (i = 0; i < n; i++)
		count += !!ips[i];
	*sites = (struct stp_sites){ .bits = ilog2(roundup_pow_of_two(count + count / 3 + 2)) };
	sites->table = kvcalloc(1u << sites->bits, sizeof(*sites->table), GFP_KERNEL);
	if (!sites->table)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		further += ips[i] && !insert(sites, site_at(points[i], entries[i], ips[i]));
	if (!further)
		return 0;
	sites->more = kvcalloc(further, sizeof(*sites->more), GFP_KERNEL);
	if (!sites->more)
		return -ENOMEM;
	for (i = 0, further = 0; i < n; i++) {
		struct stp_site *first = ips[i] ? (struct stp_site *)stp_sites_at(sites, ips[i]) : NULL;
		struct stp_site *more = &sites->more[further];

		if (!first || first->point == points[i])
			continue;
		*more = site_at(points[i], entries[i], ips[i]);
		more->next = first->next;
		first->next = ++further;
	}
	return 0;
}

void stp_sites_destroy(struct stp_sites *sites)
{
	kvfree(sites->table);
	kvfree(sites->more);
	*sites = (struct stp_sites){};
}
