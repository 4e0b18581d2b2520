/* SPDX-License-Identifier: MIT */
/* A report for programs. docs/report-json.md documents every key. Names are whole and unchanged;
 * numbers that are unknown are null with a reason next to them. */
#include "analyzer/bar.h"
#include "analyzer/cores.h"
#include "analyzer/costs.h"
#include "analyzer/facts.h"
#include "analyzer/findings.h"
#include "analyzer/format.h"
#include "analyzer/function_topdown.h"
#include "analyzer/inputs.h"
#include "analyzer/json_value.h"
#include "analyzer/renderer.h"
#include "analyzer/report_json.h"
#include "analyzer/scope_json.h"
#include "analyzer/side.h"
#include "analyzer/stages_json.h"
#include "analyzer/traffic_json.h"
#include "analyzer/unwinding.h"
#include "analyzer/waiting_json.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_SCHEMA 1

static json_t *share_json(struct slw_json *j, const struct slw_share *s)
{
    json_t *o = json_object();

    slw_json_put(j, o, "value", s->have ? slw_json_real(s->value) : json_null());
    slw_json_put(j, o, "low", s->have && s->have_interval ? slw_json_real(s->low) : json_null());
    slw_json_put(j, o, "high", s->have && s->have_interval ? slw_json_real(s->high) : json_null());
    return o;
}

/* ---- sections ---- */

static void put_exit(struct slw_json *j, json_t *object, enum slw_exit_kind exit, int value)
{
    static const char *const exits[] = {"unknown", "status", "signal", "still-running"};
    const bool ended = exit == SLW_EXIT_STATUS || exit == SLW_EXIT_SIGNAL;

    slw_json_put(j, object, "exit", json_string_nocheck(exits[exit]));
    slw_json_put(j, object, "exit_value", ended ? json_integer(value) : json_null());
}

