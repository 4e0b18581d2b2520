/* SPDX-License-Identifier: MIT */
/* A report for programs. docs/report-json.md documents every key. Names are whole and unchanged;
 * numbers that are unknown are null with a reason next to them. */
#include "analyzer/cores.h"
#include "analyzer/facts.h"
#include "analyzer/format.h"
#include "analyzer/function_topdown.h"
#include "analyzer/inputs.h"
#include "analyzer/json_value.h"
#include "analyzer/renderer.h"
#include "analyzer/scope_json.h"
#include "analyzer/text.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_SCHEMA  1
#define REAL_PRECISION 12 /* digits; more than any measurement here has */

/* Building is sticky like slw_buf: jansson's *_new functions take NULL values as failure, so one
 * flag at the end is enough. */
struct json {
    bool failed;
};

static void put(struct json *j, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) < 0)
        j->failed = true;
}

static void push(struct json *j, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        j->failed = true;
}

static bool is_utf8(const char *s)
{
    while (*s) {
        uint32_t code;
        size_t n = slw_text_decode(s, &code);

        if (n == 0)
            return false;
        s += n;
    }
    return true;
}

static json_t *hex(const char *s)
{
    struct slw_buf b = {0};

    for (; *s; s++)
        slw_buf_printf(&b, "%02x", (unsigned)(unsigned char)*s);
    json_t *text = slw_buf_failed(&b) ? NULL : json_string_nocheck(b.data ? b.data : "");
    slw_buf_release(&b);
    return text;
}

/* Text, or null. Bytes that are no UTF-8 cannot be JSON: they become U+FFFD, and KEY_hex keeps
 * them all. */
static void put_text(struct json *j, json_t *object, const char *key, const char *text)
{
    if (!text) {
        put(j, object, key, json_null());
        return;
    }
    if (is_utf8(text)) {
        put(j, object, key, json_string_nocheck(text));
        return;
    }
    char hex_key[64];
    (void)snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
    put(j, object, key, slw_json_text(text));
    put(j, object, hex_key, hex(text));
}

static void put_provenance(struct json *j, json_t *object, const struct slw_provenance *from)
{
    put(j, object, "source", json_string_nocheck(slw_format_source(from->source)));
    put(j, object, "imported", json_boolean(from->imported));
    put_text(j, object, "source_detail", from->detail);
}

static void put_maybe(struct json *j, json_t *object, const char *key,
                      const struct slw_maybe_u64 *n)
{
    json_t *maybe = json_object();

    put(j, maybe, "value", n->absent ? json_null() : slw_json_integer(n->value));
    put_text(j, maybe, "absent", n->absent);
    put(j, object, key, maybe);
}

static json_t *share_json(struct json *j, const struct slw_share *s)
{
    json_t *o = json_object();

    put(j, o, "value", s->have ? slw_json_real(s->value) : json_null());
    put(j, o, "low", s->have && s->have_interval ? slw_json_real(s->low) : json_null());
    put(j, o, "high", s->have && s->have_interval ? slw_json_real(s->high) : json_null());
    return o;
}

/* ---- sections ---- */

static void put_exit(struct json *j, json_t *object, enum slw_exit_kind exit, int value)
{
    static const char *const exits[] = {"unknown", "status", "signal", "still-running"};
    const bool ended = exit == SLW_EXIT_STATUS || exit == SLW_EXIT_SIGNAL;

    put(j, object, "exit", json_string_nocheck(exits[exit]));
    put(j, object, "exit_value", ended ? json_integer(value) : json_null());
}

