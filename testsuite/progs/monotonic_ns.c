/* SPDX-License-Identifier: GPL-2.0 */
/* monotonic_ns: prints the nanoseconds of the monotonic clock, which busybox has no command for. */
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	printf("%lld\n", t.tv_sec * 1000000000LL + t.tv_nsec);
	return 0;
}
