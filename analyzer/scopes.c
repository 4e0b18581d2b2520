/* SPDX-License-Identifier: MIT */
#include "analyzer/scopes.h"

#include "analyzer/facts.h"
#include "analyzer/rows.h"
#include "analyzer/topdown.h"
#include "base/arena.h"
#include "base/cleanup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whole counts that the sum of the tasks is compared with: more than a run of ours has. */
#define MAX_COMPARED 1024

/* ---- one part of the run as a run of its own ---- */

struct part {
    struct slw_run run;       /* of r->run but for its counts */
    struct slw_count *counts; /* room for all that are whole */
    struct slw_report report;
};

static void part_begin(struct part *p, const struct slw_report *r, struct slw_count *room)
{
    p->run = *r->run;
    p->counts = room;
    p->run.counts = room;
    p->run.count_count = 0;
    p->run.printed_count = 0;
    p->run.series_count = p->run.interval_count = p->run.task_count = 0;
    p->report = (struct slw_report){.run = &p->run, .model = r->model};
}

static struct slw_count *part_add(struct part *p, const struct slw_count *c)
{
    struct slw_count *added = &p->counts[p->run.count_count++];

    *added = *c;
    added->pid = added->tid = added->cpu = -1;
    return added;
}

/* What outlives the part. */
static void keep(struct slw_report *r, struct slw_figure *f)
{
    if (!f->absent)
        return;
    const char *why = slw_arena_strdup(r->arena, f->absent);
    f->absent = why ? why : "unknown";
    f->value = 0;
}

static struct slw_figure unknown(const char *why)
{
    return (struct slw_figure){.absent = why};
}

static struct slw_figure row_figure(const struct slw_report *part, const char *event)
{
    for (size_t i = 0; i < part->row_count; i++)
        if (strcmp(part->rows[i].name, event) == 0)
            return part->rows[i].total;
    return unknown("not counted");
}

static struct slw_figure cpu_figure(const struct slw_report *part)
{
    struct slw_figure f = row_figure(part, "task-clock");

    return f.absent ? row_figure(part, "cpu-clock") : f;
}

static struct slw_figure ratio(const struct slw_figure *a, const struct slw_figure *b)
{
    struct slw_figure f = *a;

    if (!a->absent && b->absent)
        f.absent = b->absent;
    else if (!a->absent && !(b->value > 0))
        f.absent = "nothing to divide by";
    f.value = f.absent ? 0 : a->value / b->value;
    f.unit = NULL;
    return f;
}

/* A node as a cell of a table: what nobody should judge by is a word there. */
static struct slw_figure node_figure(const struct slw_report_node *n)
{
    struct slw_figure f = n->value;

    if (!f.absent && n->mismeasured)
        f.absent = "outside its plausible range";
    else if (!f.absent && n->thin)
        f.absent = "counted too little of the time";
    return f;
}

static struct slw_figure ipc_figure(const struct slw_report *part)
{
    for (size_t i = 0; i < part->node_count; i++)
        if (strcmp(part->nodes[i].name, "ipc") == 0)
            return node_figure(&part->nodes[i]);
    const struct slw_figure instructions = row_figure(part, "instructions"),
                            cycles = row_figure(part, "cycles");
    return ratio(&instructions, &cycles);
}

/* Evaluate the part; its own arena takes what it needs on the way. */
static int part_end(struct part *p, struct slw_report *r, struct slw_scope *s,
                    struct slw_error *err)
{
    struct slw_report *part = &p->report;
    size_t n = 0;

    part->arena = slw_arena_new();
    if (!part->arena)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    int rc = slw_rows_fill(part, err);
    if (rc == 0)
        rc = slw_topdown_fill(part, err);
    if (rc == 0) {
        s->cpu = cpu_figure(part);
        s->switches = row_figure(part, "context-switches");
        s->ipc = ipc_figure(part);
        for (size_t i = 0; i < part->node_count && n < r->scopes->node_count; i++)
            if (part->nodes[i].node == r->scopes->nodes[n])
                s->nodes[n++] = node_figure(&part->nodes[i]);
        keep(r, &s->cpu);
        keep(r, &s->switches);
        keep(r, &s->ipc);
        for (size_t i = 0; i < n; i++)
            keep(r, &s->nodes[i]);
    }
    slw_arena_free(part->arena);
    return rc;
}

/* ---- privilege levels ---- */

static bool hardware_whole(const struct slw_count *c)
{
    return slw_count_is_whole(c) && c->from.source == SLW_SOURCE_HARDWARE;
}

/* Were hardware events counted in user and in kernel mode apart, and not otherwise? */
static bool is_split(const struct slw_run *run)
{
    bool seen[3] = {false};

    for (size_t i = 0; i < run->count_count; i++)
        if (hardware_whole(&run->counts[i]) && !run->counts[i].absent)
            seen[run->counts[i].mode] = true;
    return seen[SLW_MODE_USER] && seen[SLW_MODE_KERNEL] && !seen[SLW_MODE_ALL];
}