static json_t *rounds_json(struct json *j, const struct slw_run *run)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->round_count; i++) {
        const struct slw_round *r = &run->rounds[i];
        json_t *o = json_object();

        put(j, o, "round", r->round > 0 ? json_integer(r->round) : json_null());
        put(j, o, "pass", r->pass > 0 ? json_integer(r->pass) : json_null());
        put(j, o, "sampled", json_boolean(r->sampled));
        put_maybe(j, o, "wall_ns", &r->wall_ns);
        put_maybe(j, o, "requests", &r->requests);
        put_exit(j, o, r->exit, r->exit_value);
        put_text(j, o, "left_out", r->left_out);
        push(j, array, o);
    }
    return array;
}

static json_t *command_json(struct json *j, const struct slw_run *run)
{
    static const char *const kinds[] = {"command", "pid", "all", "cgroup", "import"};
    json_t *o = json_object(), *argv = json_array();

    put(j, o, "target", json_string_nocheck(kinds[run->command.kind]));
    for (size_t i = 0; i < run->command.argc; i++) {
        const char *word = run->command.argv[i];
        push(j, argv, is_utf8(word) ? json_string_nocheck(word) : slw_json_text(word));
    }
    put(j, o, "argv", argv);
    put(j, o, "pid", run->command.pid < 0 ? json_null() : json_integer(run->command.pid));
    put_text(j, o, "cgroup", run->command.cgroup);
    put_exit(j, o, run->command.exit, run->command.exit_value);
    return o;
}

static json_t *time_json(struct json *j, const struct slw_report *r)
{
    const struct slw_facts *f = r->facts;
    json_t *o = json_object();
    double cpus;

    put_maybe(j, o, "wall_ns", &f->wall_ns);
    put_maybe(j, o, "cpu_ns", &f->cpu_ns);
    put_maybe(j, o, "user_ns", &f->user_ns);
    put_maybe(j, o, "system_ns", &f->system_ns);
    put(j, o, "cpus_busy", slw_facts_busy(f, &cpus) ? slw_json_real(cpus) : json_null());
    put(j, o, "user", share_json(j, &f->user));
    put(j, o, "kernel", share_json(j, &f->kernel));
    put(j, o, "split_from",
        f->split_absent ? json_null()
                        : json_string_nocheck(f->split_sampled ? "samples" : "counts"));
    put_text(j, o, "split_absent", f->split_absent);
    return o;
}

static json_t *samples_json(struct json *j, const struct slw_report *r)
{
    if (!r->column)
        return json_null();
    json_t *o = json_object();
    put_text(j, o, "event", r->column->event);
    put_text(j, o, "unit", r->column->unit);
    put_text(j, o, "mode", r->sampling ? slw_format_mode(r->sampling->mode) : NULL);
    put_provenance(j, o, &r->column->from);
    put(j, o, "count", r->samples_column < 0 ? json_null() : slw_json_integer(r->samples));
    put(j, o, "weight", slw_json_integer(r->weight));
    return o;
}

static json_t *sum_json(struct json *j, const struct slw_report *r, uint64_t weight,
                        uint64_t samples, const struct slw_share *share)
{
    json_t *o = json_object();

    put(j, o, "weight", slw_json_integer(weight));
    put(j, o, "samples", r->samples_column < 0 ? json_null() : slw_json_integer(samples));
    put(j, o, "share", share_json(j, share));
    return o;
}

static json_t *function_topdown_json(struct json *j, const struct slw_report_function_topdown *t)
{
    static const char *const names[SLW_CELL_COUNT] = {
        "frontend_bound", "backend_bound", "bad_speculation", "retiring", "ipc", "icache_mpki"};
    const char *category = slw_function_category_name(t->category);
    json_t *o = json_object();

    put(j, o, "reads", slw_json_integer(t->reads));
    put(j, o, "mixing", slw_json_real(t->mixing));
    put_text(j, o, "absent", t->absent);
    put_text(j, o, "category", category[0] ? category : NULL);
    for (size_t i = 0; i < SLW_CELL_COUNT; i++) {
        const struct slw_figure *f = &t->cells[i];
        json_t *cell = json_object();

        put(j, cell, "value", f->absent ? json_null() : slw_json_real(f->value));
        put_text(j, cell, "unit", f->unit);
        put_text(j, cell, "absent", f->absent);
        put(j, cell, "margin",
            f->absent || i > SLW_CELL_RETIRING ? json_null() : slw_json_real(t->margins[i]));
        put(j, o, names[i], cell);
    }
    return o;
}

