/* Time in which another CPU does what is queued. */
#ifndef SHIM_DELAY_H
#define SHIM_DELAY_H

#include <linux/types.h>

void shim_delay(void);
#define udelay(us) ((void)(us), shim_delay())
#define cpu_relax() ((void)0)

#endif
