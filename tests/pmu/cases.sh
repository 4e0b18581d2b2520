# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What runs in the emulated machine: every case leaves its runs and outputs in /out, where check.py
# looks at them afterwards. A file of its own per case: NAME.slotwise, NAME.out (what was printed),
# NAME.rc (exit status). Sourced by the machine's busybox shell; $boot says which machine it is.

# As a user without rights, of whom the kernel lets only user mode be counted: exact numbers.
profile() { # case, options and command...
    name=$1
    shift
    loop -u slotwise profile -o "/out/$name.slotwise" --no-flamegraph "$@" >"/out/$name.out" 2>&1
    echo $? >"/out/$name.rc"
    echo "case $name: $(cat "/out/$name.rc") at $(cut -d" " -f1 /proc/uptime) s"
}

profile_as_root() {
    name=$1
    shift
    slotwise profile -o "/out/$name.slotwise" --no-flamegraph "$@" >"/out/$name.out" 2>&1
    echo $? >"/out/$name.rc"
    echo "case $name: $(cat "/out/$name.rc") at $(cut -d" " -f1 /proc/uptime) s"
}

gated() { # case, rounds of two threads, options...
    name=$1 one=$2 two=$3
    shift 3
    loop -g "$one" "$two" &
    pid=$!
    (sleep 3 && kill -USR1 $pid) & # looking into the process for probes takes a second here
    sleep 0.2
    profile_as_root "$name" --per-thread --mode user --no-sampling "$@" -p $pid
}

main_cases() {
    profile one --no-sampling -- loop 1
    profile thousand --no-sampling -- loop 1000
    profile ten_million --no-sampling -- loop 10000000
    profile twenty_million --no-sampling -- loop 20000000
    profile samples --call-graph fp --period 1000003 --keep-raw -- loop 40000000
    profile frequency -F 997 --keep-raw -- loop 40000000
    profile threads --period 1000003 --keep-raw -- loop -t 4 10000000
    profile children --period 1000003 --keep-raw -- loop -f 4 10000000
    profile throttled --period 781 -- loop 10000000
    profile turns --model /t/many.json --no-sampling -- loop 100000000
    profile turns_sampled --model /t/many.json --period 1000003 -- loop 40000000
    profile passes --model /t/many.json --no-sampling --rounds 2 --no-multiplex -- loop 20000000
    profile rounds --model /t/many.json --no-sampling --rounds 3 -- loop 40000000
    profile rounds_sampled --period 1000003 --rounds 2 --keep-raw -- loop 10000000
    profile wide --model /t/wide.json --no-sampling -- loop 20000000
    profile no_slots --model neoverse_n2 --no-sampling -- loop 1000000
    profile functions_old --per-function --period 500009 -- loop -m 100 250000
    profile no_model --model generic --period 1000003 -- loop 10000000
    profile per_thread --per-thread --no-sampling -- loop -w 1000000 3000000
    profile per_thread_sampled --per-thread --period 1000003 -- loop -w 4000000 8000000
    profile per_process --per-process --no-sampling -- loop -f 3 5000000
    profile_as_root split --mode split --model /t/pair.json --no-sampling -- loop 10000000
    profile_as_root split_turns --mode split --no-sampling -- loop 40000000
    profile split_refused --mode split --no-sampling -- loop 1000000
    profile_as_root kernel --mode kernel --period 100003 -- loop 10000000
    profile timeline --interval 100ms --model /t/pair.json --no-sampling -- loop 100000000
    profile timeline_turns --interval 100ms --model /t/many.json --no-sampling -- loop 100000000
    profile_as_root everything --period 1000003 --keep-raw -- loop 10000000

    # Attached: what happens before and after is not counted.
    loop 200000000 &
    profile_as_root attached -p $! --duration 200ms --call-graph fp --period 1000003
    kill $!
    profile_as_root machine -a --duration 200ms --period 1000003 --keep-raw

    # Threads that are there: released when slotwise has them.
    gated threads_attached 1000000 3000000 --model /t/pair.json
    gated threads_attached_turns 20000000 40000000 --model /t/many.json

    # Others hold counters.
    hold 3 slotwise profile -o /out/held.slotwise --no-flamegraph --model /t/many.json \
        --period 1000003 -- loop 40000000 >/out/held.out 2>&1
    echo $? >/out/held.rc
    hold 7 slotwise profile -o /out/none_left.slotwise --no-flamegraph --backend hwpmu \
        --period 1000003 -- loop 1000000 >/out/none_left.out 2>&1
    echo $? >/out/none_left.rc

    echo 3 >/proc/sys/kernel/perf_event_paranoid
    profile refused --backend hwpmu -- loop 1000
    profile refused_functions --backend hwpmu --per-function -- loop 1000
    profile fallen_back -- loop 1000000
    slotwise doctor --json >/out/doctor.json
    echo 2 >/proc/sys/kernel/perf_event_paranoid
}

# A kernel that reads counters with the samples of inherited events.
# QEMU sees an overflow in time on the cycle counter only: this model leaves that to the samples.
newer_cases() {
    profile functions --model /t/functions.json --per-function --level 0 --period 500009 \
        --keep-raw -- loop -m 200 250000
    profile functions_threads --model /t/functions.json --per-function --level 0 --period 500009 \
        --keep-raw -- loop -t 4 10000000
    profile functions_and_counts --per-function --period 500009 -- loop -m 200 250000
}

# A core without stall events, known to no model.
a72_cases() {
    profile a72_known -- loop 10000000
    profile a72_n1 --model neoverse_n1 --no-sampling -- loop 10000000
}

# No instructions, and a clock that follows the host's.
plain_cases() {
    profile plain --period 10000003 -- loop 40000000
}

uname -r >/out/kernel
ls /sys/bus/event_source/devices/armv8*/events >/out/events
cat /sys/bus/event_source/devices/armv8*/caps/slots >/out/caps_slots
"${boot:-main}_cases"
chmod -R a+rX /out
