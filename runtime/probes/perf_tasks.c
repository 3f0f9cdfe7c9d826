// SPDX-License-Identifier: GPL-2.0
/*
 * What perf counts of the tasks of one program.
 *
 * Each thread that runs the program has an event of its own, a binding. Those that are there when the point
 * is armed are looked for; later ones are met on their way: the tracepoints of exec and of fork give the
 * task an errand (task_work) that it runs before its first instruction in user space, so that nothing
 * of the program is missed. At its end the task lets go of its event in the same way. perf could
 * hand events down to children by itself (attr.inherit), but then the program that a child runs
 * instead would be counted as well, and nobody could find the child's count.
 *
 * What runs a program is known by the file's inode. Nothing is held of the file: it may be replaced, and is
 * looked up again when a file of that name is run.
 *
 * Without a program it is the process that the session was started with (-c, -x) and what descends from it,
 * whatever they run.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/hashtable.h>
#include <linux/namei.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/tracepoint.h>

#include "builtins.h"
#include "runtime.h"
#include "probes/perf.h"
#include "probes/tracepoint.h"

/* Which file it is, without a reference that would keep its file system mounted. */
struct file_id {
	dev_t device;
	unsigned long inode;
	u32 generation;
};

struct program {
	struct list_head node;
	const struct stp_point *point;
	struct list_head bindings;
	struct path root;	/* where the path begins */
	struct file_id id;	/* with `found` */
	bool found;
	atomic_t unbound;	/* tasks that have no event for lack of something */
	int error;		/* why the last of them has none */
};

struct programs {
	u32 n;
	struct program each[];
};

/* The event of one task. */
struct binding {
	struct hlist_node by_task;
	struct list_head of_program;
	struct program *program;
	struct task_struct *task; /* held, so that no other has its address */
	struct perf_event *event;
	struct rcu_head rcu;
};

/* What a task has been told to do. */
struct errand {
	struct callback_head work;
	bool of_target; /* a child of one that descends from the target */
};

/* Programs and bindings change under this; handlers read them with interrupts off. */
static DEFINE_MUTEX(binding_lock);
static LIST_HEAD(all_programs);
static DEFINE_HASHTABLE(bindings, 9);

static atomic_t errands; /* that were not done yet */

/* The kernel's own, which it does not export: task_work_cancel_match() and get_task_exe_file(). */
static struct callback_head *(*cancel_errand)(struct task_struct *task,
					     bool (*match)(struct callback_head *, void *), void *data);
static struct file *(*exe_file)(struct task_struct *task);

/* ----------------------------------------------------------------- bindings */

static struct binding *binding_of(const struct program *program, const struct task_struct *task)
{
	struct binding *b;

	hash_for_each_possible_rcu(bindings, b, by_task, (unsigned long)task, true)
		if (b->task == task && (!program || b->program == program))
			return b;
	return NULL;
}

STP_HOT bool stp_perf_tasks_read(struct stp_str name, s64 *count)
{
	const struct program *p;
	const struct binding *b;

	*count = 0;
	list_for_each_entry_rcu(p, &all_programs, node, true) {
		if (!p->point->counter || !stp_equal(stp_str_of(p->point->counter), name))
			continue;
		b = binding_of(p, current);
		if (b)
			*count = stp_perf_count(b->event);
		return true;
	}
	return false;
}

/* Only takes it out of sight. */
static void forget(struct binding *b)
{
	lockdep_assert_held(&binding_lock);
	hash_del_rcu(&b->by_task);
	list_del(&b->of_program);
}

/* After forget(), when no handler reads it any more: at once when the task is the current one. */
static void release(struct binding *b)
{
	perf_event_release_kernel(b->event);
	put_task_struct(b->task);
	kfree_rcu(b, rcu);
}

static struct perf_event *create_event(const struct program *program, struct task_struct *task)
{
	struct perf_event_attr attr = stp_perf_attributes(program->point);

	attr.remove_on_exec = program->point->symbol != NULL;
	return perf_event_create_kernel_counter(&attr, -1, task, stp_perf_overflow,
						(void *)program->point);
}

