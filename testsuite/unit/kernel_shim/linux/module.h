#ifndef SHIM_MODULE_H
#define SHIM_MODULE_H

struct module { const char *name; };
#define THIS_MODULE (&(const struct module){ "test" })

#endif
