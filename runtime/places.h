/* SPDX-License-Identifier: GPL-2.0 */
/* What debug information tells of addresses of code: include/stp/places.h. */
#ifndef STP_RUNTIME_PLACES_H
#define STP_RUNTIME_PLACES_H

#include <linux/types.h>

/* The functions that were inlined around an address, innermost first. */
struct stp_inlined {
	const char *name; /* valid as long as the module is there */
	const void *table;
	u32 node; /* of the next */
};

void stp_inlined_first(struct stp_inlined *copy, unsigned long address);
/* False when there is no more; then the function itself is next. */
bool stp_inlined_next(struct stp_inlined *copy);

#define STP_LINE_ROOM 160
/* Puts `before`, and the file and line of an address, "fs/read_write.c:468", into STP_LINE_ROOM bytes.
 * False, with nothing put, when they are not known. */
bool stp_put_line(char *to, const char *before, unsigned long address);

#endif
