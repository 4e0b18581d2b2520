/* SPDX-License-Identifier: MIT */
/* A comparison for programs, and what its page is made of. docs/compare.md documents every key.
 * Names are whole and unchanged; numbers that are unknown are null with a reason next to them. */
#include "analyzer/compare/comparison_json.h"
#include "analyzer/compare/renderer.h"
#include "analyzer/compare/words.h"
#include "analyzer/json_value.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define COMPARISON_SCHEMA 1
#define REAL_PRECISION    12 /* digits; more than any measurement here has */

static json_t *word(const char *s)
{
    return json_string_nocheck(s);
}

/* ---- a metric ---- */

static json_t *side_values(struct slw_json *j, const struct slw_observation *o,
                           const struct slw_figure *f)
{
    json_t *side = json_object(), *values = json_array();

    slw_json_put(j, side, "value", f->absent ? json_null() : slw_json_real(f->value));
    slw_json_put_text(j, side, "absent", f->absent);
    slw_json_put_provenance(j, side, &f->from);
    slw_json_put(j, side, "step", o ? slw_json_real(o->step) : json_null());
    for (size_t i = 0; o && i < o->length; i++)
        slw_json_push(j, values, slw_json_real(o->values[i]));
    slw_json_put(j, side, "values", values);
    return side;
}

static json_t *exp_of(double log_ratio)
{
    return slw_json_real(exp(log_ratio));
}

/* Ratios are there where there is one; `estimate`, `low` and `high` are what was judged. */
static json_t *difference_json(struct slw_json *j, const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;
    const bool ratio = row->kind == SLW_PAIRS_RATIO;
    json_t *o;

    if (row->absent)
        return json_null();
    o = json_object();
    slw_json_put(j, o, "kind",
                 word(ratio                         ? "log-ratio"
                      : row->kind == SLW_PAIRS_ZERO ? "zero"
                                                    : "difference"));
    slw_json_put(j, o, "estimate", slw_json_real(d->estimate));
    slw_json_put(j, o, "low", slw_json_real(d->low));
    slw_json_put(j, o, "high", slw_json_real(d->high));
    slw_json_put(j, o, "ratio", ratio ? exp_of(d->estimate) : json_null());
    slw_json_put(j, o, "ratio_low", ratio ? exp_of(d->low) : json_null());
    slw_json_put(j, o, "ratio_high", ratio ? exp_of(d->high) : json_null());
    slw_json_put(j, o, "enough", json_boolean(d->enough));
    slw_json_put(j, o, "equal", json_boolean(d->equal));
    slw_json_put(j, o, "level", slw_json_real(d->level));
    slw_json_put(j, o, "p", slw_json_real(d->p));
    return o;
}

static const char *word_key(enum slw_judged judged)
{
    static const char *const keys[] = {[SLW_JUDGED_INCONCLUSIVE] = "inconclusive",
                                       [SLW_JUDGED_NO_CHANGE] = "no-change",
                                       [SLW_JUDGED_IMPROVED] = "improved",
                                       [SLW_JUDGED_REGRESSED] = "regressed"};

    return keys[judged];
}

static json_t *judgement_json(struct slw_json *j, const struct slw_metric_row *row)
{
    static const char *const from[] = {[SLW_MARGIN_USER] = "asked",
                                       [SLW_MARGIN_FLOOR] = "floor",
                                       [SLW_MARGIN_RESOLUTION] = "resolution"};
    const struct slw_judgement *g = &row->judgement;
    json_t *o;

    if (row->absent)
        return json_null();
    o = json_object();
    slw_json_put(j, o, "word", word(word_key(g->word)));
    slw_json_put(j, o, "too_few", json_boolean(g->too_few));
    slw_json_put(j, o, "few", json_boolean(g->few));
    slw_json_put(j, o, "unsettled", json_boolean(g->unsettled));
    slw_json_put(j, o, "margin", slw_json_real(g->margin.size));
    slw_json_put(j, o, "margin_from", word(from[g->margin.from]));
    return o;
}

static json_t *forecast_json(struct slw_json *j, const struct slw_forecast *f)
{
    json_t *o;

    if (f->kind == SLW_FORECAST_NONE)
        return json_null();
    o = json_object();
    slw_json_put(j, o, "more_rounds",
                 f->kind == SLW_FORECAST_ROUNDS ? slw_json_integer(f->more) : json_null());
    slw_json_put(j, o, "margin",
                 f->kind == SLW_FORECAST_HARDLY ? slw_json_real(f->margin) : json_null());
    return o;
}

