// SPDX-License-Identifier: GPL-2.0
/*
 * printf and print: the format's number and the arguments, as include/stp/abi.h lays them out.
 * The reader does the formatting.
 */
#include <linux/string.h>

#include "runtime.h"

void *stp_record_begin(struct stp_context *c, u32 format, u32 payload)
{
	return stp_ring_reserve(c, STP_RECORD_FORMAT, format, payload);
}

void *stp_put_string(void *at, struct stp_str s)
{
	u32 size = STP_PUT_SIZE(s);

	/* The last word first: its end stays zero. */
	*(u64 *)(at + size - 8) = 0;
	*(u32 *)at = s.len;
	memcpy(at + 4, s.p, s.len);
	return at + size;
}
