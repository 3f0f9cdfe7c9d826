/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This kernel, brought up to the newest one's interface. Forced into every file of the runtime, and
 * the only place that may ask for the kernel's version. Each item names the upstream change.
 */
#ifndef STP_COMPAT_H
#define STP_COMPAT_H

#ifdef __KERNEL__
#include <linux/version.h>

/*
 * The registers inside struct ftrace_regs, argument registers and stack pointer alone unless the ops
 * asked for all. The structure's layout became private to arch_ftrace_regs() (7888af4166d4, "ftrace:
 * Make ftrace_regs abstract from direct use", v6.13, and in 6.12.y): it is a macro where it exists.
 */
#include <linux/ftrace.h>
static __always_inline const struct pt_regs *stp_ftrace_regs(struct ftrace_regs *fregs)
{
#ifdef arch_ftrace_regs
	return &arch_ftrace_regs(fregs)->regs;
#else
	return &fregs->regs;
#endif
}

/*
 * hrtimer_setup() sets the function with the rest (908a1d775422, v6.13); hrtimer_init() went
 * in v6.15 (9779489a31d7).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/hrtimer.h>
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *), clockid_t clock,
				 enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* vfs_path_lookup(), always exported, was declared to the kernel's own parts alone (74d7970febf7, v6.4). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#include <linux/path.h>
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mount, const char *name, unsigned int flags,
		    struct path *path);
#endif

/* A workqueue of each CPU has to say so since 930c2ea566af (v6.17). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define WQ_PERCPU 0
#endif

/* del_timer_sync() became timer_delete_sync() (9a5a30568697, v6.2). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#include <linux/timer.h>
#define timer_delete_sync(timer) del_timer_sync(timer)
#endif

/* struct vdso_data, as programs read it, until clocks became an array of its own (struct vdso_time_data, v6.15); in
 * between it moved about. */
#define STP_HAVE_VDSO_DATA (LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0))

#endif
#endif
