// SPDX-License-Identifier: GPL-2.0
/* The same, optimised for size. */
#include "probed.c"
