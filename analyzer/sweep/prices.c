/* SPDX-License-Identifier: MIT */
/* What batches cost in latency: the smallest against the one at the knee and the largest. */
#include "analyzer/sweep/sweep_int.h"
#include "analyzer/sweep/text.h"

#include <math.h>

/* The first point at or past the end of gains; point_count: beyond all, or unknown. */
static size_t knee_point(const struct slw_sweep_curve *c)
{
    if (c->knee_known) {
        for (size_t i = 0; i < c->point_count; i++)
            if (c->x[i] >= c->knee.at)
                return i;
        return c->point_count;
    }
    return c->knee_seen_known && !c->fit.fits ? c->knee_seen.first_sure : c->point_count;
}

static int times(struct slw_sweep_build *b, const struct slw_sweep_price *p,
                 const struct slw_sweep_metric *metric, const struct slw_figure *from,
                 const struct slw_figure *to, struct slw_figure *ret, struct slw_error *err)
{
    struct slw_figure f = {.unit = "times", .from = to->from};
    struct slw_error why = {0};
    struct slw_difference d;

    f.absent = from->absent ? from->absent : to->absent;
    if (!f.absent) {
        const int status = slw_sweep_log_ratio(b, p->from, p->to, metric, &d, &why);

        if (status == -SLW_E_NOMEM)
            return slw_fail(err, SLW_E_NOMEM, "%s", why.text);
        if (status < 0)
            f.absent = "no block has both";
    }
    if (!f.absent) {
        f.value = exp(d.estimate);
        f.coverage = 1;
        if (d.enough)
            f.interval = (struct slw_interval){true, exp(d.low), exp(d.high), SLW_INTERVAL_ROUNDS};
    }
    *ret = f;
    return 0;
}

static void put_one(struct slw_buf *out, const char *name, const struct slw_figure *from,
                    const struct slw_figure *to, const struct slw_figure *ratio)
{
    slw_buf_puts(out, name);
    if (ratio->absent) {
        slw_buf_printf(out, " unknown (%s)", ratio->absent);
        return;
    }
    slw_buf_putc(out, ' ');
    slw_sweep_put_value(out, "ns", from->value);
    slw_buf_puts(out, " -> ");
    slw_sweep_put_value(out, "ns", to->value);
    slw_buf_puts(out, ", times ");
    slw_sweep_put_number(out, ratio->value);
    if (ratio->interval.have) {
        slw_buf_puts(out, " [");
        slw_sweep_put_number(out, ratio->interval.low);
        slw_buf_puts(out, ", ");
        slw_sweep_put_number(out, ratio->interval.high);
        slw_buf_puts(out, "]");
    }
}

static int tell(struct slw_sweep_build *b, struct slw_sweep_price *p, struct slw_error *err)
{
    const struct slw_sweep_point *from = &b->r->points[p->from], *to = &b->r->points[p->to];
    struct slw_buf text = {0};

    slw_buf_puts(&text, "Latency from ");
    slw_sweep_put_point(&text, b->r, p->from);
    slw_buf_puts(&text, " to ");
    slw_sweep_put_point(&text, b->r, p->to);
    slw_buf_puts(&text, p->at_knee ? ", where gains end: " : ", the largest: ");
    put_one(&text, "p50", &from->p50, &to->p50, &p->p50);
    slw_buf_puts(&text, "; ");
    put_one(&text, "p99", &from->p99, &to->p99, &p->p99);
    slw_buf_putc(&text, '.');
    p->text = slw_sweep_keep(b->r->arena, &text);
    return p->text ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a sentence");
}

static int add_price(struct slw_sweep_build *b, const struct slw_sweep_range *range, size_t to,
                     bool at_knee, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    struct slw_sweep_price *p = &r->prices[r->price_count];
    const struct slw_sweep_point *first = &r->points[range->first];
    const struct slw_sweep_point *last = &r->points[range->first + to];
    int status;

    if (first->p50.absent && first->p99.absent)
        return 0;
    *p = (struct slw_sweep_price){
        .series = range->series, .from = range->first, .to = range->first + to, .at_knee = at_knee};
    status = times(b, p, &slw_sweep_p50, &first->p50, &last->p50, &p->p50, err);
    if (status >= 0)
        status = times(b, p, &slw_sweep_p99, &first->p99, &last->p99, &p->p99, err);
    if (status >= 0)
        status = tell(b, p, err);
    r->price_count += status >= 0;
    return status;
}

int slw_sweep_make_prices(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    int status = 0;

    r->prices = slw_arena_array(r->arena, 2 * b->range_count, sizeof(*r->prices));
    if (!r->prices)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the prices of a sweep");
    for (size_t k = 0; status >= 0 && k < b->range_count; k++) {
        const struct slw_sweep_range *range = &b->ranges[k];
        const size_t knee = knee_point(slw_sweep_cpu_curve(r, range->series));

        if (knee > 0 && knee + 1 < range->count)
            status = add_price(b, range, knee, true, err);
        if (status >= 0 && range->count > 1)
            status = add_price(b, range, range->count - 1, false, err);
    }
    return status;
}
