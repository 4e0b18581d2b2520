/* SPDX-License-Identifier: MIT */
/* The part of run_fixture_int.h about observations, and what all of it compares texts with. */
#ifndef SLW_TESTS_RUN_OBSERVATIONS_INT_H
#define SLW_TESTS_RUN_OBSERVATIONS_INT_H

#include "record/run.h"
#include "tests/unit/cmocka_int.h"

#include <math.h>

/* Quotes, markup, separators, control characters, UTF-8, a real U+FFFD and bytes of none. */
#define HOSTILE                                                                                    \
    "\"'<b>&;\\\n\t\r\x01\x7f \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xef\xbf\xbd"                   \
    "41 \xff\xc3(\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80\xe2\x82"

static inline void assert_text(const char *a, const char *b)
{
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_ptr_equal(a, b);
}

static inline void assert_provenance(const struct slw_provenance *a, const struct slw_provenance *b)
{
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->imported, b->imported);
    assert_text(a->detail, b->detail);
}

static inline void assert_maybe(const struct slw_maybe_u64 *a, const struct slw_maybe_u64 *b)
{
    assert_text(a->absent, b->absent);
    if (!a->absent)
        assert_true(a->value == b->value);
}

static inline void assert_observations(const struct slw_run *a, const struct slw_run *b)
{
    assert_text(a->experiment.id, b->experiment.id);
    assert_text(a->experiment.arm, b->experiment.arm);
    assert_int_equal(a->experiment.seed, b->experiment.seed);
    assert_int_equal(a->observation_count, b->observation_count);
    for (size_t i = 0; i < a->observation_count; i++) {
        const struct slw_observation *x = &a->observations[i], *y = &b->observations[i];

        assert_text(x->metric, y->metric);
        assert_text(x->title, y->title);
        assert_text(x->unit, y->unit);
        assert_int_equal(x->better, y->better);
        assert_int_equal(x->gateable, y->gateable);
        assert_true(x->step == y->step);
        assert_provenance(&x->from, &y->from);
        assert_text(x->absent, y->absent);
        assert_int_equal(x->length, y->length);
        for (size_t k = 0; k < x->length; k++)
            assert_true(x->values[k] == y->values[k] ||
                        (isnan(x->values[k]) && isnan(y->values[k])));
    }
}

static inline void fill_observations(struct slw_run *run)
{
    double values[] = {0.1, 1.0 / 3.0, (double)NAN, 1e300, 5e-324, -0.5, 0};
    struct slw_observation o = {.metric = "p99" HOSTILE,
                                .title = "p99 latency",
                                .unit = "ns",
                                .better = SLW_BETTER_HIGHER,
                                .gateable = true,
                                .step = 0.03,
                                .from = {SLW_SOURCE_SOFTWARE, false, "wire tap"},
                                .values = values,
                                .length = sizeof(values) / sizeof(values[0]),
                                .absent = "too few " HOSTILE};

    run->experiment = (struct slw_experiment_ref){
        .id = "0123456789abcdef", .arm = slw_run_str(run, "A" HOSTILE), .seed = UINT64_MAX};
    assert_int_equal(slw_run_add_observation(run, &o, NULL), 0);
    o = (struct slw_observation){.metric = "none", .title = "", .unit = "1"};
    assert_int_equal(slw_run_add_observation(run, &o, NULL), 0);
}

#endif
