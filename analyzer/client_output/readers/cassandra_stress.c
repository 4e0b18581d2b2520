/* SPDX-License-Identifier: MIT */
/* cassandra-stress (2.1 to 5.0): the block "Results:", for each number of threads where it tries
 * several. No requests: the operations it counts leave out its warm-up and may be batches. */
#include "analyzer/client_output/client_output_int.h"

#include <stdio.h>

#define MS 1000000

static const struct slw_output_row rows[] = {
    {"op rate", "operations_per_second", "operations per second", "operations/s", SLW_BETTER_HIGHER,
     SLW_ROW_GROUPED, 1},
    {"partition rate", "partitions_per_second", "partitions per second", "partitions/s",
     SLW_BETTER_HIGHER, SLW_ROW_GROUPED, 1},
    {"row rate", "rows_per_second", "rows per second", "rows/s", SLW_BETTER_HIGHER, SLW_ROW_GROUPED,
     1},
    {"latency mean", "latency_mean", "mean latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    {"latency median", "p50", "median latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    {"latency 95th percentile", "p95", "p95 latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    {"latency 99th percentile", "p99", "p99 latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    {"latency 99.9th percentile", "p999", "p99.9 latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL,
     MS},
    {"latency max", "latency_max", "longest latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    {"total partitions", "partitions", "partitions", "partitions", SLW_BETTER_NEITHER,
     SLW_ROW_GROUPED_COUNT, 1},
    {"total errors", "errors", "errors", "errors", SLW_BETTER_LOWER, SLW_ROW_GROUPED_COUNT, 1},
};

static const struct slw_output_row operations = {
    "total,", "operations", "operations", "operations", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 1};

struct place {
    size_t blocks; /* of results, in the whole text */
    bool results;  /* within one */
    struct slw_decimal threads, operations;
    bool have_operations;
};

/* "Running with 8 threadCount", "Running WRITE with 8 threads for 1000 iteration" */
static bool read_threads(struct place *p, struct slw_line line)
{
    return slw_line_skip(&line, "Running ") && slw_line_skip_to(&line, "with ") &&
           slw_line_decimal(&line, 1, &p->threads) && slw_line_skip(&line, "thread");
}

/* "total,   1000000,   48123, ...": all operations so far. */
static bool read_progress(struct place *p, struct slw_line line)
{
    if (!slw_line_skip(&line, operations.label))
        return false;
    p->have_operations = slw_line_decimal(&line, 1, &p->operations) && p->operations.whole;
    return true;
}

static int read_line(struct place *p, struct slw_line line, struct slw_output_sink *s,
                     struct slw_error *err)
{
    int rc = 0;

    if (read_threads(p, line) || slw_line_is(&line, "END")) {
        p->results = false;
        p->have_operations = p->have_operations && slw_line_is(&line, "END");
    } else if (slw_line_is(&line, "Results:")) {
        p->results = true;
        if (p->blocks > 1)
            (void)snprintf(s->prefix, sizeof(s->prefix), "%.0f_threads_", p->threads.value);
        if (p->have_operations)
            rc = slw_reading_put(s, &operations, &p->operations, err);
    } else if (p->results) {
        rc = slw_rows_read(rows, sizeof(rows) / sizeof(rows[0]), line, s, err);
    } else {
        (void)read_progress(p, line);
    }
    return rc;
}

static size_t count_blocks(const char *text, size_t length)
{
    struct slw_lines lines = slw_lines_of(text, length);
    struct slw_line line;
    size_t n = 0;

    while (slw_lines_next(&lines, &line))
        n += slw_line_is(&line, "Results:");
    return n;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "cassandra-stress", .readings = readings};
    struct place p = {.blocks = count_blocks(text, length)};
    struct slw_lines lines = slw_lines_of(text, length);
    struct slw_line line;
    int rc = 0;

    while (rc >= 0 && slw_lines_next(&lines, &line))
        rc = read_line(&p, line, &s, err);
    return rc < 0 ? rc : 0;
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const names[] = {"cassandra-stress", "cassandra-stress.jar",
                                        "org.apache.cassandra.stress.Stress", NULL};

    return slw_client_is(argc, argv, names);
}

const struct slw_output_reader slw_output_reader_cassandra_stress = {
    .name = "cassandra_stress",
    .summary = "cassandra-stress: rates and latencies of the results",
    .recognises = recognises,
    .read = read,
};
