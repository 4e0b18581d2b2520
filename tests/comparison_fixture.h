/* SPDX-License-Identifier: MIT */
/* Comparisons for the tests of what renders them, put together by hand from values of rounds: the
 * intervals and words are those of analyzer/statistics. Every helper asserts its own success. */
#ifndef SLW_TESTS_COMPARISON_FIXTURE_H
#define SLW_TESTS_COMPARISON_FIXTURE_H

#include "analyzer/compare/renderer.h"
#include "analyzer/compare/tracked.h"
#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HAND_ROUNDS 20

/* A comparison whose parts are all on the heap and can be changed before it is rendered. */
struct hand {
    struct slw_run *a, *b;
    struct slw_experiment experiment;
    struct slw_experiment_arm arms[2];
    struct slw_comparison c;
    struct slw_gate_rule *gates; /* of each row */
};

/* What cannot be: the tests of failing allocations do not fail these. */
static inline void *hand_grown(void *old, size_t size)
{
    void *grown = realloc(old, size);

    if (!grown)
        abort();
    return grown;
}

static inline struct slw_run *hand_run(const char **argv, size_t argc)
{
    struct slw_run *run = NULL;

    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->tool = "slotwise test";
    run->command = (struct slw_command){.argv = argv, .argc = argc, .pid = -1};
    run->host.hostname = "bench-1";
    run->host.kernel = "6.1.0-18-amd64";
    run->host.os = "Debian GNU/Linux 12 (bookworm)";
    run->host.cpu.name = "AMD EPYC 9354";
    run->host.cpu.online_count = 2;
    return run;
}

static inline struct hand hand_new(void)
{
    static const char *argv_a[] = {"redis-benchmark", "-t", "get", "-P", "1"};
    static const char *argv_b[] = {"redis-benchmark", "-t", "get", "-P", "16"};
    struct hand h = {.a = hand_run(argv_a, 5), .b = hand_run(argv_b, 5)};

    h.arms[0] = (struct slw_experiment_arm){.name = "A", .command = "redis-benchmark -t get -P 1"};
    h.arms[1] = (struct slw_experiment_arm){.name = "B", .command = "redis-benchmark -t get -P 16"};
    h.experiment = (struct slw_experiment){.id = "0123456789abcdef",
                                           .seed = 42,
                                           .arm_count = 2,
                                           .warmup = 1,
                                           .block_count = HAND_ROUNDS,
                                           .floor_absent = "no A/A test was asked for",
                                           .margin = .02};
    h.c = (struct slw_comparison){
        .verdict = "B takes 77 % less CPU time per request, but its p99 latency is 29 % longer",
        .verdict_basis = "20 rounds of each arm, software counts",
        .gate_reason = "1 of 2 gates failed: p99>+5%",
        .interleaved = true};
    assert_int_equal(slw_run_add_label(h.b, "branch", "batching", NULL), 0);
    return h;
}

static inline void hand_free(struct hand *h)
{
    free(h->c.rows);
    free(h->c.functions);
    free(h->c.causes);
    free(h->c.notes);
    free(h->c.mismatches);
    free(h->gates);
    slw_run_free(h->a);
    slw_run_free(h->b);
}

static inline void hand_observation(struct slw_run *run, const struct slw_observation *like,
                                    double *values, size_t n)
{
    struct slw_observation o = *like;

    o.values = values;
    o.length = n;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]) && !o.absent)
            o.absent = "too few requests";
    assert_int_equal(slw_run_add_observation(run, &o, NULL), 0);
}

/* Values around `centre` that scatter by about 1 %, the same every time. */
static inline void hand_values(double centre, unsigned seed, double ret_values[HAND_ROUNDS])
{
    for (size_t i = 0; i < HAND_ROUNDS; i++) {
        seed = seed * 1103515245U + 12345U;
        ret_values[i] = centre * (1 + ((double)(seed >> 16 & 0x3ff) / 1024 - 0.5) / 50);
    }
}

