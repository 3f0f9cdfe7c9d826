// SPDX-License-Identifier: GPL-2.0
/* What handlers do all the time: contexts, records, strings, and the way to them from a function.
 * One compile: see ../Kbuild. */
#include "../context.c"
#include "../transport/ring.c"
#include "../print.c"
#include "../string.c"
#include "../builtins.c"
#include "../clock.c"
#include "../probes/hooks.c"
#include "../compat/follow.c"
