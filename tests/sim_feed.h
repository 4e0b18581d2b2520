/* SPDX-License-Identifier: MIT */
/* Feeds a simulated core with code written out as bytes, as a carrier would: without Valgrind, so
 * that a test can say what happens cycle by cycle. */
#ifndef SLW_TESTS_SIM_FEED_H
#define SLW_TESTS_SIM_FEED_H

#include "models/core.h"
#include "sim/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_MAX_INSTRUCTIONS 128

struct feed_segment {
    struct slw_sim_segment segment;
    struct slw_sim_instruction instructions[FEED_MAX_INSTRUCTIONS];
};

/* The model never frees; a test does, when it is done with a core. */
static void *feed_allocated[16384];
static size_t feed_allocated_count;

static inline void *feed_allocate(size_t bytes)
{
    void *p = calloc(1, bytes);

    if (!p || feed_allocated_count == sizeof(feed_allocated) / sizeof(feed_allocated[0]))
        abort();
    feed_allocated[feed_allocated_count++] = p;
    return p;
}

static inline void feed_release(void)
{
    while (feed_allocated_count > 0)
        free(feed_allocated[--feed_allocated_count]);
}

/* As a teardown of cmocka. */
static inline int feed_tear_down(void **state)
{
    (void)state;
    feed_release();
    return 0;
}

static inline void feed_broken(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static const struct slw_sim_host feed_host = {.allocate = feed_allocate, .broken = feed_broken};

static inline struct slw_sim_config feed_config(const char *name)
{
    struct slw_core *core = NULL;

    if (slw_core_builtin(name, &core, NULL) < 0)
        abort();
    const struct slw_sim_config config = core->config;

    slw_core_free(core);
    return config;
}

static inline struct slw_sim_core *feed_core(const struct slw_sim_config *config)
{
    return slw_sim_core_new(config, &feed_host, slw_sim_shared_new(config, &feed_host));
}

/* `accesses`: what its executions will do, by index and kind. */
static inline void feed_segment(struct feed_segment *f, const struct slw_sim_config *config,
                                uint64_t address, const char *bytes, size_t length,
                                const struct slw_sim_access *accesses, size_t access_count)
{
    size_t at = 0;

    memset(f, 0, sizeof(*f));
    f->segment = (struct slw_sim_segment){.address = address, .instructions = f->instructions};
    while (at < length && f->segment.count < FEED_MAX_INSTRUCTIONS) {
        const size_t taken = slw_sim_decode((const uint8_t *)bytes + at, length - at, address + at,
                                            &f->instructions[f->segment.count++]);

        if (taken == 0)
            abort();
        at += taken;
    }
    slw_sim_prepare(config, &f->segment, accesses, access_count);
}

#define FEED(f, config, address, text, accesses, count)                                            \
    feed_segment(f, config, address, text, sizeof(text) - 1, accesses, count)

static inline struct slw_sim_totals feed_totals(struct slw_sim_core *core)
{
    struct slw_sim_totals t;

    slw_sim_finish(core, &t);
    return t;
}

/* The part of all slots whose names begin so. */
static inline double feed_share(const struct slw_sim_totals *t, const char *prefix)
{
    uint64_t sum = 0, all = 0;

    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        all += t->slots[i];
        if (strncmp(slw_sim_slot_names[i], prefix, strlen(prefix)) == 0)
            sum += t->slots[i];
    }
    return (double)sum / (double)all;
}

#endif