static json_t *rounds_json(struct slw_json *j, const struct slw_run *run)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->round_count; i++) {
        const struct slw_round *r = &run->rounds[i];
        json_t *o = json_object();

        slw_json_put(j, o, "round", r->round > 0 ? json_integer(r->round) : json_null());
        slw_json_put(j, o, "pass", r->pass > 0 ? json_integer(r->pass) : json_null());
        slw_json_put(j, o, "sampled", json_boolean(r->sampled));
        slw_json_put_maybe(j, o, "wall_ns", &r->wall_ns);
        slw_json_put_maybe(j, o, "requests", &r->requests);
        put_exit(j, o, r->exit, r->exit_value);
        slw_json_put_text(j, o, "left_out", r->left_out);
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *command_json(struct slw_json *j, const struct slw_run *run)
{
    static const char *const kinds[] = {"command", "pid", "all", "cgroup", "import"};
    json_t *o = json_object(), *argv = json_array();

    slw_json_put(j, o, "target", json_string_nocheck(kinds[run->command.kind]));
    for (size_t i = 0; i < run->command.argc; i++) {
        const char *word = run->command.argv[i];
        slw_json_push(j, argv, slw_json_text(word));
    }
    slw_json_put(j, o, "argv", argv);
    slw_json_put(j, o, "pid", run->command.pid < 0 ? json_null() : json_integer(run->command.pid));
    slw_json_put_text(j, o, "cgroup", run->command.cgroup);
    put_exit(j, o, run->command.exit, run->command.exit_value);
    return o;
}

static json_t *time_json(struct slw_json *j, const struct slw_report *r)
{
    const struct slw_facts *f = r->facts;
    json_t *o = json_object();
    double cpus;

    slw_json_put_maybe(j, o, "wall_ns", &f->wall_ns);
    slw_json_put_maybe(j, o, "cpu_ns", &f->cpu_ns);
    slw_json_put_maybe(j, o, "user_ns", &f->user_ns);
    slw_json_put_maybe(j, o, "system_ns", &f->system_ns);
    slw_json_put(j, o, "cpus_busy", slw_facts_busy(f, &cpus) ? slw_json_real(cpus) : json_null());
    slw_json_put(j, o, "user", share_json(j, &f->user));
    slw_json_put(j, o, "kernel", share_json(j, &f->kernel));
    slw_json_put(j, o, "split_from",
                 f->split_absent ? json_null()
                                 : json_string_nocheck(f->split_sampled ? "samples" : "counts"));
    slw_json_put_text(j, o, "split_absent", f->split_absent);
    return o;
}

static json_t *samples_json(struct slw_json *j, const struct slw_report *r)
{
    if (!r->column)
        return json_null();
    json_t *o = json_object();
    slw_json_put_text(j, o, "event", r->column->event);
    slw_json_put_text(j, o, "unit", r->column->unit);
    slw_json_put_text(j, o, "mode", r->sampling ? slw_format_mode(r->sampling->mode) : NULL);
    slw_json_put_provenance(j, o, &r->column->from);
    slw_json_put(j, o, "count", r->samples_column < 0 ? json_null() : slw_json_integer(r->samples));
    slw_json_put(j, o, "weight", slw_json_integer(r->weight));
    return o;
}

static json_t *sum_json(struct slw_json *j, const struct slw_report *r, uint64_t weight,
                        uint64_t samples, const struct slw_share *share)
{
    json_t *o = json_object();

    slw_json_put(j, o, "weight", slw_json_integer(weight));
    slw_json_put(j, o, "samples", r->samples_column < 0 ? json_null() : slw_json_integer(samples));
    slw_json_put(j, o, "share", share_json(j, share));
    return o;
}

static json_t *function_topdown_json(struct slw_json *j,
                                     const struct slw_report_function_topdown *t)
{
    static const char *const names[SLW_CELL_COUNT] = {
        "frontend_bound", "backend_bound", "bad_speculation", "retiring", "ipc", "icache_mpki"};
    const char *category = slw_function_category_name(t->category);
    json_t *o = json_object();

    slw_json_put(j, o, "reads", slw_json_integer(t->reads));
    slw_json_put(j, o, "mixing", slw_json_real(t->mixing));
    slw_json_put_text(j, o, "absent", t->absent);
    slw_json_put_text(j, o, "category", category[0] ? category : NULL);
    for (size_t i = 0; i < SLW_CELL_COUNT; i++) {
        const struct slw_figure *f = &t->cells[i];
        json_t *cell = json_object();

        slw_json_put(j, cell, "value", f->absent ? json_null() : slw_json_real(f->value));
        slw_json_put_text(j, cell, "unit", f->unit);
        slw_json_put_text(j, cell, "absent", f->absent);
        slw_json_put(j, cell, "margin",
                     f->absent || i > SLW_CELL_RETIRING ? json_null()
                                                        : slw_json_real(t->margins[i]));
        slw_json_put(j, o, names[i], cell);
    }
    return o;
}

static json_t *functions_json(struct slw_json *j, const struct slw_report *r,
                              const struct slw_report_function *rows, size_t count, size_t limit)
{
    static const char *const kinds[] = {"user", "kernel", "other"};
    json_t *array = json_array();

    for (size_t i = 0; i < count && (limit == 0 || i < limit); i++) {
        const struct slw_report_function *f = &rows[i];
        json_t *o = json_object();

        if (f->function)
            slw_json_put_text(j, o, "function", f->function);
        slw_json_put_text(j, o, "module", f->module);
        slw_json_put(j, o, "kind", json_string_nocheck(kinds[f->kind]));
        slw_json_put(j, o, "self", sum_json(j, r, f->self, f->self_samples, &f->self_share));
        slw_json_put(j, o, "total", sum_json(j, r, f->total, f->total_samples, &f->total_share));
        if (rows == r->functions)
            slw_json_put(j, o, "topdown",
                         r->function_topdowns ? function_topdown_json(j, &r->function_topdowns[i])
                                              : json_null());
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *threads_json(struct slw_json *j, const struct slw_report *r, size_t limit)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->thread_count && (limit == 0 || i < limit); i++) {
        const struct slw_report_thread *t = &r->threads[i];
        json_t *o = json_object();

        slw_json_put_text(j, o, "comm", t->comm[0] ? t->comm : NULL);
        slw_json_put(j, o, "pid", t->pid < 0 ? json_null() : json_integer(t->pid));
        slw_json_put(j, o, "tid", t->tid < 0 ? json_null() : json_integer(t->tid));
        slw_json_put(j, o, "self", sum_json(j, r, t->weight, t->samples, &t->share));
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *interval_json(struct slw_json *j, const struct slw_figure *f)
{
    if (f->absent || !f->interval.have)
        return json_null();
    json_t *pair = json_array();
    slw_json_push(j, pair, slw_json_real(f->interval.low));
    slw_json_push(j, pair, slw_json_real(f->interval.high));
    return pair;
}

/* "interval": [low, high], "interval_from": what it is made of. */
static void put_interval(struct slw_json *j, json_t *object, const struct slw_figure *f)
{
    slw_json_put(j, object, "interval", interval_json(j, f));
    slw_json_put_text(j, object, "interval_from",
                      f->absent ? NULL : slw_interval_from(&f->interval));
}

static json_t *per_request_json(struct slw_json *j, const struct slw_figure *f)
{
    json_t *o = json_object();

    slw_json_put(j, o, "value", f->absent ? json_null() : slw_json_real(f->value));
    slw_json_put_text(j, o, "unit", f->unit);
    slw_json_put_text(j, o, "absent", f->absent);
    slw_json_put(j, o, "interval", interval_json(j, f));
    return o;
}

/* A whole number, but for means. */
static json_t *count_json(const struct slw_report_row *row)
{
    if (row->total.absent)
        return json_null();
    return row->execution_count > 1 ? slw_json_real(row->total.value)
                                    : slw_json_integer(row->events);
}

static json_t *counts_json(struct slw_json *j, const struct slw_report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];
        json_t *o = json_object();

        slw_json_put_text(j, o, "event", row->name);
        slw_json_put_text(j, o, "unit", row->total.unit);
        slw_json_put_text(j, o, "pmu", row->count->pmu);
        slw_json_put(j, o, "mode", json_string_nocheck(slw_format_mode(row->count->mode)));
        slw_json_put_provenance(j, o, &row->total.from);
        slw_json_put(j, o, "value", count_json(row));
        slw_json_put_text(j, o, "absent", row->total.absent);
        slw_json_put(j, o, "coverage",
                     row->total.absent ? json_null() : slw_json_real(row->total.coverage));
        put_interval(j, o, &row->total);
        slw_json_put(j, o, "executions", slw_json_integer(row->execution_count));
        slw_json_put(j, o, "parts", slw_json_integer(row->part_count));
        slw_json_put(j, o, "per_request", per_request_json(j, &row->per_request));
        slw_json_push(j, array, o);
    }
    return array;
}

/* Values as text: what was printed is all that is known of them. */
static json_t *printed_json(struct slw_json *j, const struct slw_run *run)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->printed_count; i++) {
        const struct slw_printed *p = &run->printed[i];
        json_t *o = json_object();

        slw_json_put_text(j, o, "name", p->name);
        slw_json_put_text(j, o, "value", p->value);
        slw_json_put_text(j, o, "unit", p->unit);
        slw_json_put_text(j, o, "threshold", p->threshold);
        slw_json_put_text(j, o, "pmu", p->pmu);
        slw_json_put_provenance(j, o, &p->from);
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *node_json(struct slw_json *j, const struct slw_report_node *n)
{
    json_t *o = json_object();

    slw_json_put_text(j, o, "name", n->name);
    slw_json_put_text(j, o, "title", n->title);
    slw_json_put(j, o, "level", json_integer(n->level));
    slw_json_put(j, o, "parent", n->parent < 0 ? json_null() : json_integer(n->parent));
    slw_json_put(j, o, "value", n->value.absent ? json_null() : slw_json_real(n->value.value));
    slw_json_put_text(j, o, "unit", n->value.unit);
    slw_json_put_text(j, o, "absent", n->value.absent);
    slw_json_put(j, o, "coverage",
                 n->value.absent ? json_null() : slw_json_real(n->value.coverage));
    put_interval(j, o, &n->value);
    slw_json_put(j, o, "rounds", slw_json_integer(n->round_count));
    slw_json_put(j, o, "flagged", json_boolean(n->flagged));
    slw_json_put(j, o, "mismeasured", json_boolean(n->mismeasured));
    slw_json_put(j, o, "thin", json_boolean(n->thin));
    slw_json_put(j, o, "apart", json_boolean(n->stretch == SLW_STRETCH_SEVERAL));
    slw_json_put_text(j, o, "errata", n->errata);
    slw_json_put_provenance(j, o, &n->value.from);
    return o;
}

static json_t *topdown_json(struct slw_json *j, const struct slw_report *r)
{
    static const char *const status[] = {"none", "undecided", "balanced", "found"};
    const struct slw_topdown *t = &r->topdown;
    json_t *o = json_object(), *nodes = json_array();

    slw_json_put(j, o, "status", json_string_nocheck(status[t->status]));
    slw_json_put_text(j, o, "reason", t->reason);
    slw_json_put(j, o, "bottleneck", t->bottleneck < 0 ? json_null() : json_integer(t->bottleneck));
    slw_json_put(j, o, "rival", t->rival < 0 ? json_null() : json_integer(t->rival));
    slw_json_put(j, o, "level1_sum", t->have_sum ? slw_json_real(t->level1_sum) : json_null());
    slw_json_put(j, o, "stretches", slw_json_integer(t->stretches));
    slw_json_put_text(j, o, "model", r->model ? r->model->name : NULL);
    slw_json_put_text(j, o, "model_version", r->model ? r->model->version : NULL);
    for (size_t i = 0; i < r->node_count; i++)
        slw_json_push(j, nodes, node_json(j, &r->nodes[i]));
    slw_json_put(j, o, "nodes", nodes);
    return o;
}

static json_t *core_json(struct slw_json *j, const struct slw_report *r, size_t core)
{
    const struct slw_report_core *c = &r->cores[core];
    const struct slw_report view = slw_report_of_core(r, core);
    json_t *o = json_object();

    slw_json_put_text(j, o, "pmu", c->pmu);
    slw_json_put_text(j, o, "title", c->title);
    slw_json_put_figure(j, o, "time_share", &c->time);
    slw_json_put_figure(j, o, "cycles_share", &c->cycles);
    slw_json_put(j, o, "topdown", topdown_json(j, &view));
    return o;
}

static json_t *cores_json(struct slw_json *j, const struct slw_report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->core_count; i++)
        slw_json_push(j, array, core_json(j, r, i));
    return array;
}

