// SPDX-License-Identifier: GPL-2.0
/*
 * A module to be probed, whose values tests know. Writing N to /proc/stp_probed calls each of its
 * functions once with values made from N.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

/* A function as it stands, whatever the compiler finds out about its callers and it about them. */
#define probed __attribute__((noipa))

enum probed_color { PROBED_RED = 1, PROBED_GREEN = 5, PROBED_BLUE = -3 };

struct probed_inner {
	short number;
	char name[8];
};

struct probed_outer {
	int number;
	unsigned int low : 3;
	int middle : 5;
	unsigned long long wide : 40;
	struct probed_inner inner;
	struct probed_inner *pointer;
	struct probed_inner array[3];
	int matrix[2][3];
	enum probed_color color;
	union {
		u32 word;
		u8 bytes[4];
	};
	struct {
		u8 hidden;
		const volatile u16 qualified;
	};
	int (*call)(int);
	const char *text;
	void *nowhere;
	u32 count;
	u16 flexible[];
};

DECLARE_TRACE(probed_event, TP_PROTO(int n, struct probed_outer *outer, short twice),
	      TP_ARGS(n, outer, twice));
DEFINE_TRACE(probed_event, TP_PROTO(int n, struct probed_outer *outer, short twice),
	     TP_ARGS(n, outer, twice));

struct probed_small {
	long first;
	int second;
};

struct probed_big {
	long values[5];
};

/* Returned in two registers. */
struct probed_tag {
	char text[10];
	short half;
	unsigned int low : 3;
	int high : 5;
};

/* Arguments that take two words, and that lie on the stack. */
DECLARE_TRACE(probed_structures, TP_PROTO(struct probed_small small, char c, struct probed_big big, struct probed_tag tag,
					  int last),
	      TP_ARGS(small, c, big, tag, last));
DEFINE_TRACE(probed_structures, TP_PROTO(struct probed_small small, char c, struct probed_big big, struct probed_tag tag,
					 int last),
	     TP_ARGS(small, c, big, tag, last));

struct probed_node {
	struct probed_node *next;
	union {
		u32 whole;
		u8 bytes[4];
	} either;
	char unterminated[4];
	char terminated[8];
	int (*call)(int);
	enum probed_color color;
	bool flag;
	unsigned int bit : 1;
	int grid[2][2];
	struct {
		struct {
			struct {
				int leaf;
			} third;
		} second;
	} first;
	const char *text;
	int many[20];
};

int probed_global = 4242;
static DEFINE_PER_CPU(long, probed_per_cpu);
static long __used probed_static[4] = { 10, 20, 30, 40 };
static struct probed_outer *probed_state;
int probed_sink;

static probed int probed_callback(int n)
{
	return n + probed_sink;
}

probed long probed_arguments(char a, short b, int c, long d, unsigned char e, unsigned int f,
			       long g, struct probed_inner *h)
{
	return a + b + c + d + e + f + g + h->number + probed_sink;
}

probed int probed_structure(struct probed_outer *o, struct probed_outer **indirect)
{
	return o->number + (*indirect)->inner.number + probed_sink;
}

/* By value: in registers, and on the stack. */
probed long probed_by_value(struct probed_small s, struct probed_big b, int last)
{
	return s.first + s.second + b.values[4] + last + probed_sink;
}

static __always_inline int probed_inlined(int base, struct probed_outer *o)
{
	int doubled = base * 2;

	probed_sink += o->number;
	barrier();
	return doubled + probed_callback(base);
}

probed int probed_calls_inlined(struct probed_outer *o, int n)
{
	int first = probed_inlined(n, o);

	probed_sink -= o->number;
	first += probed_inlined(n + 100, o);
	probed_sink -= o->number;
	return first;
}

probed long probed_locals(int n)
{
	long total = 7;
	int i;

	for (i = 0; i < n; i++) {
		total += probed_callback(i) * 3;
		if (total > 1000000)
			goto out;
	}
	probed_sink += total & 1;
out:
	probed_callback(n);
	return total;
}

probed struct probed_small probed_returns_small(int n)
{
	return (struct probed_small){ n * 10L, -n };
}

probed struct probed_big probed_returns_big(int n)
{
	return (struct probed_big){ { n, n + 1, n + 2, n + 3, n + 4 } };
}

probed struct probed_tag probed_returns_tag(int n)
{
	return (struct probed_tag){ "tag", (short)-n, 5, -7 };
}

probed int probed_shown(struct probed_node *node, int n)
{
	return node->color + n + probed_sink;
}

probed signed char probed_returns_char(int n)
{
	return (signed char)(-n + probed_sink - probed_sink);
}

probed bool probed_returns_bool(int n)
{
	return n > probed_sink - probed_sink;
}

probed enum probed_color probed_returns_enum(int n)
{
	return n ? PROBED_BLUE : PROBED_RED;
}

probed struct probed_outer *probed_returns_pointer(int n)
{
	return n ? probed_state : NULL;
}

probed u16 probed_returns_short(int n)
{
	return (u16)(65530 + n);
}

probed long probed_opaque(long n)
{
	return n;
}

/* The structure is taken apart: what is pointed to has no address. */
static __always_inline long probed_pointed(struct probed_small *p, int n)
{
	long sum = probed_callback(n);

	barrier();
	sum += p->first;
	return sum + probed_callback(p->second);
}

probed long probed_calls_pointed(int n)
{
	struct probed_small local = { probed_opaque(n * 10), (int)probed_opaque(-n) };

	return probed_pointed(&local, n);
}

probed void probed_returns_nothing(int n)
{
	probed_sink ^= n;
	probed_sink ^= n;
}

probed int probed_recursive(int depth)
{
	int below;

	if (!depth)
		return 0;
	below = probed_recursive(depth - 1);
	barrier(); /* so it is no loop */
	return below + 1;
}

