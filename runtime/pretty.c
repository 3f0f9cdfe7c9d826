// SPDX-License-Identifier: GPL-2.0
/*
 * Structures as text: $x$, $x$$, $$vars$$ and their kin.
 *
 * A structure may have hundreds of members. Were each a value of the script, printing one would be
 * hundreds of calls in the module and an error at the first pointer that leads nowhere. So the
 * translator describes the whole in one string (script.h, stp_pretty()), and this writes it. Any
 * context. Nothing fails: what cannot be read is `?`, what does not fit is cut.
 */
#include <linux/ctype.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "runtime.h"

/* Text being put together; `full` when some of it did not fit. */
struct out {
	struct stp_text *to;
	u32 room;
	bool full;
};

static void put_piece(struct out *out, const char *text, u32 length)
{
	u32 fits = min(length, out->room - out->to->len);

	memcpy(out->to->text + out->to->len, text, fits);
	out->to->len += fits;
	out->full |= fits < length;
}

/* A byte of text as C writes it between these quotes. */
static void put_escaped(struct out *out, u8 byte, char quote)
{
	char escape[5];

	if (byte == quote || byte == '\\')
		put_piece(out, escape, scnprintf(escape, sizeof(escape), "\\%c", byte));
	else if (byte == '\n')
		put_piece(out, "\\n", 2);
	else if (byte == '\t')
		put_piece(out, "\\t", 2);
	else if (isascii(byte) && isprint(byte))
		put_piece(out, (const char *)&byte, 1);
	else
		put_piece(out, escape, scnprintf(escape, sizeof(escape), "\\%03o", byte));
}

/* The address tells whether it is the kernel's memory or the current process'. */
static bool read_memory(void *to, u64 from, u32 bytes)
{
	if (from < TASK_SIZE_MAX)
		return !copy_from_user_nofault(to, (const void __user *)from, bytes);
	return !copy_from_kernel_nofault(to, (const void *)from, bytes);
}

/* Up to `bytes` characters or the first NUL, in steps that do not cross a page: what lies behind the
 * text's end need not be mapped. */
static void put_quoted(struct out *out, u64 address, u32 bytes)
{
	char step[64] STP_NOT_ZEROED;
	u32 done = 0, i, n;

	while (done < bytes && !out->full) {
		n = min3(bytes - done, (u32)sizeof(step),
			 (u32)(PAGE_SIZE - ((address + done) & ~PAGE_MASK)));
		if (!read_memory(step, address + done, n)) {
			put_piece(out, done ? "\"?" : "?", done ? 2 : 1);
			return;
		}
		if (!done)
			put_piece(out, "\"", 1);
		for (i = 0; i < n && step[i]; i++)
			put_escaped(out, step[i], '"');
		done += n;
		if (i < n)
			break;
	}
	put_piece(out, "\"", 1);
}

static void put_characters(struct out *out, const char *text, u32 bytes)
{
	u32 i;

	put_piece(out, "\"", 1);
	for (i = 0; i < bytes && text[i]; i++)
		put_escaped(out, text[i], '"');
	put_piece(out, "\"", 1);
}

/* One value of the description. */
struct value {
	char kind;  /* i u p c s S */
	u32 bytes;  /* of the number, or of the array of characters */
	u32 offset; /* behind the argument, when it is in memory */
	bool in_memory;
	u32 bit, bits; /* a bit-field, when `bits` is not 0 */
};

static u32 parse_number(const char **at)
{
	u32 number = 0;

	while (isdigit(**at))
		number = number * 10 + *(*at)++ - '0';
	return number;
}

static struct value parse_value(const char **at)
{
	struct value v = { .kind = *(*at)++ };

	v.bytes = parse_number(at);
	if (**at == '@') {
		++*at;
		v.in_memory = true;
		v.offset = parse_number(at);
	}
	if (**at == ':') {
		++*at;
		v.bit = parse_number(at);
		++*at; /* another ':' */
		v.bits = parse_number(at);
	}
	return v;
}

static void put_number(struct out *out, const struct value *v, u64 number)
{
	u32 bits = v->bits ? v->bits : v->bytes * 8;
	char text[24] STP_NOT_ZEROED;

	number <<= 64 - v->bit - bits;
	number = v->kind == 'i' ? (u64)((s64)number >> (64 - bits)) : number >> (64 - bits);
	if (v->kind == 'c') {
		put_piece(out, "'", 1);
		put_escaped(out, number, '\'');
		put_piece(out, "'", 1);
		return;
	}
	put_piece(out, text, scnprintf(text, sizeof(text), v->kind == 'i' ? "%lld" : v->kind == 'u' ? "%llu" : "0x%llx",
				 number));
}

static void put_value(struct out *out, const struct value *v, const s64 *args)
{
	u64 argument = *args, number = argument;

	if (v->kind == 's' && !v->in_memory) {
		put_characters(out, (const char *)args, v->bytes);
		return;
	}
	if (v->kind == 's') {
		put_quoted(out, argument + v->offset, v->bytes);
		return;
	}
	if (v->in_memory) {
		number = 0;
		if (!read_memory(&number, argument + v->offset, v->kind == 'S' ? 8 : v->bytes)) {
			put_piece(out, "?", 1);
			return;
		}
	}
	if (v->kind == 'S')
		put_quoted(out, number, out->room);
	else
		put_number(out, v, number);
}

struct stp_str stp_pretty(struct stp_context *c, struct stp_text *to, const char *description,
			  const s64 *args)
{
	struct out out = { to, stp_script.limits.string_size - 1 };

	to->len = 0;
	while (*description && !out.full) {
		const char *at = strchrnul(description, '%');

		put_piece(&out, description, at - description);
		description = at;
		if (*description && *++description == '>') {
			description++;
			args++;
		} else if (*description) {
			struct value v = parse_value(&description);

			put_value(&out, &v, args);
		}
	}
	if (out.full && out.room >= 3)
		memcpy(to->text + out.room - 3, "...", 3);
	return STP_BORROW(to);
}
