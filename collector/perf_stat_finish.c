/* SPDX-License-Identifier: MIT */
/* All rows of a perf stat output are in: what was counted together, whether they belong together,
 * and the run made of them. */
#include "collector/import_model.h"
#include "collector/perf_stat_int.h"
#include "models/perf_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL_BP 10000

/* ---- groups ---- */

static bool same_event(const struct slw_perf_slot *a, const struct slw_perf_slot *b)
{
    return a->mode == b->mode && strcmp(a->name, b->name) == 0 &&
           strcmp(a->pmu ? a->pmu : "", b->pmu ? b->pmu : "") == 0;
}

static bool shares_counter(const struct slw_perf_slot *a)
{
    return a->counted && !a->software && a->covered_bp < FULL_BP;
}

/* Same PMU, same share of the time: counted over the same time, as far as the output tells. */
static bool same_time(const struct slw_perf_slot *a, const struct slw_perf_slot *b)
{
    return shares_counter(b) && a->covered_bp == b->covered_bp &&
           strcmp(a->pmu ? a->pmu : "", b->pmu ? b->pmu : "") == 0;
}

/* No group counts one event twice, so a repetition at `at` starts a new group; or started it a bit
 * earlier: perf prints a metric next to the first rows of its group, so the rows with metrics that
 * lie directly before, and those between them and the repetition, belong to the new group too. */
static size_t group_start(const struct slw_perf_slot *slots, size_t from, size_t at)
{
    size_t start = at;

    while (start > from + 1 && !slots[start].carries && !slots[start - 1].carries)
        start--;
    if (start == from + 1 && !slots[start].carries)
        return at; /* no metric in between */
    if (!slots[start].carries)
        start--;
    while (start > from + 1 && slots[start - 1].carries)
        start--;
    for (size_t i = start; i < at; i++)
        if (same_event(&slots[i], &slots[at]))
            return at;
    return start;
}

static bool repeats(const struct slw_perf_slot *slots, size_t from, size_t at)
{
    for (size_t i = from; i < at; i++)
        if (same_event(&slots[i], &slots[at]))
            return true;
    return false;
}

/* perf has some hundred events in a group at most; a longer stretch is one event again and again.
 */
#define MAX_GROUP 1024

void slw_perf_stat_group(struct slw_perf_stat *s)
{
    struct slw_perf_slot *slots = s->slots;
    size_t from = 0;
    int group = -1;

    for (size_t i = 0; i < s->slot_count; i++) {
        if (!shares_counter(&slots[i])) {
            /* Counted all the time: any two fit together, but never two of one event. */
            slots[i].group = slots[i].occurrence > 0 && slots[i].counted ? ++group : -1;
            continue;
        }
        const bool joins = i > 0 && shares_counter(&slots[i - 1]) &&
                           same_time(&slots[i - 1], &slots[i]) && i - from < MAX_GROUP;
        if (!joins) {
            from = i;
            group++;
        } else if (repeats(slots, from, i)) {
            from = group_start(slots, from, i);
            group++;
            for (size_t k = from; k < i; k++)
                slots[k].group = group;
        }
        slots[i].group = group;
    }
}

/* ---- one machine, one output ---- */

static int check_repetition(const struct slw_perf_stat *s, struct slw_error *err)
{
    const size_t half = s->slot_count / 2;

    if (s->slot_count < 4 || s->slot_count % 2 != 0)
        return 0;
    for (size_t i = 0; i < half; i++)
        if (!same_event(&s->slots[i], &s->slots[half + i]))
            return 0;
    return slw_perf_stat_fail(s->path, s->slots[half].line, s->slots[half].column, SLW_E_FORMAT,
                              err,
                              "from here on the events of line %zu are repeated: the file holds "
                              "two outputs; import each of them alone",
                              s->slots[0].line);
}

static int check_vendors(const struct slw_perf_stat *s, struct slw_error *err)
{
    const char **names = slw_arena_array(s->arena, s->slot_count + 1, sizeof(*names));
    unsigned *vendors = slw_arena_array(s->arena, s->slot_count + 1, sizeof(*vendors));
    unsigned common = ~0u;
    size_t first = s->slot_count, telling = 0;

    if (!names || !vendors)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
    for (size_t i = 0; i < s->slot_count; i++) {
        const struct slw_perf_slot *slot = &s->slots[i];
        const bool tells = !slot->software && !slw_perf_name_is_generic(slot->name);
        names[i] = tells && slot->occurrence == 0 ? slot->name : NULL;
        telling += names[i] != NULL;
    }
    if (telling < 2)
        return 0; /* and no model needs to be loaded */
    int rc = slw_import_vendors(names, s->slot_count, vendors, err);
    for (size_t i = 0; rc >= 0 && i < s->slot_count; i++) {
        if (vendors[i] == 0)
            continue;
        if ((common & vendors[i]) == 0)
            return slw_perf_stat_fail(s->path, s->slots[i].line, s->slots[i].column, SLW_E_FORMAT,
                                      err,
                                      "'%s' is counted by other CPUs than '%s' of line %zu: the "
                                      "file mixes machines",
                                      s->slots[i].name, s->slots[first].name, s->slots[first].line);
        if (common == ~0u)
            first = i;
        common &= vendors[i];
    }
    return rc;
}

int slw_perf_stat_check(const struct slw_perf_stat *s, struct slw_error *err)
{
    const int rc = check_repetition(s, err);

    return rc < 0 ? rc : check_vendors(s, err);
}

/* ---- the run ---- */

static struct slw_provenance provenance(struct slw_perf_stat *s, bool software, const char *spread)
{
    struct slw_provenance from = {.source = software ? SLW_SOURCE_SOFTWARE : SLW_SOURCE_HARDWARE,
                                  .imported = true,
                                  .detail = s->format};

