/* SPDX-License-Identifier: GPL-2.0 */
/* What stands before ftrace's site on kernels built for indirect branch tracking. */
#ifndef STP_ENDBR_H
#define STP_ENDBR_H

#include <linux/string.h>

#define STP_ENDBR_SIZE 4

/* ENDBR64, or what the kernel puts there at boot when nobody calls the function by address (ed53a0d97192,
 * "x86/alternative: Use .ibt_endbr_seal to seal indirect calls", v5.18): of 47 000 functions of 6.12 10 000.
 * See gen_endbr_poison() in asm/ibt.h; newer kernels have the last form. `code`: STP_ENDBR_SIZE bytes. */
static inline bool stp_is_endbr(const u8 *code)
{
	static const u8 forms[][STP_ENDBR_SIZE] = {
		{ 0xf3, 0x0f, 0x1e, 0xfa },
		{ 0x66, 0x0f, 0x1f, 0x00 },
		{ 0x0f, 0x1f, 0x40, 0xd6 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		if (!memcmp(code, forms[i], STP_ENDBR_SIZE))
			return true;
	return false;
}

#endif
