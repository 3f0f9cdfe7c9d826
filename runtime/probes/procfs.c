// SPDX-License-Identifier: GPL-2.0
/*
 * Files below /proc/systemtap/MODULE that handlers answer.
 *
 * A handler runs when a file is read from its beginning, and fills a buffer that belongs to whoever
 * opened it: reads in small pieces, and many readers at a time, each see one answer whole. Each
 * write runs the handlers with as much as a string holds; the writer is told how much that was, and
 * writes the rest. When the files go, proc waits for those that are being read or written, and answers
 * whoever still has them open itself.
 */
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "runtime.h"

#define COMMON "systemtap"

/* The points of one path, which lie side by side. */
struct answer {
	const struct stp_point *read; /* NULL: nobody reads it */
	const struct stp_point *const *points;
	u32 n;
};

struct files {
	struct proc_dir_entry *directory;
	u32 n;
	struct answer each[];
};

/* ---------------------------------------------------------------- readers */

struct opened {
	struct mutex lock; /* two threads may share a file */
	const struct answer *answer;
	bool filled;
	struct stp_value value;
};

static int answer_open(struct inode *inode, struct file *file)
{
	const struct answer *answer = pde_data(inode);
	struct opened *opened;
	u32 size = 0;

	if (answer->read && (file->f_mode & FMODE_READ))
		size = answer->read->number2 ? answer->read->number2 : stp_script.limits.procfs_size;
	opened = kvzalloc(sizeof(*opened) + size, GFP_KERNEL_ACCOUNT);
	if (!opened)
		return -ENOMEM;
	mutex_init(&opened->lock);
	opened->answer = answer;
	opened->value.size = size;
	file->private_data = opened;
	return 0;
}

static int answer_release(struct inode *inode, struct file *file)
{
	kvfree(file->private_data);
	return 0;
}

static ssize_t answer_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	struct opened *opened = file->private_data;
	const struct stp_point *point = opened->answer->read;
	ssize_t given = 0;

	if (!point)
		return -EINVAL;
	if (mutex_lock_interruptible(&opened->lock))
		return -EINTR;
	if (size && (!*position || !opened->filled)) {
		opened->value.len = 0;
		opened->filled = stp_hit(point, NULL, NULL, 0, &opened->value);
		if (!opened->filled)
			given = -EIO;
	}
	if (!given)
		given = simple_read_from_buffer(to, size, position, opened->value.text,
						opened->value.len);
	mutex_unlock(&opened->lock);
	return given;
}

/* ---------------------------------------------------------------- writers */

static ssize_t answer_write(struct file *file, const char __user *from, size_t size, loff_t *position)
{
	const struct opened *opened = file->private_data;
	struct stp_value *value;
	u32 i, handled = 0, writers = 0;

	size = min_t(size_t, size, stp_script.limits.string_size - 1);
	value = kvmalloc(sizeof(*value) + size, GFP_KERNEL_ACCOUNT);
	if (!value)
		return -ENOMEM;
	if (copy_from_user(value->text, from, size)) {
		kvfree(value);
		return -EFAULT;
	}
	value->len = value->size = strnlen(value->text, size);
	for (i = 0; i < opened->answer->n; i++) {
		if (!opened->answer->points[i]->number)
			continue;
		writers++;
		handled += stp_hit(opened->answer->points[i], NULL, NULL, 0, value);
	}
	kvfree(value);
	/* The permissions do not keep root from writing to what is only read. */
	if (!writers)
		return -EINVAL;
	if (handled < writers)
		return -EIO;
	*position += size;
	return size;
}

static const struct proc_ops operations = {
	.proc_open = answer_open,
	.proc_release = answer_release,
	.proc_read = answer_read,
	.proc_write = answer_write,
	.proc_lseek = default_llseek,
};

/* ------------------------------------------------------------------ files */

static bool exists(const char *path)
{
	struct path found;

	if (kern_path(path, 0, &found))
		return false;
	path_put(&found);
	return true;
}

