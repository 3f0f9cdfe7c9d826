/* open_file PATH N: opens PATH N times with the flags 0x41 (O_CREAT | O_WRONLY) and the mode 0600. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 1;

	while (argc > 1 && n-- > 0) {
		int fd = open(argv[1], O_CREAT | O_WRONLY, 0600);

		if (fd < 0)
			return 1;
		close(fd);
	}
	return 0;
}
