// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes of memory that may not be there.
 *
 * The kernel's own fault-protected copies do the work: they run in any context, NMI included, never
 * sleep and never fault a page in. An address that cannot be read is a script error.
 */
#include <linux/uaccess.h>
#include <asm/processor.h>
#include <asm/vsyscall.h>
#include <asm/word-at-a-time.h>

#include "builtins.h"
#include "runtime.h"

static void fault(struct stp_context *c, u64 address, const char *what,
		  const struct stp_place *place)
{
	stp_fail(c, place, "%s fault at 0x%016llx", what, address);
}

/*
 * Of the kernel's half, and canonical, by what copy_from_kernel_nofault() itself goes by: with four levels of page tables or
 * five. Below the page of system calls, which is the user's all the same. Such an address can do no worse than
 * not be mapped.
 */
static bool is_plain(u64 address)
{
	u64 low = ~0ull << (boot_cpu_data.x86_virt_bits - 1);

	return likely(address - low < VSYSCALL_ADDR - sizeof(u64) - low);
}

/* What copy_from_kernel_nofault() comes to for a number at such an address, without its calls and loop: 42 instructions
 * less. False when it cannot be read. */
static __always_inline bool load_plain(u64 address, u32 size, u64 *value)
{
	bool done = false;

	pagefault_disable();
	switch (size) {
	case 1:
		__get_kernel_nofault(value, (void *)address, u8, out);
		break;
	case 2:
		__get_kernel_nofault(value, (void *)address, u16, out);
		break;
	case 4:
		__get_kernel_nofault(value, (void *)address, u32, out);
		break;
	default:
		__get_kernel_nofault(value, (void *)address, u64, out);
	}
	done = true;
out:
	pagefault_enable();
	return done;
}

u64 stp_load(struct stp_context *c, u64 address, u32 size, const struct stp_place *place)
{
	u64 value = 0;

	if (is_plain(address) && likely(load_plain(address, size, &value)))
		return value;
	value = 0;
	if (unlikely(copy_from_kernel_nofault(&value, (void *)address, size))) {
		fault(c, address, "kernel read", place);
		return 0;
	}
	return value;
}

u64 stp_unknown_caller(struct stp_context *c, u64 caller, const struct stp_place *place)
{
	stp_fail(c, place, "the caller at 0x%016llx does not tell what it passed", caller);
	return 0;
}

u64 stp_load_user(struct stp_context *c, u64 address, u32 size, const struct stp_place *place)
{
	u64 value = 0;

	if (unlikely(copy_from_user_nofault(&value, (void __user *)address, size))) {
		fault(c, address, "user read", place);
		return 0;
	}
	return value;
}

/*
 * copy_to_kernel_nofault() is not exported; this is what it is made of. False when the memory cannot
 * be written: it may be mapped for reading alone.
 */
static bool store(u64 address, u32 size, u64 value)
{
	bool done = false;

	pagefault_disable();
	switch (size) {
	case 1:
		__put_kernel_nofault((void *)address, &value, u8, out);
		break;
	case 2:
		__put_kernel_nofault((void *)address, &value, u16, out);
		break;
	case 4:
		__put_kernel_nofault((void *)address, &value, u32, out);
		break;
	default:
		__put_kernel_nofault((void *)address, &value, u64, out);
	}
	done = true;
out:
	pagefault_enable();
	return done;
}

void stp_store(struct stp_context *c, u64 address, u32 size, u64 value,
	       const struct stp_place *place)
{
	u64 old;

	/* Reading first refuses what is no address of the kernel, such as the user's memory. */
	if (copy_from_kernel_nofault(&old, (void *)address, size) || !store(address, size, value))
		fault(c, address, "kernel write", place);
}

/* ------------------------------------------------------------------ text */

/* Copies `count` bytes; 0, or an error when some of them cannot be read. */
typedef long (*copy_bytes)(void *to, u64 from, size_t count);

static long copy_kernel(void *to, u64 from, size_t count)
{
	return copy_from_kernel_nofault(to, (const void *)from, count);
}

static long copy_user(void *to, u64 from, size_t count)
{
	return copy_from_user_nofault(to, (const void __user *)from, count);
}

/*
 * The words of a text in the kernel, as long as they lie in one page, are plain and fit `room`: how far it went. True when it
 * came to the end.
 */
static bool read_words(char *to, u64 from, u32 room, u32 *length)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	u32 left = min_t(u64, room, PAGE_SIZE - (from & ~PAGE_MASK)), at;
	unsigned long zero;
	u64 word;

	for (at = 0; left - at >= sizeof(word) && is_plain(from + at); at += sizeof(word)) {
		if (!load_plain(from + at, sizeof(word), &word))
			break;
		memcpy(to + at, &word, sizeof(word));
		if (has_zero(word, &zero, &constants)) {
			zero = create_zero_mask(prep_zero_mask(word, zero, &constants));
			*length = at + find_zero(zero);
			return true;
		}
	}
	*length = at;
	return false;
}

