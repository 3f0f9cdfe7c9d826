// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel stacks, by the kernel's own unwinder, and the names of addresses.
 *
 * A stack begins where the probe is: at the registers that it was hit with, or, where there are none
 * (tracepoints, begin), at this code, whose own frames are left out. Return addresses lie behind the
 * call, perhaps in the next function; names are those of the byte before.
 */
#include <linux/module.h>
#include <linux/sched/task_stack.h>

#include "builtins.h"
#include "places.h"
#include "slot.h"
#include "symbols.h"
#include "unwind.h"

struct frames {
	struct unwind_state state; /* behind the registers, where there are some */
	unsigned long first[2];	   /* come before what it has; 0: none */
	bool ours;		   /* still in our own frames */
	bool top;		   /* nothing came yet: no return address */
	bool taken;		   /* the state's frame has come */
};

/*
 * Of a return probe: whether this is what it does when the function is entered, @entry(). Registers are then those
 * behind the site of ftrace, which is 5 bytes long and may have ENDBR in front, or behind a breakpoint: no call
 * in the function returns to so near its beginning.
 */
static bool at_entry(const struct stp_context *c, const struct pt_regs *regs)
{
	return regs->ip - c->address <= 4 + 5;
}

static void frames_begin(struct frames *f, const struct stp_context *c)
{
	struct pt_regs *regs = (struct pt_regs *)c->regs;
	unsigned long ip = 0;

	memset(f, 0, sizeof(*f)); /* of no stack: done */
	f->top = true;
	if (regs && user_mode(regs))
		return;
	f->ours = !regs;
	if (regs) {
		/* A trap reports an address within the instruction; a return, one in the caller. */
		f->first[0] = c->address ? c->address : regs->ip;
		if (c->point->kind == STP_KIND_RETURN && !at_entry(c, regs))
			f->first[1] = regs->ip;
		else
			ip = c->address;
	}
	stp_unwind_start(&f->state, regs, ip);
}

/*
 * Two addresses of the kernel's own text, which lies in one piece: what is between them is text as well. They are
 * learned, since the kernel exports neither its bounds nor a cheap way to ask; asking is a tenth of a frame's price.
 */
static unsigned long text_first = ULONG_MAX, text_last;

/* What the next frame returns to; 0 when that is no text. */
static __always_inline unsigned long return_address(struct unwind_state *state)
{
	unsigned long address;

#ifndef CONFIG_UNWINDER_GUESS
	address = state->ip;
	if (likely(address >= READ_ONCE(text_first) && address <= READ_ONCE(text_last)))
		return address;
#endif
	address = unwind_get_return_address(state);
	if (address < __START_KERNEL_map || address >= MODULES_VADDR)
		return address;
	/* Of two CPUs that learn at once one may be forgotten: it learns again. */
	if (address < READ_ONCE(text_first))
		WRITE_ONCE(text_first, address);
	if (address > READ_ONCE(text_last))
		WRITE_ONCE(text_last, address);
	return address;
}

/* 0: there is no more. */
static unsigned long frames_next(struct frames *f)
{
	unsigned long address = f->first[0];

	if (address) {
		f->first[0] = f->first[1];
		f->first[1] = 0;
		return address;
	}
	/* The step to a frame that nobody asks for is not made. */
	while (!unwind_done(&f->state)) {
		if (f->taken && !unwind_next_frame(&f->state))
			break;
		f->taken = true;
		address = return_address(&f->state);
		if (!address)
			break;
		if (unlikely(f->ours) && within_module(address, THIS_MODULE))
			continue;
		f->ours = false;
		return address;
	}
	return 0;
}

static struct stp_str finish(struct stp_text *to, u32 len)
{
	to->len = len;
	return STP_BORROW(to);
}

/* ------------------------------------------------------------------ names */

static const char *of_kernel(unsigned long address)
{
	return address >= MODULES_VADDR && address < MODULES_END ? "" : " [kernel]";
}

/* One frame of a stack, in words. */
struct frame_name {
	char symbol[KSYM_SYMBOL_LEN]; /* "name+0x6/0x80", or an address that has no name */
	char its_module[MODULE_NAME_LEN + 4];
	const char *module;   /* " [ext4]", with the blank; "" of no known module */
	unsigned long inside; /* an address of the instruction that the frame is at */
};

static noinline void name_frame(struct frame_name *f, unsigned long address, bool top)
{
	u32 length = stp_symbol(f->symbol, address, !top);
	char *module;

	f->inside = top ? address : address - 1;
	f->module = of_kernel(address);
	module = f->symbol[length - 1] == ']' ? strchr(f->symbol, ' ') : NULL;
	if (!module)
		return;
	snprintf(f->its_module, sizeof(f->its_module), "%s", module);
	f->module = f->its_module;
	*module = '\0';
}

