// SPDX-License-Identifier: GPL-2.0
/*
 * What a handler can ask about the task, the probe and the session. Ids are those of the initial
 * namespaces. Text is borrowed from the kernel where it lives long enough.
 */
#include <asm/msr-index.h>
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include "builtins.h"
#include "slot.h"
#include "words.h"

/* -------------------------------------------------------------- the task */

/* Non-zero: a byte of the word is 0; the lowest bit that is set tells the first. */
static __always_inline u64 zero_bytes(u64 word)
{
	return (word - 0x0101010101010101ull) & ~word & 0x8080808080808080ull;
}

/* The length of a name of the kernel's, of two words. */
static __always_inline u32 comm_length(const char *comm)
{
	u64 first = zero_bytes(stp_word(comm, 8)), second;

	BUILD_BUG_ON(TASK_COMM_LEN != 16);
	if (first)
		return __ffs(first) / 8;
	second = zero_bytes(stp_word(comm + 8, 8));
	return second ? 8 + __ffs(second) / 8 : TASK_COMM_LEN;
}

struct stp_str stp_fn_execname(struct stp_context *c, struct stp_text *scratch)
{
	return (struct stp_str){ current->comm, comm_length(current->comm) };
}

struct stp_str stp_fn_pexecname(struct stp_context *c, struct stp_text *scratch)
{
	struct task_struct *parent;

	/* The parent may be going; its name is taken while it cannot be freed. */
	rcu_read_lock();
	parent = rcu_dereference(current->real_parent);
	scratch->len = strnlen(parent->comm, TASK_COMM_LEN);
	scratch->len = min(scratch->len, stp_script.limits.string_size - 1);
	memcpy(scratch->text, parent->comm, scratch->len);
	rcu_read_unlock();
	return STP_BORROW(scratch);
}

s64 stp_fn_pid(struct stp_context *c)
{
	return current->tgid;
}

s64 stp_fn_tid(struct stp_context *c)
{
	return current->pid;
}

s64 stp_fn_ppid(struct stp_context *c)
{
	s64 ppid;

	rcu_read_lock();
	ppid = rcu_dereference(current->real_parent)->tgid;
	rcu_read_unlock();
	return ppid;
}

s64 stp_fn_uid(struct stp_context *c)
{
	return __kuid_val(current_uid());
}

s64 stp_fn_euid(struct stp_context *c)
{
	return __kuid_val(current_euid());
}

s64 stp_fn_gid(struct stp_context *c)
{
	return __kgid_val(current_gid());
}

s64 stp_fn_egid(struct stp_context *c)
{
	return __kgid_val(current_egid());
}

s64 stp_fn_pgrp(struct stp_context *c)
{
	s64 id;

	rcu_read_lock();
	id = pid_nr(task_pgrp(current));
	rcu_read_unlock();
	return id;
}

s64 stp_fn_sid(struct stp_context *c)
{
	s64 id;

	rcu_read_lock();
	id = pid_nr(task_session(current));
	rcu_read_unlock();
	return id;
}

s64 stp_fn_cpu(struct stp_context *c)
{
	return raw_smp_processor_id();
}

s64 stp_fn_task_current(struct stp_context *c)
{
	return (s64)current;
}

struct stp_str stp_fn_task_execname(struct stp_context *c, struct stp_text *scratch, s64 task,
				    const struct stp_place *place)
{
	return stp_fn_kernel_string_n(c, scratch, task + offsetof(struct task_struct, comm),
				      TASK_COMM_LEN, place);
}

s64 stp_fn_task_pid(struct stp_context *c, s64 task, const struct stp_place *place)
{
	return (s32)stp_load(c, task + offsetof(struct task_struct, tgid), 4, place);
}

s64 stp_fn_task_tid(struct stp_context *c, s64 task, const struct stp_place *place)
{
	return (s32)stp_load(c, task + offsetof(struct task_struct, pid), 4, place);
}

/* The kernel leaves fs to the process; what its thread structure has of it may be old. */
u64 stp_thread_base(void)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_FS_BASE));
	return low | (u64)high << 32;
}

/* ------------------------------------------------------------- the probe */

struct stp_str stp_fn_pp(struct stp_context *c, struct stp_text *scratch)
{
	return stp_str_of(c->point->name);
}

struct stp_str stp_fn_ppfunc(struct stp_context *c, struct stp_text *scratch)
{
	return stp_str_of(c->point->function);
}

struct stp_str stp_fn_probefunc(struct stp_context *c, struct stp_text *scratch)
{
	return stp_str_of(c->point->function);
}

s64 stp_fn_addr(struct stp_context *c)
{
	if (c->address || !c->regs)
		return c->address;
	return ((const struct pt_regs *)c->regs)->ip;
}

s64 stp_fn_uaddr(struct stp_context *c)
{
	/* Kernel threads have no registers of user space. */
	return current->flags & PF_KTHREAD ? 0 : instruction_pointer(task_pt_regs(current));
}

s64 stp_fn_is_return(struct stp_context *c)
{
	return c->point->kind == STP_KIND_RETURN;
}

struct stp_str stp_fn_probemod(struct stp_context *c, struct stp_text *scratch)
{
	u16 section = c->point->section;

	return section && section != STP_ABSOLUTE ? stp_str_of(stp_script.sections[section - 1].module) :
						    STP_STR("kernel");
}

s64 stp_fn_registers_valid(struct stp_context *c)
{
	return c->regs != NULL;
}

s64 stp_fn_user_mode(struct stp_context *c)
{
	u32 kind = c->point->kind;

	/* What a timer came in between of is not what it is about. */
	return c->regs && (kind == STP_KIND_PROFILE || kind == STP_KIND_PERF || kind == STP_KIND_PERF_TASKS) &&
	       user_mode((struct pt_regs *)c->regs);
}

/* ------------------------------------------------------------ the session */

s64 stp_fn_target(struct stp_context *c)
{
	return stp_target;
}

struct stp_str stp_fn_module_name(struct stp_context *c, struct stp_text *scratch)
{
	return stp_str_of(THIS_MODULE->name);
}

void stp_fn_exit(struct stp_context *c)
{
	stp_session_wants_stop();
}

void stp_fn_error(struct stp_context *c, struct stp_str text, const struct stp_place *place)
{
	stp_fail_str(c, place, text);
}

void stp_fn_warn(struct stp_context *c, struct stp_str text)
{
	stp_ring_text(c, STP_RECORD_WARN, text);
}

void stp_fn_log(struct stp_context *c, struct stp_str text)
{
	struct stp_str line = { text.p, text.len + 1 };
	char *at = stp_ring_reserve(c, STP_RECORD_TEXT, STP_PUT_SIZE(line));

	if (!at)
		return;
	stp_put_string(at, text);
	*(u32 *)at = line.len;
	at[sizeof(u32) + text.len] = '\n';
}

s64 stp_fn_randint(struct stp_context *c, s64 n, const struct stp_place *place)
{
	struct stp_slot *slot = stp_slot(c);
	u64 x = slot->random;

	if (n <= 0) {
		stp_fail(c, place, "randint: %lld is not positive", n);
		return 0;
	}
	/* xorshift64 (Marsaglia 2003): the kernel's generators may not be called from NMIs. */
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	slot->random = x;
	return x % n;
}