/* A metric of both arms. */
static inline void hand_metric(struct hand *h, const char *metric, const char *title,
                               const char *unit, enum slw_better better, double a, double b)
{
    const struct slw_observation like = {.metric = metric,
                                         .title = title,
                                         .unit = unit,
                                         .better = better,
                                         .gateable = true,
                                         .from = {.source = SLW_SOURCE_SOFTWARE}};
    double values[HAND_ROUNDS];

    hand_values(a, 1, values);
    hand_observation(h->a, &like, values, HAND_ROUNDS);
    hand_values(b, 7, values);
    hand_observation(h->b, &like, values, HAND_ROUNDS);
}

static inline struct slw_figure hand_centre(const struct slw_observation *o)
{
    const struct slw_tracked_summary s =
        o ? slw_tracked_summarise(o) : (struct slw_tracked_summary){0};

    return (struct slw_figure){.value = s.median,
                               .absent = s.rounds > 0 ? NULL : "too few requests",
                               .unit = o ? o->unit : "",
                               .coverage = 1};
}

static inline void hand_judge(struct slw_metric_row *r)
{
    double d[SLW_MAX_ROUNDS];
    struct slw_paired *p = NULL;
    const size_t n = r->a && r->b ? r->a->length : 0;

    r->pairs = slw_pairs_of(r->a ? r->a->values : d, r->b ? r->b->values : d, n, d);
    r->kind = r->pairs.kind;
    r->absent = r->pairs.used == 0 ? "no round has both values" : NULL;
    r->judgement.margin = (struct slw_margin){log(1.02), SLW_MARGIN_USER};
    if (r->absent)
        return;
    assert_int_equal(slw_paired_new(SLW_MAX_PAIRS, &p, NULL), 0);
    assert_int_equal(slw_paired_interval(p, d, r->pairs.used, .05, &r->difference, NULL), 0);
    r->judgement = slw_judge(&r->difference, &r->judgement.margin, r->better == SLW_BETTER_HIGHER);
    r->starred = slw_difference_real(&r->difference);
    slw_paired_free(p);
}

/* Rows of all metrics both runs have. Call once, after the last metric. */
static inline struct slw_comparison *hand_done(struct hand *h)
{
    const size_t n = h->a->observation_count;

    h->c.in.a = (struct slw_side_of){.name = "A", .run = h->a};
    h->c.in.b = (struct slw_side_of){.name = "B", .run = h->b};
    h->c.rows = hand_grown(NULL, (n + 1) * sizeof(*h->c.rows));
    h->gates = hand_grown(NULL, (n + 1) * sizeof(*h->gates));
    memset(h->c.rows, 0, (n + 1) * sizeof(*h->c.rows));
    memset(h->gates, 0, (n + 1) * sizeof(*h->gates));
    for (size_t i = 0; i < n; i++) {
        struct slw_metric_row *r = &h->c.rows[i];
        const struct slw_observation *o = &h->a->observations[i];

        *r = (struct slw_metric_row){.a = o,
                                     .b = slw_run_find_observation(h->b, o->metric),
                                     .metric = o->metric,
                                     .title = o->title,
                                     .unit = o->unit,
                                     .from = o->from,
                                     .better = o->better,
                                     .rank = SLW_METRIC_SHOWN,
                                     .drift = (double)NAN};
        r->a_value = hand_centre(r->a);
        r->b_value = hand_centre(r->b);
        hand_judge(r);
    }
    h->c.row_count = n;
    h->c.main_row = 0;
    return &h->c;
}

static inline void hand_gate(struct hand *h, size_t row, const char *text)
{
    struct slw_metric_row *r = &h->c.rows[row];

    (void)snprintf(h->gates[row].text, sizeof(h->gates[row].text), "%s", text);
    r->gate = &h->gates[row];
    r->rank = SLW_METRIC_GATED;
    r->gate_word = r->judgement.word;
    if (r->gate_word == SLW_JUDGED_REGRESSED)
        h->c.gate = SLW_GATE_REGRESSED;
}

