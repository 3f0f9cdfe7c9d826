#!/bin/sh
# A terminal hands over each character as it is typed, and is as it was behind the session, also when that is
# interrupted, when its reader is killed, and when the script reads lines.
#
# script: probe input.char { printf("<%s>", char) if (char == "q") exit() }
fail() { echo "$1"; cat out; exit 1; }
in_terminal abq "stp-load $MODULE" > out || fail "characters"
[ "$(head -n 1 out)" = "by characters" ] && grep -q 'then by lines' out && grep -q '<a><b><q>' out || fail "characters"
in_terminal ^C "stp-load $MODULE" > out || fail "interrupt"
[ "$(head -n 1 out)" = "by characters" ] && grep -q 'then by lines' out || fail "interrupt"
in_terminal x "(sleep 2.5; kill -KILL \$(pidof stp-load | cut -d ' ' -f 1)) & stp-load $MODULE" > out
[ "$(head -n 1 out)" = "by characters" ] && grep -q 'then by lines' out || fail "killed"
