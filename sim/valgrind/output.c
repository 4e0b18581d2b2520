/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what was counted: under another name first, so that a file of the right name is of a
 * process that ended where somebody could see it. What is there under the other name when the
 * process is killed outright was whole, some time ago. */
#include "tool_int.h"

#include "sim/result.h"

/* A state is kept every so often, less often when writing it takes long. */
enum { FIRST_KEPT_MS = 100, LAST_KEPT_MS = 2000, KEPT_SHARE = 20 };

static UInt kept_at_ms, keep_after_ms = FIRST_KEPT_MS;
static Bool is_child, has_exited;

void mark_child(void)
{
    is_child = True;
    kept_at_ms = VG_(read_millisecond_timer)();
    keep_after_ms = FIRST_KEPT_MS;
}

void mark_exit(Bool exits)
{
    has_exited = exits;
}

struct file {
    Int descriptor;
    Bool is_bad;
};

static void put(void *to, const char *bytes, size_t count)
{
    struct file *f = to;

    while (count > 0 && !f->is_bad) {
        const Int n = VG_(write)(f->descriptor, bytes, (Int)count);

        f->is_bad = n <= 0;
        bytes += n > 0 ? n : 0;
        count -= n > 0 ? (size_t)n : 0;
    }
}

static void put_result(struct file *file, enum slw_sim_ended ended)
{
    const struct slw_sim_beside beside = beside_now();
    size_t stage_count = 0;
    const struct slw_sim_staged *stages = slw_sim_stages_all(counting.stages, &stage_count);
    const struct slw_sim_result result = {
        .carrier = "valgrind",
        .carrier_version = SLW_SIM_VALGRIND_VERSION,
        .core_name = options.core_name,
        .start = slw_sim_start_names[options.start],
        .began = slw_sim_began_names[counting.began],
        .beside = &beside,
        .width = config.width,
        .period = (ULong)options.period,
        .detail = (ULong)options.detail,
        .has_started = counting.is_counting,
        .is_repeatable = options.repeatable,
        .has_timers = has_timers(),
        .ended = ended,
        .process = (ULong)VG_(getpid)(),
        .mappings = all_mappings(),
        .mapping_count = mapping_count(),
        .stages = stages,
        .stage_count = stage_count,
        .core_of = core_of,
        .thread_limit = MAX_THREADS,
    };

    slw_sim_result_write(&result, put, file);
}

/* A forked child that executes nothing else would write over its parent's file. */
static HChar *final_name(void)
{
    HChar *name = VG_(expand_file_name)("--out", options.out_file);

    if (!is_child || VG_(strstr)(options.out_file, "%p"))
        return name;
    HChar *own = VG_(malloc)("sim.name", VG_(strlen)(name) + 16);

    VG_(sprintf)(own, "%s.%d", name, VG_(getpid)());
    VG_(free)(name);
    return own;
}

/* Under `name` and a suffix, then renamed to `name` and another one. */
static Bool write_and_rename(const HChar *name, const HChar *first, const HChar *then,
                             enum slw_sim_ended ended)
{
    HChar *from = VG_(malloc)("sim.name", VG_(strlen)(name) + 16);
    HChar *to = VG_(malloc)("sim.name", VG_(strlen)(name) + 16);
    Bool is_written = False;

    VG_(sprintf)(from, "%s%s", name, first);
    VG_(sprintf)(to, "%s%s", name, then);
    const SysRes opened = VG_(open)(from, VKI_O_CREAT | VKI_O_WRONLY | VKI_O_TRUNC, 0600);

    if (!sr_isError(opened)) {
        struct file file = {.descriptor = (Int)sr_Res(opened)};

        put_result(&file, ended);
        VG_(close)(file.descriptor);
        is_written = !file.is_bad && VG_(rename)(from, to) == 0;
    }
    if (!is_written)
        VG_(umsg)("cannot write %s\n", to);
    VG_(free)(from);
    VG_(free)(to);
    return is_written;
}

void write_output(void)
{
    if (!options.out_file)
        return;
    HChar *name = final_name();

    (void)write_and_rename(name, ".part", "",
                           has_exited ? SLW_SIM_ENDED_EXIT : SLW_SIM_ENDED_SIGNAL);
    VG_(free)(name);
}

void keep_state(void)
{
    const UInt now_ms = VG_(read_millisecond_timer)();

    if (now_ms - kept_at_ms < keep_after_ms || !options.out_file || !counting.is_counting ||
        instructions_executed() == 0)
        return;
    HChar *name = final_name();

    if (!write_and_rename(name, ".next", ".part", SLW_SIM_ENDED_RUNNING))
        options.out_file = NULL; /* said once */
    VG_(free)(name);
    kept_at_ms = VG_(read_millisecond_timer)();
    keep_after_ms *= 2;
    if (keep_after_ms > LAST_KEPT_MS)
        keep_after_ms = LAST_KEPT_MS;
    if (keep_after_ms < (kept_at_ms - now_ms) * KEPT_SHARE)
        keep_after_ms = (kept_at_ms - now_ms) * KEPT_SHARE;
}
