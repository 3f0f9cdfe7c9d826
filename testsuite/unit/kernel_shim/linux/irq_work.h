/* It is done at once. */
#ifndef SHIM_IRQ_WORK_H
#define SHIM_IRQ_WORK_H

struct irq_work { void (*run)(struct irq_work *); };
#define DEFINE_IRQ_WORK(name, function) struct irq_work name = { function }
#define irq_work_queue(work) (work)->run(work)
#define irq_work_sync(work) ((void)(work))

#endif
