// SPDX-License-Identifier: GPL-2.0
/*
 * Names of addresses, remembered.
 *
 * The kernel keeps its names packed: to look one up takes it 3000 instructions, and stacks that are printed
 * have the same few addresses again and again. Names of the kernel itself stay as they are, so those are kept
 * in a table where an address has one place; modules come and go, theirs are looked up each time.
 *
 * All CPUs share the table: what is in use is written once and read from then on. A place's key is cleared, from one
 * moment to the next, by whom will write it; who finds it cleared, another handler's or one in an NMI
 * in between, goes without. A reader looks at the key before and after, and each key that is written has a number
 * of its own.
 */
#include <linux/hash.h>

#include "runtime.h"
#include "symbols.h"
#include "words.h"

#define PLACES 512u /* a power of two; 32 KB */
#define LONGEST 55u

struct place {
	u64 key;
	u8 length;
	char text[LONGEST];
};
static struct place places[PLACES];

/* A key is what is wanted and, above that, its number, which is not 0. */
#define NUMBER_SHIFT 40
#define MOST_NUMBERS (1ull << (64 - NUMBER_SHIFT))
#define IS_BEING_WRITTEN 1ull

/* The kernel's own text has 2 GB at most. An address of it may be one that is returned to, or not. */
static u64 wanted_of(unsigned long address, bool returns)
{
	return (u64)(address - __START_KERNEL_map) << 1 | returns;
}

static u32 recall(char *to, const struct place *place, u64 wanted)
{
	u64 key = smp_load_acquire(&place->key);
	u32 length;

	if ((key & ((1ull << NUMBER_SHIFT) - 1)) != wanted || key == IS_BEING_WRITTEN)
		return 0;
	length = min_t(u32, READ_ONCE(place->length), LONGEST);
	stp_words_copy(to, place->text, length);
	to[length] = '\0';
	smp_rmb();
	return READ_ONCE(place->key) == key ? length : 0;
}

static void keep(struct place *place, u64 wanted, const char *text, u32 length)
{
	u64 before = READ_ONCE(place->key);
	u64 number = (before >> NUMBER_SHIFT) + 1;

	if (before == IS_BEING_WRITTEN || cmpxchg(&place->key, before, IS_BEING_WRITTEN) != before)
		return;
	WRITE_ONCE(place->length, length);
	memcpy(place->text, text, length);
	smp_store_release(&place->key, (number % MOST_NUMBERS ?: 1) << NUMBER_SHIFT | wanted);
}

static u32 look_up(char *to, unsigned long address, bool returns)
{
	/* %pB looks up the byte before, and counts the offset of the address itself. */
	return scnprintf(to, KSYM_SYMBOL_LEN, returns ? "%pB" : "%pS", (void *)address);
}

u32 stp_symbol(char *to, unsigned long address, bool returns)
{
	struct place *place;
	u32 length;
	u64 wanted;

	if (address < __START_KERNEL_map || address >= MODULES_VADDR)
		return look_up(to, address, returns);
	wanted = wanted_of(address, returns);
	place = &places[hash_64(wanted, ilog2(PLACES))];
	length = recall(to, place, wanted);
	if (length)
		return length;
	length = look_up(to, address, returns);
	/* What has no name begins with a digit; what the kernel made while it runs, trampolines and programs of BPF, ends
	 * with a word for that, as what is a module's does. */
	if (length <= LONGEST && to[0] != '0' && to[length - 1] != ']')
		keep(place, wanted, to, length);
	return length;
}
