/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values to text: the printf of the script language, and histograms.
 *
 * The loader formats what printf recorded, the module what sprintf returns; both include this, so
 * that the two cannot differ. It uses no library and no memory but the caller's. Conversions, flags,
 * width and precision are those of stap(1), PRINTF.
 */
#ifndef STP_FORMAT_H
#define STP_FORMAT_H

#include "stp/abi.h"

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <stddef.h>
#include <string.h>
#endif

/* One argument, by its letter: 'l' number, 's' text and len, 'h' histogram. */
struct stp_format_arg {
	stp_s64 number;
	const char *text;
	stp_u32 len;
	const struct stp_histogram_head *histogram; /* the buckets follow it */
};

/* Where text goes: what does not fit is counted and dropped. */
struct stp_text_out {
	char *at;
	size_t size, length;
};

static inline void stp_out_char(struct stp_text_out *out, char c)
{
	if (out->length < out->size)
		out->at[out->length] = c;
	out->length++;
}

static inline void stp_out_fill(struct stp_text_out *out, char c, stp_s64 count)
{
	/* A width is a script's number: past the room there is only the counting. */
	while (count > 0 && out->length < out->size) {
		stp_out_char(out, c);
		count--;
	}
	if (count > 0)
		out->length += (size_t)count;
}

/* The kernel's memcpy() starts slowly: of 4 to 16 bytes the first and the last word, which may overlap. */
static inline void stp_out_copy(char *to, const char *from, size_t n)
{
	if (n > 16) {
		__builtin_memcpy(to, from, n);
	} else if (n >= 8) {
		__builtin_memcpy(to, from, 8);
		__builtin_memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		__builtin_memcpy(to, from, 4);
		__builtin_memcpy(to + n - 4, from + n - 4, 4);
	} else {
		for (size_t i = 0; i < n; i++)
			to[i] = from[i];
	}
}

static inline void stp_out_bytes(struct stp_text_out *out, const char *text, size_t len)
{
	size_t room = out->length < out->size ? out->size - out->length : 0;
	size_t fits = len < room ? len : room;

	stp_out_copy(out->at + out->length, text, fits);
	out->length += len;
}

/* ------------------------------------------------------------- conversions */

struct stp_conversion {
	int left, plus, space, alternate, zero; /* flags */
	stp_s64 width;				/* 0: none */
	stp_s64 precision;			/* -1: none */
	char letter;				/* of the conversion */
};

/* Decimal digits at `format`, moved behind them. Larger than any buffer means as large. */
static inline stp_s64 stp_format_digits(const char **format)
{
	stp_s64 value = 0;

	while (**format >= '0' && **format <= '9') {
		if (value < 1 << 24)
			value = value * 10 + (**format - '0');
		(*format)++;
	}
	return value;
}

/* A width or precision that is an argument. */
static inline stp_s64 stp_format_star(const struct stp_format_arg **arg,
				      const struct stp_format_arg *end)
{
	stp_s64 value = *arg < end ? (*arg)->number : 0;

	if (*arg < end)
		(*arg)++;
	return value > 1 << 24 ? 1 << 24 : value < -(1 << 24) ? -(1 << 24) : value;
}

/* Reads what stands behind a '%', up to and with the letter. */
static inline const char *stp_format_conversion(const char *format, struct stp_conversion *c,
						const struct stp_format_arg **arg,
						const struct stp_format_arg *end)
{
	int more = 1;

	c->left = c->plus = c->space = c->alternate = c->zero = 0;
	c->width = 0;
	c->precision = -1;
	while (more) {
		switch (*format) {
		case '-': c->left = 1; break;
		case '+': c->plus = 1; break;
		case ' ': c->space = 1; break;
		case '#': c->alternate = 1; break;
		case '0': c->zero = 1; break;
		default: more = 0;
		}
		format += more;
	}
	if (*format == '*') {
		format++;
		c->width = stp_format_star(arg, end);
		if (c->width < 0) {
			c->left = 1;
			c->width = -c->width;
		}
	} else {
		c->width = stp_format_digits(&format);
	}
	if (*format == '.') {
		format++;
		if (*format == '*') {
			format++;
			c->precision = stp_format_star(arg, end);
		} else {
			c->precision = stp_format_digits(&format);
		}
	}
	/* Sizes of C's printf: every number has 64 bits here. */
	while (*format == 'l' || *format == 'h' || *format == 'L')
		format++;
	c->letter = *format;
	return *format ? format + 1 : format;
}

