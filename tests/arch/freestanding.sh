#!/bin/sh
# SPDX-License-Identifier: MIT
# The archive needs nothing but what every compiler may call: memcpy and its like.
#
# usage: freestanding.sh ARCHIVE
set -eu

[ -f "$1" ] || { echo "no archive $1"; exit 1; }
defined=$(nm --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u)
foreign=$(nm -u "$1" | awk '$1 == "U" { print $2 }' | sort -u |
    grep -vE '^(memcpy|memset|memmove|memcmp|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$' |
    while IFS= read -r name; do
        printf '%s\n' "$defined" | grep -qxF "$name" || printf '  %s\n' "$name"
    done)
[ -z "$foreign" ] || { printf 'not freestanding:\n%s\n' "$foreign"; exit 1; }
