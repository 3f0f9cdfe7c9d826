/* It waits for shim_work(): runtime_under_test.c. */
#ifndef SHIM_WORKQUEUE_H
#define SHIM_WORKQUEUE_H

struct workqueue_struct;
struct work_struct { void (*run)(struct work_struct *); };
#define DECLARE_WORK(name, function) struct work_struct name = { function }
#define WQ_HIGHPRI 0
#define WQ_CPU_INTENSIVE 0
#define WQ_PERCPU 0
#define alloc_workqueue(...) ((struct workqueue_struct *)0)
#define destroy_workqueue(queue) ((void)(queue))
void shim_queue_work(struct work_struct *work);
#define queue_work(queue, work) ((void)(queue), shim_queue_work(work))
#define flush_work(work) ((void)(work))

#endif
