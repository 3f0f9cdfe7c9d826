// SPDX-License-Identifier: GPL-2.0
/*
 * What handlers of system calls ask: which call it is, its arguments as text, what it returned.
 *
 * All of it is in the registers that the caller came with, which lie at the top of the task's stack until it
 * goes back; only the returned value is elsewhere: in the registers of the function's return, or behind
 * the tracepoint's first argument. Memory of the caller that is not there now is not waited for: its address is
 * shown instead.
 */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/uaccess.h>

#include "builtins.h"
#include "call.h"
#include "runtime.h"

s64 stp_fn___stp_syscall_nr(struct stp_context *c)
{
	return (s32)stp_made_call().number;
}

struct stp_str stp_fn___stp_syscall_name(struct stp_context *c, struct stp_text *scratch)
{
	struct stp_made_call made = stp_made_call();
	bool ia32 = made.ia32;
	u32 nr = made.number;

	if (stp_call_of(c->point))
		return stp_str_of(stp_call_of(c->point)->name);
	if (nr < stp_script.n_call_names[ia32] && stp_script.call_names[ia32][nr])
		return stp_str_of(stp_script.call_names[ia32][nr]);
	/* A number that no call has: who made it gets ENOSYS. */
	scratch->len = scnprintf(scratch->text, stp_script.limits.string_size, "%d", (s32)nr);
	return STP_BORROW(scratch);
}

/* ---------------------------------------------------------------- text */

static __printf(2, 3) void put_formatted(struct stp_text *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	to->len += vscnprintf(to->text + to->len, stp_script.limits.string_size - to->len, format, args);
	va_end(args);
}

static void put_quoted_byte(struct stp_text *to, u8 byte)
{
	static const char named[] = "\nn\rr\tt\"\"\\\\";
	const char *name;

	for (name = named; *name; name += 2)
		if (byte == (u8)*name)
			return put_formatted(to, "\\%c", name[1]);
	put_formatted(to, byte < 0x20 || byte > 0x7e ? "\\%03o" : "%c", byte);
}

/* Text of the caller, or its address; `n` bytes, zeroes included, unless that is negative. False: cut. */
static void put_user_text(struct stp_text *to, u64 address, s64 n, bool quoted)
{
	u32 begin = to->len, room = stp_script.limits.string_size, i;
	/* What an escape, the closing quote and the dots need. */
	const u32 spare = 10;
	u64 at = address;
	u8 bytes[16];

	if (quoted)
		put_formatted(to, "\"");
	while (n) {
		/* Short of a page's end: what lies behind need not be mapped. */
		u32 step = min_t(u64, sizeof(bytes), PAGE_SIZE - (at & ~PAGE_MASK));

		if (n > 0)
			step = min_t(s64, step, n);
		if (copy_from_user_nofault(bytes, (const void __user *)at, step)) {
			to->len = begin;
			return put_formatted(to, "0x%llx", address);
		}
		for (i = 0; i < step; i++) {
			if (n < 0 && !bytes[i])
				goto done;
			if (to->len + spare > room) {
				put_formatted(to, quoted ? "\"..." : "");
				return;
			}
			if (quoted)
				put_quoted_byte(to, bytes[i]);
			else
				to->text[to->len++] = bytes[i];
		}
		at += step;
		n -= n > 0 ? step : 0;
	}
done:
	if (quoted)
		put_formatted(to, "\"");
}

struct stp_str stp_fn___stp_syscall_text(struct stp_context *c, struct stp_text *scratch, s64 address,
					 s64 n, s64 quoted)
{
	scratch->len = 0;
	put_user_text(scratch, address, n, quoted);
	return STP_BORROW(scratch);
}

/* ------------------------------------------------------------ arguments */

static u64 argument(const struct stp_call *call, u32 i)
{
	const struct pt_regs *r = task_pt_regs(current);
	const u64 of_64[] = { r->di, r->si, r->dx, r->r10, r->r8, r->r9 };
	const u64 of_32[] = { r->bx, r->cx, r->dx, r->si, r->di, r->bp };

	return call->ia32 ? (u32)of_32[i] : of_64[i];
}

