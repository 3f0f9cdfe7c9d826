// SPDX-License-Identifier: GPL-2.0
/* What scripts call. One compile: see ../Kbuild. */
#include "../builtins.c"
#include "../uaccess.c"
#include "../pretty.c"
#include "../stack.c"
#include "../symbols.c"
#include "../places.c"
#include "../syscall.c"
#include "../text.c"
#include "../time.c"