static void could_not_bind(struct program *program, int error)
{
	WRITE_ONCE(program->error, error);
	atomic_inc(&program->unbound);
}

/* True: it was not bound, and is. */
static bool bind(struct program *program, struct task_struct *task)
{
	struct binding *b;

	lockdep_assert_held(&binding_lock);
	if (binding_of(program, task))
		return false;
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b) {
		could_not_bind(program, -ENOMEM);
		return false;
	}
	b->event = create_event(program, task);
	if (IS_ERR(b->event)) {
		/* It ends. */
		if (PTR_ERR(b->event) != -ESRCH)
			could_not_bind(program, PTR_ERR(b->event));
		kfree(b);
		return false;
	}
	b->program = program;
	b->task = get_task_struct(task);
	hash_add_rcu(bindings, &b->by_task, (unsigned long)task);
	list_add(&b->of_program, &program->bindings);
	/* It may have been past the tracepoint of its end before it was to be found here. */
	smp_mb();
	if (READ_ONCE(task->flags) & PF_EXITING) {
		forget(b);
		synchronize_rcu();
		release(b);
		return false;
	}
	return true;
}

static void unbind_current(struct program *program)
{
	struct binding *b = binding_of(program, current);

	if (!b)
		return;
	forget(b);
	release(b);
}

/* ----------------------------------------------------------- who is bound */

static struct file_id id_of(const struct inode *inode)
{
	return (struct file_id){ inode->i_sb->s_dev, inode->i_ino, inode->i_generation };
}

static bool same_file(const struct file_id *a, const struct file_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->generation == b->generation;
}

/* Finds the program's file, which may be another than before. What is gone may still run. */
static void look_up(struct program *program)
{
	struct path path;

	if (vfs_path_lookup(program->root.dentry, program->root.mnt, program->point->symbol,
			    LOOKUP_FOLLOW, &path))
		return;
	program->id = id_of(d_backing_inode(path.dentry));
	program->found = true;
	path_put(&path);
}

/* The file that a task runs, and, where it is asked for, whether it is called like that of the program. */
static bool file_of(struct task_struct *task, struct file_id *id, const char *path, bool *same_name)
{
	struct file *file = exe_file(task);

	if (!file)
		return false;
	*id = id_of(file_inode(file));
	if (same_name)
		*same_name = !strcmp(file_dentry(file)->d_name.name, kbasename(path));
	fput(file);
	return true;
}

static bool runs(const struct program *program, struct task_struct *task)
{
	struct file_id id;

	return program->found && file_of(task, &id, NULL, NULL) && same_file(&id, &program->id);
}

/* Whether it is the process that the session was started with, or one of its children's children. */
static bool descends_from_target(struct task_struct *task)
{
	bool found = false;

	rcu_read_lock();
	for (; stp_target && !found && task->pid > 1; task = rcu_dereference(task->real_parent))
		found = task->tgid == stp_target;
	rcu_read_unlock();
	return found;
}

static bool runs_here(const struct program *program, struct task_struct *task)
{
	if (READ_ONCE(task->flags) & PF_EXITING)
		return false;
	return program->point->symbol ? runs(program, task) : descends_from_target(task);
}

/* Those that are there. One that is bound gives events to its children by itself; the children of those that
 * were not yet are found in the next round. */
static void bind_all(struct program *program)
{
	struct task_struct *some[64], *process, *task;
	u32 i, n, bound;

	do {
		n = bound = 0;
		rcu_read_lock();
		for_each_process_thread(process, task)
			if (n < ARRAY_SIZE(some) && runs_here(program, task) &&
			    !binding_of(program, task))
				some[n++] = get_task_struct(task);
		rcu_read_unlock();
		for (i = 0; i < n; i++) {
			bound += bind(program, some[i]);
			put_task_struct(some[i]);
		}
	} while (bound);
}

/* ------------------------------------------------------------------ errands */

