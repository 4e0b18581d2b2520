/* SPDX-License-Identifier: MIT */
/* mysqlslap and mariadb-slap, as they print by default and with --csv. The time of one iteration,
 * for each engine and number of clients where there are several. No requests: what it prints is
 * what was asked for, also
 * when no query could be run. */
#include "analyzer/client_output/client_output_int.h"

#include <stdio.h>

#define S_NS      UINT64_C(1000000000)
#define CSV_CELLS 7 /* engine, kind, mean, min, max, clients, queries; labels may follow */

enum column { MEAN, LOW, HIGH, CLIENTS, QUERIES, COLUMN_COUNT };

static const struct slw_output_row columns[COLUMN_COUNT] = {
    [MEAN] = {"Average number of seconds to run all queries", "run_mean",
              "mean time to run all queries", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, S_NS},
    [LOW] = {"Minimum number of seconds to run all queries", "run_min",
             "shortest time to run all queries", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, S_NS},
    [HIGH] = {"Maximum number of seconds to run all queries", "run_max",
              "longest time to run all queries", "ns", SLW_BETTER_LOWER, SLW_ROW_DECIMAL, S_NS},
    [CLIENTS] = {"Number of clients running queries", "clients", "clients", "clients",
                 SLW_BETTER_NEITHER, SLW_ROW_COUNT, 1},
    [QUERIES] = {"Average number of queries per client", "queries_per_client",
                 "queries asked of each client", "requests", SLW_BETTER_NEITHER, SLW_ROW_COUNT, 1},
};

/* One engine and number of clients. */
struct block {
    char engine[16];
    struct slw_decimal values[COLUMN_COUNT];
    bool have[COLUMN_COUNT];
};

struct blocks {
    struct block current;
    size_t count; /* that were put */
};

/* Keys tell several blocks apart: "client_innodb_4_clients_run_mean". */
static int put(struct blocks *b, bool plain, struct slw_output_sink *s, struct slw_error *err)
{
    const struct block *c = &b->current;
    int rc = 0;

    s->prefix[0] = '\0';
    if (!plain)
        (void)snprintf(s->prefix, sizeof(s->prefix), "%s%s%.0f_clients_", c->engine,
                       c->engine[0] ? "_" : "", c->values[CLIENTS].value);
    for (enum column i = MEAN; i < (plain ? COLUMN_COUNT : CLIENTS) && rc >= 0; i++)
        if (c->have[i])
            rc = slw_reading_put(s, &columns[i], &c->values[i], err);
    return rc;
}

static bool take(struct block *b, enum column column, struct slw_line *line)
{
    b->have[column] = slw_line_decimal(line, columns[column].scale, &b->values[column]) &&
                      (columns[column].number != SLW_ROW_COUNT || b->values[column].whole);
    return b->have[column];
}

static int read_row(struct blocks *b, struct slw_line line)
{
    for (enum column i = MEAN; i < COLUMN_COUNT; i++) {
        struct slw_line rest = line;
        if (!slw_line_skip(&rest, columns[i].label) || !slw_line_skip(&rest, ":"))
            continue;
        (void)take(&b->current, i, &rest);
        return (int)i;
    }
    return -1;
}

/* ",mixed,0.353,0.353,0.353,1,400" */
static bool read_csv(struct blocks *b, struct slw_line line)
{
    struct block block = {0};

    slw_key_word(slw_line_field(&line, ','), block.engine, sizeof(block.engine));
    if (!slw_line_field(&line, ',').length)
        return false;
    for (enum column i = MEAN; i < COLUMN_COUNT; i++) {
        struct slw_line cell = slw_line_field(&line, ',');
        if (!take(&block, i, &cell) || cell.length)
            return false;
    }
    b->current = block;
    return true;
}

/* True: a block is complete. */
static bool read_line(struct blocks *b, struct slw_line line)
{
    struct slw_line engine = line;

    if (slw_line_is(&line, "Benchmark")) {
        b->current = (struct block){0};
        return false;
    }
    if (slw_line_skip(&engine, "Running for engine ")) {
        slw_key_word(engine, b->current.engine, sizeof(b->current.engine));
        return false;
    }
    return read_row(b, line) == QUERIES || read_csv(b, line);
}

static int read_blocks(const char *text, size_t length, bool plain, struct slw_output_sink *s,
                       size_t *ret_count, struct slw_error *err)
{
    struct slw_lines lines = slw_lines_of(text, length);
    struct blocks b = {0};
    struct slw_line line;
    int rc = 0;

    while (rc >= 0 && slw_lines_next(&lines, &line)) {
        if (!read_line(&b, line))
            continue;
        b.count++;
        if (s)
            rc = put(&b, plain, s, err);
    }
    *ret_count = b.count;
    return rc;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "mysqlslap", .readings = readings};
    size_t count;

    int rc = read_blocks(text, length, false, NULL, &count, err);
    if (rc >= 0)
        rc = read_blocks(text, length, count == 1, &s, &count, err);
    return rc;
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const names[] = {"mysqlslap", "mariadb-slap", NULL};

    return slw_client_is(argc, argv, names);
}

const struct slw_output_reader slw_output_reader_mysqlslap = {
    .name = "mysqlslap",
    .summary = "mysqlslap: seconds to run all queries",
    .recognises = recognises,
    .read = read,
};
