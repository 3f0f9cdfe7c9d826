// SPDX-License-Identifier: GPL-2.0
/* What scripts call, arrays and statistics among them. One compile: see ../Kbuild. */
#include "../map.c"
#include "../walk.c"
#include "../stat.c"
#include "../match.c"
#include "../uaccess.c"
#include "../pretty.c"
#include "../stack.c"
#include "../symbols.c"
#include "../places.c"
#include "../syscall.c"
#include "../text.c"
#include "../time.c"
