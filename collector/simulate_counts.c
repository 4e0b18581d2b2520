/* SPDX-License-Identifier: MIT */
/* What processes and threads were counted on the described core -> counts of the run. */
#include "collector/simulate.h"

#include "base/arena.h"
#include "collector/simulate_scale.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct totals {
    uint64_t cycles, slots_all, detailed;
    uint64_t events[SLW_SIM_EVENT_COUNT];
    uint64_t slots[SLW_SIM_SLOT_COUNT];
};

/* What happens only where instructions are timed; all other events are counted in any case. */
static bool is_of_time(unsigned event)
{
    return event == SLW_SIM_FORWARDS;
}

/* Of each thread as if all of it had been timed: threads differ in how much of them was. */
static void add_thread(const struct slw_sim_thread *t, uint32_t width, struct totals *to)
{
    const uint64_t all = t->events[SLW_SIM_INSTRUCTIONS];
    const uint64_t cycles = slw_sim_extrapolate(t->cycles, all, t->detailed);
    struct slw_sim_scale scale = {.sum = t->cycles * width, .total = cycles * width};

    to->cycles += cycles;
    to->slots_all += cycles * width;
    to->detailed += t->detailed;
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        to->slots[i] += slw_sim_scaled(&scale, t->slots[i]);
    for (unsigned i = 0; i < SLW_SIM_EVENT_COUNT; i++)
        to->events[i] +=
            is_of_time(i) ? slw_sim_extrapolate(t->events[i], all, t->detailed) : t->events[i];
}

static struct totals sum_up(const struct slw_simulated *s)
{
    struct totals t = {0};

    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->outputs[i]->thread_count; k++)
            add_thread(&s->outputs[i]->threads[k], s->outputs[i]->width, &t);
    return t;
}

const char *slw_simulated_detail(const struct slw_simulated *s, bool is_timed, struct slw_run *run)
{
    const struct slw_sim_output *o = s->outputs[0];
    char core[64];
    size_t i = 0;

    for (; o->core[i] && i + 1 < sizeof(core); i++)
        core[i] = (char)toupper((unsigned char)o->core[i]);
    core[i] = '\0';
    char timed[48] = "";

    if (is_timed && o->period > 0)
        (void)snprintf(timed, sizeof(timed), ", %.3g %% timed",
                       100.0 * (double)o->detail / (double)o->period);
    return slw_arena_printf(run->arena, "reference core %s, user mode%s%s", core, timed,
                            o->is_repeatable ? "" : ", not repeatable");
}

struct writer {
    struct slw_run *run;
    struct slw_error *err;
    struct slw_count count;
    int rc;
};

static void put(struct writer *w, const char *event, const char *unit, uint64_t value)
{
    w->count.event = event;
    w->count.unit = unit;
    w->count.raw = value;
    if (w->rc >= 0)
        w->rc = slw_run_add_count(w->run, &w->count, w->err);
}

/* Of all processes, or of none: half of it would be taken for all. */
static bool beside_of(const struct slw_simulated *s, uint64_t ret_values[4])
{
    memset(ret_values, 0, 4 * sizeof(ret_values[0]));
    for (size_t i = 0; i < s->count; i++) {
        const struct slw_sim_output *o = s->outputs[i];

        if (!o->has_beside)
            return false;
        ret_values[0] += o->kernel_ns;
        ret_values[1] += o->switches;
        ret_values[2] += o->bytes_in;
        ret_values[3] += o->bytes_out;
    }
    return s->count > 0;
}

static void put_beside(struct writer *w, const struct slw_simulated *s)
{
    static const struct {
        const char *event, *unit;
    } rows[] = {{"kernel-time", "ns"},
                {"waits-in-kernel", "events"},
                {"bytes-read", "bytes"},
                {"bytes-written", "bytes"}};
    uint64_t values[4];

    if (!beside_of(s, values))
        return;
    w->count.mode = SLW_MODE_ALL;
    w->count.group = -1;
    w->count.from = (struct slw_provenance){.source = SLW_SOURCE_SOFTWARE,
                                            .detail = "system calls, while simulated"};
    for (size_t i = 0; i < 4; i++)
        put(w, rows[i].event, rows[i].unit, values[i]);
}

