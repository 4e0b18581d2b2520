/* SPDX-License-Identifier: MIT */
/* What a reader of a sweep has to know: batches that were not what was asked for, blocks that are
 * missing or hang together, what the arms' runs warn of. */
#include "analyzer/sweep/sweep_int.h"
#include "analyzer/sweep/text.h"

#include <math.h>
#include <string.h>

#define SAME 1.2 /* observed within this of what was asked for */

/* Add a note once; `text` is taken. */
static int add(struct slw_sweep_build *b, enum slw_note_level level, const char *code,
               struct slw_buf *text, const char *hint, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    const char *kept = slw_sweep_keep(r->arena, text);

    if (!kept)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a note");
    for (size_t i = 0; i < r->note_count; i++)
        if (strcmp(r->notes[i].code, code) == 0 && strcmp(r->notes[i].text, kept) == 0)
            return 0;
    if (r->note_count < SLW_MAX_SWEEP_NOTES)
        r->notes[r->note_count++] = (struct slw_note){level, code, kept, hint};
    return 0;
}

static void put_series(struct slw_buf *out, const char *series)
{
    if (series)
        slw_buf_printf(out, "%s: ", series);
}

/* ---- asked for and observed ---- */

static int note_flat(struct slw_sweep_build *b, const struct slw_sweep_range *range,
                     struct slw_error *err)
{
    const size_t last = range->first + range->count - 1;
    struct slw_buf text = {0};

    put_series(&text, range->series);
    slw_sweep_put_point(&text, b->r, last);
    slw_buf_printf(&text, " asked for, %.1f requests a flush observed: it does not batch.",
                   b->r->points[last].batch_factor.value);
    return add(b, SLW_NOTE_WARNING, "does-not-batch", &text,
               "look for what waits for each answer, or for a flush after each request", err);
}

/* The point whose observed batches are farthest from what was asked for; range->count: none is
 * farther than SAME. */
static size_t farthest(const struct slw_sweep_build *b, const struct slw_sweep_range *range)
{
    size_t found = range->count;
    double most = log(SAME);

    for (size_t i = 0; i < range->count; i++) {
        const struct slw_sweep_point *p = &b->r->points[range->first + i];

        if (p->batch_factor.absent || !(p->batch_factor.value > 0))
            continue;
        const double off = fabs(log(p->batch_factor.value / p->parameter));
        if (off > most) {
            most = off;
            found = i;
        }
    }
    return found;
}

static int note_difference(struct slw_sweep_build *b, const struct slw_sweep_range *range,
                           size_t point, struct slw_error *err)
{
    struct slw_buf text = {0};

    put_series(&text, range->series);
    slw_sweep_put_point(&text, b->r, range->first + point);
    slw_buf_printf(&text, " asked for, %.1f requests a flush observed.",
                   b->r->points[range->first + point].batch_factor.value);
    return add(b, SLW_NOTE_WARNING, "batch-differs", &text, NULL, err);
}

static int note_falling(struct slw_sweep_build *b, const struct slw_sweep_range *range,
                        double first, double last, struct slw_error *err)
{
    struct slw_buf text = {0};

    put_series(&text, range->series);
    slw_buf_puts(&text, "Fewer requests were counted at ");
    slw_sweep_put_point(&text, b->r, range->first + range->count - 1);
    slw_buf_puts(&text, " (");
    slw_sweep_put_number(&text, last);
    slw_buf_puts(&text, ") than at ");
    slw_sweep_put_point(&text, b->r, range->first);
    slw_buf_puts(&text, " (");
    slw_sweep_put_number(&text, first);
    slw_buf_puts(&text, "): where a batch is sent as one statement it is counted as one request, "
                        "and costs per request are then of different things.");
    return add(b, SLW_NOTE_WARNING, "requests-fall", &text,
               "let the client count its requests: --metric requests=REGEX, or a client whose "
               "output slotwise reads",
               err);
}

