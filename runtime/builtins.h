/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions that scripts call: the C side of translator/sema/builtins.def, where each row's
 * effects are told. The script's file includes this, so it uses script.h's types alone. A string
 * result is borrowed: from the kernel, from an argument, or from `scratch`, which has room for the
 * session's string_size bytes. All may run in any context that a handler may run in, NMI included.
 */
#ifndef STP_BUILTINS_H
#define STP_BUILTINS_H

#include "script.h"

/* The current task. */
struct stp_str stp_fn_execname(struct stp_context *c, struct stp_text *scratch);
struct stp_str stp_fn_pexecname(struct stp_context *c, struct stp_text *scratch);
s64 stp_fn_pid(struct stp_context *c);
s64 stp_fn_tid(struct stp_context *c);
s64 stp_fn_ppid(struct stp_context *c);
s64 stp_fn_uid(struct stp_context *c);
s64 stp_fn_euid(struct stp_context *c);
s64 stp_fn_gid(struct stp_context *c);
s64 stp_fn_egid(struct stp_context *c);
s64 stp_fn_pgrp(struct stp_context *c);
s64 stp_fn_sid(struct stp_context *c);
s64 stp_fn_cpu(struct stp_context *c);
s64 stp_fn_task_current(struct stp_context *c);
s64 stp_fn_target(struct stp_context *c);
struct stp_str stp_fn_module_name(struct stp_context *c, struct stp_text *scratch);

/* Any task, by its address. */
struct stp_str stp_fn_task_execname(struct stp_context *c, struct stp_text *scratch, s64 task,
				    const struct stp_place *place);
s64 stp_fn_task_pid(struct stp_context *c, s64 task, const struct stp_place *place);
s64 stp_fn_task_tid(struct stp_context *c, s64 task, const struct stp_place *place);

/* Time: wall clock since 1970 in the unit of the name, and the kernel's own clocks. */
s64 stp_fn_gettimeofday_ns(struct stp_context *c);
s64 stp_fn_gettimeofday_us(struct stp_context *c);
s64 stp_fn_gettimeofday_ms(struct stp_context *c);
s64 stp_fn_gettimeofday_s(struct stp_context *c);
s64 stp_fn_get_cycles(struct stp_context *c);
s64 stp_fn_jiffies(struct stp_context *c);
s64 stp_fn_cpu_clock_ns(struct stp_context *c, s64 cpu);
s64 stp_fn_local_clock_ns(struct stp_context *c);
s64 stp_fn_ktime_get_ns(struct stp_context *c);
struct stp_str stp_fn_ctime(struct stp_context *c, struct stp_text *scratch, s64 seconds,
			    const struct stp_place *place);

/* The probe that was hit. */
struct stp_str stp_fn_pp(struct stp_context *c, struct stp_text *scratch);
struct stp_str stp_fn_ppfunc(struct stp_context *c, struct stp_text *scratch);
struct stp_str stp_fn_probefunc(struct stp_context *c, struct stp_text *scratch);
s64 stp_fn_addr(struct stp_context *c);
s64 stp_fn_uaddr(struct stp_context *c);
s64 stp_fn_is_return(struct stp_context *c);
s64 stp_fn_registers_valid(struct stp_context *c);
s64 stp_fn_user_mode(struct stp_context *c);
struct stp_str stp_fn_probemod(struct stp_context *c, struct stp_text *scratch);

/* The kernel's stack: addresses as hexadecimal numbers with spaces between, or lines with their names. */
struct stp_str stp_fn_backtrace(struct stp_context *c, struct stp_text *scratch);
struct stp_str stp_fn_callers(struct stp_context *c, struct stp_text *scratch, s64 n);
s64 stp_fn_stack(struct stp_context *c, s64 n);
void stp_fn_print_backtrace(struct stp_context *c);
void stp_fn_print_backtrace_fileline(struct stp_context *c);
struct stp_str stp_fn_sprint_backtrace(struct stp_context *c, struct stp_text *scratch);
void stp_fn_print_syms(struct stp_context *c, struct stp_str list);
struct stp_str stp_fn_sprint_syms(struct stp_context *c, struct stp_text *scratch,
				  struct stp_str list);
s64 stp_fn_stack_size(struct stp_context *c);
s64 stp_fn_stack_used(struct stp_context *c);
s64 stp_fn_stack_unused(struct stp_context *c);

/* Addresses of the kernel and its modules. */
struct stp_str stp_fn_symfile(struct stp_context *c, struct stp_text *scratch, s64 address);
struct stp_str stp_fn_symline(struct stp_context *c, struct stp_text *scratch, s64 address);
struct stp_str stp_fn_symfileline(struct stp_context *c, struct stp_text *scratch, s64 address);
struct stp_str stp_fn_symname(struct stp_context *c, struct stp_text *scratch, s64 address);
struct stp_str stp_fn_symdata(struct stp_context *c, struct stp_text *scratch, s64 address);
struct stp_str stp_fn_modname(struct stp_context *c, struct stp_text *scratch, s64 address,
			      const struct stp_place *place);