/*
 * Up to `n` bytes of text, or to the end of a string's room. The kernel does not export its
 * string copies, so this goes in small steps that do not cross a page: what lies behind the
 * text's end need not be mapped.
 */
static struct stp_str read_text(struct stp_context *c, struct stp_text *scratch, s64 address,
				s64 n, copy_bytes copy, const char *what,
				const struct stp_place *place)
{
	u32 room = min_t(s64, max_t(s64, n, 0), stp_script.limits.string_size - 1);
	u32 length = 0, step, found;

	scratch->len = 0;
	if (copy == copy_kernel && read_words(scratch->text, address, room, &length)) {
		scratch->len = length;
		return STP_BORROW(scratch);
	}
	while (length < room) {
		u64 from = address + length;

		step = min3(room - length, 64u, (u32)(PAGE_SIZE - (from & ~PAGE_MASK)));
		if (copy(scratch->text + length, from, step)) {
			fault(c, from, what, place);
			return (struct stp_str){ "", 0 };
		}
		found = strnlen(scratch->text + length, step);
		length += found;
		if (found < step)
			break;
	}
	scratch->len = length;
	return STP_BORROW(scratch);
}

struct stp_str stp_fn_kernel_string(struct stp_context *c, struct stp_text *scratch, s64 address,
				    const struct stp_place *place)
{
	return read_text(c, scratch, address, S32_MAX, copy_kernel, "kernel string read", place);
}

struct stp_str stp_fn_kernel_string_n(struct stp_context *c, struct stp_text *scratch, s64 address,
				      s64 n, const struct stp_place *place)
{
	return read_text(c, scratch, address, n, copy_kernel, "kernel string read", place);
}

struct stp_str stp_fn_user_string(struct stp_context *c, struct stp_text *scratch, s64 address,
				  const struct stp_place *place)
{
	return read_text(c, scratch, address, S32_MAX, copy_user, "user string read", place);
}

struct stp_str stp_fn_user_string_n(struct stp_context *c, struct stp_text *scratch, s64 address,
				    s64 n, const struct stp_place *place)
{
	return read_text(c, scratch, address, n, copy_user, "user string read", place);
}

/* As much as a string holds; a bad address is an error. */
static u32 read_bytes(struct stp_context *c, char *to, u32 room, s64 address, s64 bytes, s64 user,
		      const struct stp_place *place)
{
	u32 n = clamp_t(s64, bytes, 0, room);

	if (!(user ? copy_user(to, address, n) : copy_kernel(to, address, n)))
		return n;
	fault(c, address, "memory dump", place);
	return 0;
}

struct stp_str stp_fn___stp_memory(struct stp_context *c, struct stp_text *scratch, s64 address,
				   s64 bytes, s64 user, const struct stp_place *place)
{
	scratch->len = read_bytes(c, scratch->text, stp_script.limits.string_size - 1, address, bytes,
				  user, place);
	return STP_BORROW(scratch);
}

struct stp_str stp_fn___stp_memory_digits(struct stp_context *c, struct stp_text *scratch,
					  s64 address, s64 bytes, s64 user,
					  const struct stp_place *place)
{
	u32 half = (stp_script.limits.string_size - 1) / 2;
	u32 n = read_bytes(c, scratch->text + half, half, address, bytes, user, place);
	u32 i;

	/* The bytes lie in the second half: each is read before its place is written to. */
	for (i = 0; i < n; i++) {
		u8 one = scratch->text[half + i];

		scratch->text[2 * i] = hex_asc_hi(one);
		scratch->text[2 * i + 1] = hex_asc_lo(one);
	}
	scratch->len = 2 * n;
	return STP_BORROW(scratch);
}

/* --------------------------------------------------------------- numbers */

s64 stp_fn_kernel_char(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return (s8)stp_load(c, address, 1, place);
}

s64 stp_fn_kernel_short(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return (s16)stp_load(c, address, 2, place);
}

s64 stp_fn_kernel_int(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return (s32)stp_load(c, address, 4, place);
}

s64 stp_fn_kernel_long(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return stp_load(c, address, 8, place);
}

s64 stp_fn_kernel_pointer(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return stp_load(c, address, 8, place);
}

s64 stp_fn_user_char(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return (s8)stp_load_user(c, address, 1, place);
}

s64 stp_fn_user_short(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return (s16)stp_load_user(c, address, 2, place);
}

s64 stp_fn_user_int(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return (s32)stp_load_user(c, address, 4, place);
}

s64 stp_fn_user_long(struct stp_context *c, s64 address, const struct stp_place *place)
{
	return stp_load_user(c, address, 8, place);
}
