// SPDX-License-Identifier: GPL-2.0
/*
 * Where the sections of kernel modules are.
 *
 * The kernel exports neither its list of modules nor a search by name. But this module is an entry of
 * that list, whose entries are read under RCU; its head is the one that lies in vmlinux, outside the
 * space of modules. Each entry keeps its symbols at their addresses, for kallsyms. A kprobe that is not
 * armed would find functions, but no data.
 */
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "runtime.h"

s64 *stp_section_offsets;

static bool is_module(const struct list_head *entry)
{
	unsigned long address = (unsigned long)entry;

	return address >= MODULES_VADDR && address < MODULES_END;
}

/* RCU read side. */
static struct module *module_named(struct stp_str name)
{
	struct list_head *entry = &THIS_MODULE->list;
	struct module *module;

	do {
		if (is_module(entry)) {
			module = list_entry(entry, struct module, list);
			if (module->state != MODULE_STATE_UNFORMED &&
			    !strncmp(module->name, name.p, name.len) && !module->name[name.len])
				return module;
		}
		entry = rcu_dereference_raw(list_next_rcu(entry));
	} while (entry != &THIS_MODULE->list);
	return NULL;
}

/* RCU read side. 0: none. */
static u64 symbol_in(const struct module *module, const char *name)
{
	const struct mod_kallsyms *symbols = rcu_dereference_raw(module->kallsyms);
	unsigned int i;

	for (i = 0; symbols && i < symbols->num_symtab; i++)
		if (symbols->symtab[i].st_shndx != SHN_UNDEF &&
		    !strcmp(symbols->strtab + symbols->symtab[i].st_name, name))
			return symbols->symtab[i].st_value;
	return 0;
}

static void find_sections(const struct module *coming)
{
	const struct stp_section *section;
	const struct module *module;
	u64 address;
	u32 i;

	for (i = 0; i < stp_script.n_sections; i++) {
		section = &stp_script.sections[i];
		if (stp_section_offsets[i] || (coming && strcmp(coming->name, section->module)))
			continue;
		rcu_read_lock();
		module = coming ? coming : module_named(stp_str_of(section->module));
		address = module ? symbol_in(module, section->anchor) : 0;
		rcu_read_unlock();
		if (address)
			WRITE_ONCE(stp_section_offsets[i], (s64)(address - section->address));
	}
}

static void forget_sections(const struct module *going)
{
	u32 i;

	for (i = 0; i < stp_script.n_sections; i++)
		if (!strcmp(going->name, stp_script.sections[i].module))
			WRITE_ONCE(stp_section_offsets[i], 0);
}

static bool is_loaded(struct stp_str name)
{
	const struct module *module;
	bool loaded;

	rcu_read_lock();
	module = module_named(name);
	loaded = module && module->state != MODULE_STATE_GOING;
	rcu_read_unlock();
	return loaded;
}

static const char *section_lack(const struct stp_section *section)
{
	if (!is_loaded(stp_str_of(section->module)))
		return "the module is not loaded";
	return strstarts(section->name, ".init") ? "the module's init code is gone" :
						   "the module's symbols do not tell where it is";
}

static const char *symbol_lack(const char *symbol)
{
	const char *colon = strchr(symbol, ':');

	return is_loaded((struct stp_str){ symbol, colon - symbol }) ?
		       "the module has no such symbol" :
		       "the module is not loaded";
}

static int sections_init(void)
{
	if (!stp_script.n_sections)
		return 0;
	stp_section_offsets = kcalloc(stp_script.n_sections, sizeof(*stp_section_offsets), GFP_KERNEL);
	if (!stp_section_offsets)
		return -ENOMEM;
	find_sections(NULL);
	return 0;
}

static void sections_exit(void)
{
	kfree(stp_section_offsets);
}

const struct stp_modules_part stp_modules_part = {
	.init = sections_init,
	.exit = sections_exit,
	.find = find_sections,
	.forget = forget_sections,
	.is_loaded = is_loaded,
	.section_lack = section_lack,
	.symbol_lack = symbol_lack,
};
