// SPDX-License-Identifier: GPL-2.0
/*
 * The control file: messages from the reader, the status back; and the account.
 *
 * One reader at a time has it open; that it is open is how the module knows that somebody will
 * take what it writes and, in the end, remove it. Messages are acted on by the session's own
 * thread: a write returns at once, so a reader that stops a session can go on emptying rings.
 */
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "transport/transport.h"

static DECLARE_WAIT_QUEUE_HEAD(readers);
static atomic_t attached = ATOMIC_INIT(0);
/* Counts reasons to look; `seen` is the count at the reader's last look. */
static atomic_t news = ATOMIC_INIT(0);
static int seen;

static void wake_readers(struct irq_work *work)
{
	wake_up_interruptible(&readers);
}
static DEFINE_IRQ_WORK(wake_work, wake_readers);

void stp_control_wake(void)
{
	atomic_inc(&news);
	/* Handlers may run inside the scheduler: waking is left to an interrupt of its own. */
	irq_work_queue(&wake_work);
}

bool stp_control_attached(void)
{
	return atomic_read(&attached);
}

static int control_open(struct inode *inode, struct file *file)
{
	if (atomic_cmpxchg(&attached, 0, 1))
		return -EBUSY;
	stp_orphan_calm();
	return 0;
}

static int control_release(struct inode *inode, struct file *file)
{
	atomic_set(&attached, 0);
	stp_orphan_watch();
	return 0;
}

/* The status as it is now, at whatever position. */
static ssize_t control_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	struct stp_status status;

	if (size < sizeof(status))
		return -EINVAL;
	seen = atomic_read(&news);
	memset(&status, 0, sizeof(status));
	stp_session_status(&status);
	return copy_to_user(to, &status, sizeof(status)) ? -EFAULT : sizeof(status);
}

static __poll_t control_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &readers, wait);
	return atomic_read(&news) != seen ? EPOLLIN | EPOLLRDNORM : 0;
}

static int act_on_global(char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	return stp_session_set_global(text, value);
}

static int act(const struct stp_message *message, char *payload)
{
	switch (message->kind) {
	case STP_MESSAGE_GLOBAL:
		return act_on_global(payload);
	case STP_MESSAGE_START:
		if (message->length != sizeof(struct stp_start))
			return -EINVAL;
		((struct stp_start *)payload)->unload[sizeof_field(struct stp_start, unload) - 1] = 0;
		return stp_session_start((struct stp_start *)payload);
	case STP_MESSAGE_STOP:
		stp_session_stop();
		return 0;
	case STP_MESSAGE_STDIN:
		return stp_stdin(payload, message->length);
	}
	return -EINVAL;
}

static ssize_t control_write(struct file *file, const char __user *from, size_t size,
			     loff_t *position)
{
	struct stp_message message;
	char *payload;
	int error;

	if (size < sizeof(message) || size > 65536)
		return -EINVAL;
	if (copy_from_user(&message, from, sizeof(message)))
		return -EFAULT;
	if (message.length != size - sizeof(message))
		return -EINVAL;
	payload = memdup_user_nul(from + sizeof(message), message.length);
	if (IS_ERR(payload))
		return PTR_ERR(payload);
	error = act(&message, payload);
	kfree(payload);
	return error ? error : size;
}

const struct file_operations stp_control_operations = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.read = control_read,
	.write = control_write,
	.poll = control_poll,
};

void stp_control_exit(void)
{
	irq_work_sync(&wake_work);
}

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

static int account_open(struct inode *inode, struct file *file)
{
	return single_open(file, account_show, NULL);
}

const struct file_operations stp_account_operations = {
	.owner = THIS_MODULE,
	.open = account_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};
