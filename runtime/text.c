// SPDX-License-Identifier: GPL-2.0
/*
 * The string functions of scripts. Any context; a result that does not fit a string is a script
 * error.
 */
#include <linux/ctype.h>
#include <linux/string.h>

#include "builtins.h"
#include "slot.h"

static const struct stp_str nothing = { "", 0 };

/* Text being put together in an owned string. */
struct builder {
	struct stp_text *to;
	u64 length; /* also what does not fit */
};

static void append(struct builder *b, const char *p, u32 len)
{
	if (b->length + len < stp_script.limits.string_size)
		memcpy(b->to->text + b->length, p, len);
	b->length += len;
}

static struct stp_str built(struct stp_context *c, struct builder *b, const struct stp_place *place)
{
	if (b->length >= stp_script.limits.string_size) {
		stp_fail(c, place, "string of %llu bytes does not fit MAXSTRINGLEN (%u)", b->length,
			 stp_script.limits.string_size);
		return nothing;
	}
	b->to->len = b->length;
	return STP_BORROW(b->to);
}

/* Where `part`, which is not empty, is first found in `s` from `at` on; s.len when it is not. A call for each byte
 * would cost the most by far. */
static u32 find_from(struct stp_str s, u32 at, struct stp_str part)
{
	for (; at + (u64)part.len <= s.len; at++)
		if (s.p[at] == part.p[0] && !memcmp(s.p + at, part.p, part.len))
			return at;
	return s.len;
}

static bool has_byte(struct stp_str s, char wanted)
{
	u32 i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] == wanted)
			return true;
	return false;
}

s64 stp_fn_strlen(struct stp_context *c, struct stp_str s)
{
	return s.len;
}

struct stp_str stp_fn_substr(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
			     s64 start, s64 length, const struct stp_place *place)
{
	if (start < 0 || start >= s.len || length <= 0)
		return nothing;
	return (struct stp_str){ s.p + start, min_t(s64, length, s.len - start) };
}

s64 stp_fn_stringat(struct stp_context *c, struct stp_str s, s64 at, const struct stp_place *place)
{
	if (at < 0 || at >= s.len) {
		stp_fail(c, place, "stringat: there is no position %lld in a string of %u bytes", at,
			 s.len);
		return 0;
	}
	return (u8)s.p[at];
}

s64 stp_fn_isinstr(struct stp_context *c, struct stp_str s, struct stp_str part)
{
	return !part.len || find_from(s, 0, part) < s.len;
}

s64 stp_fn_isdigit(struct stp_context *c, struct stp_str s)
{
	return s.len && isdigit(s.p[0]);
}

static int digit_of(char c)
{
	return isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : 36;
}

/* As strtol(3): base 0 looks at the prefix; what is no digit ends the number. */
s64 stp_fn_strtol(struct stp_context *c, struct stp_str s, s64 base)
{
	const char *p = s.p, *end = s.p + s.len;
	bool negative = false;
	u64 value = 0;

	while (p < end && isspace(*p))
		p++;
	if (p < end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	if ((base == 0 || base == 16) && end - p > 2 && p[0] == '0' && tolower(p[1]) == 'x' &&
	    digit_of(p[2]) < 16) {
		p += 2;
		base = 16;
	} else if (base == 0) {
		base = p < end && *p == '0' ? 8 : 10;
	}
	for (; p < end && digit_of(*p) < base; p++)
		value = value * base + digit_of(*p);
	return negative ? 0 - value : value;
}

/*
 * The next part of the text between delimiters. Given text starts anew; "" goes on with what was
 * given last. The text is kept by the context, so it lasts for one handler.
 */
struct stp_str stp_fn_tokenize(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
			       struct stp_str delimiters, const struct stp_place *place)
{
	struct stp_slot *slot = stp_slot(c);
	struct stp_str text;
	u32 start, end;

	if (s.len) {
		if (!stp_copy(c, slot->tokens, s, place))
			return nothing;
		slot->token = 0;
	}
	text = STP_BORROW(slot->tokens);
	start = slot->token;
	while (start < text.len && has_byte(delimiters, text.p[start]))
		start++;
	for (end = start; end < text.len; end++)
		if (has_byte(delimiters, text.p[end]))
			break;
	slot->token = end;
	stp_copy(c, scratch, (struct stp_str){ text.p + start, end - start }, place);
	return STP_BORROW(scratch);
}

struct stp_str stp_fn_str_replace(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
				  struct stp_str from, struct stp_str to,
				  const struct stp_place *place)
{
	struct builder b = { scratch, 0 };
	u32 at = 0, found;

	if (!from.len)
		return s;
	while ((found = find_from(s, at, from)) < s.len) {
		append(&b, s.p + at, found - at);
		append(&b, to.p, to.len);
		at = found + from.len;
	}
	append(&b, s.p + at, s.len - at);
	return built(c, &b, place);
}

/* Bytes that do not print become escapes, as C writes them. */
struct stp_str stp_fn_text_str(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
			       const struct stp_place *place)
{
	static const char named[] = "\aa\bb\ff\nn\rr\tt\vv\"\"\\\\";
	struct builder b = { scratch, 0 };
	char escape[5];
	u32 i, n;

	for (i = 0; i < s.len; i++) {
		for (n = 0; named[n] && named[n] != s.p[i]; n += 2)
			;
		if (named[n])
			append(&b, escape, scnprintf(escape, sizeof(escape), "\\%c", named[n + 1]));
		else if (isascii(s.p[i]) && isprint(s.p[i]))
			append(&b, s.p + i, 1);
		else
			append(&b, escape, scnprintf(escape, sizeof(escape), "\\%03o", (u8)s.p[i]));
	}
	return built(c, &b, place);
}
