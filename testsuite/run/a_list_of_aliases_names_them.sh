#!/bin/sh
# A wildcard in the names of aliases lists what can be written, with -v what that stands for as well; an alias that is
# named lists what it stands for.
#
# where: host
"$STP" list -r "$KERNEL" 'perf.sw.cpu_*' > list || exit 1
printf 'perf.sw.cpu_clock\nperf.sw.cpu_migrations\n' | diff - list || exit 1
"$STP" list -v -r "$KERNEL" 'perf.sw.cpu_*.sample(5)' > list || exit 1
printf 'perf.sw.cpu_%s.sample(5) = perf.type(1).config(%s).sample(5)\n' clock 0 migrations 4 | diff - list || exit 1
"$STP" list -r "$KERNEL" perf.sw.cpu_clock > list || exit 1
echo 'perf.type(1).config(0)' | diff - list
