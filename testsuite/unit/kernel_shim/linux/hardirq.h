#ifndef SHIM_HARDIRQ_H
#define SHIM_HARDIRQ_H

#define in_nmi() shim_nmi
extern int shim_nmi;

#endif
