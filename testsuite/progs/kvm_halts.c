/* kvm_halts N: runs a virtual machine of one page N times until it halts, and prints how often it did. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int halts(int kvm)
{
	static const unsigned char code[] = { 0xe6, 0x80, 0x0f, 0xa2, 0xf4 }; /* out %al,$0x80; cpuid; hlt */
	struct kvm_userspace_memory_region region = { .memory_size = 4096 };
	int vm = ioctl(kvm, KVM_CREATE_VM, 0), cpu = ioctl(vm, KVM_CREATE_VCPU, 0), reason = -1;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_run *run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	struct kvm_regs registers = { .rflags = 2 };
	struct kvm_sregs segments;

	if (page == MAP_FAILED || run == MAP_FAILED)
		return 0;
	memcpy(page, code, sizeof(code));
	region.userspace_addr = (unsigned long)page;
	ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
	ioctl(cpu, KVM_GET_SREGS, &segments);
	segments.cs.base = segments.cs.selector = 0;
	ioctl(cpu, KVM_SET_SREGS, &segments);
	ioctl(cpu, KVM_SET_REGS, &registers);
	while (ioctl(cpu, KVM_RUN, 0) == 0 && (reason = run->exit_reason) == KVM_EXIT_IO)
		;
	close(cpu);
	close(vm);
	return reason == KVM_EXIT_HLT;
}

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR), n = argc > 1 ? atoi(argv[1]) : 1, halted = 0;

	for (int i = 0; i < n; i++)
		halted += halts(kvm);
	printf("%d\n", halted);
	return halted == n ? 0 : 1;
}
