/* SPDX-License-Identifier: GPL-2.0 */
/* Names of addresses of code: see symbols.c. */
#ifndef STP_SYMBOLS_H
#define STP_SYMBOLS_H

#include <linux/kallsyms.h>

/*
 * What the kernel calls an address, as a text with NUL: "name+0x6/0x80", " [module]" behind it when it is a module's; an
 * address that has no name as a number, "0xffff...". `returns`: a call returns there, so that the name is that of
 * the byte before, and the offset its own. `to` has KSYM_SYMBOL_LEN bytes. Returns the text's length. Any context.
 */
u32 stp_symbol(char *to, unsigned long address, bool returns);

#endif
