/* SPDX-License-Identifier: MIT */
/* Calling contexts -> stacks: a column for the slots, one for each thing that is known of every
 * context. Frames have no name yet, but the address where their function was entered. */
#include "collector/simulate.h"

#include "collector/simulate_scale.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS,
    CYCLES,
    INSTRUCTIONS,
    L1I_MISSES,
    FIRST_SLOT,
    COLUMNS = FIRST_SLOT + SLW_SIM_SLOT_COUNT
};

#define NAME_BYTES 64

struct builder {
    struct slw_stacks *stacks;
    uint32_t *paths;    /* of the contexts of a thread */
    uint32_t *mappings; /* of the objects of a process; the last is of code from no file */
};

static int make_columns(const struct slw_provenance *from, struct slw_stacks **ret_stacks,
                        struct slw_error *err)
{
    char names[SLW_SIM_SLOT_COUNT][NAME_BYTES];
    struct slw_column columns[COLUMNS] = {
        [SLOTS] = {SLW_SIM_SLOTS, "slots", *from},
        [CYCLES] = {"cycles", "events", *from},
        [INSTRUCTIONS] = {"instructions", "events", *from},
        [L1I_MISSES] = {"l1i.misses", "events", *from},
    };

    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        (void)snprintf(names[i], NAME_BYTES, "slots.%s", slw_sim_slot_names[i]);
        columns[FIRST_SLOT + i] = (struct slw_column){names[i], "slots", *from};
    }
    return slw_stacks_new(columns, COLUMNS, ret_stacks, err);
}

/* ---- frames ---- */

#define NO_MAPPING SLW_NO_MAPPING /* nothing was called in it yet */

/* Where a compiler at run time says what it has made, as perf has it. */
static int anonymous(struct builder *b, const struct slw_sim_output *o, uint32_t *ret_mapping)
{
    char jit[64];
    const struct slw_mapping m = {.path = jit, .build_id = ""};

    (void)snprintf(jit, sizeof(jit), "/tmp/perf-%" PRIu64 ".map", o->process);
    return slw_stacks_add_mapping(b->stacks, &m, ret_mapping);
}

static int mapping_of(struct builder *b, const struct slw_sim_output *o, uint32_t object,
                      uint32_t *ret_mapping)
{
    uint32_t *known = &b->mappings[object == SLW_SIM_NO_OBJECT ? o->object_count : object];
    int rc = 0;

    if (*known == NO_MAPPING && object == SLW_SIM_NO_OBJECT) {
        rc = anonymous(b, o, known);
    } else if (*known == NO_MAPPING) {
        const struct slw_mapping m = {.path = o->objects[object].path, .build_id = ""};

        rc = slw_stacks_add_mapping(b->stacks, &m, known);
    }
    *ret_mapping = *known;
    return rc;
}

static int add_frame(struct builder *b, const struct slw_sim_output *o,
                     const struct slw_sim_context *c, uint32_t *ret_frame)
{
    struct slw_frame f = {
        .function = "", .linkage = "", .file = "", .address = c->address, .kind = SLW_FRAME_USER};

    const int rc = mapping_of(b, o, c->object, &f.mapping);

    if (c->object != SLW_SIM_NO_OBJECT)
        f.address = c->address - o->objects[c->object].start + o->objects[c->object].offset;
    return rc < 0 ? rc : slw_stacks_add_frame(b->stacks, &f, ret_frame);
}

/* What ran below no call: the first instructions of a thread. */
static int add_root(struct builder *b, uint32_t thread, uint32_t *ret_path)
{
    const struct slw_frame f = {.function = "[thread start]",
                                .linkage = "",
                                .file = "",
                                .mapping = SLW_NO_MAPPING,
                                .kind = SLW_FRAME_OTHER};
    uint32_t frame = 0, root = 0;
    int rc = slw_stacks_add_frame(b->stacks, &f, &frame);

    if (rc == 0)
        rc = slw_stacks_root(b->stacks, thread, &root);
    return rc < 0 ? rc : slw_stacks_step(b->stacks, root, frame, ret_path);
}

/* ---- weights ---- */