/* `body` between the padding that the width asks for; `prefix` (sign, 0x) before zeroes. */
static inline void stp_out_padded(struct stp_text_out *out, const struct stp_conversion *c,
				  const char *prefix, size_t prefix_len, stp_s64 zeroes,
				  const char *body, size_t len)
{
	stp_s64 pad = c->width - (stp_s64)(prefix_len + len) - zeroes;

	if (!c->left)
		stp_out_fill(out, ' ', pad);
	stp_out_bytes(out, prefix, prefix_len);
	stp_out_fill(out, '0', zeroes);
	stp_out_bytes(out, body, len);
	if (c->left)
		stp_out_fill(out, ' ', pad);
}

static inline size_t stp_digits(char *end, stp_u64 value, unsigned int base, int upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t n = 0;

	/* Constant divisors: a 64-bit division by a variable is slow. */
	if (base == 10) {
		do {
			end[-(stp_s64)++n] = (char)('0' + value % 10);
			value /= 10;
		} while (value);
		return n;
	}
	do {
		end[-(stp_s64)++n] = digits[value & (base - 1)];
		value >>= base == 16 ? 4 : 3;
	} while (value);
	return n;
}

static inline void stp_out_number(struct stp_text_out *out, const struct stp_conversion *c,
				  stp_s64 number)
{
	char digits[24], prefix[2];
	char letter = c->letter;
	int is_signed = letter == 'd' || letter == 'i';
	int is_hex = letter == 'x' || letter == 'X' || letter == 'p';
	unsigned int base = is_hex ? 16 : letter == 'o' ? 8 : 10;
	stp_u64 value = is_signed && number < 0 ? 0 - (stp_u64)number : (stp_u64)number;
	size_t prefix_len = 0, n;
	stp_s64 zeroes = 0;

	n = c->precision == 0 && value == 0 ? 0 :
		stp_digits(digits + sizeof(digits), value, base, letter == 'X');
	if (is_signed && number < 0)
		prefix[prefix_len++] = '-';
	else if (is_signed && c->plus)
		prefix[prefix_len++] = '+';
	else if (is_signed && c->space)
		prefix[prefix_len++] = ' ';
	if (letter == 'p' || (is_hex && c->alternate && value)) {
		prefix[prefix_len++] = '0';
		prefix[prefix_len++] = letter == 'X' ? 'X' : 'x';
	}
	if (c->precision > (stp_s64)n)
		zeroes = c->precision - (stp_s64)n;
	else if (c->zero && !c->left && c->precision < 0)
		zeroes = c->width - (stp_s64)(n + prefix_len);
	if (letter == 'o' && c->alternate && zeroes <= 0 && value)
		zeroes = 1;
	stp_out_padded(out, c, prefix, prefix_len, zeroes < 0 ? 0 : zeroes,
		       digits + sizeof(digits) - n, n);
}

/* Most conversions are "%s" and "%d" and no more; 0: this is another, which needs all of the above. */
static inline int stp_out_plain(struct stp_text_out *out, char conversion, char letter,
				const struct stp_format_arg *arg)
{
	char digits[24], *end = digits + sizeof(digits);
	stp_u64 value;
	size_t n;

	if (conversion == 's' && letter == 's') {
		stp_out_bytes(out, arg->text, arg->len);
		return 1;
	}
	if (conversion != 'd' || letter != 'l')
		return 0;
	value = (stp_u64)arg->number;
	n = stp_digits(end, arg->number < 0 ? 0 - value : value, 10, 0);
	if (arg->number < 0)
		end[-(stp_s64)++n] = '-';
	stp_out_bytes(out, end - n, n);
	return 1;
}

/* %b: the low bytes as they lie in memory; the width says how many: 1, 2, 4 or 8 (the default). */
static inline void stp_out_binary(struct stp_text_out *out, const struct stp_conversion *c,
				  stp_s64 number)
{
	stp_s64 bytes = c->width == 1 || c->width == 2 || c->width == 4 ? c->width : 8;

	for (stp_s64 i = 0; i < bytes; i++)
		stp_out_char(out, (char)((stp_u64)number >> (8 * i)));
}

