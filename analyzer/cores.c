/* SPDX-License-Identifier: MIT */
#include "analyzer/cores.h"

#include "analyzer/format.h"
#include "analyzer/topdown.h"
#include "base/arena.h"
#include "models/perf_name.h"

#include <string.h>

/* What people call them. Names of PMUs: Linux arch/x86/events/intel/core.c,
 * drivers/perf/apple_m1_cpu_pmu.c. */
static const char *title_of(const char *pmu)
{
    static const char *const titles[][2] = {
        {"cpu_core", "P-cores"},           {"cpu_atom", "E-cores"},
        {"cpu_lowpower", "LP E-cores"},    {"apple_firestorm_pmu", "P-cores"},
        {"apple_icestorm_pmu", "E-cores"}, {"apple_avalanche_pmu", "P-cores"},
        {"apple_blizzard_pmu", "E-cores"},
    };

    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (strcmp(titles[i][0], pmu) == 0)
            return titles[i][1];
    return pmu;
}

/* ---- shares of the work ---- */

static bool is_clock_of(const struct slw_report_row *row, const char *pmu)
{
    return strcmp(row->name, "task-clock") == 0 && row->count->pmu &&
           (!pmu || strcmp(row->count->pmu, pmu) == 0);
}

static void fill_time(const struct slw_report *r, struct slw_report_core *c)
{
    const struct slw_report_row *own = NULL;
    double all = 0;

    c->time.absent = "CPU time was not counted by kind of core";
    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];

        if (!is_clock_of(row, NULL))
            continue;
        if (row->total.absent) {
            c->time.absent = row->total.absent;
            return;
        }
        all += row->total.value;
        own = is_clock_of(row, c->pmu) ? row : own;
    }
    if (!own)
        return;
    c->time = own->total;
    c->time.unit = "CPU time";
    if (all > 0)
        c->time.value = own->total.value / all;
    else
        c->time.absent = "the target did not run while measuring";
}

bool slw_core_unused(const struct slw_report_core *c)
{
    return !c->time.absent && c->time.value <= 0;
}

/* The cycles of one kind as they were counted. A tool that has scaled them to all of the time has
 * counted cycles in that nobody ran on these cores: they cannot be compared with another kind's. */
static void fill_cycles(const struct slw_report *r, struct slw_report_core *c)
{
    const int event = c->model ? slw_model_cycles_event(c->model) : -1;

    c->cycles.absent = "cycles were not counted on every kind of core";
    for (size_t i = 0; event >= 0 && i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];

        if (!row->count->pmu || strcmp(row->count->pmu, c->pmu) != 0 ||
            slw_model_find_perf_event(c->model, row->name) != event)
            continue;
        c->cycles = row->total;
        if (!c->cycles.absent && row->count->scaled && row->total.coverage < 1)
            c->cycles.absent = "the cycles of each kind were scaled to the whole time";
        break;
    }
    if (slw_core_unused(c))
        c->cycles = (struct slw_figure){.from = c->time.from, .coverage = 1};
    c->cycles.unit = "cycles";
}

static void share_cycles(struct slw_report *r)
{
    const char *absent = NULL;
    double all = 0;

    for (size_t i = 0; i < r->core_count; i++) {
        absent = absent ? absent : r->cores[i].cycles.absent;
        all += r->cores[i].cycles.value;
    }
    if (!absent && all <= 0)
        absent = "no cycles were counted";
    for (size_t i = 0; i < r->core_count; i++) {
        struct slw_figure *f = &r->cores[i].cycles;

        f->absent = absent;
        f->value = absent ? 0 : f->value / all;
    }
}

void slw_cores_put_shares(struct slw_buf *out, const struct slw_report_core *c)
{
    const struct slw_figure *const shares[] = {&c->time, &c->cycles};
    size_t known = 0;

    for (size_t i = 0; i < 2; i++) {
        if (shares[i]->absent)
            continue;
        slw_buf_puts(out, known++ ? ", " : "");
        slw_format_percent(out, shares[i]->value);
        slw_buf_printf(out, " of the %s", shares[i]->unit);
    }
    if (known == 0)
        slw_buf_printf(out, "share unknown: %s", c->cycles.absent);
}

/* ---- trees ---- */

struct slw_report slw_report_of_core(const struct slw_report *r, size_t core)
{
    const struct slw_report_core *c = &r->cores[core];
    struct slw_report view = *r;

    view.model = c->model;
    view.pmu = c->pmu;
    view.nodes = c->nodes;
    view.node_count = c->node_count;
    view.topdown = c->topdown;
    return view;
}

static int fill_tree(struct slw_report *r, size_t core, const struct slw_model_ref *ref,
                     struct slw_error *err)
{
    struct slw_report_core *c = &r->cores[core];
    struct slw_report view = slw_report_of_core(r, core);
    int rc = slw_topdown_fill(&view, err);

    c->nodes = view.nodes;
    c->node_count = view.model ? view.node_count : 0;
    c->topdown = view.topdown;
    if (!view.model)
        c->topdown.reason = ref->absent ? ref->absent : "its CPU model cannot be loaded";
    return rc;
}

static void name(const struct slw_report *r, const char *pmu, const struct slw_model *model,
                 struct slw_report_core *c)
{
    c->model = model;
    c->pmu = pmu ? pmu : model ? model->pmu : "another kind of core";
    c->title = title_of(c->pmu);
    fill_time(r, c);
    fill_cycles(r, c);
}

int slw_cores_fill(struct slw_report *r, struct slw_error *err)
{
    int rc = 0;

    if (r->other_count == 0)
        return 0;
    r->cores = slw_arena_array(r->arena, r->other_count + 1, sizeof(*r->cores));
    if (!r->cores)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the kinds of core");
    r->core_count = r->other_count + 1;
    name(r, r->pmu, r->model, &r->cores[0]);
    r->cores[0].nodes = r->nodes;
    r->cores[0].node_count = r->node_count;
    r->cores[0].topdown = r->topdown;
    for (size_t i = 0; i < r->other_count && rc == 0; i++) {
        const struct slw_model_ref *ref = &r->run->other_models[i];

        name(r, ref->pmu, r->others[i], &r->cores[i + 1]);
        rc = fill_tree(r, i + 1, ref, err);
    }
    share_cycles(r);
    return rc;
}
