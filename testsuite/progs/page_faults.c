/* page_faults N: touches N pages for the first time, between two getppid() calls; prints how many
 * faults the kernel counted for that. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = argc > 1 ? (size_t)atol(argv[1]) : 100;
	volatile char *pages = mmap(NULL, n * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct rusage before, after;

	if (pages == MAP_FAILED || getrusage(RUSAGE_SELF, &before))
		return 1;
	getppid();
	for (size_t i = 0; i < n; i++)
		pages[i * page] = 1;
	getppid();
	if (getrusage(RUSAGE_SELF, &after))
		return 1;
	printf("%ld\n", after.ru_minflt - before.ru_minflt);
	return 0;
}
