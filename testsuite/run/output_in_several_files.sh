#!/bin/sh
# -S of stp-load: files of one megabyte, of which the last two stay; no line is divided or missing.
#
# script: probe begin { for (i = 0; i < 300000; i++) printf("%9d\n", i) exit() }
# build: -D MAXACTION_INTERRUPTIBLE=2000000
stp-load -o out -S 1,2 "$MODULE" 2> err || { cat err; exit 1; }
ls -l
cat err
[ "$(echo out.*)" = "out.1 out.2" ] || exit 1
[ "$(wc -c < out.1)" = 1048570 ] || exit 1
[ "$(tail -n 1 out.2)" = "   299999" ] || exit 1
[ "$(cat out.1 out.2 | wc -l)" = $((300000 - 104857)) ] || exit 1
