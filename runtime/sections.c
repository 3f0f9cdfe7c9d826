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
static struct module *module_named(const char *name)
{
	struct list_head *entry = &THIS_MODULE->list;
	struct module *module;

	do {
		if (is_module(entry)) {
			module = list_entry(entry, struct module, list);
			if (module->state != MODULE_STATE_UNFORMED && !strcmp(module->name, name))
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

void stp_sections_find(void)
{
	const struct stp_section *section;
	struct module *module;
	u64 address;
	u32 i;

	for (i = 0; i < stp_script.n_sections; i++) {
		section = &stp_script.sections[i];
		if (stp_section_offsets[i])
			continue;
		rcu_read_lock();
		module = module_named(section->module);
		address = module ? symbol_in(module, section->anchor) : 0;
		rcu_read_unlock();
		if (address)
			WRITE_ONCE(stp_section_offsets[i], (s64)(address - section->address));
	}
}

const char *stp_section_lack(const struct stp_section *section)
{
	bool loaded;

	rcu_read_lock();
	loaded = module_named(section->module);
	rcu_read_unlock();
	if (!loaded)
		return "the module is not loaded";
	return strstarts(section->name, ".init") ? "the module's init code is gone" :
						   "the module's symbols do not tell where it is";
}

const char *stp_symbol_lack(const char *symbol)
{
	const char *colon = strchr(symbol, ':');
	char name[MODULE_NAME_LEN];
	bool loaded;

	if (!colon)
		return "the kernel has no such symbol";
	strscpy(name, symbol, min_t(size_t, sizeof(name), colon - symbol + 1));
	rcu_read_lock();
	loaded = module_named(name);
	rcu_read_unlock();
	return loaded ? "the module has no such symbol" : "the module is not loaded";
}

int stp_sections_init(void)
{
	if (!stp_script.n_sections)
		return 0;
	stp_section_offsets = kcalloc(stp_script.n_sections, sizeof(*stp_section_offsets), GFP_KERNEL);
	if (!stp_section_offsets)
		return -ENOMEM;
	stp_sections_find();
	return 0;
}

void stp_sections_exit(void)
{
	kfree(stp_section_offsets);
}
