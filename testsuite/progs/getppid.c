/*
 * getppid CALLS [PROCESSES]: makes exactly CALLS getppid system calls in each process, past
 * the C library. The tests count them.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 1000;
	long processes = argc > 2 ? atol(argv[2]) : 1;

	for (long p = 0; p < processes; p++) {
		if (fork() == 0) {
			for (long i = 0; i < calls; i++)
				syscall(SYS_getppid);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
