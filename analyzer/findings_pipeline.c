/* SPDX-License-Identifier: MIT */
/* Rules that join the pipeline of the CPU with what went over the wire. */
#include "analyzer/findings_int.h"
#include "analyzer/format.h"
#include "analyzer/traffic.h"

#include <string.h>

#define FRONT_END_SHARE                                                                            \
    0.20 /* of the slots: above the thresholds that models publish (0.15, 0.2) */
/* Misses of the instruction cache per thousand instructions. Code that stays in the cache has next
 * to none; at 10 and some 10 cycles each a tenth of a thousand cycles is gone. */
#define ICACHE_MPKI  10.0
#define UNBATCHED    1.05 /* as in findings_wire.c */
#define MIN_REQUESTS 1000

static const struct slw_report_node *node_of(const struct slw_report *r, const char *name)
{
    for (size_t i = 0; i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];

        if (strcmp(n->name, name) == 0 && !n->value.absent && !n->mismeasured && !n->thin)
            return n;
    }
    return NULL;
}

/* What is certainly not less, where there is an interval. */
static double at_least(const struct slw_figure *f)
{
    return f->interval.have ? f->interval.low : f->value;
}

bool slw_find_front_end_unbatched(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_traffic *t = r->traffic;
    const struct slw_report_node *front = node_of(r, "frontend_bound");
    const struct slw_report_node *misses = node_of(r, "icache_mpki");

    if (!front || !misses || !t->present || t->seen < MIN_REQUESTS || t->batch_factor.absent ||
        t->batch_factor.value > UNBATCHED)
        return false;
    if (at_least(&front->value) < FRONT_END_SHARE || at_least(&misses->value) < ICACHE_MPKI)
        return false;
    e->weight = front->value.value;
    slw_buf_puts(e->out, "front-end bound ");
    slw_format_percent(e->out, front->value.value);
    slw_buf_puts(e->out, " of the slots, ");
    slw_format_number(e->out, misses->value.value);
    slw_buf_printf(e->out,
                   " misses of the instruction cache per thousand instructions, %.2f "
                   "requests per flush",
                   t->batch_factor.value);
    return true;
}
