#!/bin/sh
# Indexes that several processes write at once, that are torn, that find no room, or no folder: the
# answer is the same.
#
# where: host
cat > program.c <<'C'
int twice(int n) { return 2 * n; }
int thrice(int n) { return 3 * n; }
int main(int argc, char **argv) { return twice(argc) + thrice(argc); }
C
gcc -g -O0 program.c -o program
list() { "$STP" list -r "$KERNEL" -v "process(\"$PWD/program\").function(\"*\")" "$@"; }
STP_KERNELS=$(echo "${STP_CACHE:-$HOME/.cache/stp}"/kernels/*"$KERNEL"* | tr ' ' ':')
export STP_KERNELS
list > wanted || exit 1
[ "$(wc -l < wanted)" = 3 ] || { cat wanted; exit 1; }
same() { cmp "$1" wanted || { echo "$2"; cat "$1"; exit 1; }; }

mkdir shared
ln -s "${STP_CACHE:-$HOME/.cache/stp}/images" shared/images # made before
STP_CACHE=$PWD/shared; export STP_CACHE
for i in 1 2 3 4 5 6 7 8; do list > "out.$i" & done
wait
for i in 1 2 3 4 5 6 7 8; do same "out.$i" "at once, number $i"; done
[ "$(ls shared/index)" = "$(ls shared/index/dwarf-* | xargs -n 1 basename)" ] || { echo "left behind:"; ls shared/index; exit 1; }

index=$(echo shared/index/dwarf-*)
whole=$(stat -c %s "$index")
for size in 0 1 100 $((whole - 1)) $((whole + 1)); do
	truncate -s "$size" "$index"
	list > out; same out "an index of $size bytes"
done
[ "$(stat -c %s "$index")" = "$whole" ] || { echo "the torn index was not written anew"; exit 1; }

trap '' XFSZ
(ulimit -f 0; STP_CACHE=$PWD/full list 2> /dev/null) | cat > out; same out "no room"
[ -z "$(find full -type f -size +0)" ] || { echo "there was room:"; find full -type f; exit 1; }
STP_CACHE=/proc/nowhere; list > out 2> /dev/null; same out "no folder"