struct stp_str stp_fn_symname(struct stp_context *c, struct stp_text *scratch, s64 address)
{
	char name[KSYM_SYMBOL_LEN] STP_NOT_ZEROED;
	u32 length = stp_symbol(name, address, false), n;

	/* The offset and the module's name are not asked for. */
	for (n = 0; n < length && name[n] != '+' && name[n] != ' '; n++)
		;
	n = min(n, stp_script.limits.string_size - 1);
	memcpy(scratch->text, name, n);
	return finish(scratch, n);
}

struct stp_str stp_fn_symdata(struct stp_context *c, struct stp_text *scratch, s64 address)
{
	char name[KSYM_SYMBOL_LEN] STP_NOT_ZEROED;
	u32 room = stp_script.limits.string_size;

	stp_symbol(name, address, false);
	return finish(scratch, scnprintf(scratch->text, room, "%s%s", name, name[0] == '0' ? "" : of_kernel(address)));
}

struct stp_str stp_fn_modname(struct stp_context *c, struct stp_text *scratch, s64 address,
			      const struct stp_place *place)
{
	char name[KSYM_SYMBOL_LEN] STP_NOT_ZEROED;
	char *module;

	stp_symbol(name, address, false);
	module = strchr(name, '[');
	if (!module && (name[0] == '0' || of_kernel(address)[0] == '\0')) {
		stp_fail(c, place, "no module has the address 0x%llx", address);
		return finish(scratch, 0);
	}
	if (!module)
		return STP_STR("kernel");
	*strchrnul(module, ']') = '\0';
	return finish(scratch, scnprintf(scratch->text, stp_script.limits.string_size, "%s", module + 1));
}

/* ----------------------------------------------------------------- stacks */

