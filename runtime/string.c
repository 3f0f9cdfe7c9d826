// SPDX-License-Identifier: GPL-2.0
/*
 * Strings of the script: borrowed ranges of bytes, and owned ones of a bounded size.
 *
 * Any context. Nothing here allocates, and no text is cut silently: what does not fit is a script
 * error, and the string keeps what it had.
 */
#include <linux/string.h>

#include "runtime.h"
#include "stp/format.h"
#include "words.h"

/* The most that an owned string holds. */
static u32 string_room(void)
{
	return stp_script.limits.string_size - 1;
}

static void too_long(struct stp_context *c, u64 length, const struct stp_place *place)
{
	stp_fail(c, place, "string of %llu bytes does not fit MAXSTRINGLEN (%u)", length,
		 stp_script.limits.string_size);
}

int stp_compare(struct stp_str a, struct stp_str b)
{
	int order = memcmp(a.p, b.p, min(a.len, b.len));

	return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

bool stp_equal(struct stp_str a, struct stp_str b)
{
	return stp_words_equal(a, b);
}

u64 stp_hash(struct stp_str s, u64 seed)
{
	return stp_words_hash(s, seed);
}

bool stp_copy(struct stp_context *c, struct stp_text *to, struct stp_str from,
	      const struct stp_place *place)
{
	if (unlikely(from.len > string_room())) {
		too_long(c, from.len, place);
		return false;
	}
	stp_words_move(to->text, from.p, from.len);
	to->len = from.len;
	return true;
}

struct stp_str stp_concat(struct stp_context *c, struct stp_text *to, struct stp_str a,
			  struct stp_str b, const struct stp_place *place)
{
	u64 length = (u64)a.len + b.len;

	if (unlikely(length > string_room())) {
		too_long(c, length, place);
		return (struct stp_str){ "", 0 };
	}
	/* `b` may lie in `to` as well: it goes to its place before `a` can overwrite it. */
	stp_words_move(to->text + a.len, b.p, b.len);
	if (a.p != to->text)
		stp_words_move(to->text, a.p, a.len);
	to->len = length;
	return STP_BORROW(to);
}

void stp_value_set(struct stp_context *c, struct stp_str from, const struct stp_place *place)
{
	stp_value(c)->len = 0;
	stp_value_add(c, from, place);
}

void stp_value_add(struct stp_context *c, struct stp_str from, const struct stp_place *place)
{
	struct stp_value *to = stp_value(c);

	if (unlikely(from.len > to->size - to->len)) {
		stp_fail(c, place, "$value of %llu bytes does not fit the %u that a reader gets; see .maxsize",
			 (u64)to->len + from.len, to->size);
		return;
	}
	memcpy(to->text + to->len, from.p, from.len);
	to->len += from.len;
}

#define MOST_ARGS 32 /* of one format; the translator refuses more (MAX_FORMAT_ARGS) */

struct stp_str stp_sprint(struct stp_context *c, struct stp_text *to, const char *format,
			  const char *letters, const union stp_arg *args,
			  const struct stp_place *place)
{
	struct stp_format_arg values[MOST_ARGS] STP_NOT_ZEROED;
	size_t length, n = 0;

	for (; letters[n] && n < MOST_ARGS; n++) {
		values[n] = (struct stp_format_arg){ .number = args[n].number };
		if (letters[n] == 's') {
			values[n].text = args[n].string.p;
			values[n].len = args[n].string.len;
		}
	}
	length = stp_format(to->text, string_room(), format, letters, values, n);
	if (unlikely(length > string_room())) {
		too_long(c, length, place);
		return (struct stp_str){ "", 0 };
	}
	to->len = length;
	return STP_BORROW(to);
}
