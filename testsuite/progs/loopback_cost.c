/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loopback_cost N: the cost of one datagram through the loopback device, sent and received, in
 * nanoseconds, with a decimal, over N of them: deep stacks for getppid_cost's method.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(7007) };
	long count = argc > 1 ? atol(argv[1]) : 1000;
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
	char text[8] = "message";
	double best = 0;

	inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
	if (bind(in, (struct sockaddr *)&here, sizeof(here))) {
		perror("bind");
		return 2;
	}
	for (int round = 0; round < 10; round++) {
		long long start = now();

		for (long i = 0; i < count; i++) {
			/* It has arrived when the call returns. */
			if (sendto(out, text, sizeof(text), 0, (struct sockaddr *)&here, sizeof(here)) < 0 ||
			    recv(in, text, sizeof(text), MSG_DONTWAIT) < 0) {
				perror("loopback");
				return 2;
			}
		}
		double each = (double)(now() - start) / count;
		if (round == 0 || each < best)
			best = each;
	}
	printf("%.1f\n", best);
	return 0;
}