static json_t *functions_json(struct json *j, const struct slw_report *r,
                              const struct slw_report_function *rows, size_t count, size_t limit)
{
    static const char *const kinds[] = {"user", "kernel", "other"};
    json_t *array = json_array();

    for (size_t i = 0; i < count && (limit == 0 || i < limit); i++) {
        const struct slw_report_function *f = &rows[i];
        json_t *o = json_object();

        if (f->function)
            put_text(j, o, "function", f->function);
        put_text(j, o, "module", f->module);
        put(j, o, "kind", json_string_nocheck(kinds[f->kind]));
        put(j, o, "self", sum_json(j, r, f->self, f->self_samples, &f->self_share));
        put(j, o, "total", sum_json(j, r, f->total, f->total_samples, &f->total_share));
        if (rows == r->functions)
            put(j, o, "topdown",
                r->function_topdowns ? function_topdown_json(j, &r->function_topdowns[i])
                                     : json_null());
        push(j, array, o);
    }
    return array;
}

static json_t *threads_json(struct json *j, const struct slw_report *r, size_t limit)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->thread_count && (limit == 0 || i < limit); i++) {
        const struct slw_report_thread *t = &r->threads[i];
        json_t *o = json_object();

        put_text(j, o, "comm", t->comm[0] ? t->comm : NULL);
        put(j, o, "pid", t->pid < 0 ? json_null() : json_integer(t->pid));
        put(j, o, "tid", t->tid < 0 ? json_null() : json_integer(t->tid));
        put(j, o, "self", sum_json(j, r, t->weight, t->samples, &t->share));
        push(j, array, o);
    }
    return array;
}

/* "interval": [low, high], "interval_from": what it is made of. */
static void put_interval(struct json *j, json_t *object, const struct slw_figure *f)
{
    json_t *pair = json_null();

    if (!f->absent && f->interval.have) {
        pair = json_array();
        push(j, pair, slw_json_real(f->interval.low));
        push(j, pair, slw_json_real(f->interval.high));
    }
    put(j, object, "interval", pair);
    put_text(j, object, "interval_from", f->absent ? NULL : slw_interval_from(&f->interval));
}

static void put_figure(struct json *j, json_t *object, const char *key, const struct slw_figure *f)
{
    json_t *o = json_object();

    put(j, o, "value", f->absent ? json_null() : slw_json_real(f->value));
    put_text(j, o, "unit", f->unit);
    put_text(j, o, "absent", f->absent);
    put(j, object, key, o);
}

/* A whole number, but for means. */
static json_t *count_json(const struct slw_report_row *row)
{
    if (row->total.absent)
        return json_null();
    return row->execution_count > 1 ? slw_json_real(row->total.value)
                                    : slw_json_integer(row->events);
}

static json_t *counts_json(struct json *j, const struct slw_report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];
        json_t *o = json_object();

        put_text(j, o, "event", row->name);
        put_text(j, o, "unit", row->total.unit);
        put_text(j, o, "pmu", row->count->pmu);
        put(j, o, "mode", json_string_nocheck(slw_format_mode(row->count->mode)));
        put_provenance(j, o, &row->total.from);
        put(j, o, "value", count_json(row));
        put_text(j, o, "absent", row->total.absent);
        put(j, o, "coverage", row->total.absent ? json_null() : slw_json_real(row->total.coverage));
        put_interval(j, o, &row->total);
        put(j, o, "executions", slw_json_integer(row->execution_count));
        put(j, o, "parts", slw_json_integer(row->part_count));
        put_figure(j, o, "per_request", &row->per_request);
        push(j, array, o);
    }
    return array;
}