struct scales {
    struct slw_sim_scale slots[SLW_SIM_SLOT_COUNT];
    struct slw_sim_scale cycles;
};

/* As simulate_counts.c scales the thread, so that the columns sum to the counts. */
static void start_scales(const struct slw_sim_thread *t, uint32_t width, struct scales *ret)
{
    const uint64_t cycles =
        slw_sim_extrapolate(t->cycles, t->events[SLW_SIM_INSTRUCTIONS], t->detailed);
    struct slw_sim_scale whole = {.sum = t->cycles * width, .total = cycles * width};

    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        ret->slots[i] = (struct slw_sim_scale){.sum = t->slots[i],
                                               .total = slw_sim_scaled(&whole, t->slots[i])};
    ret->cycles = (struct slw_sim_scale){.sum = cycles * width, .total = cycles};
}

static bool weigh(const struct slw_sim_context *c, struct scales *s, uint64_t weights[COLUMNS])
{
    weights[SLOTS] = 0;
    weights[INSTRUCTIONS] = c->instructions;
    weights[L1I_MISSES] = c->l1i_misses;
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        weights[FIRST_SLOT + i] = slw_sim_scaled(&s->slots[i], c->slots[i]);
        weights[SLOTS] += weights[FIRST_SLOT + i];
    }
    weights[CYCLES] = slw_sim_scaled(&s->cycles, weights[SLOTS]);
    return weights[SLOTS] || weights[CYCLES] || c->instructions || c->l1i_misses;
}

/* ---- all of it ---- */

static int add_thread(struct builder *b, const struct slw_sim_output *o,
                      const struct slw_sim_thread *t)
{
    const struct slw_thread who = {
        .comm = "", .pid = (int32_t)o->process, .tid = (int32_t)t->number};
    struct scales scales;
    uint32_t thread;
    int rc = slw_stacks_add_thread(b->stacks, &who, &thread);

    start_scales(t, o->width, &scales);
    if (rc == 0)
        rc = add_root(b, thread, &b->paths[0]);
    for (size_t i = 0; rc == 0 && i < t->context_count; i++) {
        const struct slw_sim_context *c = &t->contexts[i];
        uint64_t weights[COLUMNS];
        uint32_t frame;

        if (i > 0)
            rc = add_frame(b, o, c, &frame);
        if (i > 0 && rc == 0)
            rc = slw_stacks_step(b->stacks, b->paths[c->parent], frame, &b->paths[i]);
        if (rc == -SLW_E_LIMIT && i > 0) { /* deeper than a stack may be: it stays in its caller */
            b->paths[i] = b->paths[c->parent];
            rc = 0;
        }
        if (rc == 0 && weigh(c, &scales, weights))
            rc = slw_stacks_weigh(b->stacks, b->paths[i], weights);
    }
    return rc;
}

static int add_process(struct builder *b, const struct slw_sim_output *o)
{
    size_t most = 1;
    int rc = 0;

    for (size_t i = 0; i < o->thread_count; i++)
        most = o->threads[i].context_count > most ? o->threads[i].context_count : most;
    b->paths = calloc(most, sizeof(*b->paths));
    b->mappings = calloc(o->object_count + 1, sizeof(*b->mappings));
    rc = b->paths && b->mappings ? 0 : -SLW_E_NOMEM;
    for (size_t i = 0; rc == 0 && i <= o->object_count; i++)
        b->mappings[i] = NO_MAPPING;
    for (size_t i = 0; rc == 0 && i < o->thread_count; i++)
        rc = add_thread(b, o, &o->threads[i]);
    free(b->paths);
    free(b->mappings);
    return rc;
}

int slw_simulated_stacks(const struct slw_simulated *s, const struct slw_provenance *from,
                         struct slw_stacks **ret_stacks, struct slw_error *err)
{
    struct builder b = {0};
    int rc = make_columns(from, &b.stacks, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < s->count; i++)
        rc = add_process(&b, s->outputs[i]);
    if (rc < 0) {
        slw_stacks_free(b.stacks);
        return slw_fail(err, (enum slw_code) - rc, "the calling contexts do not fit a profile");
    }
    *ret_stacks = b.stacks;
    return 0;
}