static json_t *findings_json(struct slw_json *j, const struct slw_report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->finding_count; i++) {
        const struct slw_finding *f = &r->findings[i];
        json_t *o = json_object();

        slw_json_put_text(j, o, "id", f->id);
        slw_json_put_text(j, o, "title", f->title);
        slw_json_put(j, o, "sure", json_string_nocheck(slw_finding_sure(f->sure)));
        slw_json_put(j, o, "weight", f->weight > 0 ? slw_json_real(f->weight) : json_null());
        slw_json_put_text(j, o, "evidence", f->evidence);
        slw_json_put_text(j, o, "advice", f->advice);
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *losses_json(struct slw_json *j, const struct slw_losses *l)
{
    json_t *o = json_object();

    slw_json_put(j, o, "lost_records", slw_json_integer(l->lost_records));
    slw_json_put(j, o, "lost_samples", slw_json_integer(l->lost_samples));
    slw_json_put(j, o, "throttled", slw_json_integer(l->throttled));
    slw_json_put(j, o, "unreadable_bytes", slw_json_integer(l->unreadable_bytes));
    slw_json_put(j, o, "no_user_stack", slw_json_integer(l->no_user_stack));
    return o;
}

static json_t *self_json(struct slw_json *j, const struct slw_self_cost *s)
{
    json_t *o = json_object();

    slw_json_put_maybe(j, o, "user_ns", &s->user_ns);
    slw_json_put_maybe(j, o, "system_ns", &s->system_ns);
    slw_json_put(j, o, "ring_bytes", slw_json_integer(s->ring_bytes));
    slw_json_put(j, o, "spool_bytes", slw_json_integer(s->spool_bytes));
    slw_json_put(j, o, "wakeups", slw_json_integer(s->wakeups));
    slw_json_put(j, o, "bpf_ns", s->bpf_ns > 0 ? slw_json_integer(s->bpf_ns) : json_null());
    slw_json_put_text(j, o, "bpf_absent", s->bpf_absent);
    return o;
}

static json_t *report_json(struct slw_json *j, const struct slw_report *r, size_t limit)
{
    json_t *o = json_object();

    slw_json_put(j, o, "report_schema", json_integer(REPORT_SCHEMA));
    slw_json_put_text(j, o, "tool", r->run->tool);
    slw_json_put(j, o, "command", command_json(j, r->run));
    slw_json_put(j, o, "labels", slw_json_labels(j, r->run->labels, r->run->label_count));
    slw_json_put_text(j, o, "verdict", r->verdict);
    slw_json_put_text(j, o, "verdict_basis", r->verdict_basis);
    slw_json_put_maybe(j, o, "requests", &r->run->requests);
    slw_json_put(j, o, "rounds", rounds_json(j, r->run));
    slw_json_put(j, o, "traffic", slw_traffic_json(r->traffic));
    slw_json_put(j, o, "side", slw_side_json(r->side));
    slw_json_put(j, o, "wall_bar", slw_bar_json(r->bar));
    slw_json_put(j, o, "per_request", slw_costs_json(r->costs));
    slw_json_put(j, o, "time", time_json(j, r));
    slw_json_put(j, o, "topdown", topdown_json(j, r));
    slw_json_put(j, o, "cores", cores_json(j, r));
    slw_json_put(j, o, "samples", samples_json(j, r));
    slw_json_put(j, o, "functions", functions_json(j, r, r->functions, r->function_count, limit));
    slw_json_put(j, o, "function_count", slw_json_integer(r->function_count));
    slw_json_put(j, o, "modules", functions_json(j, r, r->modules, r->module_count, 0));
    slw_json_put(j, o, "threads", threads_json(j, r, 0));
    slw_json_put(j, o, "tasks", slw_scope_tasks_json(r));
    slw_json_put(j, o, "modes", slw_scope_modes_json(r));
    slw_json_put(j, o, "intervals", slw_scope_intervals_json(r));
    slw_json_put(j, o, "waiting", slw_waiting_json(r->run));
    slw_json_put(j, o, "waited_for", slw_waited_for_json(r->run));
    slw_json_put(j, o, "stages", slw_stages_json(r->run));
    slw_json_put(j, o, "counts", counts_json(j, r));
    slw_json_put(j, o, "printed", printed_json(j, r->run));
    slw_json_put(j, o, "findings", findings_json(j, r));
    slw_json_put(j, o, "notes", slw_json_notes(j, r->run->notes, r->run->note_count));
    slw_json_put(j, o, "losses", losses_json(j, &r->run->losses));
    slw_json_put(j, o, "unwinding", slw_unwinding_json(r->run));
    slw_json_put(j, o, "self", self_json(j, &r->run->self));
    return o;
}

json_t *slw_report_json(const struct slw_report *report, size_t function_max)
{
    struct slw_json j = {0};
    json_t *root = report_json(&j, report, function_max);

    return slw_json_done(&j, root);
}

static int render_json(const struct slw_report *report, const struct slw_render_options *opts,
                       struct slw_buf *out, struct slw_error *err)
{
    json_t *root = slw_report_json(report, opts->function_max);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER |
                                             JSON_REAL_PRECISION(SLW_REPORT_JSON_PRECISION))
                      : NULL;

    json_decref(root);
    if (text)
        slw_json_print(out, text);
    bool failed = !text || slw_buf_failed(out);
    free(text);
    return failed ? slw_fail(err, SLW_E_NOMEM, "no memory for a JSON report") : 0;
}

const struct slw_renderer slw_renderer_json = {
    .name = "json",
    .summary = "every number, for programs (docs/report-json.md)",
    .extension = "json",
    .render = render_json};
