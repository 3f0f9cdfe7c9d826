#!/bin/sh
# The first script on a kernel has the runtime built while it is being translated: one with a mistake leaves
# it for the next, which does not build it again. Headers that cannot be built with are told of once.
#
# where: host
STP_KERNELS=$(echo "${STP_CACHE:-$HOME/.cache/stp}"/kernels/*"$KERNEL"* | tr ' ' ':')
export STP_KERNELS
mkdir own
STP_CACHE=$PWD/own; export STP_CACHE
build() { "$STP" build -r "$KERNEL" -o module.ko "$@"; }

build -e 'probe begin { println(1 + ) }' 2> err && { echo "a mistake was taken"; exit 1; }
[ "$(grep -c error: err)" = 1 ] || { cat err; exit 1; }
complete=$(echo own/runtime/*/complete)
[ -f "$complete" ] || { echo "no runtime was built:"; ls own/runtime; exit 1; }
made=$(stat -c %y "$complete")
build -e 'probe begin { println(1) }' && [ -s module.ko ] || exit 1
[ "$(stat -c %y own/runtime/*/complete)" = "$made" ] || { echo "it was built twice"; exit 1; }

# gcc fails.
rm -r own; mkdir own bin
printf '#!/bin/sh\nexit 1\n' > no_gcc
chmod +x no_gcc
for gcc in /usr/bin/*gcc*; do ln -s "$PWD/no_gcc" "bin/$(basename "$gcc")"; done
PATH=$PWD/bin:$PATH build -e 'probe begin { println(2) }' 2> err && { echo "nothing can have built it"; exit 1; }
[ "$(grep -c error: err)" = 1 ] && grep -q 'the runtime could not be built' err || { cat err; exit 1; }
