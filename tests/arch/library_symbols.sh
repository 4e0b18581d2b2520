#!/bin/sh
# SPDX-License-Identifier: MIT
# Rooms other than cli/ never print, never end the process and never read the environment: their
# archives may not even refer to the functions that do. stdout and stderr stand for every way of
# printing through stdio; _exit and __assert_fail stay allowed (a forked child that could not exec,
# a broken invariant).
#
# usage: library_symbols.sh ARCHIVE...
set -eu

forbidden='stdout|stderr|stdin|v?printf|__v?printf_chk|puts|putchar|perror|psignal|psiginfo'
forbidden="$forbidden|v?(err|errx|warn|warnx)|error|error_at_line|v?syslog|__v?syslog_chk"
forbidden="$forbidden|exit|quick_exit|abort|atexit|on_exit"
forbidden="$forbidden|getenv|secure_getenv|setenv|unsetenv|putenv|clearenv|environ|__environ"
forbidden="$forbidden|setlocale|system|popen"

bad=0
[ $# -gt 0 ] || { echo 'no archives given'; exit 1; }
for archive in "$@"; do
    found=$(nm -u -A "$archive" | sed 's/@.*//' | grep -E "[[:space:]]U ($forbidden)\$" || true)
    # The forked child of the collector gives the command its environment; it reads nothing of it.
    found=$(printf '%s\n' "$found" | grep -v 'libslw_collector\.a:target\.c\.o:.* U environ$' || true)
    if [ -n "$found" ]; then
        printf '%s\n' "$found" | sed "s|^.*/||; s|\$|   (only cli/ may)|"
        bad=1
    fi
done
exit $bad
