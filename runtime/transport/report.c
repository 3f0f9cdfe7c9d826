// SPDX-License-Identifier: GPL-2.0
/*
 * Files that tell of the session, for who reads it and who only looks: they can be read while
 * another process has the control file open.
 */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/user_namespace.h>

#include "transport/transport.h"

/* ---------------------------------------------------------------- account */

static int account_show(struct seq_file *out, void *unused)
{
	struct stp_count sum;
	u32 probe;
	int cause;

	for (probe = 0; probe < stp_script.n_probes; probe++) {
		stp_probe_count(probe, &sum);
		seq_printf(out, "%llu %llu", sum.hits, sum.handled);
		for (cause = 0; cause < STP_MISSES; cause++)
			seq_printf(out, " %llu", sum.missed[cause]);
		seq_printf(out, " %s\n", stp_script.probes[probe].name);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(account);

/* ------------------------------------------------------------------ state */

static const char *const states[] = { "loaded", "starting", "running", "stopping", "finished" };
static u64 loaded_at;
static u32 loaded_by;

static int state_show(struct seq_file *out, void *unused)
{
	struct stp_status status = {};
	struct stp_rings_sum rings;

	stp_session_status(&status);
	stp_rings_sum(&rings);
	seq_printf(out, "script %s\nstate %s\n", stp_script.name, states[status.state]);
	seq_printf(out, "recorder %d\nattached %d\n", stp_recorder(), stp_control_attached());
	seq_printf(out, "uid %u\nnanoseconds %llu\n", loaded_by, ktime_get_ns() - loaded_at);
	seq_printf(out, "errors %u\narmed %u\nfailed %u\nskipped %llu\n", status.errors,
		   status.armed, status.failed, status.skipped);
	seq_printf(out, "buffers %llu\nwaiting %llu\nlost %llu\noverwritten %llu\n", rings.size,
		   rings.waiting, rings.lost, rings.overwritten);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/* ---------------------------------------------------------------- globals */

static int globals_show(struct seq_file *out, void *unused)
{
	if (stp_script.parts.globals)
		stp_script.parts.globals->show(out);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(globals);

/* ---------------------------------------------------------------- formats */

static ssize_t formats_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	return simple_read_from_buffer(to, size, position, stp_script.formats,
				       stp_script.formats_size);
}

static const struct file_operations formats_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = formats_read,
	.llseek = default_llseek,
};

void stp_report_init(void)
{
	loaded_at = ktime_get_ns();
	loaded_by = from_kuid(&init_user_ns, current_uid());
	debugfs_create_file("account", 0400, stp_directory, NULL, &account_fops);
	if (stp_script.parts.timing)
		stp_script.parts.timing->report(stp_directory);
	debugfs_create_file("state", 0400, stp_directory, NULL, &state_fops);
	debugfs_create_file("globals", 0400, stp_directory, NULL, &globals_fops);
	debugfs_create_file("formats", 0400, stp_directory, NULL, &formats_fops);
}
