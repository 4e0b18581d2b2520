/* SPDX-License-Identifier: MIT */
/* redis-benchmark (3 to 8) and valkey-benchmark: as it prints by default, with -q and with --csv.
 * One run may hold many tests (SET, GET, ...): then there is no one number, and each test has its
 * own. Requests are told by the long form only. */
#include "analyzer/client_output/client_output_int.h"

#include <stdio.h>
#include <string.h>

#define MS        1000000
#define MAX_TESTS 64 /* there are some twenty */
#define MAX_CELLS 16 /* of a line of --csv */

enum column { RATE, MEAN, LOW, P50, P95, P99, HIGH, COLUMN_COUNT };

/* label: what --csv calls it. */
static const struct slw_output_row columns[COLUMN_COUNT] = {
    [RATE] = {"rps", "requests_per_second", "requests per second", "requests/s", SLW_BETTER_HIGHER,
              SLW_ROW_DECIMAL, 1},
    [MEAN] = {"avg", "latency_mean", "mean latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    [LOW] = {"min", "latency_min", "shortest latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    [P50] = {"p50", "p50", "p50 latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    [P95] = {"p95", "p95", "p95 latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    [P99] = {"p99", "p99", "p99 latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
    [HIGH] = {"max", "latency_max", "longest latency", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, MS},
};

struct test {
    struct slw_line name;
    struct slw_decimal requests;
    bool counted;
    struct slw_decimal values[COLUMN_COUNT];
    bool have[COLUMN_COUNT];
};

struct tests {
    struct test all[MAX_TESTS];
    size_t count;
    bool too_many;
    enum column cells[MAX_CELLS]; /* the columns that follow the name in --csv */
    size_t cell_count;
    bool summary; /* the next line holds the values of the latency summary */
};

/* The test of that name begins; NULL past MAX_TESTS. */
static struct test *begin(struct tests *t, struct slw_line name)
{
    if (t->count == MAX_TESTS) {
        t->too_many = true;
        return NULL;
    }
    t->all[t->count] = (struct test){.name = slw_line_trimmed(name)};
    return &t->all[t->count++];
}

static bool take(struct test *test, enum column column, struct slw_line *line)
{
    if (!slw_line_decimal(line, columns[column].scale, &test->values[column]))
        return false;
    test->have[column] = true;
    return true;
}

/* "====== GET ======" */
static bool read_title(struct tests *t, struct slw_line line)
{
    static const char rule[] = "======";

    if (!slw_line_skip(&line, rule))
        return false;
    line = slw_line_trimmed(line);
    const size_t end = sizeof(rule) - 1;
    if (line.length > end && memcmp(line.text + line.length - end, rule, end) == 0)
        line.length -= end;
    slw_line_skip_blanks(&line);
    (void)begin(t, line);
    return true;
}

/* -q: "GET: 70422.53 requests per second, p50=0.359 msec"; a name may hold colons itself. */
static bool read_quiet(struct tests *t, struct slw_line line)
{
    const char *end = memmem(line.text, line.length, " requests per second", 20);
    const char *colon =
        end ? (const char *)memrchr(line.text, ':', (size_t)(end - line.text)) : NULL;

    if (!colon || colon == line.text || slw_line_has(&line, "throughput summary"))
        return false;
    struct slw_line rest = {colon + 1, line.length - (size_t)(colon + 1 - line.text)};
    struct test *test = begin(t, (struct slw_line){line.text, (size_t)(colon - line.text)});
    if (test && take(test, RATE, &rest) && slw_line_skip_to(&rest, "p50="))
        (void)take(test, P50, &rest);
    return true;
}

/* Without its quotes; a part of a cell ("1,5" was cut at the comma) is nothing. */
static struct slw_line unquoted(struct slw_line cell)
{
    if (cell.length < 2 || cell.text[0] != '"' || cell.text[cell.length - 1] != '"')
        return (struct slw_line){cell.text, 0};
    return (struct slw_line){cell.text + 1, cell.length - 2};
}

/* "test","rps","avg_latency_ms",...: which columns follow the name. */
static bool read_csv_head(struct tests *t, struct slw_line line)
{
    if (!slw_line_skip(&line, "\"test\","))
        return false;
    t->cell_count = 0;
    while (line.length && t->cell_count < MAX_CELLS) {
        struct slw_line cell = unquoted(slw_line_field(&line, ','));
        enum column column = RATE;
        while (column < COLUMN_COUNT && !slw_line_skip(&cell, columns[column].label))
            column++;
        t->cells[t->cell_count++] = column; /* COLUMN_COUNT: one that is not known here */
    }
    return true;
}

/* "SET","68027.21","0.379",...; before version 6.2 the rate alone, without a head. The name may
 * hold commas. */
static bool read_csv_row(struct tests *t, struct slw_line line)
{
    if (!line.length || *line.text != '"')
        return false;
    const char *end = memmem(line.text, line.length, "\",\"", 3);
    if (!end)
        return false;
    struct test *test =
        begin(t, unquoted((struct slw_line){line.text, (size_t)(end - line.text) + 1}));
    line = (struct slw_line){end + 2, line.length - (size_t)(end + 2 - line.text)};
    const size_t cells = t->cell_count ? t->cell_count : 1;
    for (size_t i = 0; test && i < cells && line.length; i++) {
        struct slw_line cell = unquoted(slw_line_field(&line, ','));
        if (t->cells[i] < COLUMN_COUNT) /* without a head the first is RATE, which is 0 */
            (void)take(test, t->cells[i], &cell);
    }
    return true;
}

/* What follows a title. */
static void read_detail(struct tests *t, struct slw_line line)
{
    struct test *test = &t->all[t->count - 1];
    struct slw_line rest = line;

    if (t->summary) {
        static const enum column order[] = {MEAN, LOW, P50, P95, P99, HIGH};
        t->summary = false;
        for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && take(test, order[i], &rest); i++)
            continue;
    } else if (slw_line_skip(&rest, "throughput summary:")) {
        (void)take(test, RATE, &rest);
    } else if (slw_line_has(&line, " requests completed in ")) {
        test->counted = slw_line_decimal(&rest, 1, &test->requests) && test->requests.whole;
    } else if (slw_line_has(&line, " requests per second")) {
        (void)take(test, RATE, &rest); /* before version 6.2 */
    } else {
        t->summary = slw_line_skip(&rest, "avg") && slw_line_skip(&rest, "min") &&
                     slw_line_skip(&rest, "p50") && slw_line_skip(&rest, "p95") &&
                     slw_line_skip(&rest, "p99") && slw_line_skip(&rest, "max");
    }
}

static void read_line(struct tests *t, struct slw_line line)
{
    if (slw_line_has(&line, "rps=") || read_title(t, line) || read_quiet(t, line) ||
        read_csv_head(t, line) || read_csv_row(t, line) || t->count == 0)
        return;
    read_detail(t, line);
}

static int put_test(const struct test *test, struct slw_output_sink *s, struct slw_error *err)
{
    int rc = 0;

    for (enum column c = RATE; c < COLUMN_COUNT && rc >= 0; c++)
        if (test->have[c])
            rc = slw_reading_put(s, &columns[c], &test->values[c], err);
    return rc;
}

/* Keys of a test among several begin with its name. */
static int put_all(const struct tests *t, struct slw_output_sink *s, struct slw_error *err)
{
    double requests = 0;
    bool counted = t->count > 0 && !t->too_many;
    int rc = 0;

    for (size_t i = 0; i < t->count && rc >= 0; i++) {
        char word[32];
        slw_key_word(t->all[i].name, word, sizeof(word));
        if (t->count > 1)
            (void)snprintf(s->prefix, sizeof(s->prefix), "%s_", word[0] ? word : "test");
        rc = put_test(&t->all[i], s, err);
        counted = counted && t->all[i].counted;
        requests += t->all[i].requests.value;
    }
    if (rc >= 0 && counted)
        rc = slw_reading_put_requests(s, "requests completed", requests, err);
    return rc;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "redis-benchmark", .readings = readings};
    struct slw_lines lines = slw_lines_of(text, length);
    struct slw_line line;
    struct tests t = {0};

    while (slw_lines_next(&lines, &line))
        if (line.length)
            read_line(&t, line);
    return put_all(&t, &s, err);
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const names[] = {"redis-benchmark", "valkey-benchmark", NULL};

    return slw_client_is(argc, argv, names);
}

const struct slw_output_reader slw_output_reader_redis_benchmark = {
    .name = "redis_benchmark",
    .summary = "redis-benchmark: requests per second and latency of each test",
    .recognises = recognises,
    .read = read,
};
