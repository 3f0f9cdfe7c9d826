#!/bin/sh
# The runtime is built by ways that are quicker than Kbuild's own: the commands are the same.
#
# where: host
# timeout: 120
top=$(dirname "$STP")
STP_KERNELS=$(echo "${STP_CACHE:-$HOME/.cache/stp}"/kernels/*"$KERNEL"* | tr ' ' ':')
export STP_KERNELS
mkdir cache
ln -s "${STP_CACHE:-$HOME/.cache/stp}/images" cache/images # made before
STP_CACHE=$PWD/cache; export STP_CACHE
"$STP" build -r "$KERNEL" -o one.ko -e 'probe begin { println("one") }' || exit 1
"$STP" build -r "$KERNEL" -o two.ko --keep --plain-kbuild -e 'probe begin { println("two") }' || exit 1
# commands FOLDER: how each unit was compiled, and what checked it; without the names of the folder and of the module.
commands() {
	for unit in "$1"/runtime/units/*.c; do
		sed -n 1p "${unit%/*}/.$(basename "$unit" .c).o.cmd" | sed "s|$(readlink -f "$1")||g; s/=[^ ]*\(stp_placeholder\|two\)[^ ]*//g" | tr ' ' '\n'
	done
}
commands cache/runtime/*/ > quick
commands cache/modules/work-*/kbuild > slow
grep -q -- -fcf-protection quick || { echo "no commands"; exit 1; }
diff slow quick || { echo "Kbuild has other commands"; exit 1; }
