// What C and its compilers do to debug information, in one small program.
#include <stdarg.h>

struct node;
typedef struct node *link_t;
struct bits { unsigned low : 3; int middle : 13; unsigned long wide : 40; };
struct node { link_t next; struct bits b; union { int left; char right; }; int grid[2][3]; };
enum color { RED = 1, BLUE = -4 };
typedef int (*callback)(struct node *, enum color);
static volatile long sink;
static struct node nodes[3];

static inline __attribute__((always_inline)) int inner(int a) {
	int twice = a * 2;
	sink = twice;
	return twice;
}
static inline __attribute__((always_inline)) int outer(int b) {
	int sum = 0;
	for (int i = 0; i < b; i++) sum += inner(b + i);
	return sum;
}
__attribute__((noinline)) int walk(struct node *n, enum color c, callback f, double d) {
	int found = outer(c);
	while (n) {
		const struct bits *b = &n->b;
		int step = f(n, c) + (int)b->middle + (int)d;
		if (step > 100) goto out;
		found += step;
		n = n->next;
	}
out:
	sink = found;
	return found;
}
__attribute__((noinline)) static int one(struct node *n, enum color c) { return n->left + c; }
__attribute__((noinline)) long many(int count, ...) {
	va_list list;
	long sum = 0;
	va_start(list, count);
	while (count-- > 0) sum += va_arg(list, int);
	va_end(list);
	return sum;
}
__attribute__((noinline)) struct node by_value(struct node n, char text[8], _Bool yes) {
	if (yes) n.left = text[0];
	{
		long n = sink;
		sink = n + 1;
	}
	return n;
}
#ifdef OTHER
int only_there(int n) { return n + 1; }
#endif
static int recurse(unsigned char n) { return n < 2 ? n : recurse(n - 1) + recurse(n - 2); }
int main(int argc, char **argv) {
	char text[8] = { (char)argc };
	nodes[0].next = &nodes[1];
	nodes[2] = by_value(nodes[1], text, argv != 0);
	return walk(nodes, argc > 1 ? RED : BLUE, one, 1.5) + (int)many(2, 3, argc) + recurse(3);
}
