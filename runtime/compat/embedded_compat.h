/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What embedded C of older scripts expects of the kernel and newer kernels lack. Each item names the
 * upstream change.
 */
#ifndef STP_EMBEDDED_COMPAT_H
#define STP_EMBEDDED_COMPAT_H

#include <linux/string.h>
#include <linux/version.h>

/* strlcpy() went in v6.8 (d26270061ae6, "string: Remove strlcpy()"). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
static inline size_t strlcpy(char *to, const char *from, size_t size)
{
	size_t length = strlen(from), copied = length < size ? length : size - 1;

	if (size) {
		memcpy(to, from, copied);
		to[copied] = '\0';
	}
	return length;
}
#endif

#endif
