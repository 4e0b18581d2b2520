/* SPDX-License-Identifier: MIT */
/* What a reader of a comparison must know beyond its words. */
#include "analyzer/compare/comparison_int.h"
#include "analyzer/compare/words.h"
#include "analyzer/statistics/many.h"
#include "analyzer/text.h"

#include <math.h>
#include <string.h>

typedef int (*note_fn)(struct slw_comparing *w);

static int apart(struct slw_comparing *w)
{
    const struct slw_metric_row *row = &w->c->rows[w->c->main_row];

    if (w->c->interleaved || row->exact || row->sampled)
        return 0;
    return slw_comparison_note(w->c, SLW_NOTE_WARNING, "measured-apart",
                               "compare --a 'CMD' --b 'CMD' measures both in turn",
                               "the runs were measured apart: what the machine did between them "
                               "is in no interval");
}

static int forced(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    int rc = 0;

    for (size_t i = 0; i < c->mismatch_count && c->in.force && rc == 0; i++)
        if (c->mismatches[i].severe || c->mismatches[i].downgrades)
            rc = slw_comparison_note(c, SLW_NOTE_WARNING, "forced", NULL,
                                     "compared by force although the %s differs: '%s' and '%s'",
                                     c->mismatches[i].what, c->mismatches[i].a, c->mismatches[i].b);
    return rc;
}

static int rounds(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    const struct slw_metric_row *row = &c->rows[c->main_row];
    int rc = 0;

    if (row->pairs.dropped > 0)
        rc = slw_comparison_note(c, SLW_NOTE_WARNING, "dropped-pairs", NULL,
                                 "%zu of %zu pairs are left out of '%s': one of the two has no "
                                 "value",
                                 row->pairs.dropped, row->pairs.dropped + row->pairs.used,
                                 row->metric);
    if (rc == 0 && row->sampled)
        return slw_comparison_note(c, SLW_NOTE_INFO, "simulated-part",
                                   "simulate both with --full: a difference has no interval",
                                   "a part of the instructions was timed, the same one in every "
                                   "round: more rounds do not narrow the interval");
    if (rc < 0 || row->exact || row->judgement.too_few || !row->judgement.few)
        return rc;
    return slw_comparison_note(c, SLW_NOTE_INFO, "few-rounds", "use --rounds 20",
                               "with fewer than %d pairs one outlier may hide a difference",
                               SLW_FEW_PAIRS);
}

static int gates(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    const size_t least = slw_many_least_pairs(c->alpha_gated, 1);
    int rc = 0;

    for (size_t i = 0; i < c->row_count && rc == 0; i++) {
        const struct slw_metric_row *row = &c->rows[i];

        if (!row->gate || row->better == SLW_BETTER_NEITHER ||
            row->gate->above == (row->better == SLW_BETTER_LOWER))
            continue;
        rc = slw_comparison_note(c, SLW_NOTE_INFO, "gate-direction", NULL,
                                 "the gate '%s' fails when %s improves", row->gate->text,
                                 row->metric);
    }
    if (rc < 0 || c->gated_count < 2 || c->rows[c->main_row].pairs.used >= least)
        return rc;
    return slw_comparison_note(c, SLW_NOTE_WARNING, "too-few-for-gates", NULL,
                               "%zu gates at once take %zu pairs, there are %zu", c->gated_count,
                               least, c->rows[c->main_row].pairs.used);
}

/* Fewer rounds than were asked for. */
static int stopped(struct slw_comparing *w)
{
    static const char *const why[] = {[SLW_STOPPED_BUDGET] = "the time was up",
                                      [SLW_STOPPED_INTERRUPTED] = "it was interrupted",
                                      [SLW_STOPPED_FAILED] = "a round could not be measured"};
    const struct slw_experiment *e = w->c->in.experiment;

    if (!e || !w->c->interleaved || e->stopped < SLW_STOPPED_BUDGET)
        return 0;
    return slw_comparison_note(
        w->c, e->stopped == SLW_STOPPED_BUDGET ? SLW_NOTE_INFO : SLW_NOTE_WARNING, "stopped", NULL,
        "measuring ended after %zu rounds: %s", e->block_count, why[e->stopped]);
}

/* Stars that no p-value of so few pairs can earn. */
static int stars(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    const size_t pairs = c->rows[c->main_row].pairs.used;
    size_t statements = 0;

    for (size_t i = 0; i < c->row_count; i++)
        statements += c->rows[i].rank == SLW_METRIC_SHOWN && !c->rows[i].absent &&
                      c->rows[i].kind != SLW_PAIRS_ZERO;
    if (statements == 0 || pairs < SLW_MIN_PAIRS ||
        slw_many_least_pairs(c->alpha, statements) <= pairs)
        return 0;
    return slw_comparison_note(c, SLW_NOTE_INFO, "no-stars", NULL,
                               "no difference of %zu metrics that are not gated can stand the "
                               "correction for many with %zu pairs; it takes %zu",
                               statements, pairs, slw_many_least_pairs(c->alpha, statements));
}

