#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes so many runs below runs/, whose level rises from the second number on; the last have another
# kernel.
mkdir runs
for i in $(seq 1 "$1"); do
    base=$((i < $2 ? 20000 : 23000)) kernel=6.1 name=$(printf 'runs/%02d.slotwise' "$i")
    if [ "$i" -gt $(($1 - 3)) ]; then kernel=6.8; fi
    mkdir "$name"
    values=
    for round in 1 2 3 4 5 6 7 8; do
        values="$values${values:+, }$((base + (i * 37 + round * 61) % 89 * 5))"
    done
    cat >"$name/run.json" <<END
{"schema": 1, "tool": "slotwise 0.1.0", "started_realtime_ns": $((1700000000 + i * 86400))000000000,
 "wall_ns": 1000000000, "host": {"kernel": "$kernel", "cpu": {}},
 "command": {"kind": "command", "argv": ["client"], "exit": "status", "exit_value": 0},
 "model": {"absent": "none"}, "requests": 1000,
 "losses": {"lost_records": 0, "lost_samples": 0, "throttled": 0, "unreadable_bytes": 0,
  "no_user_stack": 0},
 "self": {"user_ns": 0, "system_ns": 0, "ring_bytes": 0, "spool_bytes": 0,
  "wakeups": 0},
 "counts": [], "samplings": [], "notes": [], "labels": [{"key": "branch", "value": "b$((i % 2))"}],
 "observations": [{"metric": "cpu_per_request", "title": "CPU time per request", "unit": "ns",
  "better": "lower", "gateable": true, "step": 0, "from": {"source": "software", "imported": false},
  "values": [$values]}]}
END
done
