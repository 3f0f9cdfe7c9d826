/*
 * on_a_terminal COMMAND...: runs the command on a terminal of 40 lines of 120 characters, types what
 * comes from standard input, and prints all that the terminal was sent. Ends with the command's status.
 */
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Copies what is there; false at the end. */
static int copy(int from, int to)
{
	char text[4096];
	ssize_t got = read(from, text, sizeof(text));

	return got > 0 && write(to, text, got) == got;
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 40, .ws_col = 120 };
	struct pollfd ready[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int terminal, status;
	pid_t child;

	if (argc < 2)
		return 99;
	child = forkpty(&terminal, NULL, NULL, &size);
	if (child == 0) {
		execvp(argv[1], argv + 1);
		_exit(98);
	}
	ready[1].fd = terminal;
	while (poll(ready, 2, -1) > 0) {
		if (ready[0].revents && !copy(STDIN_FILENO, terminal))
			ready[0].fd = -1;
		if (ready[1].revents && !copy(terminal, STDOUT_FILENO))
			break;
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}
