/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls of the client. A plugin may only look at them, but it shares the client's memory, so
 * what they wrote there can be written again: that is all --det needs, except for time(2) (see
 * plugin.c), and for rdtsc, which QEMU reads from the host. */
#include "sim/qemu/plugin_int.h"
#include "sim/repeatable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

static struct slw_sim_repeatable repeatable;
static uint64_t arguments[MAX_VCPUS][6];
static struct slw_sim_beside beside;
static uint64_t begin_ns[MAX_VCPUS], switches_before;
static bool exits;

bool has_exited(void)
{
    return exits;
}

static uint64_t real_ns(bool is_realtime)
{
    struct timespec now = {0};

    (void)clock_gettime(is_realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void make_repeatable(void)
{
    const struct slw_sim_repeatable_host to = {
        .peek = peek, .poke = poke, .instructions = instructions_executed, .real_ns = real_ns};

    slw_sim_repeatable_init(&repeatable, &to);
}

void answered_call(void)
{
    slw_sim_repeatable_called(&repeatable, SLW_SIM_REPEATABLE_ANY_CALL);
}

bool has_timers(void)
{
    return repeatable.has_timers;
}

int64_t repeatable_time(void)
{
    const uint64_t none[6] = {0};

    return slw_sim_repeatable_after(&repeatable, 0, SYS_time, none, 0);
}

/* ---- what the kernel did, with what QEMU needs around a call ---- */

static uint64_t cpu_ns(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t switches(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_nvcsw;
}

static bool reads(int64_t number)
{
    return number == SYS_read || number == SYS_readv || number == SYS_pread64 ||
           number == SYS_recvfrom || number == SYS_recvmsg;
}

static bool writes(int64_t number)
{
    return number == SYS_write || number == SYS_writev || number == SYS_pwrite64 ||
           number == SYS_sendto || number == SYS_sendmsg;
}

static void count_call(unsigned vcpu, int64_t number, int64_t result)
{
    if (begin_ns[vcpu])
        beside.kernel_ns += cpu_ns() - begin_ns[vcpu];
    begin_ns[vcpu] = 0;
    if (result > 0 && reads(number))
        beside.bytes_in += (uint64_t)result;
    else if (result > 0 && writes(number))
        beside.bytes_out += (uint64_t)result;
}

void forget_beside(void)
{
    beside = (struct slw_sim_beside){0};
    switches_before = switches();
}

/* In the child of a fork: its clocks begin anew, also in the call it was made by. */
void forget_beside_of_parent(void)
{
    memset(begin_ns, 0, sizeof(begin_ns));
    forget_beside();
}

struct slw_sim_beside beside_now(void)
{
    beside.switches = switches() - switches_before;
    return beside;
}

/* ---- */

/* Not a name service that the C library asks on its own, nor datagrams, which only choose an
 * address. */
static bool is_to_server(const uint64_t *a, int64_t result)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        char bytes[sizeof(struct sockaddr_un) + 1];
    } address = {.bytes = ""};
    const size_t size = a[2] < sizeof(address.local) ? a[2] : sizeof(address.local);
    int type = 0;
    socklen_t length = sizeof(type);

    if ((result < 0 && result != -EINPROGRESS) ||
        getsockopt((int)a[0], SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_STREAM ||
        !peek(&address, a[1], size))
        return false;
    if (address.any.sa_family == AF_UNIX)
        return !strstr(address.local.sun_path, "/nscd/");
    return address.any.sa_family == AF_INET || address.any.sa_family == AF_INET6;
}

/* What cannot be followed runs without QEMU: if it works, nobody is here any more to write. */
static void before_exec(int64_t number, const uint64_t *a)
{
    const struct executed plain = {a[0], a[1], a[2], AT_FDCWD, 0};
    const struct executed at = {a[1], a[2], a[3], (int)a[0], (int)a[4]};

    execute(number == SYS_execve ? &plain : &at);
    finish_vcpus();
    write_output(SLW_SIM_ENDED_EXEC);
}

void before_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2,
                 uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)a7, (void)a8;
    if (vcpu >= MAX_VCPUS)
        return;
    lock();
    memcpy(arguments[vcpu], (const uint64_t[]){a1, a2, a3, a4, a5, a6}, sizeof(arguments[vcpu]));
    exits |= number == SYS_exit_group || (number == SYS_exit && live_vcpus() <= 1);
    if (number == SYS_execve || number == SYS_execveat)
        before_exec(number, arguments[vcpu]);
    if (options.is_repeatable)
        slw_sim_repeatable_before(&repeatable, vcpu, (uint64_t)number, arguments[vcpu]);
    keep_state();
    begin_ns[vcpu] = cpu_ns();
    unlock();
}

void after_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t result)
{
    (void)id;
    if (vcpu >= MAX_VCPUS)
        return;
    lock();
    count_call(vcpu, number, result);
    if (number == SYS_connect && is_to_server(arguments[vcpu], result))
        slw_sim_counting_connects(&counting);
    if (number == SYS_mmap || number == SYS_munmap || number == SYS_mremap)
        mappings_changed();
    if (options.is_repeatable && !is_in_tap(vcpu))
        slw_sim_repeatable_called(&repeatable, (uint64_t)number);
    if (options.is_repeatable)
        (void)slw_sim_repeatable_after(&repeatable, vcpu, (uint64_t)number, arguments[vcpu],
                                       result);
    unlock();
}
