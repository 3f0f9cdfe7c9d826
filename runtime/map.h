/* SPDX-License-Identifier: GPL-2.0 */
/* Arrays, as the globals' set-up sees them. */
#ifndef STP_MAP_FILE_H
#define STP_MAP_FILE_H

#include "script.h"

/* An array with room for all its entries; NULL when there is no memory. */
struct stp_map *stp_map_create(const struct stp_global *global);
void stp_map_destroy(struct stp_map *map);
/* How many elements it has. */
u32 stp_map_count(const struct stp_map *map);

#endif