/* The session. */
void stp_fn_exit(struct stp_context *c);
void stp_fn_error(struct stp_context *c, struct stp_str text, const struct stp_place *place);
void stp_fn_warn(struct stp_context *c, struct stp_str text);
void stp_fn_log(struct stp_context *c, struct stp_str text);

/* Memory of the kernel and of the current process. Longer text is cut to fit a string. */
struct stp_str stp_fn_kernel_string(struct stp_context *c, struct stp_text *scratch, s64 address,
				    const struct stp_place *place);
struct stp_str stp_fn_kernel_string_n(struct stp_context *c, struct stp_text *scratch, s64 address,
				      s64 n, const struct stp_place *place);
s64 stp_fn_kernel_char(struct stp_context *c, s64 address, const struct stp_place *place);
s64 stp_fn_kernel_short(struct stp_context *c, s64 address, const struct stp_place *place);
s64 stp_fn_kernel_int(struct stp_context *c, s64 address, const struct stp_place *place);
s64 stp_fn_kernel_long(struct stp_context *c, s64 address, const struct stp_place *place);
s64 stp_fn_kernel_pointer(struct stp_context *c, s64 address, const struct stp_place *place);
struct stp_str stp_fn_user_string(struct stp_context *c, struct stp_text *scratch, s64 address,
				  const struct stp_place *place);
struct stp_str stp_fn_user_string_n(struct stp_context *c, struct stp_text *scratch, s64 address,
				    s64 n, const struct stp_place *place);
s64 stp_fn_user_char(struct stp_context *c, s64 address, const struct stp_place *place);
s64 stp_fn_user_short(struct stp_context *c, s64 address, const struct stp_place *place);
s64 stp_fn_user_int(struct stp_context *c, s64 address, const struct stp_place *place);
s64 stp_fn_user_long(struct stp_context *c, s64 address, const struct stp_place *place);

/* Strings. */
s64 stp_fn_strlen(struct stp_context *c, struct stp_str s);
struct stp_str stp_fn_substr(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
			     s64 start, s64 length, const struct stp_place *place);
s64 stp_fn_stringat(struct stp_context *c, struct stp_str s, s64 at, const struct stp_place *place);
s64 stp_fn_isinstr(struct stp_context *c, struct stp_str s, struct stp_str part);
s64 stp_fn_strtol(struct stp_context *c, struct stp_str s, s64 base);
s64 stp_fn_isdigit(struct stp_context *c, struct stp_str s);
struct stp_str stp_fn_tokenize(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
			       struct stp_str delimiters, const struct stp_place *place);
struct stp_str stp_fn_str_replace(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
				  struct stp_str from, struct stp_str to,
				  const struct stp_place *place);
struct stp_str stp_fn_text_str(struct stp_context *c, struct stp_text *scratch, struct stp_str s,
			       const struct stp_place *place);
s64 stp_fn_randint(struct stp_context *c, s64 n, const struct stp_place *place);

/* The last regular expression that matched in this handler: match.c. */
s64 stp_fn_ngroups(struct stp_context *c, const struct stp_place *place);
struct stp_str stp_fn_matched(struct stp_context *c, struct stp_text *scratch, s64 n,
			      const struct stp_place *place);

/* %m and %M of printf: `bytes` of memory, as they are or as digits; `user`: of the current process. */
struct stp_str stp_fn___stp_memory(struct stp_context *c, struct stp_text *scratch, s64 address,
				   s64 bytes, s64 user, const struct stp_place *place);
struct stp_str stp_fn___stp_memory_digits(struct stp_context *c, struct stp_text *scratch,
					  s64 address, s64 bytes, s64 user,
					  const struct stp_place *place);

/* @perf("name"): what the CPU has counted since the probe was armed. */
s64 stp_fn___stp_perf(struct stp_context *c, struct stp_str name, const struct stp_place *place);

/* The system call that the current task makes: what syscall.NAME gives to handlers, syscall.c. */
struct stp_str stp_fn___stp_syscall_name(struct stp_context *c, struct stp_text *scratch);
struct stp_str stp_fn___stp_syscall_argstr(struct stp_context *c, struct stp_text *scratch);
s64 stp_fn___stp_syscall_nr(struct stp_context *c);
s64 stp_fn___stp_syscall_retval(struct stp_context *c);
struct stp_str stp_fn___stp_syscall_retstr(struct stp_context *c, struct stp_text *scratch);
/* Text of the caller, at most `n` bytes unless that is negative; where it cannot be read, its address. */
struct stp_str stp_fn___stp_syscall_text(struct stp_context *c, struct stp_text *scratch, s64 address,
					 s64 n, s64 quoted);

#endif
