/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STP_SHIM_SEQ_FILE_H
#define STP_SHIM_SEQ_FILE_H

struct seq_file;
void seq_printf(struct seq_file *file, const char *format, ...);

#endif
