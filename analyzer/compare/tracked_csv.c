/* SPDX-License-Identifier: MIT */
/* Every value of every round as a table. Source: RFC 4180; what spreadsheets do with a field that
 * starts with a formula's sign: OWASP, "CSV injection". */
#include "analyzer/compare/tracked.h"

#include "analyzer/csv_text.h"
#include "analyzer/format.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *const better_words[] = {"lower", "higher", "neither"};

/* When the round began; empty where nobody knows. */
static void put_start(struct slw_buf *out, const struct slw_run *run, size_t round)
{
    for (size_t i = 0; i < run->round_count; i++) {
        const struct slw_round *r = &run->rounds[i];

        if (r->round == (int)round && r->started_ns > 0) {
            slw_buf_printf(out, "%" PRIu64, r->started_ns);
            return;
        }
    }
}

static void put_source(struct slw_buf *out, const struct slw_provenance *from)
{
    slw_buf_puts(out, slw_format_source(from->source));
    slw_buf_puts(out, from->imported ? " imported" : "");
}

/* A value, or why there is none: never a 0. */
static void put_value(struct slw_buf *out, const struct slw_observation *o, size_t round)
{
    const bool have = round <= o->length && isfinite(o->values[round - 1]);

    if (have)
        slw_tracked_put_real(out, o->values[round - 1]);
    slw_buf_putc(out, ',');
    if (!have)
        slw_csv_put_text(out, o->absent ? o->absent : "not measured");
}

static void put_row(struct slw_buf *out, const struct slw_tracked_arm *arm, const char *start,
                    const struct slw_observation *o, size_t round)
{
    slw_csv_put_text(out, arm->name);
    slw_buf_printf(out, ",%zu,%s,", round, start);
    slw_csv_put_text(out, o->metric);
    slw_buf_putc(out, ',');
    slw_csv_put_text(out, o->title);
    slw_buf_putc(out, ',');
    slw_csv_put_text(out, o->unit);
    slw_buf_printf(out, ",%s,", better_words[o->better]);
    put_source(out, &o->from);
    slw_buf_putc(out, ',');
    put_value(out, o, round);
    slw_buf_puts(out, "\r\n");
}

static void put_arm(struct slw_buf *out, const struct slw_tracked_arm *arm)
{
    const struct slw_run *run = arm->run;
    size_t rounds = 0;

    for (size_t i = 0; i < run->observation_count; i++)
        if (run->observations[i].length > rounds)
            rounds = run->observations[i].length;
    for (size_t round = 1; round <= rounds; round++) {
        struct slw_buf start = {0};

        put_start(&start, run, round);
        for (size_t i = 0; i < run->observation_count; i++)
            put_row(out, arm, start.data ? start.data : "", &run->observations[i], round);
        if (slw_buf_failed(&start))
            out->failed = true;
        slw_buf_release(&start);
    }
}

int slw_tracked_csv(const struct slw_tracked *series, struct slw_buf *out, struct slw_error *err)
{
    int rc = slw_tracked_check(series, err);

    if (rc < 0)
        return rc;
    slw_buf_puts(out, "arm,round,started_ns,metric,title,unit,better,source,value,absent\r\n");
    for (size_t i = 0; i < series->arm_count; i++)
        put_arm(out, &series->arms[i]);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for a table") : 0;
}
