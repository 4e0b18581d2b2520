/* SPDX-License-Identifier: MIT */
#include "analyzer/function_topdown.h"
#include "analyzer/inputs.h"

#include "base/arena.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A model event and the stack column that holds what was counted within functions. */
struct input_column {
    size_t event;
    int column;
};

/* Samples of one function in one thread. */
struct stay {
    uint32_t row, thread;
    uint64_t samples, within;
};

struct work {
    struct slw_report *r;
    struct slw_index rows; /* of r->functions, by symbol, module and kind */
    struct input_column *columns;
    size_t column_count;
    int samples_column, within_column; /* number of samples, and of those within */
    bool exact;                        /* every context of a described core has its own counts */
    double *sums;                      /* [row * column_count + i] */
    struct stay *stays;
    size_t stay_count;
    double *expected; /* samples that would follow one of the same function by chance, by row */
    uint64_t *within;
};

struct key {
    const char *symbol, *module;
    uintptr_t kind;
};

static const char no_module[] = "[unknown]";

static struct key key_of(const char *symbol, const char *module, enum slw_frame_kind kind)
{
    return (struct key){symbol, module, (uintptr_t)kind};
}

/* By content: who asks from outside has other pointers. */
static uint64_t key_hash(const struct key *k)
{
    return slw_hash_bytes(k->module, strlen(k->module),
                          slw_hash_bytes(k->symbol, strlen(k->symbol), k->kind));
}

static bool row_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_report_function *f = &((const struct slw_report *)ctx)->functions[position];
    const struct key *k = key;

    return strcmp(f->symbol, k->symbol) == 0 && strcmp(f->module, k->module) == 0 &&
           (uintptr_t)f->kind == k->kind;
}

static int index_rows(struct work *w)
{
    for (size_t i = 0; i < w->r->function_count; i++) {
        const struct slw_report_function *f = &w->r->functions[i];
        const struct key k = key_of(f->symbol, f->module, f->kind);

        if (slw_index_add(&w->rows, key_hash(&k), (uint32_t)i) < 0)
            return -SLW_E_NOMEM;
    }
    return 0;
}

/* The row of the leaf; false: a stack without frames, or one of no weight. */
static bool row_of(const struct work *w, const struct slw_stack *k, uint32_t *ret_row)
{
    if (k->depth == 0)
        return false;
    const struct slw_frame f =
        slw_stacks_frame(w->r->stacks, k->frames[slw_stack_function(w->r->stacks, k)]);
    const char *module =
        f.mapping == SLW_NO_MAPPING ? no_module : slw_stacks_mapping(w->r->stacks, f.mapping).path;
    const struct key key = key_of(f.function, module[0] ? module : no_module, f.kind);

    return slw_index_find(&w->rows, key_hash(&key), row_equal, w->r, &key, ret_row);
}

/* ---- which columns ---- */

static int within_column(const struct work *w, const char *event, const char *unit)
{
    const char *name = slw_arena_printf(w->r->arena, "%s" SLW_WITHIN_SUFFIX, event);

    return name ? slw_stacks_find_column(w->r->stacks, name, unit) : -1;
}

/* False: the samples carry nothing the model knows. The event that samples is called "cycles" here
 * and otherwise in the model. */
static bool find_columns(struct work *w)
{
    const struct slw_model *m = w->r->model;
    const char *sampled = w->r->column->event;
    int cycles = slw_model_cycles_event(m);

    w->samples_column = w->r->samples_column;
    w->within_column = within_column(w, sampled, "count");
    if (w->samples_column < 0 || w->within_column < 0)
        return false;
    for (size_t i = 0; i < m->event_count; i++) {
        int column = within_column(w, m->events[i].name, "events");

        if (column < 0 && (int)i == cycles && strcmp(sampled, "cycles") == 0)
            column = within_column(w, sampled, "events");
        if (column >= 0)
            w->columns[w->column_count++] = (struct input_column){i, column};
    }
    return w->column_count > 1;
}

/* The same for the contexts of a described core: all they were counted. */
static bool find_exact_columns(struct work *w)
{
    const struct slw_model *m = w->r->model;

    if (w->r->column->from.source != SLW_SOURCE_SIMULATED)
        return false;
    for (size_t i = 0; i < m->event_count; i++) {
        const int column = slw_stacks_find_column(w->r->stacks, m->events[i].name, NULL);

        if (column >= 0)
            w->columns[w->column_count++] = (struct input_column){i, column};
    }
    w->exact = w->column_count > 1;
    return w->exact;
}

/* ---- summing ---- */

static void add_stack(struct work *w, const struct slw_stack *k)
{
    uint32_t row;

    if (!row_of(w, k, &row))
        return;
    for (size_t i = 0; i < w->column_count; i++)
        w->sums[row * w->column_count + i] += (double)k->weights[w->columns[i].column];
    if (w->exact)
        return;
    w->stays[w->stay_count++] = (struct stay){.row = row,
                                              .thread = k->thread,
                                              .samples = k->weights[w->samples_column],
                                              .within = k->weights[w->within_column]};
}