static int floors(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    int rc = 0;

    for (size_t i = 0; i < c->row_count && rc == 0; i++) {
        const struct slw_metric_row *row = &c->rows[i];

        if (row->rank != SLW_METRIC_GATED || !row->floor)
            continue;
        if (row->floor->differs)
            rc = slw_comparison_note(c, SLW_NOTE_WARNING, "a-a-differs",
                                     "look for state that one arm leaves to the other: caches, "
                                     "server sessions, placement",
                                     "two A/A tests in a row found a difference in '%s' between a "
                                     "command and itself",
                                     row->metric);
        else if (row->judgement.margin.from == SLW_MARGIN_FLOOR &&
                 row->floor->tests < SLW_FLOOR_RUNS)
            rc = slw_comparison_note(c, SLW_NOTE_INFO, "weak-floor", NULL,
                                     "the margin of '%s' rests on %zu A/A, which says little of "
                                     "how far two arms may lie apart",
                                     row->metric, row->floor->tests);
    }
    return rc;
}

/* ---- the machine over the rounds ---- */

/* "+12 %"; "" without memory, which the note that it is for will find too. */
static const char *signed_percent(struct slw_comparison *c, double log_ratio)
{
    struct slw_buf b = {0};

    slw_buf_puts(&b, log_ratio >= 0 ? "+" : "");
    slw_words_put_log_percent(&b, log_ratio);
    return slw_comparison_text(c, &b);
}

static int drift(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    int rc = 0;

    for (size_t i = 0; i < c->row_count && rc == 0; i++) {
        const struct slw_metric_row *row = &c->rows[i];

        if ((row->rank != SLW_METRIC_GATED && i != c->main_row) || row->absent ||
            !row->drift_sure || fabs(row->drift) <= row->judgement.margin.size)
            continue;
        const char *moved = signed_percent(c, row->drift);
        rc = !moved ? -SLW_E_NOMEM
                    : slw_comparison_note(c, SLW_NOTE_INFO, "drift", NULL,
                                          "the machine drifted: '%s' of both moved by %s from the "
                                          "first round to the last; pairs of neighbouring rounds "
                                          "are %s",
                                          row->metric, moved,
                                          c->interleaved ? "hardly moved by it" : "moved by it");
    }
    return rc;
}

static size_t logs_of(struct slw_comparing *w, const struct slw_metric_row *row)
{
    size_t used = 0;

    for (size_t i = 0; i < row->a->length && i < row->b->length && i < w->room; i++) {
        const double a = row->a->values[i], b = row->b->values[i];

        if (!isfinite(a) || !isfinite(b))
            continue;
        w->a[used] = log(a);
        w->b[used++] = log(b);
    }
    return used;
}

static int by_regime(struct slw_comparing *w, const struct slw_metric_row *row)
{
    const size_t used = logs_of(w, row);
    const struct slw_regime_pairs p =
        slw_regime_pairs_of(w->a, w->b, used, &row->regimes_a, &row->regimes_b);

    const char *low = signed_percent(w->c, p.low), *high = signed_percent(w->c, p.high);

    if (!low || !high)
        return -SLW_E_NOMEM;
    return slw_comparison_note(
        w->c, SLW_NOTE_WARNING, "regimes", NULL,
        "the rounds of both sit in two regimes of '%s'; where both are in the lower one (%zu "
        "pairs) B differs by %s, in the upper one (%zu) by %s, %zu pairs are mixed",
        row->metric, p.low_count, low, p.high_count, high, p.mixed_count);
}

static int one_regime(struct slw_comparing *w, const struct slw_metric_row *row,
                      const struct slw_regimes *one)
{
    const char *apart_by = signed_percent(w->c, one->high - one->low);

    if (!apart_by)
        return -SLW_E_NOMEM;
    return slw_comparison_note(w->c, SLW_NOTE_WARNING, "regimes", NULL,
                               "the rounds of %s sit in two regimes of '%s', %s apart: one ratio "
                               "does not tell all",
                               row->regimes_a.two ? "A" : "B", row->metric, apart_by);
}

static int regimes(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    int rc = 0;

    for (size_t i = 0; i < c->row_count && rc == 0; i++) {
        const struct slw_metric_row *row = &c->rows[i];
        const struct slw_regimes *one = row->regimes_a.two ? &row->regimes_a : &row->regimes_b;

        if ((row->rank != SLW_METRIC_GATED && i != c->main_row) || row->absent || !one->two)
            continue;
        rc = row->regimes_a.two && row->regimes_b.two ? by_regime(w, row) : one_regime(w, row, one);
    }
    return rc;
}

