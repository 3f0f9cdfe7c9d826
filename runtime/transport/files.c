// SPDX-License-Identifier: GPL-2.0
/*
 * The session's folder in debugfs: stp/<module>/. The folder stp is shared by all sessions and
 * stays when the last one goes.
 */
#include <linux/debugfs.h>
#include <linux/dcache.h>

#include "transport/transport.h"

struct dentry *stp_directory;

static struct dentry *common_directory(void)
{
	/* Creating it again would make debugfs complain in the kernel's log. */
	struct dentry *common = debugfs_lookup("stp", NULL);

	if (common) {
		dput(common); /* it is never removed */
		return common;
	}
	return debugfs_create_dir("stp", NULL);
}

int stp_files_init(void)
{
	struct dentry *common = common_directory();

	if (IS_ERR(common))
		return PTR_ERR(common);
	stp_directory = debugfs_create_dir(THIS_MODULE->name, common);
	if (IS_ERR(stp_directory))
		return PTR_ERR(stp_directory);
	debugfs_create_file_unsafe("control", 0600, stp_directory, NULL, &stp_control_operations);
	stp_report_init();
	return 0;
}

void stp_files_exit(void)
{
	debugfs_remove(stp_directory);
	stp_directory = NULL;
}
