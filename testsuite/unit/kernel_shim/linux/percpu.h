/* Four CPUs, of which 0, 1 and 3 can exist: numbers have gaps. */
#ifndef SHIM_PERCPU_H
#define SHIM_PERCPU_H

#define nr_cpu_ids 4
#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (cpu) < nr_cpu_ids; (cpu)++) \
		if ((cpu) != 2)
#define cpu_to_node(cpu) 0
#define __percpu
#define __force
/* Those of one CPU lie behind those of the other. */
#define SHIM_STRIDE 65536
#define __alloc_percpu(size, align) shim_allocate(nr_cpu_ids * SHIM_STRIDE, true)
#define free_percpu(p) shim_free(p)
#define per_cpu_ptr(p, cpu) ((typeof(p))((char *)(p) + (cpu) * SHIM_STRIDE))
#define raw_smp_processor_id() shim_cpu
extern int shim_cpu;
#define DECLARE_PER_CPU(type, name) extern type name[nr_cpu_ids]

#endif
