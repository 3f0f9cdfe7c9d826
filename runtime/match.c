// SPDX-License-Identifier: GPL-2.0
/*
 * What matched() and ngroups() tell of the last regular expression that a handler matched.
 *
 * The text is copied: what it was borrowed from may change before the groups are asked for. A context
 * has room for this only when the script calls one of them. Any context.
 */
#include <linux/string.h>

#include "builtins.h"
#include "slot.h"

s32 *stp_match_tags(struct stp_context *c)
{
	return stp_slot(c)->match->tags;
}

bool stp_match_keep(struct stp_context *c, struct stp_str text, u32 groups, bool matched)
{
	struct stp_match *match = stp_slot(c)->match;

	match->groups = 0;
	/* A borrowed text can be longer than any string that the script may own. */
	if (!matched || text.len >= stp_script.limits.string_size)
		return matched;
	match->groups = groups + 1;
	memcpy(match->text, text.p, text.len);
	match->len = text.len;
	return true;
}

s64 stp_fn_ngroups(struct stp_context *c, const struct stp_place *place)
{
	u32 groups = stp_slot(c)->match->groups;

	if (!groups)
		stp_fail(c, place, "no regular expression has matched");
	return groups;
}

struct stp_str stp_fn_matched(struct stp_context *c, struct stp_text *scratch, s64 n,
			      const struct stp_place *place)
{
	const struct stp_match *match = stp_slot(c)->match;
	s32 begin, end;

	if (!match->groups || n < 0 || n >= match->groups) {
		if (!match->groups)
			stp_fail(c, place, "no regular expression has matched");
		else
			stp_fail(c, place, "matched(%lld): the last regular expression has the groups 0 to %u", n,
				 match->groups - 1);
		return STP_STR("");
	}
	begin = match->tags[2 * n];
	end = match->tags[2 * n + 1];
	if (begin == STP_REGEX_NONE || end == STP_REGEX_NONE)
		return STP_STR("");
	/* ^ and $ take a place before and behind the text. */
	begin = clamp_t(s32, begin, 0, match->len);
	end = clamp_t(s32, end, begin, match->len);
	memcpy(scratch->text, match->text + begin, end - begin);
	scratch->len = end - begin;
	return STP_BORROW(scratch);
}
