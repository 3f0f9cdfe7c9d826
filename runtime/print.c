// SPDX-License-Identifier: GPL-2.0
/*
 * printf and print: the format's number and the arguments, as include/stp/abi.h lays them out.
 * The reader does the formatting.
 */
#include <linux/string.h>

#include "runtime.h"
#include "words.h"

void *stp_record_begin(struct stp_context *c, u32 format, u32 payload)
{
	return stp_ring_reserve(c, STP_RECORD_OF_FORMAT(format), payload);
}

void *stp_put_string(void *at, struct stp_str s)
{
	u32 size = STP_PUT_SIZE(s);

	/* The last word first: its end stays zero. */
	*(u64 *)(at + size - 8) = 0;
	*(u32 *)at = s.len;
	stp_words_copy(at + 4, s.p, s.len);
	return at + size;
}

void stp_print_pieces(struct stp_context *c, const struct stp_str *pieces, u32 n)
{
	u32 length = 0, size, i;
	char *at;

	for (i = 0; i < n; i++)
		length += pieces[i].len;
	size = STP_PUT_SIZE((struct stp_str){ .len = length });
	at = stp_ring_reserve(c, STP_RECORD_TEXT, size);
	if (!at)
		return;
	*(u64 *)(at + size - 8) = 0; /* what is not text */
	*(u32 *)at = length;
	for (i = 0, at += 4; i < n; at += pieces[i++].len)
		stp_words_copy(at, pieces[i].p, pieces[i].len);
}

/* Measured first: a record's size is known before it is begun. */
void stp_print_text(struct stp_context *c, const char *format, ...)
{
	va_list args, again;
	u32 length, size;
	char *at;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	/* Room for the NUL that vsnprintf() writes. */
	size = STP_PUT_SIZE((struct stp_str){ .len = length + 1 });
	at = stp_ring_reserve(c, STP_RECORD_TEXT, size);
	if (at) {
		memset(at, 0, size);
		*(u32 *)at = length;
		vsnprintf(at + 4, length + 1, format, args);
	}
	va_end(args);
}
