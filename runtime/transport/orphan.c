// SPDX-License-Identifier: GPL-2.0
/*
 * A session whose reader was killed.
 *
 * The probes stop at once: nobody reads what they write. A reader that comes back within the grace
 * (the loader's own supervisor does) takes what is in the rings and removes the module. When none
 * comes, the module has itself removed: a module cannot do that from its own code, so it runs a
 * program of user space, again and again until one such run has worked. The same happens to a module
 * that was loaded and that nobody comes to start.
 */
#include <linux/kmod.h>
#include <linux/umh.h>
#include <linux/workqueue.h>

#include "transport/transport.h"

#define GRACE (3 * HZ)
#define FIRST_GRACE (8 * HZ) /* to start the session: a machine may be slow */

static char helper[sizeof_field(struct stp_start, unload)];
module_param_string(unload, helper, sizeof(helper), 0);
MODULE_PARM_DESC(unload, "program that is run as `PROGRAM unload NAME` when the reader was killed");
static void remove_module(struct work_struct *work);
static DECLARE_DELAYED_WORK(removal, remove_module);
static bool looking;

void stp_orphan_helper(const char *program)
{
	if (program[0])
		scnprintf(helper, sizeof(helper), "%s", program);
}

static void remove_module(struct work_struct *work)
{
	static char *environment[] = { "HOME=/", "PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL };
	char *own[] = { helper, "unload", THIS_MODULE->name, NULL };
	char *rmmod[] = { "/sbin/rmmod", THIS_MODULE->name, NULL };
	char **command = helper[0] ? own : rmmod;

	if (stp_control_attached())
		return;
	call_usermodehelper(command[0], command, environment, UMH_WAIT_EXEC);
	schedule_delayed_work(&removal, GRACE);
}

void stp_orphan_init(void)
{
	WRITE_ONCE(looking, true);
	schedule_delayed_work(&removal, FIRST_GRACE);
}

void stp_orphan_exit(void)
{
	WRITE_ONCE(looking, false);
	cancel_delayed_work_sync(&removal);
}

void stp_orphan_watch(void)
{
	if (!READ_ONCE(looking) || stp_recorder())
		return;
	stp_session_stop();
	schedule_delayed_work(&removal, GRACE);
}

void stp_orphan_calm(void)
{
	cancel_delayed_work(&removal);
}
