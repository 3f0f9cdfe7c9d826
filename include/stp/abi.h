/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between a script's kernel module and the reader in user space.
 *
 * Three things cross the border: records (per-CPU rings, kernel to user),
 * control messages (user to kernel) and a status word (kernel to user). All are
 * fixed-layout, little-endian as the machine is, and versioned by STP_ABI.
 *
 * Files, all below /sys/kernel/debug/stp/<module>/ :
 *   ring0 ring1 ...  one relay buffer per CPU; a read gives its header, which tells the
 *                    size that a mapping must have (O_RDWR, all of it).
 *   control          write: struct stp_message. read: struct stp_status.
 *                    poll: readable when the status changed or a ring wants
 *                    to be emptied. Its last close stops a running session, unless that
 *                    is a recorder (STP_MESSAGE_RECORD).
 *   account          text, one line per probe; see STP_ACCOUNT_* below.
 *   times            text, of modules built with timing: one line per point; see below
 *   state            text, "key value" per line: what `control` tells, and more, for
 *                    those who do not read the session
 *   globals          text, "name = value" per line; of arrays the number of elements
 *   formats          the section ".stp.formats", for a reader that has no module file
 */
#ifndef STP_ABI_H
#define STP_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
typedef u64 stp_u64;
typedef u32 stp_u32;
typedef u16 stp_u16;
typedef u8 stp_u8;
typedef s64 stp_s64;
typedef s32 stp_s32;
#else
#include <stdint.h>
typedef uint64_t stp_u64;
typedef uint32_t stp_u32;
typedef uint16_t stp_u16;
typedef uint8_t stp_u8;
typedef int64_t stp_s64;
typedef int32_t stp_s32;
#endif

#define STP_ABI 3

/* ---------------------------------------------------------------- the ring */

/*
 * A relay buffer is one page of header, then `size` bytes of data (a power of
 * two). Positions count bytes ever written and never wrap; the byte for position
 * p is data[p & (size - 1)]. A record never crosses the end of the data: a
 * STP_RECORD_PAD fills the rest.
 *
 * Writer (its CPU only; NMIs nest): advances `reserve`, fills the record,
 * and at the end of the outermost handler sets `commit = reserve`.
 * Reader: may read [consumed, commit), then advances `consumed`. The kernel
 * trusts `consumed` for nothing but free space.
 *
 * Merge rule. Times are of the ring's `clock`, taken after `reserve` has moved.
 * So: read that clock (T), map the rings that there are by then (`rings` tells), then
 * read each ring's `reserve`; once every `commit` has
 * reached the `reserve` that was read, all records with time <= T are there.
 * All records of one handler carry the time of its first, so that sorting by
 * (time, cpu), stably, keeps what one handler printed in one piece.
 */
#define STP_RING_HEADER 4096
#define STP_RING_MAGIC 0x53545052u /* "STPR" */

struct stp_ring {
	stp_u32 magic;
	stp_u32 cpu;
	stp_u64 size;	  /* bytes of data after the header page */
	stp_u64 reserve;  /* kernel writes */
	stp_u64 commit;	  /* kernel writes */
	stp_u64 lost;	  /* kernel writes: records that found no room */
	stp_u64 lost_bytes;
	stp_u64 overwritten; /* kernel writes: records that nobody had read */
	stp_u64 overwritten_bytes;
	stp_u64 consumed; /* user writes; on a cache line of its own. While a recorder has
			     no reader, the kernel does */
	/* User writes: how much of lost and overwritten earlier readers have told. */
	stp_u64 told_lost, told_lost_bytes;
	stp_u64 told_overwritten, told_overwritten_bytes;
	stp_u32 clock; /* enum stp_clock; kernel writes, at START */
	stp_u32 rings; /* how many there are; kernel writes, in each, before a new one's CPU runs */
};

/* What the times of records are: only their order means something. */
enum stp_clock {
	STP_CLOCK_MONOTONIC = 0, /* CLOCK_MONOTONIC, ns */
	STP_CLOCK_TSC = 1,	 /* the CPU's time stamp counter, where the kernel's time is made of it: the
				    counters of all CPUs agree there, and reading one costs a sixth */
};

enum stp_record_kind {
	STP_RECORD_PAD = 0,    /* skip `length` bytes */
	STP_RECORD_FORMAT = 1, /* `format` and its arguments; see below */
	STP_RECORD_ERROR = 2,  /* text; a script error, printed to stderr */
	STP_RECORD_WARN = 3,   /* text; a warning, printed to stderr */
	STP_RECORD_TEXT = 4,   /* text, printed to stdout as it is */
};

/*
 * length counts header and payload, and is a multiple of 8.
 * Payload of FORMAT: the arguments in the order of the format's argument
 * letters. A number is 8 bytes. A string is a stp_u32 of its length, the bytes
 * (any bytes, no NUL added), and zeroes up to a multiple of 8. A histogram is
 * struct stp_histogram_head and its buckets, 8 bytes each.
 * Payload of ERROR, WARN and TEXT: one string.
 */