/* Standard errors, relative and in millionths: 0 of the cycles, then of the slots of each part. */
enum { ERROR_COUNT = 1 + SLW_SIM_PARTS };

/* Of the sum over threads, whose errors have nothing to do with each other. False: of a thread that
 * was not timed as a whole it is not known. */
static bool errors_of(const struct slw_simulated *s, double ret_errors[ERROR_COUNT],
                      uint64_t *ret_windows)
{
    double cycles = 0;

    memset(ret_errors, 0, ERROR_COUNT * sizeof(ret_errors[0]));
    *ret_windows = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->outputs[i]->thread_count; k++) {
            const struct slw_sim_thread *t = &s->outputs[i]->threads[k];
            const uint64_t all = t->events[SLW_SIM_INSTRUCTIONS];
            const double own = (double)slw_sim_extrapolate(t->cycles, all, t->detailed);
            double e = own * (double)t->sampled.cycles_error;

            if (t->sampled.windows == 0 && t->detailed < all)
                return false;
            cycles += own;
            *ret_windows += t->sampled.windows;
            ret_errors[0] += e * e;
            for (unsigned part = 0; part < SLW_SIM_PARTS; part++) {
                e = own * (double)t->sampled.share_errors[part];
                ret_errors[1 + part] += e * e;
            }
        }
    for (unsigned i = 0; i < ERROR_COUNT; i++)
        ret_errors[i] = cycles > 0 ? sqrt(ret_errors[i]) / cycles : 0;
    return *ret_windows > 0;
}

static int note_error(const struct slw_simulated *s, const double *errors, uint64_t windows,
                      struct slw_run *run)
{
    if (s->count == 0 || s->outputs[0]->period == 0)
        return 0;
    if (!errors)
        return slw_run_note(
            run, SLW_NOTE_INFO, "simulation-sampled", NULL,
            "too little of a thread was timed to say how far off its cycles may be");
    return slw_run_note(
        run, SLW_NOTE_INFO, "simulation-sampled", NULL,
        "%llu timed windows; one standard error: %.2g %% of the cycles; in points of "
        "the slots %.2g retiring, %.2g front end, %.2g bad speculation, %.2g back "
        "end",
        (unsigned long long)windows, errors[0] / 1e4, errors[1] / 1e4, errors[2] / 1e4,
        errors[3] / 1e4, errors[4] / 1e4);
}

int slw_simulated_counts(const struct slw_simulated *s, uint64_t wall_ns, struct slw_run *run,
                         struct slw_error *err)
{
    const struct totals t = sum_up(s);
    const char *timed = slw_simulated_detail(s, true, run);
    const char *followed = slw_simulated_detail(s, false, run);
    const uint64_t time_ns = wall_ns ? wall_ns : 1;
    struct writer w = {.run = run,
                       .err = err,
                       .count = {.mode = SLW_MODE_USER,
                                 .from = {.source = SLW_SOURCE_SIMULATED, .detail = timed},
                                 .group = 0,
                                 .pid = -1,
                                 .tid = -1,
                                 .cpu = -1,
                                 .enabled_ns = time_ns,
                                 .running_ns = time_ns}};
    double errors[ERROR_COUNT];
    uint64_t windows = 0;
    const bool has_errors = errors_of(s, errors, &windows);
    char name[64];

    if (!timed || !followed)
        return slw_fail(err, SLW_E_NOMEM, "no memory for counts");
    w.count.error_ppm = has_errors ? (int)fmin(ceil(errors[0]), INT_MAX) : 0;
    put(&w, "cycles", "events", t.cycles);
    put(&w, SLW_SIM_SLOTS, "events", t.slots_all);
    w.count.error_ppm = 0;
    for (unsigned i = 0; i < SLW_SIM_EVENT_COUNT; i++) {
        w.count.from.detail = is_of_time(i) ? timed : followed;
        put(&w, slw_sim_event_names[i], "events", t.events[i]);
    }
    w.count.from.detail = timed;
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "slots.%s", slw_sim_slot_names[i]);
        put(&w, name, "events", t.slots[i]);
    }
    put_beside(&w, s);
    if (w.rc >= 0)
        w.rc = note_error(s, has_errors ? errors : NULL, windows, run);
    return w.rc;
}