static void add_mode(struct part *p, const struct slw_run *run, enum slw_mode mode)
{
    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];

        if (slw_count_is_whole(c) && (!hardware_whole(c) || c->mode == mode || c->absent))
            (void)part_add(p, c);
    }
}

int slw_scopes_topdown(struct slw_report *r, struct slw_error *err)
{
    struct part p;

    if (!is_split(r->run))
        return slw_topdown_fill(r, err);
    struct slw_count *room = slw_arena_array(r->arena, r->run->count_count + 1, sizeof(*room));
    if (!room)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    part_begin(&p, r, room);
    add_mode(&p, r->run, SLW_MODE_USER);
    p.report.arena = r->arena;
    int rc = slw_topdown_fill(&p.report, err);
    r->nodes = p.report.nodes;
    r->node_count = p.report.node_count;
    r->topdown = p.report.topdown;
    r->errata = p.report.errata;
    return rc;
}

static struct slw_figure time_figure(const struct slw_maybe_u64 *ns)
{
    return (struct slw_figure){.value = ns->absent ? 0 : (double)ns->value,
                               .absent = ns->absent,
                               .unit = "ns",
                               .from = {.source = SLW_SOURCE_SOFTWARE},
                               .coverage = 1};
}

static struct slw_figure share_figure(const struct slw_report *r, const struct slw_share *share)
{
    struct slw_figure f = {.value = share->value, .absent = r->facts->split_absent, .coverage = 1};

    f.from.source = SLW_SOURCE_SOFTWARE;
    if (r->facts->split_sampled && r->column)
        f.from = r->column->from;
    return f;
}

static int fill_modes(struct slw_report *r, struct slw_count *room, struct slw_error *err)
{
    static const enum slw_mode modes[] = {SLW_MODE_USER, SLW_MODE_KERNEL};
    static const char *const names[] = {"user", "kernel"};
    struct slw_scopes *all = r->scopes;
    int rc = 0;

    if (!all->split)
        return 0;
    all->modes = slw_arena_array(r->arena, 2, sizeof(*all->modes));
    if (!all->modes)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    for (; all->mode_count < 2 && rc == 0; all->mode_count++) {
        struct slw_scope *s = &all->modes[all->mode_count];
        const bool user = all->mode_count == 0;
        struct part p;

        part_begin(&p, r, room);
        add_mode(&p, r->run, modes[all->mode_count]);
        rc = part_end(&p, r, s, err);
        s->name = names[all->mode_count];
        s->pid = s->tid = -1;
        s->cpu = time_figure(user ? &r->facts->user_ns : &r->facts->system_ns);
        s->share = share_figure(r, user ? &r->facts->user : &r->facts->kernel);
        s->switches = unknown("not told apart by mode");
    }
    return rc;
}

/* ---- tasks ---- */