struct stp_record {
	stp_u32 length;
	stp_u16 kind;
	stp_u16 format; /* index into the format table */
	stp_u64 time;
};

/*
 * A histogram as it travels. Bucket 0 is what fell below `low` (linear) and the
 * last bucket what fell above `high` (linear); for logarithmic ones see
 * runtime/stat.h. `step` is 0 for @hist_log.
 */
struct stp_histogram_head {
	stp_s64 low, high, step;
	stp_u32 buckets;
	stp_u32 unused;
};

/*
 * @hist_log has 129 buckets. Index 64 counts the value 0; 64 + n counts values in
 * [2^(n-1), 2^n); 64 - n counts values in (-2^n, -2^(n-1)].
 */
#define STP_HIST_LOG_BUCKETS 129

/* ------------------------------------------------------------- the formats */

/*
 * Section ".stp.formats" of the module holds one entry for each number, end to
 * end: the argument letters, NUL, the format, NUL. Letters: 'l' number, 's'
 * string, 'h' histogram. The format is a script format in which every '*' width
 * or precision has its own 'l' before the value. A histogram's directive is %s.
 * Section ".stp.info" holds "key=value" strings, each ended by NUL:
 *   abi=2  release=6.1.0-56-amd64  script=hello.stp  buildid=<hex of the kernel>
 *   stdin=char or stdin=line when the script reads the reader's standard input
 */
#define STP_FORMATS_SECTION ".stp.formats"
#define STP_INFO_SECTION ".stp.info"

/* ----------------------------------------------------------------- control */

enum stp_message_kind {
	/* text "name=value"; before START. Fails: ENOENT, EINVAL (not a number), E2BIG */
	STP_MESSAGE_GLOBAL = 1,
	/* struct stp_start. Returns at once; the status tells how it went */
	STP_MESSAGE_START = 2,
	/* none. Disarms, runs the end probes; the status goes to FINISHED */
	STP_MESSAGE_STOP = 3,
	/* none; before START or later. The session is a recorder from now on: it goes on when
	 * `control` is closed, and while it is, new records take the room of the oldest */
	STP_MESSAGE_RECORD = 4,
	/* none; after START. Globals get their initial values, arrays and statistics are emptied */
	STP_MESSAGE_RESET = 5,
	/* struct stp_probe_switch; after START. Hits of a probe that is off are not counted */
	STP_MESSAGE_SWITCH = 6,
	/* bytes of the reader's standard input, none at its end; while the session runs, of a module
	 * that has stdin= among its info. Fails: EAGAIN (it does not run) */
	STP_MESSAGE_STDIN = 7,
};

struct stp_message {
	stp_u32 kind;
	stp_u32 length; /* of the payload that follows */
};

struct stp_probe_switch {
	stp_u32 probe; /* its line in `account`, from 0 */
	stp_u32 on;
};

struct stp_start {
	stp_s64 target;	  /* what target() returns; 0 for none */
	char unload[256]; /* program the module runs as `unload NAME` to be removed
			     when its reader died; "" for /sbin/rmmod NAME */
	stp_u32 clock;	  /* enum stp_clock: what records get their times from */
	stp_u32 unused;
};

enum stp_state {
	STP_LOADED = 0,	   /* waiting for START */
	STP_STARTING = 1,  /* begin probes, arming */
	STP_RUNNING = 2,   /* every probe that can be is armed */
	STP_STOPPING = 3,  /* disarming, end probes */
	STP_FINISHED = 4,  /* nothing more will be written to the rings */
};

struct stp_status {
	stp_u32 abi;
	stp_u32 state;
	stp_u32 wants_stop; /* exit() was called, or errors passed their limit */
	stp_u32 errors;	    /* script errors so far */
	stp_u32 armed;	    /* probe points armed */
	stp_u32 failed;	    /* probe points that could not be (each was warned of) */
	stp_u64 skipped;    /* hits missed, all causes but MISS_BUFFER */
};

/* ----------------------------------------------------------------- account */

/*
 * A line of `times`: "<hits> <least> <sum> <most> <point>\t<probe as written>\t<file:line:column>\n",
 * in cycles of the CPU's time stamp counter, of what ran as the point's handler.
 */

/*
 * Each hit of a probe is handled or missed, and a miss has one cause. A line of
 * `account`: "<hits> <handled> <one number per cause, in order> <probe point>\n".
 * A record that found no room is not a missed hit: the rings' `lost` counts it.
 */
enum stp_miss {
	STP_MISS_REENTRY, /* a handler was running on this CPU at this level */
	STP_MISS_LOCK,	  /* a global stayed locked past MAXTRYLOCK */
	STP_MISS_SLOT,	  /* no slot left to follow a return (maxactive) */
	STP_MISS_BUDGET,  /* the session's time or skip budget was used up */
	STP_MISS_OFFLINE, /* the CPU had no context yet */
	STP_MISS_KERNEL,  /* the kernel reports that it skipped the probe (nmissed) */
	STP_MISSES
};

#endif
