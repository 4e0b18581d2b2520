#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Install what slotwise needs from Debian: only what is missing, saying what for.
#
#   scripts/setup.sh build [demo] [test]   install the packages of these kinds
#   scripts/setup.sh --list [KIND...]      print them and stop
#
# Exit status: 0 everything is there, 69 something is missing and may not be installed.
# Not for building: see scripts/demo and scripts/test.
set -euo pipefail

# kind | package | what it is for. One line each; the kinds are: build, demo, test.
# nodejs, npm: see wanted(), a newer Node.js than Debian's is used when it is on PATH.
readonly packages='
build|gcc|compiles slotwise
build|libc6-dev|C library headers
build|cmake|configures the build
build|ninja-build|runs the build
build|pkg-config|finds the libraries below
build|libpfm4-dev|names of CPU events
build|libbpf-dev|loads BPF programs
build|clang|compiles BPF programs
build|bpftool|makes BPF programs part of slotwise
build|libdw-dev|DWARF lines and symbols (elfutils)
build|libelf-dev|ELF files (elfutils)
build|libiberty-dev|C++ and Rust names as they were written (binutils)
build|libjansson-dev|reads and writes JSON
build|libcapstone-dev|decodes instructions
build|liblzma-dev|symbol tables packed into stripped programs
build|zlib1g-dev|gzip for pprof profiles
build|libzstd-dev|compressed perf.data
build|libprotobuf-c-dev|pprof profiles are protocol buffers
build|protobuf-c-compiler|compiles the pprof format
build|libsqlite3-dev|the sqlite driver of the built-in workloads
build|libpq-dev|the postgres driver
build|libmariadb-dev|the mariadb driver
build|libhiredis-dev|the redis driver
build|liblz4-dev|compression in the workloads and the cql driver
build|libpcre2-dev|a stage of the workload "stages"
build|libcurl4-openssl-dev|headers of what pushes profiles and metrics
build|libssl-dev|stages of the workload "stages"
build|valgrind|the carrier of the simulated tier is built from its libraries
demo|sqlite3|the database client that the demo profiles
demo-pgbench|postgresql|the server and pgbench of the pgbench demo
demo-redis|redis-server|the server of the redis demo
demo-redis|redis-tools|redis-benchmark
test|libcmocka-dev|unit tests
test|git|lists the files that the style tests look at
test|g++|builds C++ clients to profile
test|clang|second compiler, sanitizers
test|libclang-rt-14-dev|sanitizer and fuzzer runtime of clang
test|llvm|llvm-symbolizer finds the inlined calls of a program too
test|clang-tidy|static checks
test|clang-format|layout check
test|shellcheck|static checks of shell scripts
test|binutils|nm, strip and objcopy in tests
test|python3|system tests and benches (standard library only)
test|linux-perf|the peer: perf reads what slotwise writes and the other way round
test|protobuf-compiler|protoc decodes the pprof profile in a test
test|sqlite3|a database client to profile
test|postgresql|a server, psql and pgbench to profile
test|redis-server|a server to profile a client against
test|redis-tools|redis-benchmark, a client to profile
test|mariadb-server|a server to profile a client against
test|mariadb-client|mysqlslap and mariadb, clients to profile
test|sysbench|a client whose output is read
test|memcached|a server to profile a client against
test|libmemcached-tools|memcslap and memcaslap, clients to profile
test|openssl|makes certificates for the servers of tests
test|python3-redis|a client library to profile
test|python3-psycopg2|a client library to profile
test|gdb|what it says of stacks is compared with what slotwise says
test|python3-cassandra|a foreign client of the CQL endpoint
test|python3-lz4|the same, compressed
test|musl-tools|builds a program with another loader
test|libc6-dev-i386|builds a 32-bit program
test|lib32gcc-12-dev|the same (gcc-multilib would remove the compiler for arm64)
test|libcap2-bin|setcap in tests
test|chromium|opens the flame graph in a real browser
test|nodejs|drives the browser tests
test|npm|installs what drives the browser tests
test|mandoc|checks the man page
test|zsh|types into the completion
test|qemu-system-arm|an Arm machine with a PMU, emulated
test|gcc-aarch64-linux-gnu|builds slotwise for that machine
test|libc6-dev-arm64-cross|C library headers of that machine
test|cpio|packs what that machine boots
test|golang-go|builds a program with compressed debug information
test|qemu-user|the second carrier of the simulated tier
test|xz-utils|packs a symbol table into a program
test|debuginfod|serves debug files in a test
test|libdebuginfod1|asks for them
test|openjdk-17-jdk-headless|a JIT compiler whose code is named
test|php8.2-cli|the same
test|php8.2-opcache|the same
test|luajit|the same, which tells no names
test|procps|ps in tests
test|util-linux|runuser, setpriv and unshare in tests
test|cmark-gfm|parses the pull-request comment as GitHub does
test|libxml2-utils|xmllint checks the JUnit file
test|prometheus|promtool checks the OpenMetrics file; scrapes the push gateway
test|prometheus-pushgateway|takes the metrics that are pushed
test|python3-grpcio|takes the profiles that are pushed to Parca
test|python3-yaml|reads the example workflows
test|python3-jsonschema|a validator of the schema of runs that is not ours
test|jq|runs their steps
test|python3-prometheus-client|a strict reader of the same
'

