/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics, as map.c and the globals' set-up see them. */
#ifndef STP_STAT_FILE_H
#define STP_STAT_FILE_H

#include "script.h"

/* Bytes of a struct stp_stat of this shape. */
u32 stp_stat_size(const struct stp_stat_shape *shape);
/* What a statistic is sorted by: as stp_stat_value(), 0 for one without values. */
s64 stp_stat_rank(const struct stp_stat *s, const struct stp_stat_shape *shape,
		  enum stp_stat_op op);
/* Adds all that `from` has to `to`. */
void stp_stat_add_all(struct stp_stat *to, const struct stp_stat *from,
		      const struct stp_stat_shape *shape);

#endif