/* The current task has begun to run a file. */
static void after_exec(struct callback_head *work)
{
	struct file_id id;
	struct program *p;
	bool same_name;

	mutex_lock(&binding_lock);
	list_for_each_entry(p, &all_programs, node) {
		if (p->point->symbol) {
			unbind_current(p);
			if (file_of(current, &id, p->point->symbol, &same_name) &&
			    (same_name || !p->found))
				look_up(p);
		}
		if (runs_here(p, current))
			bind(p, current);
	}
	mutex_unlock(&binding_lock);
	kfree(container_of(work, struct errand, work));
	atomic_dec(&errands);
}

/* The current task is new. */
static void after_fork(struct callback_head *work)
{
	struct errand *errand = container_of(work, struct errand, work);
	struct program *p;

	mutex_lock(&binding_lock);
	list_for_each_entry(p, &all_programs, node)
		if (runs_here(p, current) || (!p->point->symbol && errand->of_target))
			bind(p, current);
	mutex_unlock(&binding_lock);
	kfree(errand);
	atomic_dec(&errands);
}

/* The current task ends. */
static void at_exit(struct callback_head *work)
{
	struct program *p;

	mutex_lock(&binding_lock);
	list_for_each_entry(p, &all_programs, node)
		unbind_current(p);
	mutex_unlock(&binding_lock);
	kfree(container_of(work, struct errand, work));
	atomic_dec(&errands);
}

/* Preemption is off. */
static void send(struct task_struct *task, task_work_func_t what, enum task_work_notify_mode how,
		 bool of_target)
{
	struct errand *errand = kzalloc(sizeof(*errand), GFP_ATOMIC | __GFP_NOWARN);
	struct program *p;

	if (!errand) {
		list_for_each_entry_rcu(p, &all_programs, node, true)
			could_not_bind(p, -ENOMEM);
		return;
	}
	errand->of_target = of_target;
	init_task_work(&errand->work, what);
	atomic_inc(&errands);
	if (task_work_add(task, &errand->work, how)) {
		/* It ends. */
		atomic_dec(&errands);
		kfree(errand);
	}
}

static void execs(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *program)
{
	send(current, after_exec, TWA_RESUME, false);
}

static void forks(void *data, struct task_struct *parent, struct task_struct *child)
{
	const struct program *p;
	bool of_target = false, any = false;

	list_for_each_entry_rcu(p, &all_programs, node, true) {
		if (!binding_of(p, parent))
			continue;
		any = true;
		of_target |= !p->point->symbol;
	}
	if (any)
		send(child, after_fork, TWA_RESUME, of_target);
}

static void exits(void *data, struct task_struct *task)
{
	if (binding_of(NULL, task))
		send(task, at_exit, TWA_NONE, false);
}

/* ------------------------------------------------------ the tracepoints */

static struct {
	const char *name;
	void *handler;
	struct tracepoint *tracepoint;
} followed[] = {
	{ "sched_process_exec", execs },
	{ "sched_process_fork", forks },
	{ "sched_process_exit", exits },
};
static u32 followers; /* sets that are armed */

static bool is_ours(struct callback_head *work, void *data)
{
	return work->func == after_exec || work->func == after_fork || work->func == at_exit;
}

/* No task is on an errand any more. Who gets no CPU would keep its own as long. */
static void recall(void)
{
	struct task_struct *process, *task;
	struct callback_head *work;

	rcu_read_lock();
	for_each_process_thread(process, task)
		while (atomic_read(&errands) && (work = cancel_errand(task, is_ours, NULL))) {
			kfree(container_of(work, struct errand, work));
			atomic_dec(&errands);
		}
	rcu_read_unlock();
	while (atomic_read(&errands))
		msleep(1);
	/* Until those that are done have left the code of this module, too. */
	synchronize_rcu_tasks();
}

static void unfollow(u32 n)
{
	while (n--)
		tracepoint_probe_unregister(followed[n].tracepoint, followed[n].handler, NULL);
	tracepoint_synchronize_unregister();
	recall();
}

