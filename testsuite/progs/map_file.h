/* A file that is changed in place. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Its bytes, `*size` of them; what is written there is written to it. NULL when there is no such file. */
static inline char *map_file(const char *name, size_t *size)
{
	int fd = open(name, O_RDWR);
	struct stat file;
	void *bytes;

	if (fd < 0 || fstat(fd, &file))
		return NULL;
	*size = (size_t)file.st_size;
	bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return bytes == MAP_FAILED ? NULL : bytes;
}
