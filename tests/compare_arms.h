/* SPDX-License-Identifier: MIT */
/* Two arms of an experiment as tests of comparisons and differential graphs need them: stacks in
 * rounds, with requests, made from a table of what each function costs. Seeded. */
#ifndef SLW_TESTS_COMPARE_ARMS_H
#define SLW_TESTS_COMPARE_ARMS_H

#include "analyzer/statistics/order.h"
#include "base/arena.h"
#include "record/moments.h"
#include "record/run.h"
#include "tests/unit/cmocka_int.h"

#include <string.h>

#define ARM_SAMPLE_NS 1000000

/* "main;send;write" and how many samples of it a round has in each arm. */
struct arm_stack {
    const char *names; /* from the root; "_[k]" at the end of a name: in the kernel */
    unsigned samples[2];
};

struct arm {
    struct slw_run *run;
    struct slw_stacks *stacks;
    struct slw_moments *moments;
};

static inline uint32_t arm_frame(struct slw_stacks *s, const char *name, size_t length,
                                 const char *path)
{
    const bool kernel = length > 4 && memcmp(name + length - 4, "_[k]", 4) == 0;
    const struct slw_mapping mapping = {.path = kernel ? "[kernel.kallsyms]" : path};
    char function[256] = "";
    uint32_t id;

    memcpy(function, name, kernel ? length - 4 : length);
    struct slw_frame f = {.function = function, .kind = kernel ? SLW_FRAME_KERNEL : SLW_FRAME_USER};
    assert_int_equal(slw_stacks_add_mapping(s, &mapping, &f.mapping), 0);
    assert_int_equal(slw_stacks_add_frame(s, &f, &id), 0);
    return id;
}

/* The path of a stack; "" is one without frames. */
static inline uint32_t arm_path(struct slw_stacks *s, const char *names, const char *path)
{
    const struct slw_thread thread = {"client", -1, -1};
    uint32_t id, at;

    assert_int_equal(slw_stacks_add_thread(s, &thread, &id), 0);
    assert_int_equal(slw_stacks_root(s, id, &at), 0);
    while (*names) {
        const size_t length = strcspn(names, ";");
        assert_int_equal(slw_stacks_step(s, at, arm_frame(s, names, length, path), &at), 0);
        names += length + (names[length] == ';');
    }
    return at;
}

/* Samples of a round: the number in the table, give or take a tenth. */
static inline uint64_t arm_samples(struct slw_coin *coin, unsigned samples)
{
    const uint64_t spread = samples / 10;

    return spread ? samples - spread + slw_coin_below(coin, 2 * spread + 1) : samples;
}

static inline void arm_round(struct arm *arm, const struct arm_stack *stacks, size_t count,
                             size_t which, int round, const char *path, struct slw_coin *coin)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t samples = arm_samples(coin, stacks[i].samples[which]);
        const uint64_t weights[] = {samples, samples * ARM_SAMPLE_NS};

        if (samples == 0)
            continue;
        const uint32_t at = arm_path(arm->stacks, stacks[i].names, path);
        assert_int_equal(slw_stacks_weigh(arm->stacks, at, weights), 0);
        assert_int_equal(
            slw_moments_add(arm->moments, (uint32_t)round, 0, at, weights[0], weights[1]), 0);
    }
}

/* Arm `which` of the table; rounds 0: one execution that is no round. */
static inline struct arm arm_new(const struct arm_stack *stacks, size_t count, size_t which,
                                 int rounds, uint64_t requests, const char *path)
{
    const struct slw_column columns[] = {
        {"cpu-clock", "count", {SLW_SOURCE_SOFTWARE, false, NULL}},
        {"cpu-clock", "nanoseconds", {SLW_SOURCE_SOFTWARE, false, NULL}}};
    struct slw_coin coin = slw_coin_of(7 + which);
    struct arm arm = {0};

    assert_int_equal(slw_run_new(&arm.run, NULL), 0);
    assert_int_equal(slw_stacks_new(columns, 2, &arm.stacks, NULL), 0);
    assert_int_equal(slw_moments_new(arm.stacks, SLW_MOMENT_NS, &arm.moments, NULL), 0);
    for (int round = rounds > 0; round <= rounds; round++) {
        const struct slw_round r = {
            .round = round, .sampled = true, .wall_ns = {1, NULL}, .requests = {requests, NULL}};
        arm_round(&arm, stacks, count, which, round, path, &coin);
        if (rounds > 0)
            assert_int_equal(slw_run_add_round(arm.run, &r, NULL), 0);
    }
    arm.run->requests = (struct slw_maybe_u64){requests, NULL};
    return arm;
}

static inline void arm_free(struct arm *arm)
{
    slw_moments_free(arm->moments);
    slw_stacks_free(arm->stacks);
    slw_run_free(arm->run);
}

#endif
