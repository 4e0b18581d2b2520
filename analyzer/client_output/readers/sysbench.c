/* SPDX-License-Identifier: MIT */
/* sysbench 1.0 and 1.1. Its "queries" are requests; the ones that prepare statements are not among
 * them. */
#include "analyzer/client_output/client_output_int.h"

#include <stdio.h>

#define MS 1000000

/* "transactions:  50  (108.87 per sec.)": a count and a rate. */
struct pair {
    struct slw_output_row count, rate;
};

static const struct pair pairs[] = {
    {{"transactions:", "transactions", "transactions", "transactions", SLW_BETTER_NEITHER,
      SLW_ROW_COUNT, 0},
     {"", "transactions_per_second", "transactions per second", "transactions/s", SLW_BETTER_HIGHER,
      SLW_ROW_DECIMAL, 1}},
    {{"queries:", "queries", "queries", "requests", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 0},
     {"", "requests_per_second", "queries per second", "requests/s", SLW_BETTER_HIGHER,
      SLW_ROW_DECIMAL, 1}},
    {{"ignored errors:", "errors", "ignored errors", "errors", SLW_BETTER_LOWER, SLW_ROW_COUNT, 0},
     {"", "errors_per_second", "ignored errors per second", "errors/s", SLW_BETTER_LOWER,
      SLW_ROW_DECIMAL, 1}},
    {{"reconnects:", "reconnects", "reconnects", "connections", SLW_BETTER_LOWER, SLW_ROW_COUNT, 0},
     {"", "reconnects_per_second", "reconnects per second", "connections/s", SLW_BETTER_LOWER,
      SLW_ROW_DECIMAL, 1}},
};

static const struct slw_output_row rows[] = {
    {"total number of events:", "events", "events", "events", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 0},
    {"events per second:", "events_per_second", "events per second", "events/s", SLW_BETTER_HIGHER,
     SLW_ROW_DECIMAL, 1},
    {"events/s (eps):", "events_per_second", "events per second", "events/s", SLW_BETTER_HIGHER,
     SLW_ROW_DECIMAL, 1},
};

static const struct slw_output_row latencies[] = {
    {"min:", "latency_min", "shortest latency of an event", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL,
     MS},
    {"avg:", "latency_mean", "mean latency of an event", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL,
     MS},
    {"max:", "latency_max", "longest latency of an event", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL,
     MS},
};

static int read_pair(const struct pair *p, struct slw_line line, struct slw_output_sink *s,
                     struct slw_error *err)
{
    struct slw_decimal count, rate;

    if (!slw_line_skip(&line, p->count.label) || !slw_line_decimal(&line, 1, &count) ||
        !count.whole || !slw_line_skip(&line, "(") || !slw_line_decimal(&line, 1, &rate))
        return 0;
    int rc = slw_reading_put(s, &p->count, &count, err);
    if (rc >= 0)
        rc = slw_reading_put(s, &p->rate, &rate, err);
    return rc < 0 ? rc : 1;
}

/* "99th percentile:  0.11": whichever was asked for. */
static int read_percentile(struct slw_line line, struct slw_output_sink *s, struct slw_error *err)
{
    struct slw_decimal rank, value;
    char key[16], title[48];
    const struct slw_output_row row = {"", key, title, "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS};

    if (!slw_line_decimal(&line, 1, &rank) || !rank.whole || rank.value > 100 ||
        !slw_line_skip_to(&line, " percentile:") || !slw_line_decimal(&line, MS, &value))
        return 0;
    (void)snprintf(key, sizeof(key), "p%.0f", rank.value);
    (void)snprintf(title, sizeof(title), "%s latency of an event", key);
    return slw_reading_put(s, &row, &value, err);
}

static int read_line(struct slw_line line, bool *latency, struct slw_output_sink *s,
                     struct slw_error *err)
{
    int rc = 0;

    if (slw_line_has(&line, "Latency (ms):"))
        *latency = true;
    else if (slw_line_has(&line, "Threads fairness:"))
        *latency = false;
    if (*latency) {
        rc = slw_rows_read(latencies, sizeof(latencies) / sizeof(latencies[0]), line, s, err);
        return rc == 0 ? read_percentile(line, s, err) : rc;
    }
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]) && rc == 0; i++)
        rc = read_pair(&pairs[i], line, s, err);
    return rc == 0 ? slw_rows_read(rows, sizeof(rows) / sizeof(rows[0]), line, s, err) : rc;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "sysbench", .readings = readings};
    struct slw_lines lines = slw_lines_of(text, length);
    struct slw_line line;
    bool latency = false;
    double queries;
    int rc = 0;

    while (rc >= 0 && slw_lines_next(&lines, &line))
        rc = read_line(line, &latency, &s, err);
    if (rc >= 0 && slw_client_readings_find(readings, "client_queries", &queries))
        rc = slw_reading_put_requests(&s, "queries", queries, err);
    return rc < 0 ? rc : 0;
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const names[] = {"sysbench", NULL};

    return slw_client_is(argc, argv, names);
}

const struct slw_output_reader slw_output_reader_sysbench = {
    .name = "sysbench",
    .summary = "sysbench: queries and transactions per second, latency",
    .recognises = recognises,
    .read = read,
};
