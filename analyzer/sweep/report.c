/* SPDX-License-Identifier: MIT */
/* A sweep's report, made part by part. */
#include "analyzer/sweep/sweep_int.h"
#include "analyzer/text.h"

#include <assert.h>
#include <stdlib.h>

const char *slw_sweep_keep(struct slw_arena *arena, struct slw_buf *text)
{
    struct slw_buf clean = {0};
    const char *kept = NULL;

    slw_text_clean(&clean, text->data ? text->data : "");
    if (!slw_buf_failed(text) && !slw_buf_failed(&clean))
        kept = slw_arena_strdup(arena, clean.data ? clean.data : "");
    slw_buf_release(&clean);
    slw_buf_release(text);
    return kept;
}

static size_t longest(const struct slw_sweep_input *in)
{
    size_t most = 0;

    for (size_t i = 0; i < in->experiment->arm_count; i++)
        for (size_t k = 0; k < in->runs[i]->observation_count; k++)
            if (in->runs[i]->observations[k].length > most)
                most = in->runs[i]->observations[k].length;
    return most;
}

static int check(const struct slw_sweep_input *in, struct slw_error *err)
{
    if (in->experiment->arm_count == 0)
        return slw_fail(err, SLW_E_NODATA, "the sweep has no arms");
    if (in->experiment->arm_count > SLW_MAX_ARMS)
        return slw_fail(err, SLW_E_LIMIT, "%zu arms, at most %d", in->experiment->arm_count,
                        SLW_MAX_ARMS);
    if (in->experiment->arms[0].parameter_count == 0)
        return slw_fail(err, SLW_E_INVAL, "the arms have no parameters: this is no sweep");
    if (longest(in) > SLW_MAX_BLOCKS)
        return slw_fail(err, SLW_E_LIMIT, "%zu blocks, at most %d", longest(in), SLW_MAX_BLOCKS);
    return 0;
}

static int make(struct slw_sweep_build *b, struct slw_error *err)
{
    int status = slw_sweep_make_points(b, err);

    if (status >= 0)
        status = slw_sweep_choose_x(b, err);
    if (status >= 0)
        status = slw_sweep_make_curves(b, err);
    if (status >= 0)
        status = slw_sweep_make_prices(b, err);
    if (status >= 0)
        status = slw_sweep_make_texts(b, err);
    return status < 0 ? status : slw_sweep_make_notes(b, err);
}

/* A new report in an arena of its own, and the work space next to it. */
static int begin(const struct slw_sweep_input *in, struct slw_sweep_build *b, struct slw_error *err)
{
    const size_t blocks = longest(in), space = blocks ? blocks : 1;
    struct slw_arena *arena = slw_arena_new();

    if (!arena)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the report of a sweep");
    b->r = slw_arena_alloc(arena, sizeof(*b->r));
    b->a = calloc((4 + SLW_MAX_SWEEP_POINTS) * space, sizeof(*b->a));
    if (!b->r || !b->a) {
        slw_arena_free(arena);
        b->r = NULL;
        return slw_fail(err, SLW_E_NOMEM, "no memory for the report of a sweep");
    }
    b->b = b->a + space;
    b->d = b->b + space;
    b->own = b->d + space;
    b->costs = b->own + space;
    *b->r = (struct slw_sweep_report){
        .arena = arena,
        .in = *in,
        .parameter = in->parameter ? in->parameter : in->experiment->arms[0].parameters[0].name,
        .blocks = blocks,
    };
    return slw_paired_new(space, &b->space, err);
}

int slw_sweep_report_new(const struct slw_sweep_input *in, struct slw_sweep_report **ret_report,
                         struct slw_error *err)
{
    struct slw_sweep_build b = {0};
    int status;

    assert(in && in->experiment && (in->runs || in->experiment->arm_count == 0) && ret_report);
    status = check(in, err);
    if (status >= 0)
        status = begin(in, &b, err);
    if (status >= 0)
        status = make(&b, err);
    slw_paired_free(b.space);
    free(b.a);
    if (status < 0)
        slw_sweep_report_free(b.r);
    else
        *ret_report = b.r;
    return status < 0 ? status : 0;
}

void slw_sweep_report_free(struct slw_sweep_report *r)
{
    if (r)
        slw_arena_free(r->arena);
}