static int note_batches(struct slw_sweep_build *b, const struct slw_sweep_range *range,
                        struct slw_error *err)
{
    const bool flat = slw_sweep_flat(b, range);
    struct slw_buf text = {0};
    double first, last;

    if (slw_sweep_count_falls(b, range, &first, &last))
        return note_falling(b, range, first, last, err);
    if (slw_sweep_asks_for_batches(b->r)) {
        const size_t point = farthest(b, range);

        if (flat)
            return note_flat(b, range, err);
        return point < range->count ? note_difference(b, range, point, err) : 0;
    }
    if (!flat)
        return 0;
    put_series(&text, range->series);
    slw_buf_printf(&text, "%s does not change how many requests go in a flush (%.1f observed).",
                   b->r->parameter, b->r->points[range->first].batch_factor.value);
    return add(b, SLW_NOTE_INFO, "batches-unchanged", &text, NULL, err);
}

/* ---- blocks ---- */

static int note_blocks(struct slw_sweep_build *b, const struct slw_sweep_curve *c,
                       struct slw_error *err)
{
    struct slw_buf text = {0};
    int status = 0;

    if (!c->absent && c->blocks < b->r->blocks) {
        put_series(&text, c->series);
        slw_buf_printf(&text, "%zu of %zu blocks are left out of the fit: a point has no value.",
                       b->r->blocks - c->blocks, b->r->blocks);
        status = add(b, SLW_NOTE_WARNING, "blocks-left-out", &text, NULL, err);
    }
    if (status >= 0 && !c->absent && c->fit.block_correlation > SLW_BLOCKS_CORRELATED) {
        text = (struct slw_buf){0};
        put_series(&text, c->series);
        slw_buf_printf(&text,
                       "Neighbouring blocks hang together (correlation %.2f): the machine drifts, "
                       "and fixed and marginal cost may be off by more than their intervals say; "
                       "the knee is not.",
                       c->fit.block_correlation);
        status = add(b, SLW_NOTE_WARNING, "blocks-correlated", &text,
                     "spread the blocks in time, or quieten the machine", err);
    }
    return status;
}

static int note_end(struct slw_sweep_build *b, struct slw_error *err)
{
    const char *stopped = slw_sweep_stopped(b->r->in.experiment);
    struct slw_buf text = {0};

    if (!stopped)
        return 0;
    slw_buf_puts(&text, stopped);
    return add(b, SLW_NOTE_WARNING, "stopped", &text, NULL, err);
}

/* ---- of the runs ---- */

/* A warning that several arms have is told once, as the first has it. */
static int note_run(struct slw_sweep_build *b, const struct slw_run *run, struct slw_error *err)
{
    int status = 0;

    for (size_t i = 0; status >= 0 && i < run->note_count; i++) {
        struct slw_buf text = {0};
        bool told = run->notes[i].level != SLW_NOTE_WARNING ||
                    (b->r->own_count && strcmp(run->notes[i].code, "requests-disagree") == 0);

        for (size_t k = 0; !told && k < b->r->note_count; k++)
            told = strcmp(b->r->notes[k].code, run->notes[i].code) == 0;
        if (told)
            continue;
        slw_buf_puts(&text, run->notes[i].text);
        status = add(b, SLW_NOTE_WARNING, run->notes[i].code, &text, run->notes[i].hint, err);
    }
    return status;
}

int slw_sweep_make_notes(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    int status;

    r->notes = slw_arena_array(r->arena, SLW_MAX_SWEEP_NOTES, sizeof(*r->notes));
    if (!r->notes)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the notes of a sweep");
    status = note_end(b, err);
    for (size_t k = 0; status >= 0 && k < b->range_count; k++) {
        status = note_batches(b, &b->ranges[k], err);
        if (status >= 0)
            status = note_blocks(b, slw_sweep_cpu_curve(r, b->ranges[k].series), err);
    }
    for (size_t i = 0; status >= 0 && i < r->point_count; i++)
        status = note_run(b, r->points[i].run, err);
    return status;
}
