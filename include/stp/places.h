/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is at an address of code, as a table that a module carries: the translator writes it from
 * debug information, the runtime looks it up.
 *
 * Each range of addresses has a value, which holds up to where the next begins; 0: nothing is known.
 * Of lines the value is file << STP_PLACE_LINE_BITS | line; of inlined copies it is a node: the innermost
 * copy. Nodes and files are rows of one list of names, counted from 1.
 *
 * The table: this header, blocks, names, the packed ranges, texts. A block is STP_PLACES_OF_BLOCK ranges (the
 * last may have fewer); a range is the difference of its address to the one before as ULEB128, and that of
 * its value as SLEB128. The address of a block's first range is the block's, and values count from 0 there.
 */
#ifndef STP_PLACES_H
#define STP_PLACES_H

#include "stp/abi.h"

#define STP_PLACES_MAGIC 0x32504c43 /* "CLP2" */
#define STP_PLACES_OF_BLOCK 16
#define STP_PLACE_LINE_BITS 20

struct stp_places_header {
	stp_u32 magic;
	stp_u32 n_ranges;
	stp_u32 n_names;
	stp_u32 packed_size;
	stp_u32 texts_size;
	stp_u32 reserved;
	stp_u64 base; /* the link-time address that all others count from */
};

struct stp_places_block {
	stp_u32 address;
	stp_u32 at; /* in the packed ranges */
};

struct stp_places_name {
	stp_u32 text;	/* offset in the texts, which end with NUL each */
	stp_u32 around; /* the copy that this one is in; 0: none, or a file */
};

#endif
