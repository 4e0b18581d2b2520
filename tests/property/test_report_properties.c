/* SPDX-License-Identifier: MIT */
/* Laws every report obeys, over random profiles. SLW_SEED=N repeats a run. */
#include "analyzer/scale.h"
#include "tests/report_fixture.h"

#include <stdio.h>
#include <time.h>

static uint64_t rng_state;

static uint64_t rng(void) /* xorshift64 (Marsaglia 2003) */
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state;
}

static struct fixture random_profile(void)
{
    struct fixture f = fixture_new();
    uint32_t frames[24], threads[3];

    for (int i = 0; i < 24; i++) {
        char function[16], module[16];
        (void)snprintf(function, sizeof(function), "f%d", i % 11);
        if (i % 5 == 0)
            function[0] = '\0'; /* no symbol */
        (void)snprintf(module, sizeof(module), "/lib/m%d", i % 4);
        frames[i] = fixture_frame(&f, (enum slw_frame_kind)(rng() % 3), rng() % 6 ? module : NULL,
                                  function);
    }
    for (int i = 0; i < 3; i++) {
        const struct slw_thread t = {"t", 1, i};
        assert_int_equal(slw_stacks_add_thread(f.stacks, &t, &threads[i]), 0);
    }
    for (uint64_t n = 1 + rng() % 200; n > 0; n--) {
        uint32_t stack[12];
        size_t depth = rng() % 12;
        const uint64_t samples = rng() % 50;
        const uint64_t weights[] = {samples, samples * (rng() % 3000000)};
        for (size_t i = 0; i < depth; i++)
            stack[i] = frames[rng() % 24];
        uint32_t thread = rng() % 4 ? threads[rng() % 3] : SLW_NO_THREAD;
        assert_int_equal(slw_stacks_add(f.stacks, stack, depth, thread, weights), 0);
    }
    return f;
}

static void assert_share(const struct slw_share *s)
{
    assert_true(s->have && s->low >= 0 && s->high <= 1);
    assert_true(s->low <= s->value && s->value <= s->high);
}

static void check_functions(const struct slw_report *r, const struct slw_report_function *rows,
                            size_t count)
{
    uint64_t self = 0, samples = 0;
    double shares = 0;

    for (size_t i = 0; i < count; i++) {
        self += rows[i].self;
        samples += rows[i].self_samples;
        shares += rows[i].self_share.value;
        assert_true(rows[i].self <= rows[i].total && rows[i].total <= r->weight);
        assert_true(rows[i].self_samples <= rows[i].total_samples);
        assert_true(i == 0 || rows[i].self <= rows[i - 1].self);
        assert_share(&rows[i].self_share);
        assert_share(&rows[i].total_share);
    }
    assert_true(self == r->weight);
    assert_true(samples == r->samples);
    assert_near(shares, 1, 1e-9);
}

static void check_sums(const struct slw_report *r)
{
    uint64_t parts = 0, threads = 0;

    check_functions(r, r->functions, r->function_count);
    check_functions(r, r->modules, r->module_count);
    for (size_t i = 0; i < 3; i++)
        parts += r->parts[i].weight;
    for (size_t i = 0; i < r->thread_count; i++)
        threads += r->threads[i].weight;
    assert_true(parts == r->weight);
    assert_true(threads == r->weight);
    assert_true(r->weight == slw_stacks_total(r->stacks, (size_t)r->main_column));
}

static void weights_are_conserved(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct fixture f = random_profile();
        const struct slw_report *r = fixture_report(&f);
        if (r->main_column >= 0)
            check_sums(r);
        fixture_free(&f);
    }
}

/* The total of a function against the definition: stacks that hold it, counted one by one. */
static void totals_match_the_definition(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        struct fixture f = random_profile();
        const struct slw_report *r = fixture_report(&f);
        for (size_t n = 0; r->main_column >= 0 && n < r->module_count; n++) {
            const struct slw_report_function *m = &r->modules[n];
            uint64_t expected = 0;
            if (strcmp(m->module, "[unknown]") == 0)
                continue; /* also holds the stacks without frames */
            for (size_t s = 0; s < slw_stacks_count(f.stacks); s++) {
                struct slw_stack k = slw_stacks_get(f.stacks, s);
                bool holds = false;
                for (size_t d = 0; d < k.depth; d++) {
                    struct slw_frame fr = slw_stacks_frame(f.stacks, k.frames[d]);
                    holds |= fr.mapping != SLW_NO_MAPPING && fr.kind == m->kind &&
                             strcmp(slw_stacks_mapping(f.stacks, fr.mapping).path, m->module) == 0;
                }
                expected += holds ? k.weights[r->main_column] : 0;
            }
            assert_true(expected == m->total);
        }
        fixture_free(&f);
    }
}

static void scaling_is_monotone_and_never_below_raw(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t raw = rng() >> (rng() % 60), enabled = 1 + (rng() >> (10 + rng() % 50));
        uint64_t running = 1 + rng() % enabled;
        const struct slw_reading whole = {raw, enabled, enabled}, part = {raw, enabled, running};
        const struct slw_reading more = {raw + 1, enabled, running};
        uint64_t n = 0, m = 0;

        assert_int_equal(slw_scale(&whole, &n, NULL), 0);
        assert_true(n == raw);
        if (slw_scale(&part, &n, NULL) < 0)
            continue;
        assert_true(n >= raw);
        if (slw_scale(&more, &m, NULL) == 0)
            assert_true(m >= n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_conserved),
        cmocka_unit_test(totals_match_the_definition),
        cmocka_unit_test(scaling_is_monotone_and_never_below_raw),
    };
    const char *seed = getenv("SLW_SEED");

    rng_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 2654435761u + 1;
    if (rng_state == 0)
        rng_state = 1;
    printf("SLW_SEED=%llu\n", (unsigned long long)rng_state);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
