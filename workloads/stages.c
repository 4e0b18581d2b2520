/* SPDX-License-Identifier: MIT */
/* Execution stages in the request path: the same requests, one by one through all stages, or stage
 * by stage. Needs no database but its own, which is SQLite in memory. */
#include "workloads/stages/loop_int.h"
#include "workloads/workload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_choices[] = {"mixed", "read", NULL};
enum { OP_MIXED, OP_READ };

/* The database is in memory: a row with its index entry takes about so much beside its payload. */
#define ROW_BYTES      100
#define MAX_ROWS_BYTES (UINT64_C(1) << 30)

static const struct slw_setting settings[] = {
    {.name = "stages",
     .kind = SLW_SETTING_TEXT,
     .value = "LIST",
     .otherwise = "all",
     .text = "Stages that batch: all, none, or some of decode, parse, bind, plan, select, update, "
             "encode, compress, seal, digest, sum, send, with commas."},
    {.name = "batch",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "58",
     .low = 1,
     .high = 4096,
     .text = "Requests in one run of a stage, at most; 1 is request by request. 58 is the mean "
             "batch that was published."},
    {.name = "quota",
     .kind = SLW_SETTING_NUMBER,
     .value = "US",
     .otherwise = "500",
     .low = 0,
     .high = 1000000,
     .text = "Task quota in microseconds: stages are run when requests have waited as long, even "
             "if more keep coming. 0: none."},
    {.name = "concurrency",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "116",
     .low = 1,
     .high = 4096,
     .text = "Requests in flight, at most. 116 is two batches of the default."},
    {.name = "working-set",
     .kind = SLW_SETTING_NUMBER,
     .value = "ROWS",
     .otherwise = "5000",
     .low = 1,
     .high = 1000000,
     .text = "Rows of the database."},
    {.name = "op",
     .kind = SLW_SETTING_CHOICE,
     .choices = op_choices,
     .otherwise = "mixed",
     .text = "mixed: a request reads its row and updates it; read: it only reads it."},
    {.name = "payload",
     .kind = SLW_SETTING_NUMBER,
     .value = "BYTES",
     .otherwise = "32",
     .low = 0,
     .high = 4096,
     .text = "Bytes of a row that an answer brings along."},
    {.name = "read-bytes",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "65536",
     .low = 1,
     .high = 65536,
     .text = "Bytes that one read of the connection brings, at most."},
    {.name = "verify",
     .kind = SLW_SETTING_FLAG,
     .text = "Open every answer and look whether it says what it should. Costs CPU."},
    {.name = NULL},
};

static const char *const names[] = {
#define X(name, text) #name,
    SLW_GATEWAY_STAGES(X)
#undef X
};

static const char *const batch_names[] = {
#define X(name, text) "mean batch of " #name,
    SLW_GATEWAY_STAGES(X)
#undef X
};

static int find_stage(const char *name, size_t length, size_t *ret_index, struct slw_error *err)
{
    for (size_t i = 0; i < SLW_GATEWAY_STAGE_COUNT; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            *ret_index = i;
            return 0;
        }
    slw_error_hint(err, "--stages all, none, or names with commas: decode,parse,send");
    return slw_fail(err, SLW_E_USAGE, "--stages: there is no stage '%.*s'",
                    (int)(length < 40 ? length : 40), name);
}

/* "all", "none", "decode,parse" */
static int parse_stages(const char *list, size_t batch, size_t limits[SLW_GATEWAY_STAGE_COUNT],
                        struct slw_error *err)
{
    const bool all = strcmp(list, "all") == 0;
    const char *end = list;

    for (size_t i = 0; i < SLW_GATEWAY_STAGE_COUNT; i++)
        limits[i] = all ? batch : 1;
    if (all || strcmp(list, "none") == 0)
        return 0;
    for (const char *p = list; *end; p = end + 1) {
        size_t index = 0;

        end = strchrnul(p, ',');
        const int r = find_stage(p, (size_t)(end - p), &index, err);
        if (r < 0)
            return r;
        limits[index] = batch;
        if (*end == ',' && end[1] == 0)
            return find_stage(end + 1, 0, &index, err);
    }
    return *list ? 0 : find_stage(list, 0, &(size_t){0}, err);
}

static int check(const struct slw_workload_options *options, struct slw_error *err)
{
    const struct slw_choices *c = options->choices;
    size_t limits[SLW_GATEWAY_STAGE_COUNT];
    const uint64_t row = slw_choices_number(c, "payload") + ROW_BYTES;

    if (row * slw_choices_number(c, "working-set") > MAX_ROWS_BYTES)
        return slw_fail(err, SLW_E_USAGE,
                        "--working-set and --payload: the rows would take more than 1 GiB");
    return parse_stages(slw_choices_text(c, "stages"), (size_t)slw_choices_number(c, "batch"),
                        limits, err);
}

static struct slw_stages_plan plan_of(const struct slw_workload_options *options)
{
    const struct slw_choices *c = options->choices;

    return (struct slw_stages_plan){
        .concurrency = (size_t)slw_choices_number(c, "concurrency"),
        .read_bytes = (size_t)slw_choices_number(c, "read-bytes"),
        .keys = slw_choices_number(c, "working-set"),
        .seed = options->seed,
        .payload = (size_t)slw_choices_number(c, "payload"),
        .rate = options->rate,
        .updates = slw_choices_choice(c, "op") == OP_MIXED,
        .verify = slw_choices_flag(c, "verify"),
        .stop = options->stop,
    };
}

