/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what was counted: under another name first, so that a file of the right name is of a
 * process that ended where somebody could see it. What is there under the other name when the
 * process is killed outright was whole, some time ago. */
#include "sim/qemu/plugin_int.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A state is kept every so often, less often when writing it takes long. */
enum { FIRST_KEPT_MS = 100, LAST_KEPT_MS = 2000, KEPT_SHARE = 20 };

static uint64_t kept_at_ms, keep_after_ms = FIRST_KEPT_MS;
static bool is_child;

static uint64_t now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void mark_child(void)
{
    is_child = true;
    kept_at_ms = now_ms();
    keep_after_ms = FIRST_KEPT_MS;
}

void close_output(void)
{
    options.out_file = NULL;
}

struct file {
    int descriptor;
    bool is_bad;
};

static void put(void *to, const char *bytes, size_t count)
{
    struct file *f = to;

    while (count > 0 && !f->is_bad) {
        const ssize_t n = write(f->descriptor, bytes, count);

        f->is_bad = n <= 0;
        bytes += n > 0 ? n : 0;
        count -= n > 0 ? (size_t)n : 0;
    }
}

static void put_result(struct file *file, enum slw_sim_ended ended)
{
    uint32_t mapping_count = 0;
    const struct slw_sim_mapping *mappings = all_mappings(&mapping_count);
    const struct slw_sim_beside beside = beside_now();
    size_t stage_count = 0;
    const struct slw_sim_staged *stages = slw_sim_stages_all(counting.stages, &stage_count);
    const struct slw_sim_result result = {
        .carrier = "qemu",
        .carrier_version = options.qemu_version,
        .core_name = options.core_name,
        .start = slw_sim_start_names[options.start],
        .began = slw_sim_began_names[counting.began],
        .beside = &beside,
        .width = config.width,
        .period = options.period,
        .detail = options.detail,
        .has_started = counting.is_counting,
        .is_repeatable = options.is_repeatable,
        .has_timers = has_timers(),
        .ended = ended,
        .process = (uint64_t)getpid(),
        .mappings = mappings,
        .mapping_count = mapping_count,
        .stages = stages,
        .stage_count = stage_count,
        .core_of = core_of,
        .thread_limit = MAX_VCPUS,
    };

    slw_sim_result_write(&result, put, file);
}

/* The last one: a folder may have such a name. */
static const char *last_mark(const char *path)
{
    const char *found = NULL;

    for (const char *at = path; (at = strstr(at, "%p")) != NULL; at++)
        found = at;
    return found;
}

/* %p becomes the number of the process; a forked child gets a name of its own either way. */
static bool make_name(char *name, size_t size, const char *suffix)
{
    const char *mark = last_mark(options.out_file);
    int length;

    if (mark)
        length = snprintf(name, size, "%.*s%d%s%s", (int)(mark - options.out_file),
                          options.out_file, getpid(), mark + 2, suffix);
    else if (is_child)
        length = snprintf(name, size, "%s.%d%s", options.out_file, getpid(), suffix);
    else
        length = snprintf(name, size, "%s%s", options.out_file, suffix);
    return length > 0 && (size_t)length < size;
}

/* The process keeps its number, but what it executes does not know that it was forked. */
bool output_of_program(char *name, size_t size)
{
    if (!options.out_file)
        return false;
    if (is_child && !last_mark(options.out_file))
        return make_name(name, size, "");
    return (size_t)snprintf(name, size, "%s", options.out_file) < size;
}

/* Under the name and a suffix, then renamed to the name and another one. */
static bool write_and_rename(const char *first, const char *then, enum slw_sim_ended ended)
{
    char from[PATH_MAX], to[PATH_MAX];

    if (!make_name(from, sizeof(from), first) || !make_name(to, sizeof(to), then))
        return false;
    struct file file = {.descriptor = open(from, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600)};

    if (file.descriptor >= 0) {
        put_result(&file, ended);
        file.is_bad |= close(file.descriptor) != 0;
        if (!file.is_bad && rename(from, to) == 0)
            return true;
    }
    (void)fprintf(stderr, "slotwise-simulate-qemu: cannot write %s\n", to);
    return false;
}

void write_output(enum slw_sim_ended ended)
{
    if (options.out_file)
        (void)write_and_rename(".part", "", ended);
}

void keep_state(void)
{
    const uint64_t before_ms = now_ms();

    if (before_ms - kept_at_ms < keep_after_ms || !options.out_file || !counting.is_counting ||
        instructions_executed() == 0)
        return;
    if (!write_and_rename(".next", ".part", SLW_SIM_ENDED_RUNNING))
        close_output(); /* said once */
    kept_at_ms = now_ms();
    keep_after_ms *= 2;
    if (keep_after_ms > LAST_KEPT_MS)
        keep_after_ms = LAST_KEPT_MS;
    if (keep_after_ms < (kept_at_ms - before_ms) * KEPT_SHARE)
        keep_after_ms = (kept_at_ms - before_ms) * KEPT_SHARE;
}
