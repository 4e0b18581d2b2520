/* SPDX-License-Identifier: MIT */
/* slotwise workload run, as text and as JSON. Its requests are counted one by one, also where many
 * travel in one statement; those of the warm-up are among them, because what is measured of a
 * client is all of it. Of several runs the mean. */
#include "analyzer/client_output/client_output_int.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define US 1000
/* Latencies and batches come from a histogram with 32 steps in each power of two. */
#define HISTOGRAM_STEP (1.0 / 32)

struct number {
    struct slw_output_row row; /* label: of the text */
    const char *json;          /* of a run in JSON: "latency_ns.p50" */
    bool histogram;
};

#define RATIO(label, key, title, unit, better, scale)                                              \
    {                                                                                              \
        label, key, title, unit, SLW_BETTER_##better, SLW_ROW_DECIMAL, scale                       \
    }
static const struct number numbers[] = {
    {RATIO("throughput", "requests_per_second", "requests per second", "requests/s", HIGHER, 1),
     "requests_per_second", false},
    {RATIO("latency, half are below", "p50", "p50 latency", "ns", LOWER, US), "latency_ns.p50",
     true},
    {RATIO("latency, 90 % are below", "p90", "p90 latency", "ns", LOWER, US), "latency_ns.p90",
     true},
    {RATIO("latency, 99 % are below", "p99", "p99 latency", "ns", LOWER, US), "latency_ns.p99",
     true},
    {RATIO("latency, 99.9 % are below", "p999", "p99.9 latency", "ns", LOWER, US),
     "latency_ns.p999", true},
    {RATIO("latency, longest", "latency_max", "longest latency", "ns", LOWER, US), "latency_ns.max",
     false},
    {RATIO("batch reached, mean", "batch_mean", "requests that travelled together", "requests",
           NEITHER, 1),
     "batch.mean", false},
    {RATIO("CPU time a request", "cpu_per_request", "CPU time per request", "ns", LOWER, US),
     "cpu_ns_per_request", false},
    {RATIO("context switches a request", "switches_per_request", "context switches per request",
           "switches", LOWER, 1),
     "switches_per_request", false},
};
#define NUMBER_COUNT (sizeof(numbers) / sizeof(numbers[0]))
static const char requests_words[] = "requests, those of the warm-up included";

static int put(const struct number *n, struct slw_decimal value, struct slw_output_sink *s,
               struct slw_error *err)
{
    if (!isfinite(value.value) || value.value < 0)
        return 0;
    if (n->histogram)
        value.step = fmax(value.step, value.value * HISTOGRAM_STEP);
    return slw_reading_put(s, &n->row, &value, err);
}

/* ---- text ---- */

/* One column for one run; best, mean and worst for several. */
static int read_row(struct slw_line line, struct slw_output_sink *s, struct slw_error *err)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        struct slw_line rest = line;
        struct slw_decimal columns[3];
        size_t n = 0;

        if (!slw_line_skip(&rest, numbers[i].row.label))
            continue;
        while (n < 3 && slw_line_decimal(&rest, numbers[i].row.scale, &columns[n]))
            n++;
        if (n == 1 || n == 3)
            return put(&numbers[i], columns[n / 2], s, err);
    }
    return 0;
}

/* "coalesce on sqlite: 2 runs of 2000 requests after 200" */
static bool read_head(struct slw_line line, double *ret_requests)
{
    struct slw_decimal runs, requests, warm_up;

    if (!slw_line_skip_to(&line, ": ") || !slw_line_decimal(&line, 1, &runs) || !runs.whole ||
        !slw_line_skip(&line, "run") || !slw_line_skip_to(&line, "of ") ||
        !slw_line_decimal(&line, 1, &requests) || !requests.whole ||
        !slw_line_skip(&line, "requests after") || !slw_line_decimal(&line, 1, &warm_up))
        return false;
    *ret_requests = runs.value * (requests.value + warm_up.value);
    return true;
}

static int read_text(const char *text, size_t length, struct slw_output_sink *s,
                     struct slw_error *err)
{
    struct slw_lines lines = slw_lines_of(text, length);
    struct slw_line line;
    double requests = 0;
    bool head = false;
    int rc = 0;

    while (rc >= 0 && slw_lines_next(&lines, &line))
        if (!head)
            head = read_head(line, &requests);
        else
            rc = read_row(line, s, err);
    if (rc >= 0 && requests > 0)
        rc = slw_reading_put_requests(s, requests_words, requests, err);
    return rc;
}

/* ---- JSON ---- */

static const json_t *member(const json_t *run, const char *path)
{
    const char *dot = strchr(path, '.');
    char first[32];

    if (!dot)
        return json_object_get(run, path);
    (void)snprintf(first, sizeof(first), "%.*s", (int)(dot - path), path);
    return json_object_get(json_object_get(run, first), dot + 1);
}

static int put_mean(const struct number *n, const json_t *runs, struct slw_output_sink *s,
                    struct slw_error *err)
{
    const size_t count = json_array_size(runs);
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        const json_t *value = member(json_array_get(runs, i), n->json);
        if (!json_is_number(value))
            return 0;
        sum += json_number_value(value);
    }
    return count ? put(n, (struct slw_decimal){sum / (double)count, 0, false}, s, err) : 0;
}

static int put_requests(const json_t *document, struct slw_output_sink *s, struct slw_error *err)
{
    const json_t *runs = json_object_get(document, "runs");
    const json_t *warm_up = json_object_get(document, "warm_up");
    double all = 0;

    if (!json_is_integer(warm_up) || json_integer_value(warm_up) < 0)
        return 0;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *n = json_object_get(json_array_get(runs, i), "requests");
        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return 0;
        all += (double)json_integer_value(n) + (double)json_integer_value(warm_up);
    }
    return all > 0 ? slw_reading_put_requests(s, requests_words, all, err) : 0;
}

static int read_json(const char *text, size_t length, struct slw_output_sink *s,
                     struct slw_error *err)
{
    json_t *document = json_loadb(text, length, JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *runs = json_object_get(document, "runs");
    int rc = 0;

    for (size_t i = 0; i < NUMBER_COUNT && rc >= 0; i++)
        rc = put_mean(&numbers[i], runs, s, err);
    if (rc >= 0)
        rc = put_requests(document, s, err);
    json_decref(document);
    return rc;
}

static int read(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err)
{
    struct slw_output_sink s = {.client = "the workload", .readings = readings};
    struct slw_lines lines = slw_lines_of(text, length);
    struct slw_line line;

    while (slw_lines_next(&lines, &line)) /* what libraries complain of may stand before it */
        if (slw_line_is(&line, "{"))
            return read_json(line.text, length - (size_t)(line.text - text), &s, err);
    return read_text(text, length, &s, err);
}

static bool recognises(size_t argc, const char *const *argv)
{
    static const char *const program[] = {"slotwise", NULL};
    static const char *const own[] = {"slotwise-workload", NULL};

    if (slw_client_is(argc, argv, own))
        return argc > 1 && strcmp(argv[1], "run") == 0;
    return slw_client_is(argc, argv, program) && argc > 2 && strcmp(argv[1], "workload") == 0 &&
           strcmp(argv[2], "run") == 0;
}

const struct slw_output_reader slw_output_reader_slotwise_workload = {
    .name = "slotwise_workload",
    .summary = "slotwise workload run: its own count of requests, latency, batches",
    .requests_asked_for = true, /* merging is what some of them are about */
    .recognises = recognises,
    .read = read,
};