/* ---- requests ---- */

/* Requests seen for each operation the client counts; false: not both known. */
static bool requests_per_operation(struct slw_comparing *w, const struct slw_run *run, double *ret)
{
    const struct slw_observation *seen = slw_run_find_observation(run, "requests");
    const struct slw_observation *own = slw_run_find_observation(run, "client_requests");
    double a, b;

    if (!seen || !own ||
        !slw_row_median(seen->values, seen->length < w->room ? seen->length : w->room, w->a, &a) ||
        !slw_row_median(own->values, own->length < w->room ? own->length : w->room, w->a, &b) ||
        !(b > 0))
        return false;
    *ret = a / b;
    return isfinite(*ret);
}

#define DISAGREE 0.01 /* connecting and asking for the version are requests too */

static int denominators(struct slw_comparing *w)
{
    double a, b;

    if (!requests_per_operation(w, w->c->in.a.run, &a) ||
        !requests_per_operation(w, w->c->in.b.run, &b))
        return 0;
    if (fabs(a - b) > DISAGREE * fmax(a, b))
        return slw_comparison_note(
            w->c, SLW_NOTE_WARNING, "denominators-disagree",
            "compare what is the same work: divide by the client's operations (--ops)",
            "one operation of the client is %.3g requests in A and %.3g in B: \"per request\" is "
            "not the same work",
            a, b);
    if (fabs(a - 1) > DISAGREE)
        return slw_comparison_note(w->c, SLW_NOTE_INFO, "denominators", NULL,
                                   "the client counts operations of %.3g requests each; \"per "
                                   "request\" is by the requests",
                                   a);
    return 0;
}

static int errors(struct slw_comparing *w)
{
    const struct slw_metric_row *row = slw_comparison_find(w->c, "errors_per_request");

    if (!row || ((row->a_value.absent || row->a_value.value == 0) &&
                 (row->b_value.absent || row->b_value.value == 0)))
        return 0;
    return slw_comparison_note(w->c, SLW_NOTE_WARNING, "errors", "look at what the server refuses",
                               "the server answered with errors: %.3g of a request in A, %.3g in B",
                               row->a_value.absent ? 0 : row->a_value.value,
                               row->b_value.absent ? 0 : row->b_value.value);
}

static int no_denominator(struct slw_comparing *w)
{
    const struct slw_metric_row *row = &w->c->rows[w->c->main_row];

    if (strcmp(row->metric, "cpu_time") != 0 && strcmp(row->metric, "wall_time") != 0)
        return 0;
    return slw_comparison_note(w->c, SLW_NOTE_WARNING, "no-denominator",
                               "count requests on the wire, or tell their number with --ops",
                               "nothing is divided by requests: executions are compared whole, as "
                               "if A and B did the same work");
}

/* A client that says it batches and does not. */
static int no_batching(struct slw_comparing *w)
{
    const struct slw_metric_row *row = slw_comparison_find(w->c, "requests_per_flush");

    if (!row || row->absent || row->judgement.word != SLW_JUDGED_NO_CHANGE ||
        row->a_value.value > 1.05 || row->b_value.value > 1.05)
        return 0;
    return slw_comparison_note(w->c, SLW_NOTE_INFO, "no-batching", NULL,
                               "neither batches: both send %.2f requests per flush",
                               row->b_value.value);
}

static int latency_price(struct slw_comparing *w)
{
    const struct slw_metric_row *batch = slw_comparison_find(w->c, "requests_per_flush");
    static const char *const latencies[] = {"p99", "p50", "mean_latency"};
    struct slw_buf size = {0};
    int rc = 0;

    if (!batch || !slw_metric_row_real(batch) || batch->difference.estimate < 0)
        return 0;
    for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++) {
        const struct slw_metric_row *row = slw_comparison_find(w->c, latencies[i]);

        if (!row || !slw_metric_row_real(row) || row->kind != SLW_PAIRS_RATIO ||
            row->difference.estimate < 0)
            continue;
        slw_row_put_change(&size, row);
        rc = slw_buf_failed(&size) ? -SLW_E_NOMEM : 0;
        if (rc == 0)
            rc = slw_comparison_note(w->c, SLW_NOTE_INFO, "latency-price", NULL,
                                     "batching has its price: %s of a request is %s", row->title,
                                     size.data ? size.data : "");
        break;
    }
    slw_buf_release(&size);
    return rc;
}

int slw_comparison_notes(struct slw_comparing *w)
{
    static const note_fn all[] = {apart,   forced, stopped,      rounds,       gates,
                                  floors,  stars,  denominators, errors,       no_denominator,
                                  regimes, drift,  no_batching,  latency_price};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i](w) < 0)
            return slw_comparison_nomem(w->err);
    return 0;
}
