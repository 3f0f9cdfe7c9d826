// SPDX-License-Identifier: GPL-2.0
/*
 * The control file: messages from the reader, the status back.
 *
 * One reader at a time has it open; that it is open is how the module knows that somebody will
 * take what it writes and, in the end, remove it. A recorder (STP_MESSAGE_RECORD) needs nobody:
 * readers come and go, and when exit() is called while there is none, the end probes run all the same.
 * Messages are acted on by the session's own
 * thread: a write returns at once, so a reader that stops a session can go on emptying rings.
 */
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include "transport/transport.h"

static DECLARE_WAIT_QUEUE_HEAD(readers);
static atomic_t attached = ATOMIC_INIT(0);
static bool recorder;
/* Counts reasons to look; `seen` is the count at the reader's last look. */
static atomic_t news = ATOMIC_INIT(0);
static int seen;

static void wake_readers(struct irq_work *work)
{
	wake_up_interruptible(&readers);
	if (stp_recorder_alone())
		stp_session_stop_if_wanted();
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

bool stp_recorder(void)
{
	return READ_ONCE(recorder);
}

bool stp_recorder_alone(void)
{
	return READ_ONCE(recorder) && !atomic_read(&attached);
}

static void nothing(void *unused)
{
}

static int control_open(struct inode *inode, struct file *file)
{
	if (atomic_cmpxchg(&attached, 0, 1))
		return -EBUSY;
	/* Who still overwrites has interrupts off, and is done when its CPU answers. */
	if (stp_recorder())
		on_each_cpu(nothing, NULL, 1);
	stp_orphan_calm();
	return 0;
}

static int control_release(struct inode *inode, struct file *file)
{
	/* Either we see that exit() was called, or wake_readers() sees that nobody is here. */
	atomic_xchg(&attached, 0);
	if (stp_recorder_alone())
		stp_session_stop_if_wanted();
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
	const struct stp_probe_switch *change;

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
		return stp_script.parts.stdin ? stp_script.parts.stdin(payload, message->length) : -EAGAIN;
	case STP_MESSAGE_RESET:
		return stp_session_reset();
	case STP_MESSAGE_SWITCH:
		if (message->length != sizeof(struct stp_probe_switch))
			return -EINVAL;
		change = (const struct stp_probe_switch *)payload;
		return stp_probe_switch(change->probe, change->on);
	case STP_MESSAGE_RECORD:
		WRITE_ONCE(recorder, true);
		return 0;
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
	kvfree(payload);
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