static int follow_programs(void)
{
	int error;
	u32 i;

	cancel_errand = (void *)stp_symbol_address("task_work_cancel_match");
	exe_file = (void *)stp_symbol_address("get_task_exe_file");
	if (!cancel_errand || !exe_file)
		return -EOPNOTSUPP;
	for (i = 0; i < ARRAY_SIZE(followed); i++) {
		followed[i].tracepoint = stp_tracepoint_find(followed[i].name);
		error = followed[i].tracepoint ?
				tracepoint_probe_register(followed[i].tracepoint,
							  followed[i].handler, NULL) :
				-EOPNOTSUPP;
		if (error) {
			unfollow(i);
			return error;
		}
	}
	return 0;
}

/* ----------------------------------------------------------------- the kind */

/* Whether there is such an event: tried with the current task, which does not wait for it. */
static int try_event(const struct program *program)
{
	struct perf_event *event;

	if (!program->point->symbol && !stp_target)
		return -ESRCH;
	event = create_event(program, current);
	if (IS_ERR(event))
		return PTR_ERR(event);
	perf_event_release_kernel(event);
	return 0;
}

static int wait_for_program(struct program *program, const struct stp_point *point)
{
	int error;

	program->point = point;
	INIT_LIST_HEAD(&program->bindings);
	error = try_event(program);
	if (error)
		return error;
	get_fs_root(current->fs, &program->root);
	mutex_lock(&binding_lock);
	if (point->symbol)
		look_up(program);
	list_add_tail_rcu(&program->node, &all_programs);
	bind_all(program);
	mutex_unlock(&binding_lock);
	return 0;
}

static int perf_tasks_arm(const struct stp_point *const *points, u32 n, void **set)
{
	struct programs *programs = kvzalloc(struct_size(programs, each, n), GFP_KERNEL);
	int error = programs ? 0 : -ENOMEM;
	u32 i;

	if (!error && !followers)
		error = follow_programs();
	if (error) {
		kvfree(programs);
		return error;
	}
	followers++;
	*set = programs;
	for (i = 0; i < n; i++) {
		error = wait_for_program(&programs->each[programs->n], points[i]);
		if (error)
			stp_point_failed(points[i], error);
		else
			programs->n++;
	}
	return programs->n;
}

static void tell(struct program *program)
{
	const struct stp_point *point = program->point;
	int unbound = atomic_read(&program->unbound);

	if (point->symbol && !program->found)
		stp_tell(STP_RECORD_WARN, "probe %s was never bound: there was no file '%s'", point->name,
			 point->symbol);
	if (unbound)
		stp_tell(STP_RECORD_WARN, "probe %s: %d tasks were not bound, the last for error %d",
			 point->name, unbound, program->error);
}

static void perf_tasks_disarm(void *set)
{
	struct programs *programs = set;
	struct binding *b, *next;
	u32 i;

	mutex_lock(&binding_lock);
	for (i = 0; i < programs->n; i++) {
		list_del_rcu(&programs->each[i].node);
		list_for_each_entry(b, &programs->each[i].bindings, of_program)
			hash_del_rcu(&b->by_task);
	}
	mutex_unlock(&binding_lock);
	if (!--followers)
		unfollow(ARRAY_SIZE(followed));
	/* Handlers that read have interrupts off. */
	synchronize_rcu();
	for (i = 0; i < programs->n; i++) {
		list_for_each_entry_safe(b, next, &programs->each[i].bindings, of_program)
			release(b);
		path_put(&programs->each[i].root);
		tell(&programs->each[i]);
	}
	kvfree(programs);
}

static const char *perf_tasks_explain(int error)
{
	return error == -ESRCH ? "there is no process to bind it to, which -c or -x names" :
				 stp_perf_explain(error);
}

const struct stp_probe_kind stp_perf_tasks_kind = {
	.name = "perf event of a program",
	.arm = perf_tasks_arm,
	.disarm = perf_tasks_disarm,
	.explain = perf_tasks_explain,
	.own_names = true,
};
