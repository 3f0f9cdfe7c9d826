// SPDX-License-Identifier: GPL-2.0
/* The same, optimised for size. */
#define PROBED_OS
#include "probed.c"
