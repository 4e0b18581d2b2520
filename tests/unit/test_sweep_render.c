/* SPDX-License-Identifier: MIT */
/* What the renderers of sweeps write, byte for byte (tests/unit/expected). */
#include "tests/sweep_fixture.h"
#include "tests/unit/expected_int.h"

#include <jansson.h>

static char *rendered(const struct slw_sweep_report *r, const char *renderer,
                      const struct slw_render_options *o)
{
    const struct slw_sweep_renderer *found = slw_sweep_renderer_find(renderer);
    struct slw_buf b = {0};

    assert_non_null(found);
    assert_int_equal(found ? found->render(r, o, &b, NULL) : -1, 0);
    return slw_buf_take(&b);
}

/* Noise of a few percent from whole numbers, so that every libm gives the same bytes. */
static void scatter(struct sweep_fixture *f)
{
    for (size_t i = 0; i < f->experiment.arm_count; i++)
        for (size_t k = 0; k < f->runs[i]->observation_count; k++)
            for (size_t n = 0; n < f->runs[i]->observations[k].length; n++)
                f->runs[i]->observations[k].values[n] *=
                    1 + ((double)((i * 29 + k * 13 + n * 37) % 41) - 20) / 1000;
}

static struct sweep_fixture *batching(void)
{
    const struct sweep_client c = {
        .fixed = 12000, .marginal = 3000, .batches = true, .slots = true};
    struct sweep_fixture *f = fixture_sweep(10, &c);

    scatter(f);
    return f;
}

static struct sweep_fixture *pretending(void)
{
    const struct sweep_client c = {.fixed = 12000, .marginal = 3000, .batches = false};
    struct sweep_fixture *f = fixture_sweep(8, &c);

    scatter(f);
    return f;
}

/* Two depths, of which one has a cliff; one block without a value. */
static struct sweep_fixture *depths(void)
{
    const struct sweep_client even = {.fixed = 12000, .marginal = 3000, .batches = true};
    const struct sweep_client cliff = {
        .fixed = 12000, .marginal = 2000, .cliff = 3000, .batches = true};
    struct sweep_fixture *f = fixture_new(9);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], "depth", "1"),
                       atof(fixture_batches[i]), &even);
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], "depth", "4"),
                       atof(fixture_batches[i]), &cliff);
    }
    scatter(f);
    f->runs[4]->observations[0].values[3] = (double)NAN;
    f->experiment.stopped = SLW_STOPPED_INTERRUPTED;
    return f;
}

static struct sweep_fixture *short_one(void)
{
    const struct sweep_client c = {.fixed = 12000, .marginal = 3000, .batches = true};
    struct sweep_fixture *f = fixture_sweep(3, &c);

    scatter(f);
    return f;
}

static void sweeps_read_as_expected(void **state)
{
    static const struct {
        const char *file, *renderer;
        struct sweep_fixture *(*make)(void);
        struct slw_render_options opts;
    } cases[] = {
        {"sweep.txt", "term", batching, {0}},
        {"sweep-color.txt", "term", batching, {.color = true, .width = 120, .verbose = true}},
        {"sweep-narrow.txt", "term", batching, {.width = 40}},
        {"sweep.md", "md", batching, {0}},
        {"sweep.json", "json", batching, {0}},
        {"sweep.csv", "csv", batching, {0}},
        {"sweep-pretending.txt", "term", pretending, {0}},
        {"sweep-pretending.md", "md", pretending, {0}},
        {"sweep-depths.txt", "term", depths, {0}},
        {"sweep-depths.md", "md", depths, {0}},
        {"sweep-short.txt", "term", short_one, {0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sweep_fixture *f = cases[i].make();
        char *text = rendered(fixture_made(f), cases[i].renderer, &cases[i].opts);

        assert_expected(cases[i].file, text);
        free(text);
        fixture_free(f);
    }
}

/* ---- what programs rely on ---- */

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

/* The page draws costs and fitted curves from these. */
static void the_json_holds_what_a_page_draws(void **state)
{
    (void)state;
    struct sweep_fixture *f = batching();
    char *text = rendered(fixture_made(f), "json", &(struct slw_render_options){0});
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const json_t *points = json_object_get(o, "points"), *curves = json_object_get(o, "curves");
    const json_t *cpu = json_array_get(curves, 0), *fit = json_object_get(cpu, "fit");
    const double fixed = number(json_object_get(fit, "fixed"), "value");
    const double marginal = number(json_object_get(fit, "marginal"), "value");

    assert_string_equal(json_string_value(json_object_get(o, "kind")), "sweep");
    assert_int_equal(json_array_size(points), FIXTURE_POINTS);
    assert_string_equal(json_string_value(json_object_get(cpu, "metric")), "cpu_per_request");
    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        const json_t *p = json_array_get(json_object_get(cpu, "points"), i);
        const json_t *point =
            json_array_get(points, (size_t)json_integer_value(json_object_get(p, "point")));

        assert_near(number(p, "x"), number(point, "x"), 1e-9);
        assert_true(number(p, "low") <= number(p, "value"));
        assert_true(number(p, "high") >= number(p, "value"));
        assert_near(number(p, "fitted"), fixed / number(p, "x") + marginal, 1e-6);
    }
    json_decref(o);
    free(text);
    fixture_free(f);
}

/* What was not found is null, and no number. */
static void the_json_has_null_for_what_is_unknown(void **state)
{
    (void)state;
    struct sweep_fixture *f = depths();
    char *text = rendered(fixture_made(f), "json", &(struct slw_render_options){0});
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const json_t *curve = json_array_get(json_object_get(o, "curves"), 1);
    const json_t *fit = json_object_get(curve, "fit"), *knee = json_object_get(curve, "knee");

    assert_string_equal(json_string_value(json_object_get(curve, "series")), "depth=4");
    assert_true(json_is_false(json_object_get(fit, "fits")));
    assert_true(json_is_null(json_object_get(fit, "fixed")));
    assert_true(json_is_null(json_object_get(fit, "marginal")));
    assert_string_equal(json_string_value(json_object_get(knee, "state")), "model-does-not-fit");
    assert_true(json_is_null(json_object_get(knee, "at")));
    assert_true(json_is_object(json_object_get(curve, "knee_seen")));
    json_decref(o);
    free(text);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweeps_read_as_expected),
        cmocka_unit_test(the_json_holds_what_a_page_draws),
        cmocka_unit_test(the_json_has_null_for_what_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
