/* SPDX-License-Identifier: MIT */
/* What processes and threads were counted on the described core -> counts of the run. */
#include "collector/simulate.h"

#include "base/arena.h"
#include "collector/simulate_scale.h"
#include "record/replicates.h"

#include <ctype.h>
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

static bool has_timers(const struct slw_simulated *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->outputs[i]->has_timers)
            return true;
    return false;
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
                            o->is_repeatable && !has_timers(s) ? "" : ", not repeatable");
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

/* ---- how far off it may be, where only a part was timed ---- */

/* What would be concluded without each subsample. */
struct replicates {
    bool is_needed; /* something was not timed */
    size_t count;   /* 0: not known, or not needed */
    uint64_t windows;
    uint64_t cycles[SLW_SIM_SUBSAMPLES], slots_all[SLW_SIM_SUBSAMPLES];
    uint64_t slots[SLW_SIM_SLOT_COUNT][SLW_SIM_SUBSAMPLES];
};

static bool is_part(const struct slw_sim_thread *t)
{
    return t->detailed < t->events[SLW_SIM_INSTRUCTIONS];
}

static void add_replicate(const struct slw_sim_thread *t, uint32_t width, size_t k,
                          struct replicates *to)
{
    static const struct slw_sim_subsample none;
    const struct slw_sim_subsample *less =
        is_part(t) && k < t->subsample_count ? &t->subsamples[k] : &none;
    const uint64_t all = t->events[SLW_SIM_INSTRUCTIONS], timed = t->detailed - less->instructions;
    const uint64_t cycles = slw_sim_extrapolate(t->cycles - less->cycles, all, timed);

    to->cycles[k] += cycles;
    to->slots_all[k] += cycles * width;
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        to->slots[i][k] += slw_sim_extrapolate(t->slots[i] - less->slots[i], all, timed);
}

/* Threads are samples of their own: of those that had less windows than there are subsamples,
 * nothing is left out in the last ones (Kott 2001), which makes errors rather too large. Of a
 * thread with less than two nothing is known, nor of all. */
static struct replicates replicates_of(const struct slw_simulated *s)
{
    struct replicates r = {0};

    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->outputs[i]->thread_count; k++) {
            const struct slw_sim_thread *t = &s->outputs[i]->threads[k];

            if (!is_part(t))
                continue;
            if (t->subsample_count < 2)
                return (struct replicates){.is_needed = true};
            r.is_needed = true;
            r.count = t->subsample_count > r.count ? t->subsample_count : r.count;
            for (size_t n = 0; n < t->subsample_count; n++)
                r.windows += t->subsamples[n].windows;
        }
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->outputs[i]->thread_count; k++)
            for (size_t n = 0; n < r.count; n++)
                add_replicate(&s->outputs[i]->threads[k], s->outputs[i]->width, n, &r);
    return r;
}

static void put_sampled(struct writer *w, const char *event, uint64_t value, uint64_t *replicates,
                        size_t count)
{
    w->count.replicates = replicates;
    w->count.replicate_count = count;
    put(w, event, "events", value);
    w->count.replicate_count = 0;
}

static int note_error(struct replicates *r, uint64_t cycles, struct slw_run *run)
{
    const struct slw_count c = {
        .raw = cycles, .replicates = r->cycles, .replicate_count = r->count};

    if (!r->is_needed)
        return 0;
    if (r->count == 0 || cycles == 0)
        return slw_run_note(
            run, SLW_NOTE_INFO, "simulation-sampled", NULL,
            "too little of a thread was timed to say how far off its cycles may be");
    return slw_run_note(run, SLW_NOTE_INFO, "simulation-sampled", NULL,
                        "%llu timed windows in %zu subsamples; one standard error of the cycles: "
                        "%.2g %%",
                        (unsigned long long)r->windows, r->count,
                        100 * slw_count_error(&c) / (double)cycles);
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
    struct replicates r = replicates_of(s);
    char name[64];

    if (!timed || !followed)
        return slw_fail(err, SLW_E_NOMEM, "no memory for counts");
    put_sampled(&w, "cycles", t.cycles, r.cycles, r.count);
    put_sampled(&w, SLW_SIM_SLOTS, t.slots_all, r.slots_all, r.count);
    for (unsigned i = 0; i < SLW_SIM_EVENT_COUNT; i++) {
        w.count.from.detail = is_of_time(i) ? timed : followed;
        put(&w, slw_sim_event_names[i], "events", t.events[i]);
    }
    w.count.from.detail = timed;
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "slots.%s", slw_sim_slot_names[i]);
        put_sampled(&w, name, t.slots[i], r.slots[i], r.count);
    }
    put_beside(&w, s);
    if (w.rc >= 0 && has_timers(s))
        w.rc = slw_run_note(run, SLW_NOTE_INFO, "simulation-timers", NULL,
                            "the client set a timer, which goes off by the real clock: another "
                            "execution may differ");
    if (w.rc >= 0)
        w.rc = note_error(&r, t.cycles, run);
    return w.rc;
}
