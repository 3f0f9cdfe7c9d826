/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes of strings, a word at a time. Names and the like are short: the kernel's memcpy() and
 * memcmp() start slowly. The last word overlaps what was looked at before.
 */
#ifndef STP_WORDS_H
#define STP_WORDS_H

#include <linux/string.h>

#include "runtime.h"

/* `n` bytes as a number: 4 or 8, and both are read as fast wherever they lie. */
static __always_inline u64 stp_word(const char *p, u32 n)
{
	u64 whole;
	u32 half;

	if (n == 8)
		return memcpy(&whole, p, 8), whole;
	return memcpy(&half, p, 4), half;
}

static __always_inline void stp_put_word(char *to, const char *from, u32 n)
{
	u64 whole = stp_word(from, n);
	u32 half = whole;

	if (n == 8)
		memcpy(to, &whole, 8);
	else
		memcpy(to, &half, 4);
}

static __always_inline bool stp_words_equal(struct stp_str a, struct stp_str b)
{
	u32 at, n = a.len;

	if (n != b.len)
		return false;
	if (n < 4)
		return !n || (a.p[0] == b.p[0] && a.p[n / 2] == b.p[n / 2] && a.p[n - 1] == b.p[n - 1]);
	if (n < 8)
		return stp_word(a.p, 4) == stp_word(b.p, 4) &&
		       stp_word(a.p + n - 4, 4) == stp_word(b.p + n - 4, 4);
	for (at = 0; at + 8 < n; at += 8)
		if (stp_word(a.p + at, 8) != stp_word(b.p + at, 8))
			return false;
	return stp_word(a.p + n - 8, 8) == stp_word(b.p + n - 8, 8);
}

static __always_inline u64 stp_words_hash(struct stp_str s, u64 seed)
{
	const u64 odd = 0x9e3779b97f4a7c15ull;
	u64 hash = seed + s.len;
	u32 at, n = s.len;

	if (n < 4)
		return n ? (hash ^ (u8)s.p[0] ^ (u8)s.p[n / 2] << 8 ^ (u64)(u8)s.p[n - 1] << 16) * odd : hash;
	if (n < 8)
		return (hash ^ stp_word(s.p, 4) ^ stp_word(s.p + n - 4, 4) << 32) * odd;
	for (at = 0; at + 8 < n; at += 8) {
		hash = (hash ^ stp_word(s.p + at, 8)) * odd;
		hash ^= hash >> 32;
	}
	return (hash ^ stp_word(s.p + n - 8, 8)) * odd;
}

/* The two do not overlap. */
static __always_inline void stp_words_copy(char *to, const char *from, u32 n)
{
	u32 at;

	if (unlikely(n > 64)) {
		memcpy(to, from, n);
	} else if (n >= 8) {
		for (at = 0; at + 8 < n; at += 8)
			stp_put_word(to + at, from + at, 8);
		stp_put_word(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		stp_put_word(to, from, 4);
		stp_put_word(to + n - 4, from + n - 4, 4);
	} else if (n) {
		to[0] = from[0];
		to[n / 2] = from[n / 2];
		to[n - 1] = from[n - 1];
	}
}

#endif
