/* What the runtime takes from linux/kernel.h and what that brings along. */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <errno.h>
#include <linux/log2.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>

#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define swap(a, b) do { typeof(a) old_ = (a); (a) = (b); (b) = old_; } while (0)
#define ALIGN(n, to) (((n) + (to)-1) / (to) * (to))
#define L1_CACHE_BYTES 64
#define READ_ONCE(x) (*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)
#define noinline __attribute__((noinline))
#define __printf(text, first) __attribute__((format(printf, text, first)))
#define pr_warn(...) ((void)fprintf(stderr, __VA_ARGS__))

#ifndef S64_MAX
#define S64_MAX ((s64)(~0ULL >> 1))
#endif

#endif