    if (spread)
        from.detail =
            slw_arena_printf(s->arena, "%s, mean of several runs, +- %s %%", s->format, spread);
    if (!from.detail)
        from.detail = s->format;
    return from;
}

static int add_count(struct slw_perf_stat *s, const struct slw_perf_cell *cell, struct slw_run *run,
                     struct slw_error *err)
{
    const struct slw_perf_slot *slot = &s->slots[cell->slot];
    struct slw_count c = {.event = slot->name,
                          .unit = cell->unit,
                          .pmu = slot->pmu,
                          .mode = slot->mode,
                          .from = provenance(s, slot->software, cell->spread),
                          .group = slot->group,
                          .pid = -1,
                          .tid = cell->tid,
                          .cpu = cell->cpu,
                          .absent = cell->absent};

    if (!c.absent) {
        c.raw = cell->value;
        c.scaled = true;
        c.covered_bp = cell->covered_bp;
        if (cell->times && cell->enabled_ns >= cell->running_ns) {
            c.enabled_ns = cell->enabled_ns;
            c.running_ns = cell->running_ns;
        }
        /* Shares of several rows, from the sums of their times. */
        if (cell->rows > 1 && c.enabled_ns > 0)
            c.covered_bp = (int)((slw_u128)c.running_ns * FULL_BP / c.enabled_ns);
    }
    return slw_run_add_count(run, &c, err);
}

static int add_time(struct slw_perf_stat *s, const char *event, uint64_t ns, struct slw_run *run,
                    struct slw_error *err)
{
    const struct slw_count c = {.event = event,
                                .unit = "ns",
                                .from = provenance(s, true, NULL),
                                .group = -1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = ns,
                                .scaled = true,
                                .covered_bp = FULL_BP};

    return slw_run_add_count(run, &c, err);
}

static int add_printed(struct slw_perf_stat *s, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < s->printed_count; i++) {
        const struct slw_perf_printed *p = &s->printed[i];
        const struct slw_perf_slot *slot =
            p->cell == SIZE_MAX ? NULL : &s->slots[s->cells[p->cell].slot];
        const struct slw_printed printed = {.name = p->name,
                                            .value = p->value,
                                            .unit = p->unit,
                                            .threshold = p->threshold,
                                            .pmu = slot ? slot->pmu : NULL,
                                            .count_index = p->cell == SIZE_MAX ? -1 : (int)p->cell,
                                            .from = provenance(s, slot && slot->software, NULL)};
        rc = slw_run_add_printed(run, &printed, err);
    }
    return rc;
}

static int add_notes(const struct slw_perf_stat *s, struct slw_run *run)
{
    const bool per_part = s->interval_count > 1 || s->places || s->summed;
    int rc = 0;

    if (s->interval_count > 1)
        rc = slw_run_note(run, SLW_NOTE_INFO, "intervals-summed", NULL,
                          "the counts of %llu intervals were added up",
                          (unsigned long long)s->interval_count);
    if (rc == 0 && s->summed)
        rc = slw_run_note(run, SLW_NOTE_INFO, "places-summed", NULL,
                          "perf stat counted per core, die, socket or node; the counts were added "
                          "up");
    if (rc == 0 && per_part && s->printed_count > 0)
        rc = slw_run_note(run, SLW_NOTE_INFO, "printed-left-out", NULL,
                          "perf computed its metrics for each part alone; they were left out");
    if (rc == 0 && s->rounded)
        rc = slw_run_note(run, SLW_NOTE_INFO, "rounded", NULL,
                          "perf stat printed fractions of events (means of several runs); they "
                          "were rounded to whole ones");
    return rc;
}

static int fill_run(struct slw_perf_stat *s, struct slw_run *run, struct slw_error *err)
{
    const bool per_part = s->interval_count > 1 || s->places || s->summed;
    int rc = 0;

    run->tool = slw_run_str(run, "slotwise " SLW_VERSION);
    run->command.kind = SLW_TARGET_IMPORT;
    run->model.absent = "no CPU model was chosen for the imported counts";
    if (s->wall_ns > 0)
        run->wall_ns = (struct slw_maybe_u64){.value = s->wall_ns};
    for (size_t i = 0; rc >= 0 && i < s->cell_count; i++)
        rc = add_count(s, &s->cells[i], run, err);
    if (rc >= 0 && s->have_user)
        rc = add_time(s, "user-time", s->user_ns, run, err);
    if (rc >= 0 && s->have_system)
        rc = add_time(s, "system-time", s->system_ns, run, err);
    if (rc >= 0 && !per_part)
        rc = add_printed(s, run, err);
    if (rc >= 0 && s->target)
        rc = slw_run_add_label(run, "measured", s->target, err);
    if (rc >= 0 && (add_notes(s, run) < 0 || !run->tool))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
    return rc;
}

int slw_perf_stat_finish(struct slw_perf_stat *s, struct slw_run **ret_run, struct slw_error *err)
{
    struct slw_run *run = NULL;

    if (s->cell_count == 0 && s->printed_count == 0)
        return slw_perf_stat_fail(s->path, 1, 1, SLW_E_NODATA, err,
                                  "'%s' holds no counts of perf stat", s->path);
    int rc = slw_perf_stat_check(s, err);
    if (rc >= 0)
        rc = slw_run_new(&run, err);
    if (rc < 0)
        return rc;
    slw_perf_stat_group(s);
    rc = fill_run(s, run, err);
    if (rc < 0)
        slw_run_free(run);
    else
        *ret_run = run;
    return rc;
}
