#!/bin/sh
# Names that were looked up before, by handlers of all CPUs at once and in places that they share, are those of
# /proc/kallsyms.
#
# script: global name, wrong, rounds
# script: probe kernel.function("vfs_read") {
# script:   start = addr()
# script:   for (i = 0; i < 300; i++) {
# script:     at = start + 61 * i
# script:     text = symdata(at)
# script:     if (text != symdata(at)) wrong <<< 1
# script:     if (isinstr(text, symname(at) . "+") == 0) wrong <<< 1
# script:     if ([i] in name) { if (name[i] != text) wrong <<< 1 } else name[i] = text
# script:   }
# script:   rounds <<< 1
# script: }
# script: probe end {
# script:   printf("%d %d\n", @count(wrong), @count(rounds) >= 80)
# script:   foreach (i+ in name) printf("%x %s\n", 61 * i, name[i])
# script: }
# build: -D MAXACTION=100000
# timeout: 120
cat > load.sh <<'LOAD'
i=0
while [ $i -lt 50 ]; do read -r line < /proc/self/stat; i=$((i + 1)); done
LOAD
stp-load -c 'sh -c "sh load.sh & sh load.sh; wait"' "$MODULE" > out 2> err || { cat out err; exit 1; }
[ "$(head -1 out)" = "0 1" ] || { head -3 out; cat err; exit 1; }
[ "$(wc -l < out)" = 301 ] || { echo "$(wc -l < out) lines"; exit 1; }
# The offset in a name leads back to where /proc/kallsyms has the name.
start=$(awk '$3 == "vfs_read" { print $1 }' /proc/kallsyms)
sed 1d out | while read -r more text where; do
	own=${text#*+}
	printf '%x %s %s\n' $((0x$start + 0x$more - ${own%%/*})) "${text%%+*}" "$where"
done > names
awk 'NR == FNR { wanted[$1 " " $2] = $3; n++; next } ($1 " " $3) in wanted && wanted[$1 " " $3] == "[kernel]" { delete wanted[$1 " " $3] }
	END { for (each in wanted) print each " is not in kallsyms"; if (n != 300) print n " names" }' names /proc/kallsyms > out
[ ! -s out ] || { head -5 out; exit 1; }
