/* SPDX-License-Identifier: MIT */
/* Whatever was counted, no report of any model shows a number that cannot be: no NaN, no infinity,
 * no share beyond 100 %. SLW_SEED=N repeats a run. */
#include "analyzer/renderer.h"
#include "tests/report_fixture.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS 12 /* for each of about thirty models */

static uint64_t rng_state;

static uint64_t rng(void) /* xorshift64 (Marsaglia 2003) */
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state;
}

/* Small, huge and zero counts, some of them counted part of the time, some not at all. */
static void count(struct fixture *f, const char *event)
{
    struct slw_count c = {.event = event,
                          .unit = "events",
                          .mode = SLW_MODE_ALL,
                          .group = -1,
                          .pid = -1,
                          .tid = -1,
                          .cpu = -1,
                          .raw = rng() % 8 ? rng() >> (20 + rng() % 44) : 0,
                          .enabled_ns = 1000000000,
                          .running_ns = rng() % 4 ? 1000000000 : 1 + rng() % 1000000000};

    if (rng() % 16 == 0)
        c.absent = "not counted";
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static struct fixture run_of(const struct slw_model *m)
{
    static const enum slw_target_kind kinds[] = {SLW_TARGET_COMMAND, SLW_TARGET_ALL,
                                                 SLW_TARGET_IMPORT};
    struct fixture f = fixture_new();

    f.run->host.cpu.smt = (int)(rng() % 2);
    f.run->command.kind = kinds[rng() % 3];
    for (size_t i = 0; i < m->event_count; i++)
        if (rng() % 16)
            count(&f, m->events[i].name);
    slw_report_free(f.report);
    f.report = NULL;
    assert_int_equal(slw_report_new(f.run, f.stacks, m, &f.report, NULL), 0);
    return f;
}

static char *rendered(const struct slw_report *r, const char *renderer)
{
    const struct slw_render_options opts = {.width = 120, .verbose = true};
    struct slw_buf b = {0};

    assert_int_equal(slw_renderer_find(renderer)->render(r, &opts, &b, NULL), 0);
    return slw_buf_take(&b);
}

/* Every number that a '%' follows, in the text from `start` to `end`. */
static void check_percentages(const char *model, const char *start, const char *end)
{
    for (const char *at = start; (at = memchr(at, '%', (size_t)(end - at))) != NULL; at++) {
        const char *digits = at;

        while (digits > start && strchr("0123456789. ", digits[-1]))
            digits--;
        const double value = strtod(digits, NULL);
        if (value > 100.05)
            fail_msg("%s: %.*s", model, (int)(at - digits) + 1, digits);
    }
}

static void check_text(const char *model, const char *text, const char *from, const char *to)
{
    const char *start = strstr(text, from);
    const char *end = start ? strstr(start + strlen(from), to) : NULL;

    assert_non_null(start);
    if (!end)
        end = start + strlen(start);
    check_percentages(model, start, end);
    for (const char *c = start; c < end; c++)
        if (strncmp(c, " nan", 4) == 0 || strncmp(c, "-nan", 4) == 0 || strncmp(c, " inf ", 5) == 0)
            fail_msg("%s: %.60s", model, c);
}

static void check_json(const struct slw_model *m, const char *text)
{
    json_t *root = json_loads(text, 0, NULL);
    const json_t *nodes = json_object_get(json_object_get(root, "topdown"), "nodes");

    assert_int_equal(json_array_size(nodes), m->node_count);
    for (size_t i = 0; i < m->node_count; i++) {
        const json_t *n = json_array_get(nodes, i);
        const json_t *value = json_object_get(n, "value");

        if (json_is_null(value)) {
            assert_true(json_string_length(json_object_get(n, "absent")) > 0);
            continue;
        }
        const double v = json_number_value(value);
        assert_true(isfinite(v));
        if ((v < m->nodes[i].low || v > m->nodes[i].high) &&
            !json_is_true(json_object_get(n, "mismeasured")))
            fail_msg("%s %s: %g passes for a fact", m->name, m->nodes[i].name, v);
    }
    json_decref(root);
}

static void no_report_shows_what_cannot_be(void **state)
{
    size_t mismeasured = 0;
    (void)state;
    for (size_t b = 0; b < slw_model_builtin_count(); b++) {
        struct slw_model *m = NULL;
        assert_int_equal(slw_model_builtin(slw_model_builtin_name(b), &m, NULL), 0);
        for (int round = 0; round < ROUNDS; round++) {
            struct fixture f = run_of(m);
            char *term = rendered(f.report, "term");
            char *md = rendered(f.report, "md");
            char *json = rendered(f.report, "json");

            check_text(m->name, term, "TOP-DOWN", "\n\n");
            check_text(m->name, md, "#### Top-down", "\n\n####");
            check_json(m, json);
            for (size_t i = 0; i < f.report->node_count; i++)
                mismeasured += f.report->nodes[i].mismeasured;
            free(term);
            free(md);
            free(json);
            fixture_free(&f);
        }
        slw_model_free(m);
    }
    assert_true(mismeasured > 0); /* else nothing was tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_report_shows_what_cannot_be)};
    const char *seed = getenv("SLW_SEED");

    rng_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 2654435761u;
    rng_state |= 1;
    (void)printf("SLW_SEED=%llu\n", (unsigned long long)rng_state);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
