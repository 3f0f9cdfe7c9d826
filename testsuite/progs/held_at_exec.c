/* held_at_exec PROGRAM [ARGUMENT]: runs PROGRAM as a debugger does, holds it where it has just been loaded and says
 * "held"; lets it go when there is something to read, and says "ended" when it did well. */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t child = argc > 1 ? fork() : -1;
	char byte;
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execv(argv[1], argv + 1);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 1;
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
	ptrace(PTRACE_CONT, child, 0, 0);
	if (waitpid(child, &status, 0) < 0 || status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8))
		return 1;
	puts("held");
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) < 0)
		return 1;
	ptrace(PTRACE_DETACH, child, 0, 0);
	if (waitpid(child, &status, 0) < 0 || status)
		return 1;
	puts("ended");
	return 0;
}