static inline void hand_function(struct hand *h, const char *function, double a, double b,
                                 bool real)
{
    struct slw_comparison *c = &h->c;

    c->functions = hand_grown(c->functions, (c->function_count + 1) * sizeof(*c->functions));
    c->functions[c->function_count++] = (struct slw_function_change){.function = function,
                                                                     .module = "/usr/bin/client",
                                                                     .a = a,
                                                                     .b = b,
                                                                     .judged = true,
                                                                     .real = real,
                                                                     .only_a = b == 0,
                                                                     .only_b = a == 0};
}

static inline void hand_cause(struct hand *h, const char *text)
{
    struct slw_comparison *c = &h->c;

    c->causes = hand_grown(c->causes, (c->cause_count + 1) * sizeof(*c->causes));
    c->causes[c->cause_count++] = (struct slw_cause){.id = "cause", .text = text, .share = .94};
}

static inline void hand_note(struct hand *h, enum slw_note_level level, const char *text,
                             const char *hint)
{
    struct slw_comparison *c = &h->c;

    c->notes = hand_grown(c->notes, (c->note_count + 1) * sizeof(*c->notes));
    c->notes[c->note_count++] = (struct slw_note){level, "note", text, hint};
}

static inline void hand_mismatch(struct hand *h, const char *what, const char *a, const char *b,
                                 bool severe)
{
    struct slw_comparison *c = &h->c;

    c->mismatches = hand_grown(c->mismatches, (c->mismatch_count + 1) * sizeof(*c->mismatches));
    c->mismatches[c->mismatch_count++] =
        (struct slw_mismatch){.what = what, .a = a, .b = b, .severe = severe};
}

/* What a pull request that batches looks like: cheaper, fewer calls, a worse p99. */
static inline struct hand hand_batching(void)
{
    struct hand h = hand_new();

    hand_metric(&h, "cpu_per_request", "CPU time per request", "ns", SLW_BETTER_LOWER, 18200, 4100);
    hand_metric(&h, "p99", "p99 latency", "ns", SLW_BETTER_LOWER, 240000, 310000);
    hand_metric(&h, "throughput", "requests per second", "requests/s", SLW_BETTER_HIGHER, 48000,
                210000);
    hand_metric(&h, "requests_per_flush", "requests per flush", "1", SLW_BETTER_HIGHER, 1, 16);
    hand_metric(&h, "instructions", "instructions per request", "events", SLW_BETTER_LOWER, 9100,
                9105);
    (void)hand_done(&h);
    hand_gate(&h, 0, "cpu_per_request>+3%");
    hand_gate(&h, 1, "p99>+5%");
    hand_cause(&h,
               "16.0 requests a flush instead of 1.0: 94 % of the send and recv calls are gone");
    hand_function(&h, "__send", 5200, 330, true);
    hand_function(&h, "readQueryFromClient(client*)", 900, 870, false);
    hand_function(&h, "flushBatch", 0, 120, true);
    hand_note(&h, SLW_NOTE_WARNING, "the arms drifted by 4.1 % over the rounds", NULL);
    hand_note(&h, SLW_NOTE_INFO, "p99 is from 2,000 requests a round", "use more requests");
    return h;
}

/* The experiment is lent from where h is now. */
static inline char *hand_rendered(struct hand *h, const char *renderer)
{
    const struct slw_render_options opts = {0};
    struct slw_buf out = {0};
    struct slw_error err = {0};
    const struct slw_comparison_renderer *r = slw_comparison_renderer_find(renderer);

    assert_non_null(r);
    h->experiment.arms = h->arms;
    h->c.in.experiment = &h->experiment;
    if (r->render(&h->c, &opts, &out, &err) < 0)
        fail_msg("%s: %s", renderer, err.text);
    return slw_buf_take(&out);
}

#endif
