/* SPDX-License-Identifier: MIT */
/* latte (0.25 and later): the tables "SUMMARY STATS" and "RESPONSE LATENCY". Its requests leave out
 * its warm-up and what is sent again, and so are not called "requests". */
#include "analyzer/client_output/client_output_int.h"

#define MS 1000000
#define S  UINT64_C(1000000000)

/* The unit tells rows apart whose label is a line of the tree: "├─  [req/s]". */
struct row {
    const char *words; /* the label, NULL: any */
    const char *printed_unit;
    struct slw_output_row row;
};

static const struct row rows[] = {
    {"Elapsed time",
     "[s]",
     {"", "run_time", "time of the run", "ns", SLW_BETTER_NEITHER, SLW_ROW_DECIMAL, S}},
    {"CPU time",
     "[s]",
     {"", "cpu_time", "CPU time of the client", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, S}},
    {"Cycles",
     "[op]",
     {"", "operations", "cycles", "operations", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 1}},
    {"Errors",
     "[op]",
     {"", "errors", "failed cycles", "errors", SLW_BETTER_LOWER, SLW_ROW_COUNT, 1}},
    {"Requests",
     "[req]",
     {"", "measured_requests", "requests after the warm-up", "requests", SLW_BETTER_NEITHER,
      SLW_ROW_COUNT, 1}},
    {"Retries",
     "[ret]",
     {"", "retries", "requests sent again", "requests", SLW_BETTER_LOWER, SLW_ROW_COUNT, 1}},
    {"Rows", "[row]", {"", "rows", "rows", "rows", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 1}},
    {"Throughput",
     "[op/s]",
     {"", "operations_per_second", "cycles per second", "operations/s", SLW_BETTER_HIGHER,
      SLW_ROW_DECIMAL, 1}},
    {NULL,
     "[req/s]",
     {"", "requests_per_second", "requests per second", "requests/s", SLW_BETTER_HIGHER,
      SLW_ROW_DECIMAL, 1}},
    {NULL,
     "[row/s]",
     {"", "rows_per_second", "rows per second", "rows/s", SLW_BETTER_HIGHER, SLW_ROW_DECIMAL, 1}},
    {"Cycle latency",
     "[ms]",
     {"", "cycle_latency_mean", "mean latency of a cycle", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL,
      MS}},
    {"Request latency",
     "[ms]",
     {"", "latency_mean", "mean latency of a request", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL,
      MS}},
};

#define LATENCY(label, key, title)                                                                 \
    {                                                                                              \
        label, key, title, "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS                             \
    }
static const struct slw_output_row latencies[] = {
    LATENCY("Min ", "latency_min", "shortest latency"),
    LATENCY("25 ", "p25", "p25 latency"),
    LATENCY("50 ", "p50", "p50 latency"),
    LATENCY("75 ", "p75", "p75 latency"),
    LATENCY("90 ", "p90", "p90 latency"),
    LATENCY("95 ", "p95", "p95 latency"),
    LATENCY("98 ", "p98", "p98 latency"),
    LATENCY("99 ", "p99", "p99 latency"),
    LATENCY("99.9 ", "p999", "p99.9 latency"),
    LATENCY("99.99 ", "p9999", "p99.99 latency"),
    LATENCY("Max ", "latency_max", "longest latency"),
};

static int read_summary(struct slw_line line, struct slw_output_sink *s, struct slw_error *err)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slw_line rest = line;
        struct slw_decimal n;

        if ((rows[i].words && !slw_line_skip(&rest, rows[i].words)) ||
            !slw_line_skip_to(&rest, rows[i].printed_unit) ||
            !slw_line_decimal(&rest, rows[i].row.scale, &n) ||
            (rows[i].row.number == SLW_ROW_COUNT && !n.whole))
            continue;
        return slw_reading_put(s, &rows[i].row, &n, err);
    }
    return 0;
}

enum table { OTHER, SUMMARY, LATENCY_TABLE };

/* A line that begins a table, "SUMMARY STATS ═══". */
static bool read_title(struct slw_line line, enum table *table)
{
    if (!slw_line_has(&line, "\xe2\x95\x90\xe2\x95\x90"))
        return false;
    *table = slw_line_skip(&line, "SUMMARY STATS")      ? SUMMARY
             : slw_line_skip(&line, "RESPONSE LATENCY") ? LATENCY_TABLE
                                                        : OTHER;
    return true;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "latte", .readings = readings};
    struct slw_lines lines = slw_lines_of(text, length);
    enum table table = OTHER;
    struct slw_line line;
    int rc = 0;

    while (rc >= 0 && slw_lines_next(&lines, &line)) {
        if (read_title(line, &table))
            continue;
        if (table == SUMMARY)
            rc = read_summary(line, &s, err);
        else if (table == LATENCY_TABLE)
            rc = slw_rows_read(latencies, sizeof(latencies) / sizeof(latencies[0]), line, &s, err);
    }
    return rc < 0 ? rc : 0;
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const names[] = {"latte", NULL};

    return slw_client_is(argc, argv, names);
}

const struct slw_output_reader slw_output_reader_latte = {
    .name = "latte",
    .summary = "latte: rates and latencies of the summary",
    .recognises = recognises,
    .read = read,
};
