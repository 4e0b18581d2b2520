/* SPDX-License-Identifier: MIT */
#include "analyzer/stages.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static struct slw_figure none(const char *why, const char *unit)
{
    return (struct slw_figure){.absent = why, .unit = unit};
}

static struct slw_figure ratio(double value, const char *unit, const struct slw_provenance *from)
{
    return (struct slw_figure){.value = value, .unit = unit, .from = *from, .coverage = 1};
}

/* scale * over / under; absent where one of them is, or nothing was there to divide by. */
static struct slw_figure quotient(const struct slw_maybe_u64 *over,
                                  const struct slw_maybe_u64 *under, double scale, const char *unit,
                                  const struct slw_provenance *from)
{
    if (over->absent || under->absent)
        return none(over->absent ? over->absent : under->absent, unit);
    if (under->value == 0)
        return none("nothing was counted", unit);
    return ratio(scale * (double)over->value / (double)under->value, unit, from);
}

/* What stages are compared by: the time alone, or on a described core, where there is none, the
 * cycles. */
static struct slw_maybe_u64 weight_of(const struct slw_stage *s)
{
    if (s->from.source == SLW_SOURCE_SIMULATED)
        return s->events[SLW_STAGE_CYCLES];
    return (struct slw_maybe_u64){.value = s->self_ns};
}

static const char *weight_unit(const struct slw_stage *s)
{
    return s->from.source == SLW_SOURCE_SIMULATED ? "cycles" : "ns";
}

static struct slw_figure per_request(const struct slw_stage *s, const struct slw_maybe_u64 *weight)
{
    const struct slw_maybe_u64 requests = {.value = s->requests,
                                           .absent = s->requests == 0 ? "no requests" : NULL};

    return quotient(weight, &requests, 1, weight_unit(s), &s->from);
}

static struct slw_stage_row make_row(const struct slw_stage *s, double whole)
{
    const struct slw_maybe_u64 *e = s->events;
    const struct slw_maybe_u64 calls = {.value = s->calls,
                                        .absent = s->calls == 0 ? "no whole call" : NULL};
    const struct slw_maybe_u64 requests = {.value = s->requests}, self = weight_of(s);
    const struct slw_provenance *c = &s->counted_from;

    return (struct slw_stage_row){
        .stage = s,
        .share = whole > 0 && !self.absent ? ratio((double)self.value / whole, "share", &s->from)
                                           : none(self.absent ? self.absent : "no time", "share"),
        .mean_batch = quotient(&requests, &calls, 1, "requests", &s->from),
        .per_request = per_request(s, &self),
        .cpu_per_request = per_request(s, &s->cpu_ns),
        .on_cpu = quotient(&s->cpu_ns, &self, 1, "share", &s->from),
        .ipc = quotient(&e[SLW_STAGE_INSTRUCTIONS], &e[SLW_STAGE_CYCLES], 1, "per cycle", c),
        .icache_mpki = quotient(&e[SLW_STAGE_ICACHE_MISSES], &e[SLW_STAGE_INSTRUCTIONS], 1000,
                                "per kilo-instruction", c),
        .frontend = quotient(&e[SLW_STAGE_FRONTEND_SLOTS], &e[SLW_STAGE_SLOTS], 1, "slots", c)};
}

static int by_time(const void *a, const void *b)
{
    const struct slw_stage *x = ((const struct slw_stage_row *)a)->stage;
    const struct slw_stage *y = ((const struct slw_stage_row *)b)->stage;

    const uint64_t a_weight = weight_of(x).value, b_weight = weight_of(y).value;

    if (a_weight != b_weight)
        return a_weight < b_weight ? 1 : -1;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order
                      : strcmp(x->provider ? x->provider : "", y->provider ? y->provider : "");
}

size_t slw_stage_rows(const struct slw_run *run, struct slw_stage_row *rows)
{
    double whole = 0;

    for (size_t i = 0; i < run->stage_count; i++)
        whole += (double)weight_of(&run->stages[i]).value;
    for (size_t i = 0; i < run->stage_count; i++)
        rows[i] = make_row(&run->stages[i], whole);
    qsort(rows, run->stage_count, sizeof(rows[0]), by_time);
    return run->stage_count;
}

void slw_stage_put_name(struct slw_buf *out, const struct slw_stage *s)
{
    if (s->provider)
        slw_buf_printf(out, "%s: ", s->provider);
    slw_buf_puts(out, s->name);
}
