/* SPDX-License-Identifier: MIT */
/* Results as a table: one column for one run; best, mean and worst for several. */
#include "cli/workload/workload_int.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define NAME_COLUMNS  34
#define VALUE_COLUMNS 14
#define NONE          ((double)NAN)

const char *slw_outcome_name(enum slw_outcome outcome)
{
    static const char *const names[] = {
        [SLW_OUTCOME_DONE] = "done",           [SLW_OUTCOME_NOTHING] = "not found",
        [SLW_OUTCOME_TRANSIENT] = "transient", [SLW_OUTCOME_REJECTED] = "rejected",
        [SLW_OUTCOME_LOST] = "lost",
    };

    return names[outcome];
}

/* One row: a number of each run; NONE where a run has none. */
struct row {
    const char *name, *unit;
    bool high_is_good;
    double (*value)(const struct slw_workload_result *r, double argument);
    double argument;
};

static double a_request(const struct slw_workload_result *r, double total)
{
    return r->tally.requests ? total / (double)r->tally.requests : NONE;
}

static double throughput(const struct slw_workload_result *r, double argument)
{
    (void)argument;
    return r->tally.elapsed_ns ? (double)r->tally.requests / ((double)r->tally.elapsed_ns * 1e-9)
                               : NONE;
}

static double latency(const struct slw_workload_result *r, double share)
{
    if (r->tally.latency_ns.count == 0)
        return NONE;
    return (double)slw_histogram_quantile(&r->tally.latency_ns, share) * 1e-3;
}

static double mean_batch(const struct slw_workload_result *r, double argument)
{
    (void)argument;
    return r->tally.batch.count ? (double)r->tally.batch.sum / (double)r->tally.batch.count : NONE;
}

static double most_batch(const struct slw_workload_result *r, double argument)
{
    (void)argument;
    return r->tally.batch.count ? (double)r->tally.batch.high : NONE;
}

static double cpu(const struct slw_workload_result *r, double argument)
{
    const struct slw_tally *t = &r->tally;
    const uint64_t ns = argument < 0   ? t->user_ns
                        : argument > 0 ? t->system_ns
                                       : t->user_ns + t->system_ns;
    return a_request(r, (double)ns * 1e-3);
}

static double switches(const struct slw_workload_result *r, double argument)
{
    (void)argument;
    return a_request(r, (double)(r->tally.voluntary + r->tally.involuntary));
}

static double retries(const struct slw_workload_result *r, double argument)
{
    (void)argument;
    return (double)r->tally.retries;
}

static double outcomes(const struct slw_workload_result *r, double argument)
{
    return (double)r->tally.outcomes[(size_t)argument];
}

static double extra(const struct slw_workload_result *r, double argument)
{
    const size_t i = (size_t)argument;

    return i < r->extra_count ? r->extras[i].value : NONE;
}

static const struct row rows[] = {
    {"throughput", "requests/s", true, throughput, 0},
    {"latency, half are below", "us", false, latency, 0.5},
    {"latency, 90 % are below", "us", false, latency, 0.9},
    {"latency, 99 % are below", "us", false, latency, 0.99},
    {"latency, 99.9 % are below", "us", false, latency, 0.999},
    {"latency, longest", "us", false, latency, 1},
    {"batch reached, mean", "requests", true, mean_batch, 0},
    {"batch reached, largest", "requests", true, most_batch, 0},
    {"CPU time a request", "us", false, cpu, 0},
    {"  in user mode", "us", false, cpu, -1},
    {"  in the kernel", "us", false, cpu, 1},
    {"context switches a request", "", false, switches, 0},
};

static void put_number(struct slw_buf *out, double v)
{
    const int digits = fabs(v) >= 1000 ? 0 : fabs(v) >= 100 ? 1 : fabs(v) >= 1 ? 2 : 4;

    if (isnan(v))
        slw_buf_printf(out, "%*s", VALUE_COLUMNS, "-");
    else
        slw_buf_printf(out, "%*.*f", VALUE_COLUMNS, digits, v);
}

/* Nothing where no run has it. */
static void put_row(struct slw_buf *out, const struct slw_workload_runs *r, const struct row *row)
{
    double low = HUGE_VAL, high = -HUGE_VAL, sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < r->count; i++) {
        const double v = row->value(&r->results[i], row->argument);
        if (isnan(v))
            continue;
        low = fmin(low, v);
        high = fmax(high, v);
        sum += v;
        n++;
    }
    if (n == 0)
        return;
    slw_buf_printf(out, "  %-*s", NAME_COLUMNS, row->name);
    if (r->count > 1) {
        put_number(out, row->high_is_good ? high : low);
        put_number(out, sum / (double)n);
    }
    put_number(out, row->high_is_good ? low : high);
    slw_buf_printf(out, "%s%s\n", row->unit[0] ? " " : "", row->unit);
}

/* What did not go well, and what only this workload tells. */
static void put_rest(struct slw_buf *out, const struct slw_workload_runs *r)
{
    uint64_t again = 0, bad[SLW_OUTCOME_LOST + 1] = {0};

    for (size_t i = 0; i < r->count; i++) {
        again += r->results[i].tally.retries;
        for (size_t k = 0; k <= SLW_OUTCOME_LOST; k++)
            bad[k] += r->results[i].tally.outcomes[k];
    }
    for (size_t k = SLW_OUTCOME_DONE + 1; k <= SLW_OUTCOME_LOST; k++) {
        const struct row row = {slw_outcome_name((enum slw_outcome)k), "requests", false, outcomes,
                                (double)k};
        if (bad[k])
            put_row(out, r, &row);
    }
    if (again) {
        const struct row row = {"sent again", "requests", false, retries, 0};
        put_row(out, r, &row);
    }
    for (size_t i = 0; r->count && i < r->results[0].extra_count; i++) {
        const struct slw_extra *e = &r->results[0].extras[i];
        const struct row row = {e->name, e->unit, false, extra, (double)i};
        put_row(out, r, &row);
    }
}

void slw_workload_text(struct slw_buf *out, const struct slw_workload_runs *r)
{
    const struct slw_workload_options *o = r->options;

    slw_buf_printf(out, "%s", r->command->workload->name);
    if (o->driver)
        slw_buf_printf(out, " on %s", o->driver->name);
    slw_buf_printf(out, ": %zu run%s of %" PRIu64 " requests after %" PRIu64 "\n", r->count,
                   r->count == 1 ? "" : "s", o->requests, o->warm_up);
    if (r->count == 0) {
        slw_buf_puts(out, "stopped before anything was measured\n");
        return;
    }
    if (r->results[0].durability[0])
        slw_buf_printf(out, "acknowledged means: %s\n", r->results[0].durability);
    if (r->count > 1)
        slw_buf_printf(out, "  %-*s%*s%*s%*s\n", NAME_COLUMNS, "", VALUE_COLUMNS, "best",
                       VALUE_COLUMNS, "mean", VALUE_COLUMNS, "worst");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        put_row(out, r, &rows[i]);
    put_rest(out, r);
}
