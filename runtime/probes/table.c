// SPDX-License-Identifier: GPL-2.0
/*
 * Where a point is in the running kernel.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/uaccess.h>

#include "probes/endbr.h"
#include "runtime.h"

static int never(struct kprobe *probe, struct pt_regs *regs)
{
	return 0;
}

/* The kernel does not export its symbol table; a kprobe that is not armed looks a name up, also one that
 * is then refused. */
unsigned long stp_symbol_address(const char *symbol)
{
	struct kprobe probe = {
		.symbol_name = symbol,
		.pre_handler = never,
		.flags = KPROBE_FLAG_DISABLED,
	};
	struct kprobe *found = &probe;
	unsigned long address;
	u8 code[STP_ENDBR_SIZE];
	int error = register_kprobe(&probe);

	address = (unsigned long)probe.addr;
	if (!error)
		unregister_kprobes(&found, 1);
	if (!address)
		return 0;
	/* On kernels built for indirect branch tracking the kernel moves the probe behind ENDBR64. */
	if (!copy_from_kernel_nofault(code, (void *)(address - STP_ENDBR_SIZE), sizeof(code)) &&
	    stp_is_endbr(code))
		address -= STP_ENDBR_SIZE;
	return address;
}

static bool is_readable(unsigned long address)
{
	u8 code;

	return !copy_from_kernel_nofault(&code, (void *)address, sizeof(code));
}

/*
 * An address that the script made up. To register a kprobe the kernel reads code at the address, and
 * where the symbol before it begins, as if both were there: of init text they are not.
 */
STP_IF_NEEDED unsigned long stp_verified_address(unsigned long address)
{
	char symbol[KSYM_SYMBOL_LEN];
	unsigned long offset;
	const char *plus;

	sprint_symbol(symbol, address);
	plus = strrchr(symbol, '+');
	if (!plus || sscanf(plus, "+0x%lx/", &offset) != 1 || offset > address)
		return 0;
	return is_readable(address) && is_readable(address - offset) ? address : 0;
}

unsigned long stp_resolve(const struct stp_point *point)
{
	unsigned long base;

	if (point->section == STP_ABSOLUTE)
		return stp_verified_address(point->address);
	if (point->section)
		return stp_section_address(point->section - 1, point->address);
	if (point->address)
		return stp_address(point->address);
	base = point->symbol ? stp_symbol_address(point->symbol) : 0;
	return base ? base + point->offset : 0;
}

void stp_resolve_all(const struct stp_point *const *points, unsigned long *addresses, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		addresses[i] = stp_resolve(points[i]);
		if (!addresses[i])
			stp_point_failed(points[i], -ENOENT);
	}
}
