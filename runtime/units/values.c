// SPDX-License-Identifier: GPL-2.0
/* What handlers do all the time: contexts, locks, records, arrays, statistics, strings. One compile: see ../Kbuild. */
#include "../context.c"
#include "../lock.c"
#include "../transport/ring.c"
#include "../print.c"
#include "../map.c"
#include "../stat.c"
#include "../string.c"
#include "../match.c"
