// SPDX-License-Identifier: GPL-2.0
/*
 * Lines of the source and inlined functions of addresses, from the tables that the module carries. What a
 * table says is checked where it is followed: it comes from a file that may have been damaged.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "builtins.h"
#include "places.h"
#include "stp/places.h"

struct reader {
	const u8 *at, *end;
};

/* 7 bits a byte, lowest first; the last byte has bit 7 clear. */
static u64 take(struct reader *r, bool is_signed)
{
	u32 shift = 0;
	u64 value = 0;
	u8 byte = 0;

	while (r->at < r->end && shift < 64) {
		byte = *r->at++;
		value |= (u64)(byte & 0x7f) << shift;
		shift += 7;
		if (!(byte & 0x80))
			break;
	}
	if (is_signed && shift < 64 && byte & 0x40)
		value |= ~0ULL << shift;
	return value;
}

static u32 blocks_of(const struct stp_places_header *table)
{
	return DIV_ROUND_UP_ULL(table->n_ranges, STP_PLACES_OF_BLOCK);
}

static const struct stp_places_name *names_of(const struct stp_places_header *table)
{
	return (const void *)((const struct stp_places_block *)(table + 1) + blocks_of(table));
}

/* The value of the range that holds an address, which counts from the table's base. */
static u64 value_at(const struct stp_places_header *table, u64 address)
{
	const struct stp_places_block *blocks = (const void *)(table + 1);
	u32 low = 0, high = blocks_of(table), middle, i, of_block;
	u64 here, value = 0, next;
	struct reader r;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (blocks[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	if (!high || blocks[low].address > address || blocks[low].at > table->packed_size)
		return 0;
	r.at = (const u8 *)(names_of(table) + table->n_names);
	r.end = r.at + table->packed_size;
	r.at += blocks[low].at;
	here = blocks[low].address;
	of_block = min_t(u32, STP_PLACES_OF_BLOCK, table->n_ranges - low * STP_PLACES_OF_BLOCK);
	for (i = 0; i < of_block; i++) {
		here += take(&r, false);
		next = value + take(&r, true);
		if (here > address)
			break;
		value = next;
	}
	return value;
}

/* The table that knows an address, and what it says; NULL when none does. */
static const struct stp_places_header *find(bool inlined, unsigned long address, u64 *value)
{
	const struct stp_places_header *table;
	const struct stp_places *places;
	s64 offset;
	u64 link;
	u32 i;

	for (i = 0; i < stp_script.n_places; i++) {
		places = &stp_script.places[i];
		table = places->table;
		if (places->inlined != inlined || table->magic != STP_PLACES_MAGIC)
			continue;
		offset = places->section ? READ_ONCE(stp_section_offsets[places->section - 1]) : stp_kernel_offset;
		if (places->section && !offset)
			continue; /* not loaded */
		link = address - offset;
		if (link < places->begin || link >= places->end || link < table->base)
			continue;
		*value = value_at(table, link - table->base);
		if (*value)
			return table;
	}
	return NULL;
}

/* Of number `i`, from 1 on. */
static const char *text_of(const struct stp_places_header *table, u64 i)
{
	const struct stp_places_name *names = names_of(table);
	const char *texts = (const char *)(names + table->n_names) + table->packed_size;

	if (!i || i > table->n_names || names[i - 1].text >= table->texts_size)
		return NULL;
	return texts + names[i - 1].text;
}

void stp_inlined_first(struct stp_inlined *copy, unsigned long address)
{
	u64 value = 0;

	copy->table = find(true, address, &value);
	copy->node = value;
}

bool stp_inlined_next(struct stp_inlined *copy)
{
	u32 around;

	copy->name = copy->table ? text_of(copy->table, copy->node) : NULL;
	if (!copy->name)
		return false;
	/* What is around comes first in the list: no damage makes a circle. */
	around = names_of(copy->table)[copy->node - 1].around;
	copy->node = around < copy->node ? around : 0;
	return true;
}

/* The name of the file; NULL when nothing is known. */
static const char *line_at(unsigned long address, u32 *line)
{
	u64 value;
	const struct stp_places_header *table = find(false, address, &value);

	if (!table)
		return NULL;
	*line = value & ((1 << STP_PLACE_LINE_BITS) - 1);
	return text_of(table, value >> STP_PLACE_LINE_BITS);
}

bool stp_put_line(char *to, const char *before, unsigned long address)
{
	u32 line;
	const char *file = line_at(address, &line);

	if (file)
		snprintf(to, STP_LINE_ROOM, "%s%s:%u", before, file, line);
	return file;
}

/* What is asked for of an address's place; the address itself when it is not known. */
static struct stp_str place_text(struct stp_text *scratch, s64 address, bool wants_file, bool wants_line)
{
	u32 line, room = stp_script.limits.string_size;
	const char *file = line_at(address, &line);

	if (!file)
		scratch->len = scnprintf(scratch->text, room, "0x%llx", address);
	else if (!wants_line)
		scratch->len = scnprintf(scratch->text, room, "%s", file);
	else if (!wants_file)
		scratch->len = scnprintf(scratch->text, room, "%u", line);
	else
		scratch->len = scnprintf(scratch->text, room, "%s:%u", file, line);
	return STP_BORROW(scratch);
}

struct stp_str stp_fn_symfile(struct stp_context *c, struct stp_text *scratch, s64 address)
{
	return place_text(scratch, address, true, false);
}

struct stp_str stp_fn_symline(struct stp_context *c, struct stp_text *scratch, s64 address)
{
	return place_text(scratch, address, false, true);
}

struct stp_str stp_fn_symfileline(struct stp_context *c, struct stp_text *scratch, s64 address)
{
	return place_text(scratch, address, true, true);
}