static json_t *floor_json(struct slw_json *j, const struct slw_floor *f)
{
    json_t *o;

    if (!f)
        return json_null();
    o = json_object();
    slw_json_put(j, o, "floor", slw_json_real(f->floor));
    slw_json_put(j, o, "estimate", slw_json_real(f->estimate));
    slw_json_put(j, o, "low", slw_json_real(f->low));
    slw_json_put(j, o, "high", slw_json_real(f->high));
    slw_json_put(j, o, "pairs", slw_json_integer(f->pairs));
    slw_json_put(j, o, "tests", slw_json_integer(f->tests));
    slw_json_put(j, o, "weak", json_boolean(f->tests < SLW_FLOOR_RUNS));
    slw_json_put(j, o, "differs", json_boolean(f->differs));
    return o;
}

static json_t *gate_json(struct slw_json *j, const struct slw_metric_row *row)
{
    json_t *o;

    if (row->rank != SLW_METRIC_GATED)
        return json_null();
    o = json_object();
    slw_json_put_text(j, o, "rule", row->gate ? row->gate->text : NULL);
    slw_json_put(j, o, "above", row->gate ? json_boolean(row->gate->above) : json_null());
    slw_json_put(j, o, "bound", row->gate ? slw_json_real(row->gate->bound) : json_null());
    slw_json_put(j, o, "word", word(slw_row_gate_word(row)));
    return o;
}

static json_t *regimes_json(struct slw_json *j, const struct slw_regimes *r)
{
    json_t *o;

    if (!r->two)
        return json_null();
    o = json_object();
    slw_json_put(j, o, "low", exp_of(r->low));
    slw_json_put(j, o, "high", exp_of(r->high));
    slw_json_put(j, o, "low_rounds", slw_json_integer(r->low_count));
    slw_json_put(j, o, "high_rounds", slw_json_integer(r->high_count));
    return o;
}

/* As sentences have them, so that every reader shows the same. */
static json_t *shown_json(struct slw_json *j, const struct slw_metric_row *row)
{
    static void (*const puts[])(struct slw_buf *, const struct slw_metric_row *) = {
        slw_row_put_change, slw_row_put_interval, slw_row_put_remark};
    static const char *const keys[] = {"change", "interval", "remark"};
    json_t *o = json_object();
    struct slw_buf b = {0};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        puts[i](&b, row);
        slw_json_put(j, o, keys[i],
                     slw_buf_failed(&b) ? NULL : slw_json_text(b.data ? b.data : ""));
        slw_buf_release(&b);
    }
    slw_row_put_value(&b, row, &row->a_value);
    slw_json_put(j, o, "a", slw_buf_failed(&b) ? NULL : slw_json_text(b.data ? b.data : ""));
    slw_buf_release(&b);
    slw_row_put_value(&b, row, &row->b_value);
    slw_json_put(j, o, "b", slw_buf_failed(&b) ? NULL : slw_json_text(b.data ? b.data : ""));
    slw_buf_release(&b);
    slw_json_put(j, o, "word", word(slw_row_word(row)));
    return o;
}

static json_t *metric_json(struct slw_json *j, const struct slw_metric_row *row)
{
    static const char *const betters[] = {"lower", "higher", "neither"};
    static const char *const ranks[] = {"gated", "shown", "alias"};
    json_t *o = json_object(), *pairs = json_object();

    slw_json_put_text(j, o, "metric", row->metric);
    slw_json_put_text(j, o, "title", row->title);
    slw_json_put_text(j, o, "unit", row->unit);
    slw_json_put(j, o, "better", word(betters[row->better]));
    slw_json_put(j, o, "rank", word(ranks[row->rank]));
    slw_json_put_text(j, o, "alias_of", row->alias_of);
    slw_json_put(j, o, "headline", json_boolean(row->headline));
    slw_json_put(j, o, "a", side_values(j, row->a, &row->a_value));
    slw_json_put(j, o, "b", side_values(j, row->b, &row->b_value));
    slw_json_put(j, pairs, "used", slw_json_integer(row->pairs.used));
    slw_json_put(j, pairs, "dropped", slw_json_integer(row->pairs.dropped));
    slw_json_put(j, o, "pairs", pairs);
    slw_json_put_text(j, o, "absent", row->absent);
    slw_json_put(j, o, "difference", difference_json(j, row));
    slw_json_put(j, o, "judgement", judgement_json(j, row));
    slw_json_put_text(j, o, "why", row->why);
    slw_json_put(j, o, "forecast", forecast_json(j, &row->forecast));
    slw_json_put(j, o, "floor", floor_json(j, row->floor));
    slw_json_put(j, o, "starred", json_boolean(row->starred));
    slw_json_put(j, o, "deterministic", json_boolean(row->deterministic));
    slw_json_put(j, o, "gate", gate_json(j, row));
    slw_json_put(j, o, "regimes_a", regimes_json(j, &row->regimes_a));
    slw_json_put(j, o, "regimes_b", regimes_json(j, &row->regimes_b));
    slw_json_put(j, o, "drift", slw_json_real(row->drift));
    slw_json_put(j, o, "drift_sure", json_boolean(row->drift_sure));
    slw_json_put(j, o, "shown", shown_json(j, row));
    return o;
}

