/* SPDX-License-Identifier: MIT */
/* pgbench (9.4 to 17). A transaction is not a request: requests are only told for a built-in script
 * whose every transaction was done at the first try, as so many statements each. */
#include "analyzer/client_output/client_output_int.h"

#include <string.h>

#define MS 1000000

static const struct slw_output_row rows[] = {
    {"number of failed transactions", "failed_transactions", "failed transactions", "transactions",
     SLW_BETTER_LOWER, SLW_ROW_COUNT, 0},
    {"number of transactions skipped", "skipped_transactions", "skipped transactions",
     "transactions", SLW_BETTER_LOWER, SLW_ROW_COUNT, 0},
    {"number of transactions retried", "retried_transactions", "retried transactions",
     "transactions", SLW_BETTER_LOWER, SLW_ROW_COUNT, 0},
    {"total number of retries", "retries", "retries", "retries", SLW_BETTER_LOWER, SLW_ROW_COUNT,
     0},
    {"latency average", "latency_mean", "mean latency of a transaction", "ns", SLW_BETTER_LOWER,
     SLW_ROW_DECIMAL, MS},
    {"latency stddev", "latency_stddev", "deviation of the latency", "ns", SLW_BETTER_LOWER,
     SLW_ROW_DECIMAL, MS},
    {"rate limit schedule lag: avg", "schedule_lag_mean", "mean lag behind the schedule", "ns",
     SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    {"initial connection time", "connection_time", "time to connect", "ns", SLW_BETTER_LOWER,
     SLW_ROW_DECIMAL, MS},
    {"average connection time", "connection_time", "time to connect", "ns", SLW_BETTER_LOWER,
     SLW_ROW_DECIMAL, MS},
    /* Before version 14 the one without the time to connect is the second. */
    {"tps", "transactions_per_second", "transactions per second", "transactions/s",
     SLW_BETTER_HIGHER, SLW_ROW_DECIMAL, 1},
};

static const struct slw_output_row transactions = {"number of transactions actually processed",
                                                   "transactions",
                                                   "transactions",
                                                   "transactions",
                                                   SLW_BETTER_NEITHER,
                                                   SLW_ROW_COUNT,
                                                   0};
static const struct slw_output_row late = {"number of transactions above the",
                                           "late_transactions",
                                           "transactions above the latency limit",
                                           "transactions",
                                           SLW_BETTER_LOWER,
                                           SLW_ROW_COUNT,
                                           0};

/* What a statement count is made of. */
struct told {
    uint64_t statements; /* of a transaction; 0: unknown */
    bool aborted;        /* or not all transactions were done */
    double transactions;
};

static uint64_t statements_of(const struct slw_line *script)
{
    static const struct {
        const char *words;
        uint64_t statements;
    } scripts[] = {
        {"<builtin: select only>", 1},     {"SELECT only", 1},
        {"<builtin: simple update>", 5},   {"Update only pgbench_accounts", 5},
        {"<builtin: TPC-B (sort of)>", 7}, {"TPC-B (sort of)", 7},
    };

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
        if (slw_line_is(script, scripts[i].words))
            return scripts[i].statements;
    return 0;
}

/* "1000/1000", or "8301" where time ran. */
static int read_transactions(struct slw_line line, struct told *t, struct slw_output_sink *s,
                             struct slw_error *err)
{
    struct slw_decimal done, asked;

    if (!slw_line_skip(&line, ":") || !slw_line_decimal(&line, 1, &done) || !done.whole)
        return 0;
    t->transactions = done.value;
    if (slw_line_skip(&line, "/") && slw_line_decimal(&line, 1, &asked))
        t->aborted |= asked.value > done.value;
    return slw_reading_put(s, &transactions, &done, err);
}

/* "number of transactions above the 2.0 ms latency limit: 23/461 (4.989 %)". */
static int read_late(struct slw_line line, struct slw_output_sink *s, struct slw_error *err)
{
    struct slw_decimal n;

    if (!slw_line_skip_to(&line, "latency limit:") || !slw_line_decimal(&line, 1, &n) || !n.whole)
        return 0;
    return slw_reading_put(s, &late, &n, err);
}

static int read_line(struct slw_line line, struct told *t, struct slw_output_sink *s,
                     struct slw_error *err)
{
    struct slw_line rest = line;

    if (slw_line_skip(&rest, "transaction type:")) {
        slw_line_skip_blanks(&rest);
        rest = slw_line_trimmed(rest);
        t->statements = statements_of(&rest);
        return 0;
    }
    if (slw_line_skip(&rest, transactions.label))
        return read_transactions(rest, t, s, err);
    if (slw_line_skip(&rest, late.label))
        return read_late(rest, s, err);
    t->aborted |= slw_line_has(&line, "Run was aborted") || slw_line_has(&line, " aborted in ");
    return slw_rows_read(rows, sizeof(rows) / sizeof(rows[0]), line, s, err);
}

static bool none(const struct slw_client_readings *r, const char *key)
{
    double n;

    return !slw_client_readings_find(r, key, &n) || n == 0;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "pgbench", .readings = readings};
    struct slw_lines lines = slw_lines_of(text, length);
    struct slw_line line;
    struct told t = {0};
    int rc = 0;

    while (rc >= 0 && slw_lines_next(&lines, &line))
        rc = read_line(line, &t, &s, err);
    if (rc >= 0 && t.statements && !t.aborted && t.transactions > 0 &&
        none(readings, "client_failed_transactions") &&
        none(readings, "client_retried_transactions"))
        rc = slw_reading_put_requests(&s, "statements of all transactions",
                                      t.transactions * (double)t.statements, err);
    return rc < 0 ? rc : 0;
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const names[] = {"pgbench", NULL};

    return slw_client_is(argc, argv, names);
}

const struct slw_output_reader slw_output_reader_pgbench = {
    .name = "pgbench",
    .summary = "PostgreSQL's pgbench: transactions per second, latency, failures",
    .recognises = recognises,
    .read = read,
};
