/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bulk mode on disk: one file for each CPU, FILE_cpuN, with the records of its ring as they were
 * (abi.h). `stp merge` makes text of them, in order of time.
 *
 * A file is a head with the table of formats, then blocks, the last of which is the end. In each
 * file times do not go back. Everything is little-endian and padded to 8 bytes. The checksums are
 * CRC-32 as zlib's crc32() has it, over the structure, its `checksum` being 0, and what belongs to it.
 */
#ifndef STP_BULK_H
#define STP_BULK_H

#include "stp/abi.h"

#define STP_BULK_MAGIC "STPBULK1"
#define STP_BULK_BLOCK 0x4b425453u /* "STBK" */
#define STP_BULK_END 1		   /* flag of a block: struct stp_bulk_end is in it */

struct stp_bulk_head {
	char magic[8];
	stp_u32 abi; /* STP_ABI: how records look */
	stp_u32 cpu;
	stp_u64 run;	 /* the same in all files of a run, and in no other's */
	stp_u32 formats; /* bytes of the section ".stp.formats", which follows */
	stp_u32 checksum;
};

struct stp_bulk_block {
	stp_u32 magic;
	stp_u32 flags;
	stp_u64 sequence; /* from 0 */
	stp_u32 bytes;	  /* of whole records, which follow */
	stp_u32 checksum;
};

struct stp_bulk_end {
	stp_u64 lost; /* records of this CPU that found no room */
	stp_u64 files; /* how many the run made */
};

#endif