/* Of those that hold others' bits the larger come first (include/uapi/asm-generic/fcntl.h). */
static const struct {
	u32 bits;
	const char *name;
} open_flags[] = {
	{ O_CREAT, "O_CREAT" },	      { O_EXCL, "O_EXCL" },	      { O_NOCTTY, "O_NOCTTY" },
	{ O_TRUNC, "O_TRUNC" },	      { O_APPEND, "O_APPEND" },	      { O_NONBLOCK, "O_NONBLOCK" },
	{ O_SYNC, "O_SYNC" },	      { O_DSYNC, "O_DSYNC" },	      { FASYNC, "O_ASYNC" },
	{ O_DIRECT, "O_DIRECT" },     { O_LARGEFILE, "O_LARGEFILE" }, { O_TMPFILE, "O_TMPFILE" },
	{ O_DIRECTORY, "O_DIRECTORY" }, { O_NOFOLLOW, "O_NOFOLLOW" }, { O_NOATIME, "O_NOATIME" },
	{ O_CLOEXEC, "O_CLOEXEC" },   { O_PATH, "O_PATH" },
};

static void put_open_flags(struct stp_text *to, u32 flags)
{
	static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };
	u32 i;

	put_formatted(to, "%s", access[flags & O_ACCMODE]);
	flags &= ~O_ACCMODE;
	for (i = 0; i < ARRAY_SIZE(open_flags); i++)
		if ((flags & open_flags[i].bits) == open_flags[i].bits) {
			put_formatted(to, "|%s", open_flags[i].name);
			flags &= ~open_flags[i].bits;
		}
	if (flags)
		put_formatted(to, "|%#x", flags);
}

static void put_argument(struct stp_text *to, const struct stp_call *call, u32 i)
{
	u64 value = argument(call, i);

	switch (call->arguments[i]) {
	case 'i':
		return put_formatted(to, "%d", (s32)value);
	case 'I':
		return put_formatted(to, "%u", (u32)value);
	case 'h':
		return put_formatted(to, "%d", (s16)value);
	case 'H':
		return put_formatted(to, "%u", (u16)value);
	case 'l':
		return put_formatted(to, "%lld", (s64)value);
	case 'o':
		return put_formatted(to, "%#o", (u32)value);
	case 'p':
		return put_formatted(to, "0x%llx", value);
	case 's':
		return put_user_text(to, value, -1, true);
	case 'd':
		return put_formatted(to, (s32)value == AT_FDCWD ? "AT_FDCWD" : "%d", (s32)value);
	case 'f':
		return put_open_flags(to, value);
	case 'b':
		return put_user_text(to, value, min_t(u64, argument(call, i + 1), S32_MAX), true);
	default:
		return put_formatted(to, "%llu", value);
	}
}

struct stp_str stp_fn___stp_syscall_argstr(struct stp_context *c, struct stp_text *scratch)
{
	const struct stp_call *call = stp_call_of(c->point);
	u32 i;

	scratch->len = 0;
	for (i = 0; call && call->arguments[i]; i++) {
		if (i)
			put_formatted(scratch, ", ");
		put_argument(scratch, call, i);
		/* open(2): only a file that is made has a mode. */
		if (call->arguments[i] == 'f' && !(argument(call, i) & (O_CREAT | __O_TMPFILE)))
			break;
	}
	return STP_BORROW(scratch);
}

/* --------------------------------------------------------------- result */

s64 stp_fn___stp_syscall_retval(struct stp_context *c)
{
	if (c->args)
		return c->args[1];
	return c->regs ? (s64)regs_return_value((struct pt_regs *)c->regs) : 0;
}

struct stp_str stp_fn___stp_syscall_retstr(struct stp_context *c, struct stp_text *scratch)
{
	s64 value = stp_fn___stp_syscall_retval(c);
	const struct stp_call *call = stp_call_of(c->point);
	char result = call ? call->result : 'l', name[24];

	scratch->len = 0;
	if (value < 0 && value >= -MAX_ERRNO) {
		/* The kernel's own names, "-ENOENT"; a number where it was built without them. */
		scnprintf(name, sizeof(name), "%pe", ERR_PTR(value));
		put_formatted(scratch, "%lld", value);
		if (name[0] == '-' && name[1] == 'E')
			put_formatted(scratch, " (%s)", name + 1);
	} else {
		put_formatted(scratch, result == 'p' ? "0x%llx" : result == 'o' ? "%#llo" : "%lld", value);
	}
	return STP_BORROW(scratch);
}