/* ---- the sides ---- */

static json_t *side_json(struct slw_json *j, const struct slw_comparison *c, const char *letter)
{
    const struct slw_side_of *side = letter[0] == 'A' ? &c->in.a : &c->in.b;
    const struct slw_run *run = side->run;
    json_t *o = json_object(), *argv = json_array();
    struct slw_buf command = {0};

    slw_json_put_text(j, o, "name", side->name);
    slw_side_put_command(&command, c, letter);
    slw_json_put(j, o, "command",
                 slw_buf_failed(&command) ? NULL : slw_json_text(command.data ? command.data : ""));
    slw_buf_release(&command);
    for (size_t i = 0; i < run->command.argc; i++)
        slw_json_push(j, argv, slw_json_text(run->command.argv[i]));
    slw_json_put(j, o, "argv", argv);
    slw_json_put_text(j, o, "tool", run->tool);
    slw_json_put(j, o, "started_realtime_ns", slw_json_integer(run->started_realtime_ns));
    slw_json_put_text(j, o, "arm", run->experiment.arm);
    slw_json_put_text(j, o, "hostname", run->host.hostname);
    slw_json_put_text(j, o, "cpu", run->host.cpu.name);
    slw_json_put_text(j, o, "kernel", run->host.kernel);
    slw_json_put(j, o, "labels", slw_json_labels(j, run->labels, run->label_count));
    return o;
}

static const char *stopped_key(enum slw_stopped stopped)
{
    static const char *const keys[] = {[SLW_STOPPED_ROUNDS] = "rounds",
                                       [SLW_STOPPED_SETTLED] = "settled",
                                       [SLW_STOPPED_BUDGET] = "budget",
                                       [SLW_STOPPED_INTERRUPTED] = "interrupted",
                                       [SLW_STOPPED_FAILED] = "failed"};

    return keys[stopped];
}

static json_t *experiment_json(struct slw_json *j, const struct slw_experiment *e)
{
    json_t *o;

    if (!e)
        return json_null();
    o = json_object();
    slw_json_put_text(j, o, "id", e->id);
    slw_json_put(j, o, "seed", slw_json_integer(e->seed));
    slw_json_put(j, o, "started_realtime_ns", slw_json_integer(e->started_realtime_ns));
    slw_json_put(j, o, "warmup", slw_json_integer(e->warmup));
    slw_json_put(j, o, "blocks", slw_json_integer(e->block_count));
    slw_json_put(j, o, "automatic", json_boolean(e->automatic));
    slw_json_put(j, o, "stopped", word(stopped_key(e->stopped)));
    slw_json_put_text(j, o, "setup", e->setup);
    slw_json_put_text(j, o, "prepare", e->prepare);
    slw_json_put_text(j, o, "cleanup", e->cleanup);
    slw_json_put_text(j, o, "gates", e->gates);
    slw_json_put_text(j, o, "floor_absent", e->floor_absent);
    slw_json_put(j, o, "floor_reused", json_boolean(e->floor_reused));
    return o;
}

/* ---- lists ---- */

