/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin for QEMU's user mode: options, and what is registered with QEMU. Started by
 * slotwise-simulate-qemu, see launcher.c; docs/simulated.md has the rest. */
#include "sim/qemu/plugin_int.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

SLW_QEMU_EXPORT extern int qemu_plugin_version;
SLW_QEMU_EXPORT int qemu_plugin_version = SLW_QEMU_API;
SLW_QEMU_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                                        int argc, char **argv);

struct options options = {
    .core_name = "unnamed", .out_file = "slotwise-sim.%p", .qemu_version = "unknown"};
struct slw_sim_config config;
struct slw_sim_counting counting;
struct slw_sim_host host;

static bool is_probe, has_begun;

void fail(const char *what)
{
    (void)fprintf(stderr, "slotwise-simulate-qemu: %s\n", what);
    _exit(70);
}

static void *allocate(size_t bytes)
{
    void *p = calloc(1, bytes);

    if (!p)
        fail("out of memory");
    return p;
}

static bool take_number(const char *text, uint64_t *ret_number)
{
    char *end = NULL;
    const unsigned long long number = strtoull(text, &end, 10);

    *ret_number = number;
    return *text >= '0' && *text <= '9' && *end == '\0' && number <= 1000000000;
}

static bool take_option(const char *name, size_t length, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {{"core", &options.core_file},
                 {"core-name", &options.core_name},
                 {"out", &options.out_file},
                 {"qemu", &options.qemu_version},
                 {"launcher", &options.launcher}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strlen(texts[i].name) != length || memcmp(texts[i].name, name, length) != 0)
            continue;
        *texts[i].to = strdup(value);
        return *texts[i].to;
    }
    if (length == 6 && memcmp(name, "period", length) == 0)
        return take_number(value, &options.period);
    if (length == 6 && memcmp(name, "detail", length) == 0)
        return take_number(value, &options.detail);
    if (length == 5 && memcmp(name, "start", length) == 0) {
        options.start = slw_sim_start_named(value);
        return options.start < SLW_SIM_START_COUNT;
    }
    if (length == 3 && memcmp(name, "det", length) == 0) {
        options.is_repeatable = strcmp(value, "yes") == 0;
        return options.is_repeatable || strcmp(value, "no") == 0;
    }
    is_probe = length == 5 && memcmp(name, "probe", length) == 0;
    return is_probe;
}

static int bad(const char *what, const char *which)
{
    (void)fprintf(stderr, "slotwise-simulate-qemu: %s: %s\n", which, what);
    return -1;
}

static int take_options(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');

        if (!equals || !take_option(argv[i], (size_t)(equals - argv[i]), equals + 1))
            return bad("no such option, or a bad value", argv[i]);
    }
    if (options.detail > options.period || (options.period && !options.detail))
        return bad("has to be from 1 to the period", "detail");
    return 0;
}

static int read_core(void)
{
    char text[65536];
    const char *why = NULL;
    FILE *f = options.core_file ? fopen(options.core_file, "re") : NULL;

    if (!f)
        return bad("cannot be opened", options.core_file ? options.core_file : "core");
    const size_t length = fread(text, 1, sizeof(text), f);
    const bool is_bad = ferror(f);

    (void)fclose(f);
    if (is_bad)
        return bad("cannot be read", options.core_file);
    const size_t line = slw_sim_config_parse(text, length, &config, &why);

    if (line) {
        (void)fprintf(stderr, "slotwise-simulate-qemu: %s:%zu: %s\n", options.core_file, line, why);
        return -1;
    }
    return 0;
}

static void child_forked(void)
{
    forget_parent();
    mark_child();
}

/* QEMU calls this for an exit and for a fatal signal; which one it was, exit_group told before. */
static void client_ends(qemu_plugin_id_t id, void *unused)
{
    (void)id, (void)unused;
    finish_vcpus();
    write_output(has_exited() ? SLW_SIM_ENDED_EXIT : SLW_SIM_ENDED_SIGNAL);
}

/* QEMU is started with this library preloaded, so these two stand before the C library's. It ends
 * by a signal of the client with kill(2) and nothing else, and tells plugins nothing. */
SLW_QEMU_EXPORT int kill(pid_t process, int signal_number)
{
    if (process == getpid() && has_begun) {
        lock();
        finish_vcpus();
        write_output(SLW_SIM_ENDED_SIGNAL);
        unlock();
    }
    return (int)syscall(SYS_kill, process, signal_number);
}

/* The client's time(2), whose answer is in a register. */
SLW_QEMU_EXPORT time_t time(time_t *ret_time)
{
    struct timespec now = {0};

    if (has_begun && options.is_repeatable)
        now.tv_sec = repeatable_time();
    else
        (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    if (info->version.min > SLW_QEMU_API || info->version.cur < SLW_QEMU_API)
        return bad("QEMU speaks another version of the plugin interface", "plugin");
    if (info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
        return bad("only programs for x86-64 are simulated", info->target_name);
    if (take_options(argc, argv) != 0)
        return -1;
    if (is_probe)
        return 0;
    if (read_core() != 0)
        return -1;
    host = (struct slw_sim_host){.allocate = allocate, .broken = fail};
    make_repeatable();
    counting = (struct slw_sim_counting){.host = {.core_of = core_of,
                                                  .thread_limit = MAX_VCPUS,
                                                  .forget_beside = forget_beside,
                                                  .let_tap_count = let_tap_count},
                                         .stages = new_stages(),
                                         .start = options.start,
                                         .period = options.period,
                                         .detail = options.detail};
    slw_sim_counting_init(&counting);
    (void)pthread_atfork(before_fork, after_fork, child_forked);
    qemu_plugin_register_vcpu_init_cb(id, vcpu_starts);
    qemu_plugin_register_vcpu_exit_cb(id, vcpu_ends);
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_vcpu_syscall_cb(id, before_call);
    qemu_plugin_register_vcpu_syscall_ret_cb(id, after_call);
    qemu_plugin_register_atexit_cb(id, client_ends, NULL);
    has_begun = true;
    return 0;
}
