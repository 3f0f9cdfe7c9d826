/*
 * system_calls N: makes N, 2N, 3N, ... of some system calls, of 64 bits and, by int $0x80, of 32 bits, then
 * one of each with arguments that tests know. All fail or change nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers of asm/unistd_32.h. */
enum { WRITE_32 = 4, OPEN_32 = 5, CLOSE_32 = 6, LSEEK_32 = 19, GETPPID_32 = 64, GETPGID_32 = 132, GETUID32_32 = 199 };

static long call_32(long number, long a, long b, long c)
{
	long result;

	asm volatile("int $0x80"
		     : "=a"(result)
		     : "a"(number), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static void repeat(long n, long number)
{
	while (n-- > 0)
		syscall(number, -1, 0, 0);
}

static void repeat_32(long n, long number)
{
	while (n-- > 0)
		call_32(number, -1, 0, 0);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1;
	/* Addresses that fit 32 bits. */
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		return 1;
	strcpy(low, "/none of 32");
	repeat(n, SYS_getppid);
	repeat(2 * n, SYS_getuid);
	repeat(3 * n, SYS_fsync);
	repeat(4 * n, 9999);
	repeat_32(5 * n, GETPPID_32);
	repeat_32(6 * n, GETUID32_32);
	repeat_32(7 * n, CLOSE_32);

	umask(022);
	syscall(SYS_openat, AT_FDCWD, "/none \"of\"\t64", O_RDONLY, 0);
	syscall(SYS_write, 1000, "a\0b\n", 4);
	syscall(SYS_read, 1001, (void *)0x1000, 7);
	syscall(SYS_lseek, 1002, -5L, SEEK_SET);
	syscall(SYS_mmap, NULL, 0L, PROT_READ, MAP_PRIVATE, -1L, 0L);
	syscall(SYS_umask, 022);
	syscall(SYS_chmod, (char *)16, 0640);
	call_32(OPEN_32, (long)low, O_RDONLY, 0600);
	call_32(WRITE_32, 1003, (long)low, 5);
	call_32(LSEEK_32, 1004, -6, SEEK_CUR);
	call_32(GETPGID_32, -1, 0, 0);
	return 0;
}
