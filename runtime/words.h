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

static __always_inline void stp_put_word(char *to, u64 word, u32 n)
{
	u32 half = word;

	if (n == 8)
		memcpy(to, &word, 8);
	else
		memcpy(to, &half, 4);
}

static __always_inline bool stp_words_equal(struct stp_str a, struct stp_str b)
{
	u32 at = 0, n = a.len;
	u64 other;

	if (n != b.len)
		return false;
	if (n < 4)
		return !n || (a.p[0] == b.p[0] && a.p[n / 2] == b.p[n / 2] && a.p[n - 1] == b.p[n - 1]);
	if (n < 8)
		return stp_word(a.p, 4) == stp_word(b.p, 4) &&
		       stp_word(a.p + n - 4, 4) == stp_word(b.p + n - 4, 4);
	if (n > 16) {
		for (; at + 16 < n; at += 16) {
			other = stp_word(a.p + at, 8) ^ stp_word(b.p + at, 8);
			if (other | (stp_word(a.p + at + 8, 8) ^ stp_word(b.p + at + 8, 8)))
				return false;
		}
		at = min(at, n - 8);
	}
	return stp_word(a.p + at, 8) == stp_word(b.p + at, 8) && stp_word(a.p + n - 8, 8) == stp_word(b.p + n - 8, 8);
}

/* Two words at a time: the halves of their product, which has to do with every bit of both. */
static __always_inline u64 stp_mix(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

static __always_inline u64 stp_words_hash(struct stp_str s, u64 seed)
{
	const u64 odd = 0x9e3779b97f4a7c15ull, other = 0xd6e8feb86659fd93ull;
	u64 hash = seed + s.len;
	u32 at = 0, n = s.len;

	if (n < 4)
		return n ? (hash ^ (u8)s.p[0] ^ (u8)s.p[n / 2] << 8 ^ (u64)(u8)s.p[n - 1] << 16) * odd : hash;
	if (n < 8)
		return (hash ^ stp_word(s.p, 4) ^ stp_word(s.p + n - 4, 4) << 32) * odd;
	if (n > 16) {
		for (; at + 16 < n; at += 16)
			hash = stp_mix(hash ^ odd ^ stp_word(s.p + at, 8), other ^ stp_word(s.p + at + 8, 8));
		at = min(at, n - 8);
	}
	hash = (hash ^ stp_word(s.p + at, 8)) * odd;
	hash ^= hash >> 32;
	return (hash ^ stp_word(s.p + n - 8, 8)) * odd;
}

/* As memmove(). Of what is short all is read before anything is written. */
static __always_inline void stp_words_move(char *to, const char *from, u32 n)
{
	u64 first, second, third, last;

	if (n > 32) {
		memmove(to, from, n);
	} else if (n > 16) {
		first = stp_word(from, 8);
		second = stp_word(from + 8, 8);
		third = stp_word(from + n - 16, 8);
		last = stp_word(from + n - 8, 8);
		stp_put_word(to, first, 8);
		stp_put_word(to + 8, second, 8);
		stp_put_word(to + n - 16, third, 8);
		stp_put_word(to + n - 8, last, 8);
	} else if (n >= 8) {
		first = stp_word(from, 8);
		last = stp_word(from + n - 8, 8);
		stp_put_word(to, first, 8);
		stp_put_word(to + n - 8, last, 8);
	} else if (n >= 4) {
		first = stp_word(from, 4);
		last = stp_word(from + n - 4, 4);
		stp_put_word(to, first, 4);
		stp_put_word(to + n - 4, last, 4);
	} else if (n) {
		char begin = from[0], middle = from[n / 2], end = from[n - 1];

		to[0] = begin;
		to[n / 2] = middle;
		to[n - 1] = end;
	}
}

/* The two do not overlap. */
static __always_inline void stp_words_copy(char *to, const char *from, u32 n)
{
	u32 at;

	if (unlikely(n > 64)) {
		memcpy(to, from, n);
	} else if (n >= 8) {
		for (at = 0; at + 8 < n; at += 8)
			stp_put_word(to + at, stp_word(from + at, 8), 8);
		stp_put_word(to + n - 8, stp_word(from + n - 8, 8), 8);
	} else if (n >= 4) {
		stp_put_word(to, stp_word(from, 4), 4);
		stp_put_word(to + n - 4, stp_word(from + n - 4, 4), 4);
	} else if (n) {
		to[0] = from[0];
		to[n / 2] = from[n / 2];
		to[n - 1] = from[n - 1];
	}
}

#endif