/* Values as text: what was printed is all that is known of them. */
static json_t *printed_json(struct json *j, const struct slw_run *run)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->printed_count; i++) {
        const struct slw_printed *p = &run->printed[i];
        json_t *o = json_object();

        put_text(j, o, "name", p->name);
        put_text(j, o, "value", p->value);
        put_text(j, o, "unit", p->unit);
        put_text(j, o, "threshold", p->threshold);
        put_text(j, o, "pmu", p->pmu);
        put_provenance(j, o, &p->from);
        push(j, array, o);
    }
    return array;
}

static json_t *node_json(struct json *j, const struct slw_report_node *n)
{
    json_t *o = json_object();

    put_text(j, o, "name", n->name);
    put_text(j, o, "title", n->title);
    put(j, o, "level", json_integer(n->level));
    put(j, o, "parent", n->parent < 0 ? json_null() : json_integer(n->parent));
    put(j, o, "value", n->value.absent ? json_null() : slw_json_real(n->value.value));
    put_text(j, o, "unit", n->value.unit);
    put_text(j, o, "absent", n->value.absent);
    put(j, o, "coverage", n->value.absent ? json_null() : slw_json_real(n->value.coverage));
    put_interval(j, o, &n->value);
    put(j, o, "rounds", slw_json_integer(n->round_count));
    put(j, o, "flagged", json_boolean(n->flagged));
    put(j, o, "mismeasured", json_boolean(n->mismeasured));
    put(j, o, "thin", json_boolean(n->thin));
    put(j, o, "apart", json_boolean(n->stretch == SLW_STRETCH_SEVERAL));
    put_text(j, o, "errata", n->errata);
    put_provenance(j, o, &n->value.from);
    return o;
}

static json_t *topdown_json(struct json *j, const struct slw_report *r)
{
    static const char *const status[] = {"none", "undecided", "balanced", "found"};
    const struct slw_topdown *t = &r->topdown;
    json_t *o = json_object(), *nodes = json_array();

    put(j, o, "status", json_string_nocheck(status[t->status]));
    put_text(j, o, "reason", t->reason);
    put(j, o, "bottleneck", t->bottleneck < 0 ? json_null() : json_integer(t->bottleneck));
    put(j, o, "rival", t->rival < 0 ? json_null() : json_integer(t->rival));
    put(j, o, "level1_sum", t->have_sum ? slw_json_real(t->level1_sum) : json_null());
    put(j, o, "stretches", slw_json_integer(t->stretches));
    put_text(j, o, "model", r->model ? r->model->name : NULL);
    put_text(j, o, "model_version", r->model ? r->model->version : NULL);
    for (size_t i = 0; i < r->node_count; i++)
        push(j, nodes, node_json(j, &r->nodes[i]));
    put(j, o, "nodes", nodes);
    return o;
}

static json_t *core_json(struct json *j, const struct slw_report *r, size_t core)
{
    const struct slw_report_core *c = &r->cores[core];
    const struct slw_report view = slw_report_of_core(r, core);
    json_t *o = json_object();

    put_text(j, o, "pmu", c->pmu);
    put_text(j, o, "title", c->title);
    put_figure(j, o, "time_share", &c->time);
    put_figure(j, o, "cycles_share", &c->cycles);
    put(j, o, "topdown", topdown_json(j, &view));
    return o;
}

static json_t *cores_json(struct json *j, const struct slw_report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->core_count; i++)
        push(j, array, core_json(j, r, i));
    return array;
}

static json_t *findings_json(struct json *j, const struct slw_report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->finding_count; i++) {
        const struct slw_finding *f = &r->findings[i];
        json_t *o = json_object();

        put_text(j, o, "id", f->id);
        put_text(j, o, "title", f->title);
        put_text(j, o, "evidence", f->evidence);
        put_text(j, o, "advice", f->advice);
        push(j, array, o);
    }
    return array;
}