/* One byte as C writes it in a literal: by its letter, or three octal digits. Returns the length. */
static inline size_t stp_escape(char body[4], unsigned char one)
{
	static const char letters[] = "abtnvfr"; /* 7 to 13 */

	body[0] = (char)one;
	if (one >= ' ' && one <= '~')
		return 1;
	body[0] = '\\';
	if (one >= 7 && one <= 13) {
		body[1] = letters[one - 7];
		return 2;
	}
	body[1] = (char)('0' + (one >> 6));
	body[2] = (char)('0' + (one >> 3 & 7));
	body[3] = (char)('0' + (one & 7));
	return 4;
}

/* %c; with # what does not print is escaped. */
static inline void stp_out_character(struct stp_text_out *out, const struct stp_conversion *c,
				     stp_s64 number)
{
	char body[4] = { (char)number };
	size_t len = c->alternate ? stp_escape(body, (unsigned char)number) : 1;

	stp_out_padded(out, c, NULL, 0, 0, body, len);
}

/* %#s: what a literal of the script would be, without its quotes. */
static inline void stp_out_literal(struct stp_text_out *out, const struct stp_conversion *c,
				   const char *text, size_t len)
{
	char body[4];
	stp_s64 pad = c->width;

	for (size_t i = 0; i < len; i++)
		pad -= stp_escape(body, (unsigned char)text[i]) + (text[i] == '"' || text[i] == '\\');
	if (!c->left)
		stp_out_fill(out, ' ', pad);
	for (size_t i = 0; i < len; i++) {
		size_t n = stp_escape(body, (unsigned char)text[i]);

		if (text[i] == '"' || text[i] == '\\')
			stp_out_char(out, '\\');
		stp_out_bytes(out, body, n);
	}
	if (c->left)
		stp_out_fill(out, ' ', pad);
}

static inline size_t stp_format_histogram(char *text, size_t size,
					  const struct stp_histogram_head *head,
					  const stp_s64 *buckets);

static inline void stp_out_arg(struct stp_text_out *out, const struct stp_conversion *c,
			       char letter, const struct stp_format_arg *arg)
{
	if (letter == 'h') {
		size_t room = out->length < out->size ? out->size - out->length : 0;

		out->length += stp_format_histogram(room ? out->at + out->length : NULL, room,
						    arg->histogram,
						    (const stp_s64 *)(arg->histogram + 1));
	} else if (letter == 's') {
		size_t len = arg->len;

		if (c->precision >= 0 && (size_t)c->precision < len)
			len = (size_t)c->precision;
		if (c->alternate)
			stp_out_literal(out, c, arg->text, len);
		else
			stp_out_padded(out, c, NULL, 0, 0, arg->text, len);
	} else if (c->letter == 'c') {
		stp_out_character(out, c, arg->number);
	} else if (c->letter == 'b') {
		stp_out_binary(out, c, arg->number);
	} else {
		stp_out_number(out, c, arg->number);
	}
}

/*
 * Formats into `text`, of which at most `size` bytes are written, without a terminator. Returns the
 * length that the whole text has. `letters` has one letter for each argument; a '*' has its own 'l'
 * before the value. An argument that is missing prints nothing.
 */
static inline size_t stp_format(char *text, size_t size, const char *format, const char *letters,
				const struct stp_format_arg *args, size_t n_args)
{
	struct stp_text_out out = { text, size, 0 };
	const struct stp_format_arg *arg = args, *end = args + n_args;
	struct stp_conversion c;

	while (*format) {
		const char *conversion = strchrnul(format, '%');

		stp_out_bytes(&out, format, (size_t)(conversion - format));
		format = conversion;
		if (!*format)
			break;
		if (*++format == '%') {
			stp_out_char(&out, *format++);
			continue;
		}
		if (arg < end && stp_out_plain(&out, *format, letters[arg - args], arg)) {
			format++;
			arg++;
			continue;
		}
		format = stp_format_conversion(format, &c, &arg, end);
		if (arg < end) {
			stp_out_arg(&out, &c, letters[arg - args], arg);
			arg++;
		}
	}
	return out.length;
}

/* -------------------------------------------------------------- histograms */

#define STP_HISTOGRAM_BAR 50 /* columns */
/* Empty rows that are shown next to one that is not; more are left out, "~" for a gap inside. */
#define STP_HISTOGRAM_MARGIN 2

