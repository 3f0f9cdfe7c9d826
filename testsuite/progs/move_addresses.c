/* move_addresses FILE [FROM TO]...: in the words of FILE every address of the 4 GB from FROM on moves to as far behind
 * TO. So a module is built with addresses in others before it is known where those are. */
#include <stdint.h>
#include <stdlib.h>

#include "map_file.h"

int main(int argc, char **argv)
{
	size_t size;
	uint64_t *words = argc > 1 ? (void *)map_file(argv[1], &size) : NULL;

	if (!words)
		return 2;
	for (int i = 2; i + 1 < argc; i += 2) {
		uint64_t from = strtoull(argv[i], NULL, 16), to = strtoull(argv[i + 1], NULL, 16);

		for (size_t k = 0; k < size / sizeof(*words); k++)
			if (words[k] >> 32 == from >> 32)
				words[k] = words[k] - from + to;
	}
	return 0;
}