static int by_task(const void *a, const void *b)
{
    const struct slw_count *x = *(const struct slw_count *const *)a,
                           *y = *(const struct slw_count *const *)b;

    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool is_of_task(const struct slw_count *c)
{
    return c->cpu == -1 && (c->pid != -1 || c->tid != -1);
}

/* Counts of tasks, those of one task side by side. */
static const struct slw_count **sorted_counts(const struct slw_run *run, size_t *ret_count)
{
    const struct slw_count **counts = calloc(run->count_count + 1, sizeof(*counts));
    size_t n = 0;

    for (size_t i = 0; counts && i < run->count_count; i++)
        if (is_of_task(&run->counts[i]))
            counts[n++] = &run->counts[i];
    if (counts)
        qsort(counts, n, sizeof(*counts), by_task);
    *ret_count = n;
    return counts;
}

static size_t first_of_task(const struct slw_count *const *counts, size_t count,
                            const struct slw_counted_task *task)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct slw_count *c = counts[middle];

        if (c->pid < task->pid || (c->pid == task->pid && c->tid < task->tid))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void take_share(struct slw_scope *s, const struct slw_figure *whole)
{
    s->share = ratio(&s->cpu, whole);
}

/* Where events were counted apart by mode, tasks are shown in user mode too. */
static bool shown(const struct slw_count *c, bool split)
{
    return !split || c->mode != SLW_MODE_KERNEL;
}

static int fill_task(struct slw_report *r, const struct slw_counted_task *task,
                     const struct slw_count *const *counts, size_t count, struct slw_count *room,
                     struct slw_scope *s, struct slw_error *err)
{
    struct part p;

    part_begin(&p, r, room);
    for (size_t i = first_of_task(counts, count, task); i < count; i++) {
        if (counts[i]->pid != task->pid || counts[i]->tid != task->tid)
            break;
        if (shown(counts[i], r->scopes->split))
            (void)part_add(&p, counts[i]);
    }
    int rc = part_end(&p, r, s, err);
    s->name = task->comm;
    s->pid = task->pid;
    s->tid = task->tid;
    s->task_count = task->task_count;
    return rc;
}

static bool same_counter(const struct slw_count *a, const struct slw_count *b)
{
    return a->group == b->group && a->mode == b->mode && strcmp(a->event, b->event) == 0 &&
           (a->pmu == b->pmu || (a->pmu && b->pmu && strcmp(a->pmu, b->pmu) == 0));
}

/* What the tasks leave of each whole count, in what was really counted. */
static void fill_rest(struct slw_report *r, const struct slw_count *const *counts, size_t count)
{
    struct slw_scopes *all = r->scopes;

    all->rest = unknown("not counted");
    for (size_t i = 0, seen = 0; i < r->run->count_count && seen < MAX_COMPARED; i++) {
        const struct slw_count *whole = &r->run->counts[i];
        double parts = 0;
        bool any = false;

        if (!slw_count_is_whole(whole) || whole->absent)
            continue;
        seen++;
        for (size_t k = 0; k < count; k++) {
            if (counts[k]->absent || !same_counter(counts[k], whole))
                continue;
            parts += (double)counts[k]->raw;
            any = true;
        }
        if (!any)
            continue;
        const double rest = (double)whole->raw - parts;
        const double share = whole->raw > 0 ? rest / (double)whole->raw : -(parts > 0);
        if (fabs(share) > fabs(all->rest_share)) {
            all->rest_share = share;
            all->rest_event = whole->event;
        }
        if (strcmp(whole->event, "task-clock") == 0)
            all->rest = (struct slw_figure){
                .value = fmax(rest, 0), .unit = "ns", .from = whole->from, .coverage = 1};
    }
}

static int fill_tasks(struct slw_report *r, struct slw_count *room, struct slw_error *err)
{
    const struct slw_run *run = r->run;
    struct slw_scopes *all = r->scopes;
    size_t count = 0;
    int rc = 0;

    if (run->task_count == 0)
        return 0;
    const struct slw_figure whole = cpu_figure(r);
    const struct slw_count **SLW_AUTO(free) counts = sorted_counts(run, &count);
    all->tasks = slw_arena_array(r->arena, run->task_count, sizeof(*all->tasks));
    if (!counts || !all->tasks)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    for (; all->task_count < run->task_count && rc == 0; all->task_count++) {
        struct slw_scope *s = &all->tasks[all->task_count];

        rc = fill_task(r, &run->tasks[all->task_count], counts, count, room, s, err);
        take_share(s, &whole);
    }
    fill_rest(r, counts, count);
    return rc;
}

/* ---- intervals ---- */

static int fill_interval(struct slw_report *r, size_t index, struct slw_count *room,
                         struct slw_scope *s, struct slw_error *err)
{
    const struct slw_run *run = r->run;
    struct part p;

    part_begin(&p, r, room);
    for (size_t i = 0; i < run->series_count; i++) {
        const struct slw_time_series *series = &run->series[i];
        const struct slw_count *whole = &run->counts[series->count_index];

        if (!shown(whole, r->scopes->split))
            continue;
        struct slw_count *c = part_add(&p, whole);
        c->raw = series->raw[index];
        c->enabled_ns = series->enabled_ns[index];
        c->running_ns = series->running_ns[index];
        if (c->enabled_ns == 0)
            c->absent = "the target did not run";
    }
    int rc = part_end(&p, r, s, err);
    s->pid = s->tid = -1;
    s->when = run->intervals[index];
    const struct slw_figure length = {.value = (double)s->when.length_ns};
    take_share(s, &length);
    return rc;
}

static int fill_intervals(struct slw_report *r, struct slw_count *room, struct slw_error *err)
{
    const struct slw_run *run = r->run;
    struct slw_scopes *all = r->scopes;
    int rc = 0;

    if (run->series_count == 0)
        return 0;
    all->intervals = slw_arena_array(r->arena, run->interval_count, sizeof(*all->intervals));
    if (!all->intervals)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    for (; all->interval_count < run->interval_count && rc == 0; all->interval_count++)
        rc = fill_interval(r, all->interval_count, room, &all->intervals[all->interval_count], err);
    return rc;
}

int slw_scopes_fill(struct slw_report *r, struct slw_error *err)
{
    const size_t most = r->run->count_count + r->run->series_count + 1;
    struct slw_count *SLW_AUTO(free) room = calloc(most, sizeof(*room));
    struct slw_scopes *all = slw_arena_alloc(r->arena, sizeof(*all));

    if (!room || !all)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    r->scopes = all;
    all->split = is_split(r->run);
    for (size_t i = 0; r->model && i < r->model->node_count; i++)
        if (r->model->nodes[i].level == 1 && all->node_count < SLW_MAX_SCOPE_NODES)
            all->nodes[all->node_count++] = &r->model->nodes[i];
    int rc = fill_modes(r, room, err);
    if (rc == 0)
        rc = fill_tasks(r, room, err);
    if (rc == 0)
        rc = fill_intervals(r, room, err);
    return rc;
}
