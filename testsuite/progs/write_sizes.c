/* write_sizes N: writes 1, 2, ... N bytes to /dev/null, one write each. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char bytes[4096];
	long n = argc > 1 ? atol(argv[1]) : 10;
	int fd = open("/dev/null", O_WRONLY);

	for (long i = 1; i <= n && i <= (long)sizeof bytes; i++)
		if (write(fd, bytes, (size_t)i) != i)
			return 1;
	return 0;
}
