/* fault_tasks PAGES [PROGRAM]: two threads, the first one of a child and one of its child touch PAGES pages for the
 * first time, each between two getppid() calls of its own; another child runs PROGRAM with PAGES instead. With
 * `-w` in front the threads are there and wait until there is something to read. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t n_pages;
static pthread_barrier_t begin;

static void touch(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *pages = mmap(NULL, n_pages * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		exit(1);
	syscall(SYS_getppid);
	for (size_t i = 0; i < n_pages; i++)
		pages[i * page] = 1;
	syscall(SYS_getppid);
}

static void *thread(void *unused)
{
	pthread_barrier_wait(&begin);
	touch();
	return unused;
}

static void run(int depth)
{
	if (fork() == 0) {
		touch();
		if (depth)
			run(depth - 1);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	int waits = argc > 1 && !strcmp(argv[1], "-w");
	pthread_t other;
	char byte;

	argv += waits;
	if (argc - waits < 2)
		return 2;
	n_pages = (size_t)atol(argv[1]);
	pthread_barrier_init(&begin, NULL, 2);
	if (pthread_create(&other, NULL, thread, NULL))
		return 1;
	if (waits && read(STDIN_FILENO, &byte, 1) < 0)
		return 1;
	pthread_barrier_wait(&begin);
	touch();
	pthread_join(other, NULL);
	run(1);
	if (argv[2] && fork() == 0) {
		execl(argv[2], argv[2], argv[1], NULL);
		_exit(1);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
