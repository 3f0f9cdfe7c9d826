// SPDX-License-Identifier: GPL-2.0
/*
 * Files that tell of the session, for who reads it and who only looks: they can be read while
 * another process has the control file open.
 */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/uidgid.h>

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

/* ---------------------------------------------------------------- globals */

static int globals_show(struct seq_file *out, void *unused)
{
	if (stp_script.parts.globals)
		stp_script.parts.globals->show(out);
	return 0;
}

/* ---------------------------------------------------------------- formats */

static int formats_show(struct seq_file *out, void *unused)
{
	seq_write(out, stp_script.formats, stp_script.formats_size);
	return 0;
}

/* ------------------------------------------------------------------ files */

static int report_open(struct inode *inode, struct file *file)
{
	return single_open(file, inode->i_private, NULL);
}

static const struct file_operations report_operations = {
	.owner = THIS_MODULE,
	.open = report_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

void stp_report_file(const char *name, int (*show)(struct seq_file *out, void *unused))
{
	debugfs_create_file(name, 0400, stp_directory, show, &report_operations);
}

void stp_report_init(void)
{
	loaded_at = ktime_get_ns();
	loaded_by = __kuid_val(current_uid());
	stp_report_file("account", account_show);
	if (stp_script.parts.timing)
		stp_script.parts.timing->report();
	stp_report_file("state", state_show);
	stp_report_file("globals", globals_show);
	stp_report_file("formats", formats_show);
}