static int by_thread_and_row(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;

    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void merge_stays(struct work *w)
{
    size_t count = 0;

    if (w->stay_count > 1)
        qsort(w->stays, w->stay_count, sizeof(*w->stays), by_thread_and_row);
    for (size_t i = 0; i < w->stay_count; i++) {
        if (count > 0 && by_thread_and_row(&w->stays[count - 1], &w->stays[i]) == 0) {
            w->stays[count - 1].samples += w->stays[i].samples;
            w->stays[count - 1].within += w->stays[i].within;
        } else {
            w->stays[count++] = w->stays[i];
        }
    }
    w->stay_count = count;
}

/* How often a function follows itself by chance depends on how much of its own thread it is. */
static void expect(struct work *w)
{
    merge_stays(w);
    for (size_t first = 0, end; first < w->stay_count; first = end) {
        uint64_t samples = 0;

        for (end = first; end < w->stay_count && w->stays[end].thread == w->stays[first].thread;
             end++)
            samples += w->stays[end].samples;
        for (size_t i = first; i < end && samples > 0; i++) {
            const struct stay *s = &w->stays[i];
            double n = (double)s->samples;

            w->expected[s->row] += n * n / (double)samples;
            w->within[s->row] += s->within;
        }
    }
}

double slw_function_mixing(double share, double stays)
{
    if (share >= 1)
        return 0;
    if (share <= 0 || stays <= share)
        return 1 - fmax(share, 0); /* as if drawn at random */
    /* The chain forgets where it was with exp(-rate) per sampling interval. */
    double memory = fmin((stays - share) / (1 - share), 1), rate = -log(memory);
    if (rate < 1e-6)
        return 0;
    double away = 1 - 2 * (1 - memory) / rate + memory;
    return fmin(fmax((1 - share) * share * away / (share + (1 - share) * memory), 0), 1);
}

static double mixing_of(const struct work *w, size_t row)
{
    double n = (double)w->r->functions[row].self_samples;

    if (n == 0)
        return 1;
    return slw_function_mixing(w->expected[row] / n, (double)w->within[row] / n);
}

/* ---- values ---- */

static const struct {
    const char *node;
    bool is_share;
    enum slw_function_category category;
} cells[SLW_CELL_COUNT] = {
    [SLW_CELL_FRONTEND] = {"frontend_bound", true, SLW_CATEGORY_FRONTEND},
    [SLW_CELL_BACKEND] = {"backend_bound", true, SLW_CATEGORY_BACKEND},
    [SLW_CELL_BAD_SPECULATION] = {"bad_speculation", true, SLW_CATEGORY_BAD_SPECULATION},
    [SLW_CELL_RETIRING] = {"retiring", true, SLW_CATEGORY_RETIRING},
    [SLW_CELL_IPC] = {"ipc", false, SLW_CATEGORY_UNKNOWN},
    [SLW_CELL_ICACHE_MPKI] = {"icache_mpki", false, SLW_CATEGORY_UNKNOWN},
};

static void refuse(struct slw_report_function_topdown *t, const char *why)
{
    t->absent = why;
    for (size_t i = 0; i < SLW_CELL_COUNT; i++)
        t->cells[i].absent = why;
}

/* A variable between 0 and 1 with this mean varies no more than a coin with it: the interval of the
 * coin holds for what a reading says of the slots. */
static double margin(double share, uint64_t reads, double mixing)
{
    uint64_t scale = UINT64_C(1) << 30;
    double inside = fmin(fmax(share, 0), 1);
    const struct slw_share s = slw_share_of((uint64_t)(inside * (double)scale), scale, reads);

    return fmax(s.high - s.value, s.value - s.low) + mixing;
}

static void set_cell(const struct slw_report *r, struct slw_report_function_topdown *t, size_t cell,
                     const struct slw_model_value *values)
{
    int node = slw_model_find_node(r->model, cells[cell].node);
    struct slw_figure *f = &t->cells[cell];

    f->from = r->column->from;
    f->coverage = 1;
    if (node < 0) {
        f->absent = "not in the model";
        return;
    }
    f->unit = r->model->nodes[node].unit;
    if (!values[node].have) {
        f->absent = "not counted";
    } else if (values[node].mismeasured) {
        f->absent = "mismeasured";
    } else {
        f->value = values[node].value;
        if (cells[cell].is_share && t->reads > 0)
            t->margins[cell] = margin(f->value, t->reads, t->mixing);
    }
}

/* The category above all others of level 1 by more than both margins. */
static enum slw_function_category dominant(const struct slw_report *r,
                                           const struct slw_report_function_topdown *t,
                                           const struct slw_model_value *values)
{
    int best = -1;

    for (int i = 0; i <= SLW_CELL_RETIRING; i++) {
        if (t->cells[i].absent)
            return SLW_CATEGORY_UNKNOWN;
        if (best < 0 || t->cells[i].value > t->cells[best].value)
            best = i;
    }
    for (int i = 0; i <= SLW_CELL_RETIRING; i++)
        if (i != best &&
            t->cells[best].value - t->cells[i].value < t->margins[best] + t->margins[i])
            return SLW_CATEGORY_UNDECIDED;
    for (size_t i = 0; i < r->model->node_count; i++) /* such as waiting for the other thread */
        if (r->model->nodes[i].level == 1 && values[i].have &&
            values[i].value > t->cells[best].value)
            return SLW_CATEGORY_UNDECIDED;
    return cells[best].category;
}

/* NULL: its numbers are its own. */
static const char *why_refused(const struct work *w, const struct slw_report_function_topdown *t)
{
    if (w->exact)
        return t->function->self > 0 ? NULL : "no slots of its own";
    if (t->function->self_samples < SLW_MIN_FUNCTION_READS)
        return "too few samples";
    if (t->mixing > SLW_MAX_FUNCTION_MIXING || t->reads < SLW_MIN_FUNCTION_READS)
        return "stays too short";
    return NULL;
}

static void fill_row(const struct work *w, size_t row, struct slw_model_input *inputs,
                     struct slw_model_value *values)
{
    const struct slw_report *r = w->r;
    const struct slw_model_vars vars = slw_inputs_vars(r->run);
    struct slw_report_function_topdown *t = &r->function_topdowns[row];

    t->function = &r->functions[row];
    t->reads = w->within[row];
    t->mixing = w->exact ? 0 : mixing_of(w, row);
    const char *why = why_refused(w, t);
    if (why) {
        refuse(t, why);
        return;
    }
    for (size_t i = 0; i < r->model->event_count; i++)
        inputs[i] = (struct slw_model_input){.absent = "not read with the samples"};
    for (size_t i = 0; i < w->column_count; i++)
        inputs[w->columns[i].event] =
            (struct slw_model_input){.value = w->sums[row * w->column_count + i]};
    slw_model_evaluate(r->model, inputs, &vars, values);
    for (size_t i = 0; i < SLW_CELL_COUNT; i++)
        set_cell(r, t, i, values);
    t->category = dominant(r, t, values);
}

static int compute(struct work *w)
{
    struct slw_report *r = w->r;
    struct slw_arena *a = r->arena;
    size_t rows = r->function_count, stacks = slw_stacks_count(r->stacks);
    struct slw_model_input *inputs = slw_arena_array(a, r->model->event_count + 1, sizeof(*inputs));
    struct slw_model_value *values = slw_arena_array(a, r->model->node_count + 1, sizeof(*values));
    struct slw_report_function_topdown *out = slw_arena_array(a, rows + 1, sizeof(*out));

    w->sums = slw_arena_array(a, rows * w->column_count + 1, sizeof(*w->sums));
    w->stays = slw_arena_array(a, stacks + 1, sizeof(*w->stays));
    w->expected = slw_arena_array(a, rows + 1, sizeof(*w->expected));
    w->within = slw_arena_array(a, rows + 1, sizeof(*w->within));
    if (!inputs || !values || !out || !w->sums || !w->stays || !w->expected || !w->within ||
        index_rows(w) < 0)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < stacks; i++) {
        const struct slw_stack k = slw_stacks_get(r->stacks, i);
        add_stack(w, &k);
    }
    expect(w);
    r->function_topdowns = out;
    for (size_t i = 0; i < rows; i++)
        fill_row(w, i, inputs, values);
    return 0;
}

