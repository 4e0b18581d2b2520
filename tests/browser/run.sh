#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: run.sh SUBJECT MAKE_SVG MAKE_PAGE SLOTWISE   runs the browser tests SUBJECT*.test.mjs, or
# says why not and exits 77. With SLW_REQUIRE_BROWSER=1 a missing browser is a failure: a machine that must
# test must not skip.
cd "$(dirname "$0")" || exit 1
subject=$1
export SLW_MAKE_SVG="$2" SLW_MAKE_PAGE="$3" SLW_BIN="$4"

missing() {
    echo "skipped: $1"
    [ "${SLW_REQUIRE_BROWSER:-0}" = 1 ] && exit 1
    exit 77
}

command -v node >/dev/null || missing "no node (apt-get install nodejs)"
[ "$subject" = firefox ] || [ -x "${SLW_CHROMIUM:-/usr/bin/chromium}" ] || missing "no chromium (apt-get install chromium)"
[ -d node_modules/playwright-core ] || missing "no playwright-core (npm ci in tests/browser)"
[ "$subject" != speedscope ] || [ -d node_modules/speedscope ] ||
    missing "no speedscope (npm ci in tests/browser)"
[ "$subject" != firefox ] || [ -d node_modules/@firefox-devtools/profiler-cli ] ||
    missing "no @firefox-devtools/profiler-cli (npm ci in tests/browser)"
exec node --test "$subject"*.test.mjs
