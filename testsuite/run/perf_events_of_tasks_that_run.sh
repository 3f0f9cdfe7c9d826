# Two threads that wait when the session starts are bound, and so are the children that they have later: by the
# program, and by -x.
# script: global on, n
# script: probe kernel.function("__x64_sys_getppid") { if (execname() == "fault_tasks") on[tid()] = !on[tid()] }
# script: probe perf.sw.page_faults.process("/opt/fault_tasks").sample(1) { if (on[tid()]) n[1]++ }
# script: probe perf.sw.page_faults.process.sample(1) ? { if (on[tid()]) n[2]++ }
# script: probe end { printf("%d %d\n", n[1], n[2]) }
cd /tmp
rm -f go; mkfifo go
$PROGS/fault_tasks -w 400 < go &
tasks=$!
exec 9> go
# The second thread is there.
until [ -e /proc/$tasks/task ] && [ "$(ls /proc/$tasks/task | wc -l)" = 2 ]; do sleep 0.1; done
(until grep -q traced state 2> /dev/null; do sleep 0.1; done; echo >&9; while [ -e /proc/$tasks/exe ]; do sleep 0.1; done; kill $(cat loader)) &
rm -f state
sh -c "echo \$\$ > loader; exec stp-load -v -x $tasks $MODULE" > out 2> err &
until grep -q "armed" err || ! [ -e /proc/$!/exe ]; do sleep 0.1; done
echo traced > state
wait $!
[ "$(tail -n 1 out)" = "1600 1600" ] || { cat out err; exit 1; }
