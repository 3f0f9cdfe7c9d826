// SPDX-License-Identifier: GPL-2.0
/*
 * Places that the kernel's own blacklist of kprobes misses. Of each kind some were probed on 6.1 and 6.12,
 * and the machine died, or a program lost a register; the others run between the same two instructions.
 * They are told by name, or by the instruction, and as late as here, because an address that the script
 * gives leads to them as well.
 *
 * Only breakpoints are refused: what ftrace has a site for is entered without a trap.
 */
#include <linux/kallsyms.h>
#include <linux/uaccess.h>

#include "probes/deadly.h"

/* A name stands for what compilers make of it too, "name.isra.0"; with a star for all that begin so. */
static const char *const deadly[] = {
	/* The kernel rewrites these and stops when it does not find there what it left:
	 * arch/x86/kernel/static_call.c, __static_call_validate(). */
	"__SCT__*",
	/* The code of these is copied for each ftrace_ops, with the breakpoint, which is nobody's there, and the call
	 * in them is rewritten: arch/x86/kernel/ftrace.c, create_trampoline(). */
	"ftrace_caller*", "ftrace_regs_caller*", "ftrace_call", "ftrace_regs_call",
	/* A CPU that comes up runs these before it has a table of traps: head_64.S up to the end of
	 * cpu_init_exception_handling(). */
	"secondary_startup_64*", "common_startup_64", "sev_verify_cbit", "verify_cpu",
	"early_setup_idt", "startup_64_load_idt", "set_bringup_idt_handler", "setup_ghcb", "cc_platform_has",
	"start_secondary", "cpu_init_secondary", "cpu_init_exception_handling", "cr4_init",
	"cr4_set_bits", "cr4_update_irqsoff", "native_write_cr4", "native_write_msr",
	"native_write_gdt_entry", "native_load_tr_desc", "native_load_idt", "load_idt",
	"load_current_idt",
	/* %gs is zero from its second instruction to its last but one: no exception finds its CPU's variables, and
	 * the first of them is another exception. Later kernels have no such function. */
	"load_percpu_segment",
	/* Code of its own only before v6.3. */
	"memset", "__memset", "memset_erms", "memset_orig",
	/* Preempts, where the kernel does that at any time (preempt=full). A breakpoint that was made a jump ends with the
	 * same (optimized_callback()), and would lead there again until the stack is full. The kernel's list has
	 * its callers. */
	"preempt_schedule_common",
};

/* What the kernel asks at each return that is followed, where it was built to check its uses of RCU (PROVE_RCU);
 * elsewhere there are no such functions. ftrace has a site in them. */
static const char *const asked_at_returns[] = { "rcu_read_lock_any_held", "rcu_lockdep_current_cpu_online" };

static const char *const deadly_returns[] = {
	/* With it rethook_trampoline_handler() gives a call's record back at each return (from v6.7 on);
	 * it is inline, but compilers leave a copy. To follow its own returns would not end before
	 * the stack does. */
	"objpool_push",
	/* Jumped to by __switch_to_asm(). On top of the stack are the new task's registers, the first of them
	 * r15, and no return address. (From v6.6 on the function of the first name is C, but ftrace has a site there.) */
	"ret_from_fork", "ret_from_fork_asm",
	/* What serves a return ends with it, where the kernel preempts at any time, and with interrupts off it goes back at
	 * once: to follow its own returns would not end before the stack does either. */
	"preempt_schedule_notrace",
	/* Entered as one task and left as another, which has no record of the call. The kernel's own list of one
	 * (kretprobe_blacklist) compares with an address that kprobes have moved behind ENDBR. */
	"__switch_to",
};

static bool is_named(const char *symbol, const char *name)
{
	const char *star = strchr(name, '*');
	size_t length = star ? star - name : strlen(name);

	if (strncmp(symbol, name, length))
		return false;
	return name[length] || !symbol[length] || symbol[length] == '.';
}

static bool is_one_of(unsigned long address, const char *const *names, u32 n)
{
	char symbol[KSYM_SYMBOL_LEN];
	u32 i;

	sprint_symbol_no_offset(symbol, address);
	for (i = 0; i < n; i++)
		if (is_named(symbol, names[i]))
			return true;
	return false;
}

/*
 * A breakpoint's instruction is run elsewhere, with interrupts off: a CPU that waits for one there waits for
 * ever. When it is a CPU that goes, it comes back from its reset in the midst of that hit, and has no
 * other. Of STI before it the breakpoint takes what keeps interrupts off for one instruction more:
 * one that wakes the CPU is served before it sleeps. SDM 2, HLT, MWAIT and STI.
 */
static bool is_wait(unsigned long address)
{
	static const u8 sti = 0xfb, hlt = 0xf4, mwait[] = { 0x0f, 0x01, 0xc9 };
	u8 code[4] = {}, *at = code;

	if (copy_from_kernel_nofault(code, (void *)address, sizeof(code)))
		return false;
	if (*at == sti)
		at++;
	return *at == hlt || !memcmp(at, mwait, sizeof(mwait));
}

bool stp_is_deadly(unsigned long address)
{
	return is_wait(address) || is_one_of(address, deadly, ARRAY_SIZE(deadly));
}

void stp_leave_deadly_returns(const unsigned long *entries, unsigned long *sites, u32 n)
{
	unsigned long address;
	u32 i, k;

	for (k = 0; k < ARRAY_SIZE(asked_at_returns); k++) {
		address = stp_symbol_address(asked_at_returns[k]);
		for (i = 0; i < n && address; i++)
			/* A kprobe, by which it was found, stands behind ENDBR, as the site does. */
			if (entries[i] == address || sites[i] == address)
				sites[i] = 0;
	}
}

bool stp_is_deadly_return(unsigned long address)
{
	return is_one_of(address, deadly_returns, ARRAY_SIZE(deadly_returns)) ||
	       is_one_of(address, asked_at_returns, ARRAY_SIZE(asked_at_returns));
}