/* The label of a row: the lower bound of its bucket, "<low" and ">high" at the ends. */
static inline size_t stp_histogram_label(char *label, const struct stp_histogram_head *head,
					 stp_u32 bucket)
{
	struct stp_text_out out = { label, 24, 0 };
	struct stp_conversion c = { 0, 0, 0, 0, 0, 0, -1, 'd' };
	stp_s64 value;

	if (!head->step) {
		stp_s64 n = (stp_s64)bucket - 64;

		value = n == 0 ? 0 : n > 0 ? (stp_s64)(1ULL << (n - 1)) :
			(stp_s64)(0 - (1ULL << (-n - 1)));
	} else if (bucket == 0) {
		stp_out_char(&out, '<');
		value = head->low;
	} else if (bucket == head->buckets - 1) {
		stp_out_char(&out, '>');
		value = head->high;
	} else {
		value = (stp_s64)((stp_u64)head->low + (stp_u64)head->step * (bucket - 1));
	}
	stp_out_number(&out, &c, value);
	return out.length;
}

/* Whether a row is shown: it, or one of its near neighbours, has something. */
static inline int stp_histogram_shows(const struct stp_histogram_head *head,
				      const stp_s64 *buckets, stp_u32 row)
{
	stp_u32 from = row > STP_HISTOGRAM_MARGIN ? row - STP_HISTOGRAM_MARGIN : 0;
	stp_u32 to = row + STP_HISTOGRAM_MARGIN;

	/* Outliers of a linear histogram have a row when there are any, no margin. */
	if (head->step && (row == 0 || row == head->buckets - 1))
		return buckets[row] != 0;
	for (stp_u32 i = from; i <= to && i < head->buckets; i++) {
		if (head->step && (i == 0 || i == head->buckets - 1))
			continue;
		/* Negative rows only for negative values. */
		if (!head->step && row < 64 && i >= 64)
			continue;
		if (buckets[i])
			return 1;
	}
	return 0;
}

/* Counts are right-aligned below each other, as in the language reference, 8.4. */
static inline void stp_histogram_row(struct stp_text_out *out, const char *label, size_t len,
				     size_t width, stp_s64 count, stp_s64 most)
{
	char digits[24];
	size_t widest = stp_digits(digits + sizeof(digits), (stp_u64)most, 10, 0);
	size_t n = stp_digits(digits + sizeof(digits), (stp_u64)count, 10, 0);
	stp_s64 bar = most <= STP_HISTOGRAM_BAR ? count : 0;

	if (most > STP_HISTOGRAM_BAR) /* in two steps: count * 50 may not fit 64 bits */
		bar = most > 1LL << 56 ? count / (most / STP_HISTOGRAM_BAR) :
			count * STP_HISTOGRAM_BAR / most;
	if (bar > STP_HISTOGRAM_BAR)
		bar = STP_HISTOGRAM_BAR;
	stp_out_fill(out, ' ', (stp_s64)(width - len));
	stp_out_bytes(out, label, len);
	stp_out_bytes(out, " |", 2);
	stp_out_fill(out, '@', bar);
	stp_out_fill(out, ' ', STP_HISTOGRAM_BAR - bar + 1 + (stp_s64)(widest - n));
	stp_out_bytes(out, digits + sizeof(digits) - n, n);
	stp_out_char(out, '\n');
}

/* The rows of a histogram as text, in the layout of stap(1): size and result as above. */
static inline size_t stp_format_histogram(char *text, size_t size,
					  const struct stp_histogram_head *head,
					  const stp_s64 *buckets)
{
	struct stp_text_out out = { text, size, 0 };
	size_t width = 5, len; /* of the word "value" */
	stp_s64 most = 0;
	int any = 0, gap = 0;
	char label[24];

	for (stp_u32 i = 0; i < head->buckets; i++) {
		if (!stp_histogram_shows(head, buckets, i))
			continue;
		len = stp_histogram_label(label, head, i);
		width = len > width ? len : width;
		most = buckets[i] > most ? buckets[i] : most;
	}
	stp_out_fill(&out, ' ', (stp_s64)width - 5);
	stp_out_bytes(&out, "value |", 7);
	stp_out_fill(&out, '-', STP_HISTOGRAM_BAR);
	stp_out_bytes(&out, " count\n", 7);
	for (stp_u32 i = 0; i < head->buckets; i++) {
		if (!stp_histogram_shows(head, buckets, i)) {
			gap = any;
			continue;
		}
		if (gap) {
			stp_out_fill(&out, ' ', (stp_s64)width + 1);
			stp_out_bytes(&out, "~\n", 2);
		}
		gap = 0;
		any = 1;
		len = stp_histogram_label(label, head, i);
		stp_histogram_row(&out, label, len, width, buckets[i], most);
	}
	return out.length;
}

#endif
