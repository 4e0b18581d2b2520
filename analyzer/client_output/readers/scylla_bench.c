/* SPDX-License-Identifier: MIT */
/* scylla-bench (0.1 to 1.0): the block "Results". No requests: an operation of it may be a batch of
 * rows or pages of a scan. Its raw latencies are from writing to the answer, as the wire tap's; the
 * ones it calls c-o fixed begin when the request was due. */
#include "analyzer/client_output/client_output_int.h"

static const struct slw_output_row rows[] = {
    {"Time (avg):", "run_time", "time of the run", "ns", SLW_BETTER_NEITHER, SLW_ROW_DURATION, 1},
    {"Total ops:", "operations", "operations", "operations", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 1},
    {"Total rows:", "rows", "rows", "rows", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 1},
    {"Total errors:", "errors", "errors", "errors", SLW_BETTER_LOWER, SLW_ROW_COUNT, 1},
    {"Operations/s:", "operations_per_second", "operations per second", "operations/s",
     SLW_BETTER_HIGHER, SLW_ROW_DECIMAL, 1},
    {"Rows/s:", "rows_per_second", "rows per second", "rows/s", SLW_BETTER_HIGHER, SLW_ROW_DECIMAL,
     1},
};

#define LATENCY(label, key, title)                                                                 \
    {                                                                                              \
        label, key, title, "ns", SLW_BETTER_LOWER, SLW_ROW_DURATION, 1                             \
    }
#define LATENCIES(prefix, words)                                                                   \
    {                                                                                              \
        LATENCY("max:", prefix "latency_max", "longest latency" words),                            \
            LATENCY("99.9th:", prefix "p999", "p99.9 latency" words),                              \
            LATENCY("99th:", prefix "p99", "p99 latency" words),                                   \
            LATENCY("95th:", prefix "p95", "p95 latency" words),                                   \
            LATENCY("90th:", prefix "p90", "p90 latency" words),                                   \
            LATENCY("median:", prefix "p50", "median latency" words),                              \
            LATENCY("mean:", prefix "latency_mean", "mean latency" words)                          \
    }
#define LATENCY_COUNT 7

enum block { NONE, RAW, SCHEDULED };
static const struct slw_output_row latencies[][LATENCY_COUNT] = {
    [RAW] = LATENCIES("", ""),
    [SCHEDULED] = LATENCIES("scheduled_", " from when it was due"),
};

static int read_line(struct slw_line line, enum block *block, struct slw_output_sink *s,
                     struct slw_error *err)
{
    const struct slw_line trimmed = slw_line_trimmed(line);

    if (slw_line_is(&trimmed, "raw latency :") || slw_line_is(&trimmed, "Latency:"))
        *block = RAW;
    else if (slw_line_is(&trimmed, "c-o fixed latency :"))
        *block = SCHEDULED;
    else if (*block != NONE)
        return slw_rows_read(latencies[*block], LATENCY_COUNT, line, s, err);
    else
        return slw_rows_read(rows, sizeof(rows) / sizeof(rows[0]), line, s, err);
    return 0;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "scylla-bench", .readings = readings};
    struct slw_lines lines = slw_lines_of(text, length);
    enum block block = NONE;
    struct slw_line line;
    int rc = 0;

    while (rc >= 0 && slw_lines_next(&lines, &line))
        rc = read_line(line, &block, &s, err);
    return rc < 0 ? rc : 0;
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const names[] = {"scylla-bench", NULL};

    return slw_client_is(argc, argv, names);
}

const struct slw_output_reader slw_output_reader_scylla_bench = {
    .name = "scylla_bench",
    .summary = "scylla-bench: rates and latencies of the results",
    .recognises = recognises,
    .read = read,
};
