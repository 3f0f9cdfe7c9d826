/* SPDX-License-Identifier: GPL-2.0 */
/*
 * getppid_cost N: the cost of one getppid() in nanoseconds, with a decimal, over N calls.
 *
 * In a machine where virtual nanoseconds are executed instructions (QEMU's
 * `-icount shift=0,sleep=off`) the figure is exact, and the difference between a traced and an
 * untraced run is what a probe hit costs. The minimum of several rounds leaves out ticks.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 10000;
	double best = 0;

	for (int round = 0; round < 10; round++) {
		long long start = now();

		for (long i = 0; i < calls; i++)
			syscall(SYS_getppid);
		double each = (double)(now() - start) / calls;
		if (round == 0 || each < best)
			best = each;
	}
	printf("%.1f\n", best);
	return 0;
}
