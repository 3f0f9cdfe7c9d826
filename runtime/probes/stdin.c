// SPDX-License-Identifier: GPL-2.0
/*
 * The standard input of the reader, which hands it over by messages: each character to those points
 * that want characters, and each line, when it ends, to those that want lines.
 */
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "runtime.h"

struct input {
	const struct stp_point *const *points;
	u32 n;
	struct stp_value *line; /* so much of it as has come and fits */
};

/* Of the set that is armed; there is one. Messages come one at a time, and not while it changes. */
static struct input *input;
static DEFINE_MUTEX(stdin_turn);

/* Handlers change nothing of what they are given. */
static void stdin_hit(bool lines, struct stp_value *value)
{
	u32 i;

	for (i = 0; i < input->n; i++)
		if (!!input->points[i]->number == lines)
			stp_hit(input->points[i], NULL, NULL, 0, value);
}

static void end_line(void)
{
	if (input->line->len)
		stdin_hit(true, input->line);
	input->line->len = 0;
}

static void take(char c)
{
	struct {
		struct stp_value value;
		char text[sizeof(u32)];
	} one = { .value = { .len = c != '\0', .size = 1 } };
	struct stp_value *line = input->line;

	one.value.text[0] = c;
	stdin_hit(false, &one.value);
	/* A string holds no NUL. */
	if (c && line->len < line->size)
		line->text[line->len++] = c;
	if (c == '\n')
		end_line();
}

int stp_stdin(const char *text, u32 length)
{
	int error = 0;
	u32 i;

	mutex_lock(&stdin_turn);
	if (!input)
		error = -EAGAIN;
	for (i = 0; input && i < length; i++) {
		take(text[i]);
		cond_resched();
	}
	if (input && !length)
		end_line();
	mutex_unlock(&stdin_turn);
	return error;
}

static int stdin_arm(const struct stp_point *const *points, u32 n, void **set)
{
	u32 size = stp_script.limits.string_size - 1;
	struct input *made = kzalloc(sizeof(*made), GFP_KERNEL);

	if (!made)
		return -ENOMEM;
	made->line = kvzalloc(sizeof(*made->line) + size, GFP_KERNEL);
	if (!made->line) {
		kfree(made);
		return -ENOMEM;
	}
	made->line->size = size;
	made->points = points;
	made->n = n;
	mutex_lock(&stdin_turn);
	input = made;
	mutex_unlock(&stdin_turn);
	*set = made;
	return n;
}

static void stdin_disarm(void *set)
{
	struct input *made = set;

	mutex_lock(&stdin_turn);
	input = NULL;
	mutex_unlock(&stdin_turn);
	kvfree(made->line);
	kfree(made);
}

const struct stp_probe_kind stp_stdin_kind = {
	.name = "standard input",
	.arm = stdin_arm,
	.disarm = stdin_disarm,
	.own_names = true,
};
