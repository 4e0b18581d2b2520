/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/comparison_int.h"

#include "analyzer/statistics/looks.h"
#include "analyzer/text.h"
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ALPHA          0.05
#define DEFAULT_MARGIN 0.02
#define MAX_NOTES      256

int slw_comparison_nomem(struct slw_error *err)
{
    return slw_fail(err, SLW_E_NOMEM, "no memory for a comparison");
}

const char *slw_comparison_text(struct slw_comparison *c, struct slw_buf *b)
{
    const char *copy =
        slw_buf_failed(b) ? NULL : slw_arena_strdup(c->arena, b->data ? b->data : "");

    slw_buf_release(b);
    return copy;
}

int slw_comparison_note(struct slw_comparison *c, enum slw_note_level level, const char *code,
                        const char *hint, const char *fmt, ...)
{
    struct slw_buf text = {0}, clean = {0};
    va_list ap;

    va_start(ap, fmt);
    slw_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (!c->notes)
        c->notes = slw_arena_array(c->arena, MAX_NOTES, sizeof(c->notes[0]));
    slw_text_clean(&clean, text.data ? text.data : "");
    clean.failed |= slw_buf_failed(&text);
    slw_buf_release(&text);
    const char *kept = slw_comparison_text(c, &clean);
    if (!kept || !c->notes)
        return -SLW_E_NOMEM;
    if (c->note_count < MAX_NOTES) /* more than anybody reads */
        c->notes[c->note_count++] = (struct slw_note){level, code, kept, hint};
    return 0;
}

const struct slw_metric_row *slw_comparison_find(const struct slw_comparison *c, const char *metric)
{
    for (size_t i = 0; i < c->row_count; i++)
        if (strcmp(c->rows[i].metric, metric) == 0)
            return &c->rows[i];
    return NULL;
}

bool slw_metric_row_real(const struct slw_metric_row *row)
{
    return !row->absent && slw_difference_real(&row->difference);
}

/* ---- how the rounds were made ---- */

static bool same_experiment(const struct slw_comparison_input *in)
{
    const char *a = in->a.run->experiment.id, *b = in->b.run->experiment.id;

    if (!a || !b || strcmp(a, b) != 0)
        return false;
    return !in->experiment || !in->experiment->id || strcmp(in->experiment->id, a) == 0;
}

static size_t rounds_of(const struct slw_run *run)
{
    return run->observation_count > 0 ? run->observations[0].length : 0;
}

/* At a number of pairs between two looks the smaller of their alphas: what was spent is spent. */
static double look_alpha(size_t pairs)
{
    double before = slw_look_at(0)->alpha;

    for (size_t i = 0; i < SLW_LOOK_COUNT; i++) {
        const struct slw_look *look = slw_look_at(i);

        if (look->pairs == pairs)
            return look->alpha;
        if (look->pairs > pairs)
            return look->alpha < before ? look->alpha : before;
        before = look->alpha;
    }
    return before;
}

static void choose_alpha(struct slw_comparison *c)
{
    const struct slw_experiment *e = c->in.experiment;
    const size_t rounds = e && e->block_count > 0 ? e->block_count : rounds_of(c->in.a.run);

    c->interleaved = same_experiment(&c->in);
    c->alpha = e && e->automatic && c->interleaved ? look_alpha(rounds) : ALPHA;
}

/* ---- making one ---- */

static void choose_main(struct slw_comparison *c)
{
    c->main_row = c->row_count;
    for (size_t i = 0; i < c->row_count; i++)
        if (!c->rows[i].absent) {
            c->main_row = i;
            return;
        }
}

static const char *why_nothing(const struct slw_comparison *c)
{
    if (c->in.a.run->observation_count == 0 || c->in.b.run->observation_count == 0)
        return c->in.a.run->observation_count == 0 ? "A has no metrics" : "B has no metrics";
    for (size_t i = 0; i < c->row_count; i++)
        if (c->rows[i].absent && c->rows[i].a && c->rows[i].b)
            return c->rows[i].absent;
    return "they have no metric in common";
}

static int fill(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    int rc = slw_comparison_mismatches(w);

    if (rc == 0)
        rc = slw_comparison_rows(w);
    if (rc < 0)
        return rc;
    choose_main(c);
    if (c->main_row == c->row_count)
        return slw_fail(w->err, SLW_E_NODATA, "nothing of the two runs can be compared: %s",
                        why_nothing(c));
    slw_comparison_judge(w);
    rc = slw_comparison_functions(c, w->err);
    if (rc == 0)
        rc = slw_comparison_causes(c, w->err);
    if (rc == 0)
        rc = slw_comparison_notes(w);
    return rc == 0 ? slw_comparison_sentences(c, w->err) : rc;
}

static size_t longest(const struct slw_run *run)
{
    size_t length = 0;

    for (size_t i = 0; i < run->observation_count; i++)
        if (run->observations[i].length > length)
            length = run->observations[i].length;
    return length;
}

static int start(struct slw_comparing *w)
{
    const size_t a = longest(w->c->in.a.run), b = longest(w->c->in.b.run);
    const size_t most = a > b ? a : b;

    w->room = most < SLW_MAX_PAIRS ? most : SLW_MAX_PAIRS;
    w->a = calloc(w->room + 1, sizeof(*w->a));
    w->b = calloc(w->room + 1, sizeof(*w->b));
    if (!w->a || !w->b)
        return slw_comparison_nomem(w->err);
    const int rc = slw_paired_new(w->room ? w->room : 1, &w->paired, w->err);
    return rc < 0 ? rc : fill(w);
}

static void finish(struct slw_comparing *w)
{
    for (size_t i = 0; w->differences && i < w->c->row_count; i++)
        free(w->differences[i]);
    free(w->differences);
    free(w->a);
    free(w->b);
    slw_paired_free(w->paired);
}

int slw_comparison_new(const struct slw_comparison_input *in,
                       struct slw_comparison **ret_comparison, struct slw_error *err)
{
    struct slw_comparison *c = calloc(1, sizeof(*c));
    struct slw_comparing w = {.c = c, .err = err};

    assert(in->a.run && in->b.run);
    if (!c)
        return slw_comparison_nomem(err);
    c->arena = slw_arena_new();
    c->in = *in;
    c->in.margin = in->margin > 0 ? in->margin : DEFAULT_MARGIN;
    c->in.a.name = in->a.name ? in->a.name : "A";
    c->in.b.name = in->b.name ? in->b.name : "B";
    choose_alpha(c);
    int rc = c->arena ? start(&w) : slw_comparison_nomem(err);
    finish(&w);
    if (rc < 0)
        slw_comparison_free(c);
    else
        *ret_comparison = c;
    return rc;
}

void slw_comparison_free(struct slw_comparison *c)
{
    if (!c)
        return;
    slw_arena_free(c->arena);
    free(c);
}
