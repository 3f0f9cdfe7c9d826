#ifndef SHIM_SCHED_H
#define SHIM_SCHED_H

/* What handlers do meanwhile; may be NULL. */
extern void (*shim_meanwhile)(void);
#define cond_resched() (shim_meanwhile ? shim_meanwhile() : (void)0)

#endif
