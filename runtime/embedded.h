/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What C that is embedded in a script sees: the kernel's headers, and SystemTap's names for the
 * arguments, the result and the context of the call it stands in (stap(1), EMBEDDED C; the language
 * reference, 3.5 to 3.8). A script with embedded C includes this before anything else.
 *
 * The translator defines, around each piece: MAXSTRINGLEN; STAP_FAULT, where an error goes; STAP_ARG_name,
 * STAP_RETVALUE, STAP_RETURN; STAP_GLOBAL_GET_name, STAP_GLOBAL_SET_name. `c` is the context, stp_here
 * the place that errors name.
 */
#ifndef STP_EMBEDDED_H
#define STP_EMBEDDED_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uaccess.h>

#include "compat/embedded_compat.h"
#include "script.h"

#define CONTEXT c

/* A C string of the script's code, as a script string. NULL is empty. */
static inline struct stp_str stp_c_str(const char *p)
{
	return (struct stp_str){ p ? p : "", p ? strlen(p) : 0 };
}

/* An owned string, ended as C has it: its room is always one byte more. */
static inline char *stp_c_text(struct stp_text *text)
{
	text->text[text->len] = '\0';
	return text->text;
}

/* printf-like text for the output. Any context. Lost (and counted) when there is no room. */
void stp_print_text(struct stp_context *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define STAP_PRINTF(...) stp_print_text(c, __VA_ARGS__)
#define STAP_ERROR(...)                                \
	do {                                           \
		stp_fail(c, stp_here, __VA_ARGS__);    \
		STAP_FAULT;                            \
	} while (0)
#define STAP_NEXT                         \
	do {                              \
		c->next_overload = true;  \
		STAP_FAULT;               \
	} while (0)

/*
 * Memory that may be bad: the value at a typed pointer, or of `size` bytes (1, 2, 4, 8) at an address.
 * A bad address is a script error at the place of the call.
 */
#define stp_checked(load, pointer)                                                          \
	({                                                                                  \
		typeof(*(pointer)) stp_value;                                               \
		u64 stp_bits = load(c, (u64)(unsigned long)(pointer), sizeof(stp_value), stp_here); \
                                                                                            \
		if (stp_failed(c))                                                          \
			STAP_FAULT;                                                         \
		memcpy(&stp_value, &stp_bits, sizeof(stp_value));                           \
		stp_value;                                                                  \
	})
#define stp_checked_at(load, size, address)                                  \
	({                                                                   \
		u64 stp_bits = load(c, (u64)(address), (size), stp_here);    \
                                                                             \
		if (stp_failed(c))                                           \
			STAP_FAULT;                                          \
		stp_bits;                                                    \
	})
#define stp_checked_store(pointer, value)                                                         \
	do {                                                                                      \
		typeof(*(pointer)) stp_value = (value);                                           \
		u64 stp_bits = 0;                                                                 \
                                                                                                  \
		memcpy(&stp_bits, &stp_value, sizeof(stp_value));                                 \
		stp_store(c, (u64)(unsigned long)(pointer), sizeof(stp_value), stp_bits, stp_here); \
		if (stp_failed(c))                                                                \
			STAP_FAULT;                                                               \
	} while (0)
#define kread(pointer) stp_checked(stp_load, pointer)
#define uread(pointer) stp_checked(stp_load_user, pointer)
#define kderef(size, address) stp_checked_at(stp_load, size, address)
#define uderef(size, address) stp_checked_at(stp_load_user, size, address)
#define kwrite(pointer, value) stp_checked_store(pointer, value)
#define store_kderef(size, address, value)                                          \
	do {                                                                        \
		stp_store(c, (u64)(address), (size), (u64)(value), stp_here);       \
		if (stp_failed(c))                                                  \
			STAP_FAULT;                                                 \
	} while (0)
/* Faults leave by STAP_FAULT: no label is needed at the end. */
#define CATCH_DEREF_FAULT()

#endif