int slw_function_topdown_fill(struct slw_report *r, struct slw_error *err)
{
    struct work w = {.r = r};
    int rc = 0;

    if (!r->model || !r->column || r->function_count == 0)
        return 0;
    w.columns = slw_arena_array(r->arena, r->model->event_count + 1, sizeof(*w.columns));
    if (!w.columns)
        rc = -SLW_E_NOMEM;
    else if (find_exact_columns(&w) || find_columns(&w))
        rc = compute(&w);
    slw_index_release(&w.rows);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for the functions") : 0;
}

const struct slw_report_function_topdown *
slw_function_topdown_find(const struct slw_report *r, const char *function, const char *module)
{
    for (size_t i = 0; r->function_topdowns && i < r->function_count; i++)
        if (strcmp(r->functions[i].function, function) == 0 &&
            strcmp(r->functions[i].module, module[0] ? module : no_module) == 0)
            return &r->function_topdowns[i];
    return NULL;
}

const char *slw_function_category_name(enum slw_function_category c)
{
    static const char *const names[] = {
        [SLW_CATEGORY_UNKNOWN] = "",
        [SLW_CATEGORY_UNDECIDED] = "undecided",
        [SLW_CATEGORY_FRONTEND] = "front-end bound",
        [SLW_CATEGORY_BACKEND] = "back-end bound",
        [SLW_CATEGORY_BAD_SPECULATION] = "bad speculation",
        [SLW_CATEGORY_RETIRING] = "retiring",
    };

    return names[c];
}
