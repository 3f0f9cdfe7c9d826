/* in_terminal TYPED COMMAND: runs a shell's command on a terminal of its own and, a second later, types TYPED there
 * (^C for the interrupt). Prints how the terminal takes what is typed then, what the command prints, and how
 * the terminal is left. */
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

static const char *mode_of(int terminal)
{
	struct termios mode;

	tcgetattr(terminal, &mode);
	return !(mode.c_lflag & ICANON) && !(mode.c_lflag & ECHO) ? "characters" : mode.c_lflag & ICANON ? "lines" : "?";
}

int main(int argc, char **argv)
{
	int ours, theirs, status;
	char text[4096];
	ssize_t length;
	pid_t child;

	if (argc != 3 || openpty(&ours, &theirs, NULL, NULL, NULL))
		return 2;
	child = fork();
	if (!child) {
		close(ours);
		login_tty(theirs);
		execl("/bin/sh", "sh", "-c", argv[2], NULL);
		_exit(127);
	}
	sleep(2);
	printf("by %s\n", mode_of(theirs));
	if (!strcmp(argv[1], "^C"))
		argv[1] = "\003";
	if (write(ours, argv[1], strlen(argv[1])) < 0)
		return 2;
	waitpid(child, &status, 0);
	printf("then by %s\n", mode_of(theirs));
	close(theirs);
	fflush(stdout);
	while ((length = read(ours, text, sizeof(text))) > 0)
		if (write(1, text, length) < 0)
			return 2;
	return WEXITSTATUS(status);
}
