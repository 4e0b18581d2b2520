/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls of the client. A plugin may only look at them, but it shares the client's memory, so
 * what they wrote there can be written again: that is all --det needs, except for time(2) (see
 * plugin.c), and for rdtsc, which QEMU reads from the host. */
#include "sim/qemu/plugin_int.h"
#include "sim/repeatable.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>

static struct slw_sim_repeatable repeatable;
static uint64_t arguments[MAX_VCPUS][6];
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

int64_t repeatable_time(void)
{
    const uint64_t none[6] = {0};

    return slw_sim_repeatable_after(&repeatable, 0, SYS_time, none, 0);
}

/* What the client executes runs without QEMU: if it works, nobody is here any more to write. */
static void before_exec(void)
{
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
    if (number == SYS_connect && options.start == START_AT_CONNECT)
        start_counting();
    exits |= number == SYS_exit_group || (number == SYS_exit && live_vcpus() <= 1);
    if (number == SYS_execve || number == SYS_execveat)
        before_exec();
    if (options.is_repeatable)
        slw_sim_repeatable_before(&repeatable, vcpu, (uint64_t)number, arguments[vcpu]);
    keep_state();
    unlock();
}

void after_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t result)
{
    (void)id;
    if (vcpu >= MAX_VCPUS)
        return;
    lock();
    if (number == SYS_mmap || number == SYS_munmap || number == SYS_mremap)
        mappings_changed();
    if (options.is_repeatable)
        (void)slw_sim_repeatable_after(&repeatable, vcpu, (uint64_t)number, arguments[vcpu],
                                       result);
    unlock();
}
