/*
 * fork_keeps_registers: whether a register that calls preserve is in a new process what it was. Exit status
 * 0 when it is.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	long number = SYS_fork, kept = 0;
	int status;

	__asm__ volatile("mov $0x5a5a5a5a, %%r15\n\tsyscall\n\tmov %%r15, %1"
			 : "+a"(number), "=r"(kept)
			 :
			 : "rcx", "r11", "r15", "memory");
	if (number == 0)
		_exit(kept != 0x5a5a5a5a);
	return number < 0 || waitpid(number, &status, 0) < 0 || status != 0;
}
