/* move_addresses FILE [FROM TO]...: in the words of FILE every address of the 4 GB from FROM on moves to as far behind
 * TO. So a module is built with addresses in others before it is known where those are. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	struct stat file;
	uint64_t *words;

	if (fd < 0 || fstat(fd, &file))
		return 2;
	words = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (words == MAP_FAILED)
		return 2;
	for (int i = 2; i + 1 < argc; i += 2) {
		uint64_t from = strtoull(argv[i], NULL, 16), to = strtoull(argv[i + 1], NULL, 16);

		for (size_t k = 0; k < (size_t)file.st_size / sizeof(*words); k++)
			if (words[k] >> 32 == from >> 32)
				words[k] = words[k] - from + to;
	}
	return 0;
}
