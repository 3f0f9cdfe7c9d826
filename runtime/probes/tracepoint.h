/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STP_TRACEPOINT_H
#define STP_TRACEPOINT_H

struct tracepoint;

/* "name", or "module:name"; NULL when there is none. The module stays: whoever unloads it disarms first, or
 * waits for us. Process context. */
struct tracepoint *stp_tracepoint_find(const char *symbol);

#endif
