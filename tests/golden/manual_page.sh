#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual page is clean mdoc and mentions every option of every command. Skipped without mandoc.
#
# usage: manual_page.sh SLOTWISE TEMPLATE
set -eu

slotwise=$1
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
page=$here/slotwise.1 # mandoc compares the name with the section
"$slotwise" man "$2" >"$page"

if grep -n '@[A-Z]*@' "$page"; then
    echo 'a marker was not replaced'
    exit 1
fi
for command in $("$slotwise" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    grep -q "^\\.Ss slotwise $command\$" "$page" || { echo "no section for $command"; exit 1; }
    for option in $("$slotwise" "$command" --help |
        sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p'); do
        grep -q "Fl Fl $option\\( \\|\$\\)" "$page" || { echo "$command: no --$option"; exit 1; }
    done
done

command -v mandoc >/dev/null || { echo 'skipped: no mandoc'; exit 77; }
# "referenced manual not found" depends on what is installed; everything else is ours.
problems=$(mandoc -T lint -W style "$page" 2>/dev/null | grep -v 'referenced manual not found' || true)
if [ -n "$problems" ]; then
    printf '%s\n' "$problems"
    exit 1
fi