static json_t *notes_json(struct json *j, const struct slw_run *run)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->note_count; i++) {
        const struct slw_note *n = &run->notes[i];
        json_t *o = json_object();

        put(j, o, "level", json_string_nocheck(n->level == SLW_NOTE_WARNING ? "warning" : "info"));
        put_text(j, o, "code", n->code);
        put_text(j, o, "text", n->text);
        put_text(j, o, "hint", n->hint);
        push(j, array, o);
    }
    return array;
}

static json_t *losses_json(struct json *j, const struct slw_losses *l)
{
    json_t *o = json_object();

    put(j, o, "lost_records", slw_json_integer(l->lost_records));
    put(j, o, "lost_samples", slw_json_integer(l->lost_samples));
    put(j, o, "throttled", slw_json_integer(l->throttled));
    put(j, o, "unreadable_bytes", slw_json_integer(l->unreadable_bytes));
    put(j, o, "no_user_stack", slw_json_integer(l->no_user_stack));
    return o;
}

static json_t *self_json(struct json *j, const struct slw_self_cost *s)
{
    json_t *o = json_object();

    put_maybe(j, o, "user_ns", &s->user_ns);
    put_maybe(j, o, "system_ns", &s->system_ns);
    put(j, o, "ring_bytes", slw_json_integer(s->ring_bytes));
    put(j, o, "spool_bytes", slw_json_integer(s->spool_bytes));
    put(j, o, "wakeups", slw_json_integer(s->wakeups));
    return o;
}

static json_t *labels_json(struct json *j, const struct slw_run *run)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->label_count; i++) {
        json_t *o = json_object();

        put_text(j, o, "key", run->labels[i].key);
        put_text(j, o, "value", run->labels[i].value);
        push(j, array, o);
    }
    return array;
}

static json_t *report_json(struct json *j, const struct slw_report *r, size_t limit)
{
    json_t *o = json_object();

    put(j, o, "report_schema", json_integer(REPORT_SCHEMA));
    put_text(j, o, "tool", r->run->tool);
    put(j, o, "command", command_json(j, r->run));
    put(j, o, "labels", labels_json(j, r->run));
    put_text(j, o, "verdict", r->verdict);
    put_text(j, o, "verdict_basis", r->verdict_basis);
    put_maybe(j, o, "requests", &r->run->requests);
    put(j, o, "rounds", rounds_json(j, r->run));
    put(j, o, "time", time_json(j, r));
    put(j, o, "topdown", topdown_json(j, r));
    put(j, o, "cores", cores_json(j, r));
    put(j, o, "samples", samples_json(j, r));
    put(j, o, "functions", functions_json(j, r, r->functions, r->function_count, limit));
    put(j, o, "function_count", slw_json_integer(r->function_count));
    put(j, o, "modules", functions_json(j, r, r->modules, r->module_count, 0));
    put(j, o, "threads", threads_json(j, r, 0));
    put(j, o, "tasks", slw_scope_tasks_json(r));
    put(j, o, "modes", slw_scope_modes_json(r));
    put(j, o, "intervals", slw_scope_intervals_json(r));
    put(j, o, "counts", counts_json(j, r));
    put(j, o, "printed", printed_json(j, r->run));
    put(j, o, "findings", findings_json(j, r));
    put(j, o, "notes", notes_json(j, r->run));
    put(j, o, "losses", losses_json(j, &r->run->losses));
    put(j, o, "self", self_json(j, &r->run->self));
    return o;
}

static int render_json(const struct slw_report *report, const struct slw_render_options *opts,
                       struct slw_buf *out, struct slw_error *err)
{
    struct json j = {0};
    json_t *root = report_json(&j, report, opts->function_max);
    char *text = j.failed ? NULL
                          : json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER |
                                                 JSON_REAL_PRECISION(REAL_PRECISION));

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
