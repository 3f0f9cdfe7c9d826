/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics, as map.c and the globals' set-up see them. */
#ifndef STP_STAT_FILE_H
#define STP_STAT_FILE_H

#include "script.h"

/* Bytes of a struct stp_stat of this shape. */
u32 stp_stat_size(const struct stp_stat_shape *shape);
/* Adds all that `from` has to `to`. */
void stp_stat_add_all(struct stp_stat *to, const struct stp_stat *from,
		      const struct stp_stat_shape *shape);

#endif
