/* SPDX-License-Identifier: GPL-2.0 */
/* Where ftrace can attach; and which points are attached there. */
#ifndef STP_SITES_H
#define STP_SITES_H

#include <linux/hash.h>

#include "runtime.h"

/* Of each point: where its function begins, and where the call to ftrace is there; 0 for those that have none.
 * Points without an entry are reported. Entries that only a wildcard meant and that have no site are 0 when
 * they are many. Process context. */
void stp_sites_of(const struct stp_point *const *points, unsigned long *entries, unsigned long *ips,
		  u32 n);

/* A point at a site. Kernel and modules lie in the last 4 GB: half of an address tells which site. */
struct stp_site {
	u32 ip;	       /* 0: free */
	u32 next : 31; /* 1 + index into `more`: another point of the same site; 0: none */
	u32 is_behind : 1; /* the function begins 4 bytes before, with ENDBR */
	const struct stp_point *point;
};

/* Found by address; does not change while it is in use. */
struct stp_sites {
	struct stp_site *table; /* 1 << bits, at most three quarters full */
	struct stp_site *more;
	u32 bits;
};

/* Of the points whose `ips` are not 0. */
int stp_sites_create(struct stp_sites *sites, const struct stp_point *const *points,
		     const unsigned long *entries, const unsigned long *ips, u32 n);
void stp_sites_destroy(struct stp_sites *sites);

/* Any context; NULL when there is none. */
static __always_inline const struct stp_site *stp_sites_at(const struct stp_sites *sites,
							   unsigned long ip)
{
	u32 mask = (1u << sites->bits) - 1, at = hash_32(ip, sites->bits);

	while (sites->table[at].ip) {
		if (sites->table[at].ip == (u32)ip)
			return &sites->table[at];
		at = (at + 1) & mask;
	}
	return NULL;
}

static __always_inline const struct stp_site *stp_site_next(const struct stp_sites *sites,
							    const struct stp_site *site)
{
	return unlikely(site->next) ? &sites->more[site->next - 1] : NULL;
}

/* Where the function of a site begins that is at `ip`. */
static __always_inline unsigned long stp_site_entry(const struct stp_site *site, unsigned long ip)
{
	return ip - 4 * site->is_behind;
}

#endif