static json_t *causes_json(struct slw_json *j, const struct slw_comparison *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->cause_count; i++) {
        json_t *o = json_object();

        slw_json_put_text(j, o, "id", c->causes[i].id);
        slw_json_put_text(j, o, "text", c->causes[i].text);
        slw_json_put(j, o, "share", slw_json_real(c->causes[i].share));
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *functions_json(struct slw_json *j, const struct slw_comparison *c, size_t limit)
{
    static const char *const kinds[] = {"user", "kernel", "other"};
    json_t *array = json_array();

    for (size_t i = 0; i < c->function_count && (limit == 0 || i < limit); i++) {
        const struct slw_function_change *f = &c->functions[i];
        json_t *o = json_object();

        slw_json_put_text(j, o, "function", f->function);
        slw_json_put_text(j, o, "module", f->module);
        slw_json_put(j, o, "kind", word(kinds[f->kind]));
        slw_json_put(j, o, "a", slw_json_real(f->a));
        slw_json_put(j, o, "b", slw_json_real(f->b));
        slw_json_put(j, o, "judged", json_boolean(f->judged));
        slw_json_put(j, o, "real", json_boolean(f->real));
        slw_json_put(j, o, "low", f->judged ? slw_json_real(f->difference.low) : json_null());
        slw_json_put(j, o, "high", f->judged ? slw_json_real(f->difference.high) : json_null());
        slw_json_put(j, o, "only_a", json_boolean(f->only_a));
        slw_json_put(j, o, "only_b", json_boolean(f->only_b));
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *mismatches_json(struct slw_json *j, const struct slw_comparison *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->mismatch_count; i++) {
        const struct slw_mismatch *m = &c->mismatches[i];
        json_t *o = json_object();

        slw_json_put_text(j, o, "what", m->what);
        slw_json_put_text(j, o, "a", m->a);
        slw_json_put_text(j, o, "b", m->b);
        slw_json_put(j, o, "severe", json_boolean(m->severe));
        slw_json_put(j, o, "downgrades", json_boolean(m->downgrades));
        slw_json_push(j, array, o);
    }
    return array;
}

json_t *slw_comparison_json(const struct slw_comparison *c, size_t function_max)
{
    static const char *const gates[] = {"passed", "regressed", "inconclusive"};
    json_t *o = json_object(), *metrics = json_array(), *gate = json_object();
    struct slw_json j = {0};

    slw_json_put(&j, o, "schema", json_integer(COMPARISON_SCHEMA));
    slw_json_put(&j, o, "kind", word("comparison"));
    slw_json_put_text(&j, o, "verdict", c->verdict);
    slw_json_put_text(&j, o, "basis", c->verdict_basis);
    slw_json_put(&j, gate, "word", word(gates[c->gate]));
    slw_json_put_text(&j, gate, "reason", c->gate_reason);
    slw_json_put(&j, gate, "asked", json_boolean(c->in.gates && c->in.gates->count > 0));
    slw_json_put(&j, o, "gate", gate);
    slw_json_put(&j, o, "interleaved", json_boolean(c->interleaved));
    slw_json_put(&j, o, "forced", json_boolean(c->in.force));
    slw_json_put(&j, o, "margin", slw_json_real(c->in.margin));
    slw_json_put(&j, o, "equivalence_90", json_boolean(c->in.equivalence_90));
    slw_json_put(&j, o, "alpha", slw_json_real(c->alpha));
    slw_json_put(&j, o, "alpha_gated", slw_json_real(c->alpha_gated));
    slw_json_put(&j, o, "a", side_json(&j, c, "A"));
    slw_json_put(&j, o, "b", side_json(&j, c, "B"));
    slw_json_put(&j, o, "experiment", experiment_json(&j, c->in.experiment));
    slw_json_put_text(&j, o, "main_metric",
                      c->main_row < c->row_count ? c->rows[c->main_row].metric : NULL);
    for (size_t i = 0; i < c->row_count; i++)
        slw_json_push(&j, metrics, metric_json(&j, &c->rows[i]));
    slw_json_put(&j, o, "metrics", metrics);
    slw_json_put(&j, o, "causes", causes_json(&j, c));
    slw_json_put(&j, o, "functions", functions_json(&j, c, function_max));
    slw_json_put_text(&j, o, "functions_absent", c->function_count ? NULL : c->functions_absent);
    slw_json_put(&j, o, "mismatches", mismatches_json(&j, c));
    slw_json_put(&j, o, "notes", slw_json_notes(&j, c->notes, c->note_count));
    return slw_json_done(&j, o);
}

static int render_json(const struct slw_comparison *comparison,
                       const struct slw_render_options *opts, struct slw_buf *out,
                       struct slw_error *err)
{
    json_t *root = slw_comparison_json(comparison, opts->function_max);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER |
                                             JSON_REAL_PRECISION(REAL_PRECISION))
                      : NULL;

    json_decref(root);
    if (text)
        slw_json_print(out, text);
    const bool failed = !text || slw_buf_failed(out);
    free(text);
    return failed ? slw_fail(err, SLW_E_NOMEM, "no memory for a comparison") : 0;
}

const struct slw_comparison_renderer slw_comparison_renderer_json = {
    .name = "json", .summary = "for programs", .extension = "json", .render = render_json};