say() { printf 'setup: %s\n' "$*" >&2; }

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# A Node.js of at least 18, from wherever, makes Debian's unnecessary.
node_is_enough() {
    local version
    version=$(node --version 2>/dev/null) && version=${version#v} && [ "${version%%.*}" -ge 18 ]
}

wanted() { # package -> whether it has to be installed by us
    case $1 in
    nodejs) ! node_is_enough ;;
    npm) ! command -v npm >/dev/null ;;
    golang-go) ! command -v go >/dev/null ;;
    libc6-dev-i386 | lib32gcc-12-dev) [ "$(dpkg --print-architecture)" = amd64 ] && ! installed "$1" ;;
    *) ! installed "$1" ;;
    esac
}

rows() { # kinds... -> "package|why", each package once
    local kind package why seen=' '
    while IFS='|' read -r kind package why; do
        [[ -n $kind && " $* " == *" $kind "* && $seen != *" $package "* ]] || continue
        seen+="$package "
        printf '%s|%s\n' "$package" "$why"
    done <<<"$packages"
}

missing() {
    local package why
    rows "$@" | while IFS='|' read -r package why; do
        if wanted "$package"; then printf '%s|%s\n' "$package" "$why"; fi
    done
}

print_rows() { awk -F'|' '{ printf "  %-22s %s\n", $1, $2 }'; }

# How to become root, as words for "${root[@]}"; false when there is no way.
root=()
find_root() {
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null || return 1
    if sudo -n true 2>/dev/null; then
        root=(sudo -n)
    elif [ -t 0 ] && [ -t 2 ]; then
        say 'the packages are installed with sudo, which may ask for your password'
        root=(sudo)
    else
        return 1
    fi
}

# Debian starts a server when it installs one. The tests start their own, so nothing may be left
# running: policy-rc.d says no while we install, and what was there before is put back.
readonly policy=/usr/sbin/policy-rc.d saved=/usr/sbin/policy-rc.d.before-slotwise
deny_services() {
    if [ -e "$policy" ] && [ ! -e "$saved" ]; then "${root[@]}" mv "$policy" "$saved"; fi
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod 755 "$policy"
}
restore_services() {
    "${root[@]}" rm -f "$policy"
    if [ -e "$saved" ]; then "${root[@]}" mv "$saved" "$policy"; fi
}

# A server we brought in stays off at the next boot as well; one that was there is not touched.
keep_off_at_boot() { # packages just installed...
    [ -d /run/systemd/system ] || return 0
    local package service
    for package in "$@"; do
        case $package in
        postgresql | redis-server | memcached | prometheus | prometheus-pushgateway | debuginfod)
            service=$package ;;
        mariadb-server) service=mariadb ;;
        *) continue ;;
        esac
        "${root[@]}" systemctl disable --quiet "$service" ||
            say "could not keep $service off at boot: systemctl disable $service"
    done
}

install_packages() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
    trap restore_services EXIT
    deny_services
    "${root[@]}" "${apt[@]}" update >&2 || return 1
    "${root[@]}" "${apt[@]}" install --no-install-recommends "$@" >&2 || return 1
    keep_off_at_boot "$@"
}

cannot() { # reason, missing rows
    say "$1"
    say 'please have these Debian packages installed, then run this again:'
    print_rows <<<"$2" >&2
    say "as root: apt-get install $(cut -d'|' -f1 <<<"$2" | tr '\n' ' ')"
    exit 69
}

main() {
    if [ "${1-}" = --list ]; then
        shift
        [ $# -gt 0 ] || set -- build demo demo-pgbench demo-redis test
        rows "$@" | print_rows
        return 0
    fi
    [ $# -gt 0 ] || { say 'usage: scripts/setup.sh [--list] build|demo|test...'; exit 64; }
    local rows_missing names
    rows_missing=$(missing "$@")
    [ -n "$rows_missing" ] || return 0
    command -v apt-get >/dev/null || cannot 'this is not Debian (no apt-get)' "$rows_missing"
    find_root || cannot 'not root, and sudo is not there or needs a terminal' "$rows_missing"
    say 'installing from Debian:'
    print_rows <<<"$rows_missing" >&2
    mapfile -t names < <(cut -d'|' -f1 <<<"$rows_missing")
    install_packages "${names[@]}" || cannot 'apt-get could not install everything' "$rows_missing"
    [ -z "$(missing "$@")" ] || cannot 'still missing after apt-get' "$(missing "$@")"
}

main "$@"