/* As slw_histogram_add, `times` times. */
static void add_runs(struct slw_histogram *h, uint64_t size, uint64_t times)
{
    if (times == 0)
        return;
    h->buckets[slw_histogram_bucket(size)] += times;
    if (h->count == 0 || size < h->low)
        h->low = size;
    if (h->count == 0 || size > h->high)
        h->high = size;
    h->count += times;
    h->sum += size * times;
}

/* The batches of the run are those of the stages that batch, if any does. */
static void tell_stages(const struct slw_execution *e, struct slw_workload_result *result)
{
    static const char *const reasons[SLW_EXECUTION_REASONS] = {"runs of full queues",
                                                               "runs by poll", "runs by quota"};
    uint64_t by_reason[SLW_EXECUTION_REASONS] = {0};
    bool any = false;

    for (size_t i = 0; i < e->count; i++)
        any |= e->stages[i].kind.limit > 1;
    for (size_t i = 0; i < e->count; i++) {
        const struct slw_execution_stage *s = &e->stages[i];
        const struct slw_execution_count c = slw_execution_counted(s);

        for (size_t n = 1; n <= s->kind.limit && any == (s->kind.limit > 1); n++)
            add_runs(&result->tally.batch, n, s->sizes[n]);
        if (c.runs > 0)
            slw_workload_extra(result, batch_names[i], (double)c.calls / (double)c.runs,
                               "requests");
        for (size_t reason = 0; reason < SLW_EXECUTION_REASONS; reason++)
            by_reason[reason] += s->reasons[reason];
    }
    for (size_t reason = 0; reason < SLW_EXECUTION_REASONS; reason++)
        slw_workload_extra(result, reasons[reason], (double)by_reason[reason], "runs");
}

/* Every request went through every stage once, and was stored once. */
static int check_sums(struct slw_stages_loop *l, uint64_t measured, uint64_t *ret_updates,
                      struct slw_error *err)
{
    uint64_t updates = 0;
    const int r = slw_gateway_updates(&l->gateway, &updates, err);

    if (r < 0)
        return r;
    if (updates != (l->plan.updates ? l->client.received : 0))
        return slw_fail(err, SLW_E_INTERNAL, "stages: %" PRIu64 " updates of %" PRIu64 " requests",
                        updates, l->client.received);
    for (size_t i = 0; i < l->execution.count; i++) {
        const uint64_t calls = slw_execution_counted(&l->execution.stages[i]).calls;
        if (calls != measured)
            return slw_fail(err, SLW_E_INTERNAL,
                            "stages: %" PRIu64 " calls of stage %s for %" PRIu64 " requests", calls,
                            names[i], measured);
    }
    *ret_updates = updates;
    return 0;
}

static int measure(struct slw_stages_loop *l, const struct slw_workload_options *options,
                   struct slw_workload_result *result, struct slw_error *err)
{
    struct slw_stretch stretch;
    uint64_t updates = 0;
    int r = slw_stages_loop_run(l, options->warm_up, NULL, err);

    if (r < 0)
        return r;
    slw_execution_reset(&l->execution);
    const uint64_t bytes = l->client.answer_bytes;
    slw_stretch_start(&stretch);
    r = slw_stages_loop_run(l, options->requests, &result->tally, err);
    slw_stretch_stop(&stretch, &result->tally);
    if (r == 0)
        r = check_sums(l, result->tally.requests, &updates, err);
    if (r < 0)
        return r;
    tell_stages(&l->execution, result);
    if (result->tally.requests > 0)
        slw_workload_extra(
            result, "mean answer",
            (double)(l->client.answer_bytes - bytes) / (double)result->tally.requests, "bytes");
    slw_workload_extra(result, "digest of all answers", (double)l->client.digest, "");
    slw_workload_extra(result, "updates, with warm-up", (double)updates, "");
    if (l->plan.verify)
        slw_workload_extra(result, "answers opened", (double)l->client.opened, "");
    return 0;
}

static int run(const struct slw_workload_options *options, struct slw_workload_result *ret_result,
               struct slw_error *err)
{
    size_t limits[SLW_GATEWAY_STAGE_COUNT];
    const struct slw_stages_plan plan = plan_of(options);
    struct slw_stages_loop *loop = calloc(1, sizeof(*loop));
    struct slw_workload_result *result = calloc(1, sizeof(*result));
    int r = loop && result ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a run");

    if (r == 0 && options->acknowledged)
        r = slw_fail(err, SLW_E_USAGE, "stages stores nothing that could be acknowledged");
    if (r == 0)
        r = parse_stages(slw_choices_text(options->choices, "stages"),
                         (size_t)slw_choices_number(options->choices, "batch"), limits, err);
    if (r == 0)
        r = slw_stages_loop_init(loop, &plan, limits,
                                 slw_choices_number(options->choices, "quota") * 1000, err);
    if (r == 0) {
        r = measure(loop, options, result, err);
        slw_stages_loop_release(loop);
    }
    if (r == 0)
        *ret_result = *result;
    free(loop);
    free(result);
    return r;
}

const struct slw_workload slw_workload_stages = {
    .name = "stages",
    .summary = "Execution stages in the request path: request by request, or stage by stage.",
    .requests = 500000,
    .ancestor =
        "Published: SEDA (Welsh, Culler, Brewer, SOSP 2001) cut a server into stages with queues, "
        "and ran the requests of a queue together. The execution stages of the Seastar framework "
        "do so within one thread: in ScyllaDB 1.7 reads per second +44 %, instructions per cycle "
        "0.81 -> 1.31, instruction-cache miss ratio 5.39 % -> 3.05 %, 99th percentile of the "
        "latency at a fixed rate 524 -> 491 us, with a mean batch of 58.",
    .settings = settings,
    .check = check,
    .run = run,
};
