#!/bin/sh
# With symbols alone each question about types or lines says what it needs; a module of which no
# debug information was found tells where it was looked for, and how to get it.
#
# where: host
check() { # WHAT IS EXPECTED, OF WHICH SCRIPT
	"$STP" check -r "$RELEASE" --debuginfo=none -e "$2" > out 2>&1 && { echo "accepted: $2"; exit 1; }
	grep -q "error: $1" out || { echo "not '$1':"; cat out; exit 1; }
}
RELEASE=$(dirname "$STP")
RELEASE=$("$RELEASE/vm/fetch-kernel" "$KERNEL")
needs='needs debug information, DWARF or BTF: --debuginfo=none \[no-debuginfo\]'
check "'\$count' $needs" 'probe kernel.function("vfs_read") { println($count) }'
check "'\$return' $needs" 'probe kernel.function("vfs_read").return { println($return) }'
check "'\$prev' $needs" 'probe kernel.trace("sched_switch") { println($prev->pid) }'
check "'init_task' $needs" 'probe begin { println(@var("init_task")->pid) }'
check "'struct file' $needs" 'probe begin { println(@cast(1, "struct file")->f_flags) }'
check 'lines of the source are known to DWARF' 'probe kernel.statement("vfs_read@fs/read_write.c:455") {}'
printf 'int dull(int a) { return a; }\n' > dull.c
gcc -c dull.c -o dull.ko
"$STP" check -r "$RELEASE" -e "probe module(\"$PWD/dull.ko\").function(\"dull\") { println(\$a) }" > out 2>&1 &&
	{ echo "accepted"; exit 1; }
for text in "'\$a' needs debug information, DWARF or BTF: .*/dull.ko has no BTF" "dull.ko: it has no DWARF" \
	"apt-get install linux-image-$RELEASE-dbg"; do
	grep -q -- "$text" out || { echo "not '$text':"; cat out; exit 1; }
done
# A variable that is neither in the program nor in the kernel is the program's to lack.
printf 'int there; int main(void) { return there; }\n' > p.c
gcc -g p.c -o p
"$STP" check -r "$RELEASE" --debuginfo=btf -e "probe process(\"$PWD/p\").function(\"main\") { println(@var(\"ther\")) }" > out 2>&1 &&
	{ echo "accepted"; exit 1; }
grep -q "/p' has no global variable 'ther'" out || { echo "not of the program:"; cat out; exit 1; }
# Headers name where a type comes from: one that is not there is an error.
check_header() { "$STP" check -r "$RELEASE" --debuginfo=btf -e "probe begin { println(@cast(0, \"task_struct\", \"$1\")->pid) }" > out 2>&1; }
for good in 'kernel<linux/sched.h>' 'kernel<asm/ptrace.h>' 'kernel<generated/utsrelease.h>' 'kernel<no.h>:kernel'; do
	check_header "$good" || { cat out; exit 1; }
done
check_header 'kernel<no/such.h>' && { echo "accepted"; exit 1; }
grep -q "error: the kernel has no header 'no/such.h' \[no-type\]" out || { cat out; exit 1; }
# What is optional may be missing from a list, but not all of it.
"$STP" list -r "$RELEASE" --debuginfo=btf 'kernel.function("not_there")?, kernel.function("vfs_read")' > out 2>&1 || { cat out; exit 1; }
[ "$(cat out)" = 'kernel.function("vfs_read")' ] || { cat out; exit 1; }
"$STP" list -r "$RELEASE" --debuginfo=btf 'kernel.function("not_there")?' > out 2>&1 && { echo "found"; exit 1; }
grep -q "no function 'not_there'" out || { cat out; exit 1; }
