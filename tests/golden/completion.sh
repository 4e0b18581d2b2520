#!/bin/sh
# SPDX-License-Identifier: MIT
# The completions parse, and bash offers what the tables say.
#
# usage: completion.sh SLOTWISE
set -eu

command -v bash >/dev/null || { echo 'skipped: no bash'; exit 77; }
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
"$1" completion bash >"$here/slotwise.bash"
"$1" completion zsh >"$here/_slotwise"
bash -n "$here/slotwise.bash"
if command -v zsh >/dev/null; then zsh -n "$here/_slotwise"; fi

# offers WORD... : what is offered for the last word, sorted, on one line
offers() {
    bash -c '. "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _slotwise
        printf "%s\n" "${COMPREPLY[@]}"' bash "$here/slotwise.bash" "$@" | sort | xargs
}
expect() { # what is expected, then the words
    want=$1
    shift
    got=$(offers "$@")
    [ "$got" = "$want" ] || { echo "slotwise $*: offered '$got', not '$want'"; exit 1; }
}
expect 'report' slotwise rep
expect 'doctor' slotwise doc
expect 'fp' slotwise profile --call-graph f
expect 'auto dwarf fp lbr none' slotwise profile --call-graph ''
expect 'none' slotwise profile --call-graph = n
expect '--call-graph --carrier --cgroup --color --control --core' slotwise profile --c
expect 'check list show' slotwise models ''
expect '' slotwise report --functions ''
expect 'icache_miss_ratio icache_misses icache_mpki' slotwise explain icache_m
expect 'context-switches' slotwise explain context
expect 'skylake skylakex' slotwise explain --model skylake