probed int probed_leaf(int n)
{
	return n + probed_sink;
}

#ifndef PROBED_OS /* one of two modules may export it */
EXPORT_SYMBOL_GPL(probed_leaf);
#endif

static __always_inline int probed_inner_calls(int n)
{
	int sum = probed_leaf(n + 20);

	return sum + probed_leaf(n + 30);
}

/* Calls the leaf three times, twice of them in the copy. */
probed int probed_middle(int n)
{
	int sum = probed_leaf(n + 10);

	return sum + probed_inner_calls(n) + 1;
}

/* Calls the middle twice and the leaf once. */
probed int probed_calls_two(int n)
{
	int sum = probed_middle(n) + probed_leaf(n + 1);

	return sum + probed_middle(n + 100) + 1;
}

/* Leaves by a jump to the middle. */
probed int probed_jumps(int n)
{
	return probed_middle(n + 200);
}

probed int probed_label(int n)
{
	int i = 0;

again:
	probed_sink += n;
	barrier();
	probed_sink -= n;
	if (++i < 4)
		goto again;
	return i;
}

/* Nobody may probe these. */
probed int probed_marked(int n)
{
	return n + probed_sink;
}
NOKPROBE_SYMBOL(probed_marked);

probed __section(".kprobes.text") int probed_serves(int n)
{
	return n + probed_sink;
}

probed noinstr int probed_raw(int n)
{
	return n + 1;
}

static volatile int probed_never; /* the compiler does not know */

/* Behind the call nothing holds what was passed, but what called. */
probed long probed_forgets(long given, long wide)
{
	int result;

	probed_sink += given + wide;
	result = probed_callback(1);
	probed_sink -= result;
forgotten:
	barrier();
	if (probed_never)
		goto forgotten;
	return result;
}

probed long probed_calls_forgets(long n)
{
	long (*volatile pointer)(long given, long wide) = probed_forgets;
	long result = probed_forgets(n, 1L << 40) + n;

	result += probed_forgets(17, n) + n;
	return result + pointer(n, 5);
}

static void probed_fill(int n)
{
	static const struct probed_inner array[3] = { { 1, "one" }, { 2, "two" }, { 3, "fullname" } };
	static const int matrix[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	struct probed_outer *o = probed_state;

	o->number = n * 1000;
	o->low = 5;
	o->middle = -9;
	o->wide = 0x123456789aULL;
	o->inner.number = (short)-n;
	strscpy(o->inner.name, "inner", sizeof(o->inner.name));
	memcpy(o->array, array, sizeof(array));
	memcpy(o->matrix, matrix, sizeof(matrix));
	o->pointer = &o->array[1];
	o->color = PROBED_GREEN;
	o->word = 0x04030201;
	o->hidden = 77;
	*(u16 *)&o->qualified = 1234;
	o->call = probed_callback;
	o->text = "some text";
	o->nowhere = NULL;
	o->count = 3;
	o->flexible[0] = 100;
	o->flexible[1] = 200;
	o->flexible[2] = 300;
	probed_static[1] = 20 + n;
}

static ssize_t probed_write(struct file *file, const char __user *buffer, size_t size, loff_t *at)
{
	static struct probed_node node = {
		.either.whole = 0x01020304, .unterminated = "abcd", .terminated = "ab\n", .call = probed_callback,
		.color = PROBED_BLUE, .flag = true, .bit = 1, .grid = { { 1, 2 }, { 3, -4 } },
		.first.second.third.leaf = 6, .text = "te\"xt", .many = { 1, 2, 3 },
	};
	struct probed_small small;
	struct probed_big big;
	int n, error;

	error = kstrtoint_from_user(buffer, size, 0, &n);
	if (error)
		return error;
	probed_fill(n);
	small = probed_returns_small(n);
	big = probed_returns_big(n);
	probed_arguments((char)n, (short)(n * 2), -n, 1L << 40, 255, 4000000000U, 99,
			 &probed_state->array[2]);
	probed_structure(probed_state, &probed_state);
	probed_by_value(small, big, n);
	probed_calls_inlined(probed_state, n);
	probed_locals(n);
	node.next = &node;
	this_cpu_write(probed_per_cpu, n * 7L);
	probed_shown(&node, n);
	probed_returns_tag(n);
	probed_calls_pointed(n);
	probed_returns_char(n);
	probed_returns_bool(n);
	probed_returns_enum(n);
	probed_returns_pointer(n);
	probed_returns_short(n);
	probed_returns_nothing(n);
	probed_recursive(n);
	trace_probed_event(n, probed_state, (short)(n * 2));
	trace_probed_structures((struct probed_small){ n, -n }, 'c', (struct probed_big){ { n, n + 1, n + 2, n + 3, n + 4 } },
				(struct probed_tag){ "tag", (short)-n, 5, -7 }, n + 9);
	probed_calls_two(n);
	probed_jumps(n);
	probed_label(n);
	probed_calls_forgets(n);
	probed_marked(probed_serves(probed_raw(n)));
	return (ssize_t)size;
}

static const struct proc_ops probed_operations = { .proc_write = probed_write };

static int __init probed_init(void)
{
	probed_state = kzalloc(struct_size(probed_state, flexible, 3), GFP_KERNEL);
	if (!probed_state)
		return -ENOMEM;
	if (!proc_create("stp_probed", 0200, NULL, &probed_operations)) {
		kfree(probed_state);
		return -ENOMEM;
	}
	return 0;
}

static void __exit probed_exit(void)
{
	remove_proc_entry("stp_probed", NULL);
	kfree(probed_state);
}

module_init(probed_init);
module_exit(probed_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Functions for tests of stp to probe");