/* The folder of all sessions, which stays. To make it again would make proc complain in the kernel's log:
 * sessions that begin at the same time take turns at the folder in debugfs that they have in common. */
static int common_directory(void)
{
	struct inode *turns = d_inode(stp_directory->d_parent);
	int error = 0;

	inode_lock(turns);
	if (!exists("/proc/" COMMON)) {
		if (!exists("/proc/self"))
			error = -ENODEV;
		else if (!proc_mkdir(COMMON, NULL))
			error = -ENOMEM;
	}
	inode_unlock(turns);
	return error;
}

/* Whether two paths begin with the same `length` bytes, which end in front of a slash. */
static bool same_folder(const char *a, const char *b, size_t length)
{
	return strlen(b) > length && !strncmp(a, b, length + 1);
}

/* The folders of a path, but for those that the paths before have made. */
static int make_folders(struct files *files, const char *path)
{
	const char *slash = path;
	char *folder;
	bool made;
	u32 i;

	while ((slash = strchr(slash, '/'))) {
		size_t length = slash++ - path;

		for (i = 0, made = false; i + 1 < files->n && !made; i++)
			made = same_folder(path, files->each[i].points[0]->symbol, length);
		if (made)
			continue;
		folder = kstrndup(path, length, GFP_KERNEL);
		made = folder && proc_mkdir(folder, files->directory);
		kfree(folder);
		if (!made)
			return -ENOMEM;
	}
	return 0;
}

static umode_t mode_of(const struct answer *answer)
{
	umode_t mode = 0;
	u32 i;

	for (i = 0; i < answer->n; i++)
		mode |= answer->points[i]->offset;
	/* For none at all, proc gives everybody leave to read; the sticky bit means nothing here. */
	return mode ? mode : S_ISVTX;
}

/* Arms the points of one path; how many, or a negative errno. */
static int make_file(struct files *files, const struct stp_point *const *points, u32 n)
{
	struct answer *answer = &files->each[files->n++];
	int error;
	u32 i;

	*answer = (struct answer){ .points = points, .n = n };
	for (i = 0; i < n; i++)
		if (!points[i]->number)
			answer->read = points[i];
	error = make_folders(files, points[0]->symbol);
	if (error)
		return error;
	return proc_create_data(points[0]->symbol, mode_of(answer), files->directory, &operations, answer) ?
		       n : -ENOMEM;
}

static int make_directory(struct files *files)
{
	char name[sizeof(COMMON "/") + MODULE_NAME_LEN];
	int error = common_directory();

	if (error)
		return error;
	snprintf(name, sizeof(name), COMMON "/%s", THIS_MODULE->name);
	files->directory = proc_mkdir(name, NULL);
	return files->directory ? 0 : -ENOMEM;
}

static int procfs_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct files *files = kvzalloc(struct_size(files, each, n), GFP_KERNEL);
	int armed = 0, error;
	u32 begin, end, i;

	if (!files)
		return -ENOMEM;
	error = make_directory(files);
	if (error) {
		kvfree(files);
		return error;
	}
	*set = files;
	for (begin = 0; begin < n; begin = end) {
		for (end = begin + 1; end < n && !strcmp(points[begin]->symbol, points[end]->symbol); end++)
			;
		error = make_file(files, points + begin, end - begin);
		for (i = begin; error < 0 && i < end; i++)
			stp_point_failed(points[i], error);
		armed += max(error, 0);
	}
	return armed;
}

static void procfs_disarm(void *set)
{
	struct files *files = set;

	proc_remove(files->directory);
	kvfree(files);
}

static const char *procfs_explain(int error)
{
	return error == -ENODEV ? "/proc is not mounted" :
	       error == -ENOMEM ? "there is no memory, or the file's name is taken" :
				  NULL;
}

const struct stp_probe_kind stp_procfs_kind = {
	.name = "procfs file",
	.arm = procfs_arm,
	.disarm = procfs_disarm,
	.explain = procfs_explain,
	.own_names = true,
};