/* Eight hexadecimal digits, all at once: the first in the lowest byte. */
static __always_inline u64 digits_of(u32 number)
{
	u64 each = __builtin_bswap32(number), letters;

	/* A byte, then half of one, for each 16 and each 8 bits. */
	each = (each << 16 | each) & 0x0000ffff0000ffffull;
	each = (each << 8 | each) & 0x00ff00ff00ff00ffull;
	each = (each >> 4 & 0x000f000f000f000full) | (each & 0x000f000f000f000full) << 8;
	letters = (each + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull;
	return each + 0x3030303030303030ull + letters * ('a' - '0' - 10);
}

#define ADDRESS_ROOM 19 /* " 0x" and 16 digits */

/* An address with a blank before it. The bytes that it took. */
static __always_inline u32 put_address(char *to, unsigned long address)
{
	u64 upper, lower = digits_of((u32)address);

	if (unlikely(!(address >> 60)))
		return scnprintf(to, ADDRESS_ROOM + 1, " 0x%lx", address);
	/* Most are near the end of all addresses. */
	upper = likely(address >> 32 == U32_MAX) ? 0x6666666666666666ull : digits_of(address >> 32);
	memcpy(to, " 0x", 4);
	memcpy(to + 3, &upper, 8);
	memcpy(to + 11, &lower, 8);
	return ADDRESS_ROOM;
}

/* The first `most` addresses behind the first `skip`, as many as the text has room for. */
static struct stp_str addresses(struct stp_context *c, struct stp_text *scratch, s64 skip, s64 most)
{
	const char *end = scratch->text + stp_script.limits.string_size;
	char *at = scratch->text - 1; /* the first one's blank lies before the text */
	struct frames f;
	unsigned long address;

	frames_begin(&f, c);
	while (skip-- > 0 && frames_next(&f))
		;
	while (most-- > 0 && at + ADDRESS_ROOM < end && (address = frames_next(&f)))
		at += put_address(at, address);
	return finish(scratch, at > scratch->text ? at - scratch->text : 0);
}

struct stp_str stp_fn_backtrace(struct stp_context *c, struct stp_text *scratch)
{
	return addresses(c, scratch, 0, S64_MAX);
}

struct stp_str stp_fn_callers(struct stp_context *c, struct stp_text *scratch, s64 n)
{
	return addresses(c, scratch, 1, n < 0 ? S64_MAX : n);
}

s64 stp_fn_stack(struct stp_context *c, s64 n)
{
	unsigned long address;
	struct frames f;

	if (n < 0)
		return 0;
	frames_begin(&f, c);
	do
		address = frames_next(&f);
	while (address && n-- > 0);
	return address;
}

/* " 0x... : name", and what follows it. */
static void print_frame(struct stp_context *c, unsigned long address, const char *name, const char *how,
			const char *line, const char *module)
{
	char number[ADDRESS_ROOM + 1];
	const struct stp_str pieces[] = { { number, put_address(number, address) }, STP_STR(" : "), stp_str_of(name),
					  stp_str_of(how), stp_str_of(line), stp_str_of(module), STP_STR("\n") };

	stp_print_pieces(c, pieces, ARRAY_SIZE(pieces));
}

static noinline void print_line(struct stp_context *c, unsigned long address, bool top, bool lines)
{
	struct stp_inlined copy;
	struct frame_name f STP_NOT_ZEROED;
	char line[STP_LINE_ROOM] STP_NOT_ZEROED;

	name_frame(&f, address, top);
	line[0] = '\0';
	if (lines)
		stp_put_line(line, " at ", f.inside);
	/* The line is one of the innermost copy. */
	for (stp_inlined_first(&copy, f.inside); stp_inlined_next(&copy); line[0] = '\0')
		print_frame(c, address, copy.name, " (inlined)", line, f.module);
	print_frame(c, address, f.symbol, "", line, f.module);
}

static void print_stack(struct stp_context *c, bool lines)
{
	unsigned long address;
	struct frames f;

	frames_begin(&f, c);
	for (; (address = frames_next(&f)); f.top = false)
		print_line(c, address, f.top, lines);
}

void stp_fn_print_backtrace(struct stp_context *c)
{
	print_stack(c, false);
}

void stp_fn_print_backtrace_fileline(struct stp_context *c)
{
	print_stack(c, true);
}

/* Appends as much as there is room for. */
static noinline u32 put_line(struct stp_text *to, u32 len, unsigned long address, bool top)
{
	u32 room = stp_script.limits.string_size;
	struct stp_inlined copy;
	struct frame_name f STP_NOT_ZEROED;
	const char *size;

	name_frame(&f, address, top);
	for (stp_inlined_first(&copy, f.inside); stp_inlined_next(&copy);)
		len += scnprintf(to->text + len, room - len, "%s (inlined)%s\n", copy.name, f.module);
	size = strchr(f.symbol, '/');
	if (!size)
		return len + scnprintf(to->text + len, room - len, "0x%lx\n", address);
	return len + scnprintf(to->text + len, room - len, "%.*s%s\n", (int)(size - f.symbol), f.symbol, f.module);
}

struct stp_str stp_fn_sprint_backtrace(struct stp_context *c, struct stp_text *scratch)
{
	unsigned long address;
	struct frames f;
	u32 len = 0;

	frames_begin(&f, c);
	for (; (address = frames_next(&f)); f.top = false)
		len = put_line(scratch, len, address, f.top);
	return finish(scratch, len);
}

/* Takes the next address off a list of hexadecimal ones. False at its end. */
static bool next_in(struct stp_str *list, unsigned long *address)
{
	char word[20];
	u32 n = 0;

	while (list->len && list->p[0] == ' ')
		list->p++, list->len--;
	while (n < list->len && list->p[n] != ' ')
		n++;
	if (!n || n >= sizeof(word))
		return false;
	memcpy(word, list->p, n);
	word[n] = '\0';
	list->p += n;
	list->len -= n;
	return !kstrtoul(word, 16, address);
}

void stp_fn_print_syms(struct stp_context *c, struct stp_str list)
{
	unsigned long address;

	/* Which of them are return addresses the list does not tell: the first is taken for the probe. */
	for (bool top = true; next_in(&list, &address); top = false)
		print_line(c, address, top, false);
}

struct stp_str stp_fn_sprint_syms(struct stp_context *c, struct stp_text *scratch, struct stp_str list)
{
	unsigned long address;
	u32 len = 0;

	for (bool top = true; next_in(&list, &address); top = false)
		len = put_line(scratch, len, address, top);
	return finish(scratch, len);
}

/* ----------------------------------------------------- the stack's memory */

s64 stp_fn_stack_size(struct stp_context *c)
{
	return THREAD_SIZE;
}

s64 stp_fn_stack_used(struct stp_context *c)
{
	unsigned long at = c->regs ? ((struct pt_regs *)c->regs)->sp : current_stack_pointer;
	unsigned long base = (unsigned long)task_stack_page(current);

	/* On another stack, of an interrupt or in user space, nothing can be told. */
	return at >= base && at < base + THREAD_SIZE ? base + THREAD_SIZE - at : 0;
}

s64 stp_fn_stack_unused(struct stp_context *c)
{
	return THREAD_SIZE - stp_fn_stack_used(c);
}
