// SPDX-License-Identifier: GPL-2.0
/* What goes wrong in a handler: said once, to where `try` or the end of the handler finds it. */
#include <linux/kernel.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include "script.h"

void stp_fail(struct stp_context *c, const struct stp_place *place, const char *text, ...)
{
	va_list args;

	if (c->error)
		return;
	va_start(args, text);
	vsnprintf(c->error_text, sizeof(c->error_text), text, args);
	va_end(args);
	c->error = c->error_text;
	c->error_place = place;
}

void stp_fail_str(struct stp_context *c, const struct stp_place *place, struct stp_str text)
{
	stp_fail(c, place, "%.*s", (int)text.len, text.p);
}

STP_HOT bool stp_catch(struct stp_context *c, struct stp_text *to)
{
	/* A handler that has used up its actions must end. */
	if (c->actions < 0)
		return false;
	if (to) {
		to->len = min_t(u32, strlen(c->error), stp_script.limits.string_size - 1);
		memcpy(to->text, c->error, to->len);
	}
	c->error = NULL;
	return true;
}

bool stp_out_of_actions(struct stp_context *c, const struct stp_place *place)
{
	bool interruptible = c->flags & STP_CONTEXT_INTERRUPTIBLE;

	stp_fail(c, place, "more than %s (%u) actions in one handler",
		 interruptible ? "MAXACTION_INTERRUPTIBLE" : "MAXACTION",
		 interruptible ? stp_script.limits.actions_interruptible :
				 stp_script.limits.actions);
	return false;
}

STP_HOT s64 stp_div_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	if (!b) {
		stp_fail(c, place, "division by 0");
		return 0;
	}
	/* The least number by -1 does not fit; the processor traps. It wraps around. */
	return b == -1 ? (s64)(0 - (u64)a) : a / b;
}

STP_HOT s64 stp_mod_slow(struct stp_context *c, s64 a, s64 b, const struct stp_place *place)
{
	if (!b) {
		stp_fail(c, place, "division by 0");
		return 0;
	}
	return b == -1 ? 0 : a % b;
}
