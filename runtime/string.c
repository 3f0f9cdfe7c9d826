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

/* `n` bytes as a number: 4 or 8, and both are read as fast wherever they lie. */
static __always_inline u64 word(const char *p, u32 n)
{
	u64 whole;
	u32 half;

	if (n == 8)
		return memcpy(&whole, p, 8), whole;
	return memcpy(&half, p, 4), half;
}

/* Words at a time; the last one overlaps what was looked at before. */
bool stp_equal(struct stp_str a, struct stp_str b)
{
	u32 at, n = a.len;

	if (n != b.len)
		return false;
	if (n < 4)
		return !n || (a.p[0] == b.p[0] && a.p[n / 2] == b.p[n / 2] && a.p[n - 1] == b.p[n - 1]);
	if (n < 8)
		return word(a.p, 4) == word(b.p, 4) && word(a.p + n - 4, 4) == word(b.p + n - 4, 4);
	for (at = 0; at + 8 < n; at += 8)
		if (word(a.p + at, 8) != word(b.p + at, 8))
			return false;
	return word(a.p + n - 8, 8) == word(b.p + n - 8, 8);
}

u64 stp_hash(struct stp_str s, u64 seed)
{
	const u64 odd = 0x9e3779b97f4a7c15ull;
	u64 hash = seed + s.len;
	u32 at, n = s.len;

	if (n < 4)
		return n ? (hash ^ (u8)s.p[0] ^ (u8)s.p[n / 2] << 8 ^ (u64)(u8)s.p[n - 1] << 16) * odd : hash;
	if (n < 8)
		return (hash ^ word(s.p, 4) ^ word(s.p + n - 4, 4) << 32) * odd;
	for (at = 0; at + 8 < n; at += 8) {
		hash = (hash ^ word(s.p + at, 8)) * odd;
		hash ^= hash >> 32;
	}
	return (hash ^ word(s.p + n - 8, 8)) * odd;
}

bool stp_copy(struct stp_context *c, struct stp_text *to, struct stp_str from,
	      const struct stp_place *place)
{
	if (unlikely(from.len > string_room())) {
		too_long(c, from.len, place);
		return false;
	}
	memmove(to->text, from.p, from.len);
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
	memmove(to->text + a.len, b.p, b.len);
	if (a.p != to->text)
		memmove(to->text, a.p, a.len);
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
	struct stp_format_arg values[MOST_ARGS];
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
