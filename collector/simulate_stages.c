/* SPDX-License-Identifier: MIT */
/* Stages that the client marked, counted on the described core -> stages of the run. They have
 * cycles and slots, and no times: nobody waited for a clock. */
#include "collector/simulate.h"

#include "collector/simulate_scale.h"

#include <stdlib.h>
#include <string.h>

struct sum {
    const char *provider, *name;
    struct slw_sim_staged counts;
    uint64_t slots, frontend, cycles; /* as if every instruction had been timed */
    bool known;                       /* false: none was timed */
};

static bool is_frontend(unsigned slot)
{
    return strncmp(slw_sim_slot_names[slot], "frontend.", 9) == 0;
}

static void add_slots(struct sum *to, const struct slw_sim_staged *s, uint32_t width)
{
    uint64_t slots = 0, frontend = 0;

    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        slots += s->slots[i];
        frontend += is_frontend(i) ? s->slots[i] : 0;
    }
    if (s->detailed == 0)
        return;
    slots = slw_sim_extrapolate(slots, s->instructions, s->detailed);
    to->slots += slots;
    to->frontend += slw_sim_extrapolate(frontend, s->instructions, s->detailed);
    to->cycles += (slots + width / 2) / width;
    to->known = true;
}

static void add(struct sum *to, const struct slw_sim_staged *s, uint32_t width)
{
    to->counts.calls += s->calls;
    to->counts.requests += s->requests;
    to->counts.max_batch =
        s->max_batch > to->counts.max_batch ? s->max_batch : to->counts.max_batch;
    to->counts.missed_begins += s->missed_begins;
    to->counts.missed_ends += s->missed_ends;
    to->counts.instructions += s->instructions;
    to->counts.l1i_misses += s->l1i_misses;
    add_slots(to, s, width);
}

/* NULL: there are too many. */
static struct sum *sum_of(struct sum *sums, size_t *count, const struct slw_sim_staged *s)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(sums[i].provider, s->provider) == 0 && strcmp(sums[i].name, s->name) == 0)
            return &sums[i];
    if (*count == SLW_MAX_STAGES)
        return NULL;
    sums[*count] = (struct sum){.provider = s->provider, .name = s->name};
    return &sums[(*count)++];
}

static struct slw_maybe_u64 maybe(uint64_t value, bool known)
{
    return (struct slw_maybe_u64){.value = known ? value : 0,
                                  .absent = known ? NULL : "none of it was timed: use --full"};
}

static int put(const struct sum *s, const struct slw_provenance *from, struct slw_run *run,
               struct slw_error *err)
{
    const char *own = strchr(s->provider, '_'); /* "slotwise_mylib" */
    const struct slw_stage stage = {
        .name = s->name,
        .provider = own ? own + 1 : NULL,
        .from = *from,
        .counted_from = *from,
        .calls = s->counts.calls,
        .requests = s->counts.requests,
        .max_batch = s->counts.max_batch,
        .cpu_ns = {.absent = "a simulated stage has cycles, not times"},
        .events = {[SLW_STAGE_CYCLES] = maybe(s->cycles, s->known),
                   [SLW_STAGE_INSTRUCTIONS] = maybe(s->counts.instructions, true),
                   [SLW_STAGE_ICACHE_MISSES] = maybe(s->counts.l1i_misses, true),
                   [SLW_STAGE_FRONTEND_SLOTS] = maybe(s->frontend, s->known),
                   [SLW_STAGE_SLOTS] = maybe(s->slots, s->known)},
        .missed_begins = s->counts.missed_begins,
        .missed_ends = s->counts.missed_ends,
    };

    return slw_run_add_stage(run, &stage, err);
}

int slw_simulated_stages(const struct slw_simulated *s, const struct slw_provenance *from,
                         struct slw_run *run, struct slw_error *err)
{
    struct sum *sums = calloc(SLW_MAX_STAGES, sizeof(*sums));
    size_t count = 0, missed = 0;
    int rc = sums ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for stages");

    for (size_t i = 0; rc >= 0 && i < s->count; i++)
        for (size_t k = 0; k < s->outputs[i]->stage_count; k++) {
            struct sum *to = sum_of(sums, &count, &s->outputs[i]->stages[k]);

            if (to)
                add(to, &s->outputs[i]->stages[k], s->outputs[i]->width);
            else
                missed++;
        }
    for (size_t i = 0; rc >= 0 && i < count; i++)
        if (sums[i].counts.calls || sums[i].counts.missed_begins || sums[i].counts.missed_ends)
            rc = put(&sums[i], from, run, err);
    if (rc >= 0 && missed > 0)
        rc = slw_run_note(run, SLW_NOTE_WARNING, "stages-too-many", NULL,
                          "%zu stages are missing: there are more than %d", missed, SLW_MAX_STAGES);
    free(sums);
    return rc;
}
