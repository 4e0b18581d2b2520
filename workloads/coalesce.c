/* SPDX-License-Identifier: MIT */
/* Many callers and one database: each call by itself, on one connection or on several, or handed to
 * a worker that merges what is queued into few statements. The parts are in coalesce/. */
#include "workloads/coalesce/run_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_IDS (UINT64_C(1) << 62) /* from here on: the ids of poisoned inserts */

static const char *const modes[] = {"blocking", "pool", "worker", NULL};
static const char *const loads[] = {"insert", "read", "mixed", NULL};
static const char *const merges[] = {"best", "statement", "transaction", "pipeline", NULL};

static const struct slw_setting settings[] = {
    {.name = "mode",
     .kind = SLW_SETTING_CHOICE,
     .value = "MODE",
     .choices = modes,
     .otherwise = "worker",
     .text = "How callers reach the database: blocking (one connection under a lock), pool "
             "(--connections of them), worker (queued and coalesced)."},
    {.name = "callers",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "64",
     .low = 1,
     .high = 1024,
     .text = "Threads that each wait for one request at a time."},
    {.name = "connections",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "8",
     .low = 1,
     .high = 256,
     .text = "Connections of --mode pool."},
    {.name = "batch",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "256",
     .low = 1,
     .high = 4096,
     .text = "Requests the worker takes at once, at most."},
    {.name = "rows",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "256",
     .low = 1,
     .high = 4096,
     .text = "Rows of one statement, at most."},
    {.name = "linger",
     .kind = SLW_SETTING_NUMBER,
     .value = "US",
     .otherwise = "0",
     .low = 0,
     .high = 1000000,
     .text = "How long the worker waits for more after the first request; 0: it takes what is "
             "there."},
    {.name = "merge",
     .kind = SLW_SETTING_CHOICE,
     .value = "HOW",
     .choices = merges,
     .otherwise = "best",
     .text = "What the worker sends: statement (multi-row), transaction, pipeline, or the first of "
             "these the database can do."},
    {.name = "op",
     .kind = SLW_SETTING_CHOICE,
     .value = "OP",
     .choices = loads,
     .otherwise = "insert",
     .text = "insert (new rows), read (by id), mixed (reads and updates by id)."},
    {.name = "reads",
     .kind = SLW_SETTING_NUMBER,
     .value = "PERCENT",
     .otherwise = "50",
     .low = 0,
     .high = 100,
     .text = "Reads among the requests of --op mixed."},
    {.name = "payload",
     .kind = SLW_SETTING_NUMBER,
     .value = "BYTES",
     .otherwise = "100",
     .low = 0,
     .high = SLW_MAX_PAYLOAD,
     .text = "Bytes of a row."},
    {.name = "keys",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "10000",
     .low = 1,
     .high = 100000000,
     .text = "Rows stored beforehand, which read and mixed choose from."},
    {.name = "zipf",
     .kind = SLW_SETTING_DECIMAL,
     .value = "THETA",
     .otherwise = "0.99",
     .low = 0,
     .high = 2,
     .text = "How uneven that choice is; 0: all alike."},
    {.name = "cache",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "0",
     .low = 0,
     .high = 10000000,
     .text = "Rows the worker keeps to answer reads from; changed after the commit only. 0: none."},
    {.name = "retries",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "10",
     .low = 0,
     .high = 1000,
     .text = "How often a request is sent once more after a transient error or a lost answer."},
    {.name = "patience",
     .kind = SLW_SETTING_NUMBER,
     .value = "SECONDS",
     .otherwise = "30",
     .low = 0,
     .high = 600,
     .text = "How long a connection that broke is tried to be made again."},
    {.name = "poison",
     .kind = SLW_SETTING_NUMBER,
     .value = "EVERY",
     .otherwise = "0",
     .low = 0,
     .high = 1000000000,
     .text = "Each so many inserts is a row the database rejects: its id is taken. 0: none."},
    {.name = "fail",
     .kind = SLW_SETTING_NUMBER,
     .value = "EVERY",
     .otherwise = "0",
     .low = 0,
     .high = 1000000000,
     .text = "Each so many calls of the database fails on purpose, as a deadlock does. 0: none."},
    {.name = NULL},
};

/* ---- what was chosen ---- */

static int unfit(struct slw_error *err, const char *name, const char *only)
{
    return slw_fail(err, SLW_E_USAGE, "--%s is for --%s only", name, only);
}

static enum slw_batching merge_of(const struct slw_workload_options *o)
{
    static const enum slw_batching order[] = {SLW_BATCHING_STATEMENT, SLW_BATCHING_TRANSACTION,
                                              SLW_BATCHING_PIPELINE};
    const size_t choice = slw_choices_choice(o->choices, "merge");

    if (choice > 0)
        return order[choice - 1];
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (o->driver->batchings & 1U << order[i])
            return order[i];
    return SLW_BATCHING_NONE;
}

static int check(const struct slw_workload_options *o, struct slw_error *err)
{
    static const char *const for_worker[] = {"batch", "rows", "linger", "merge", "cache"};
    const size_t mode = slw_choices_choice(o->choices, "mode");
    const size_t load = slw_choices_choice(o->choices, "op");

    for (size_t i = 0; i < sizeof(for_worker) / sizeof(for_worker[0]); i++)
        if (mode != SLW_COALESCE_WORKER && slw_choices_find(o->choices, for_worker[i])->given)
            return unfit(err, for_worker[i], "mode worker");
    if (mode != SLW_COALESCE_POOL && slw_choices_find(o->choices, "connections")->given)
        return unfit(err, "connections", "mode pool");
    if (load != SLW_COALESCE_MIXED && slw_choices_find(o->choices, "reads")->given)
        return unfit(err, "reads", "op mixed");
    if (load != SLW_COALESCE_INSERT && slw_choices_number(o->choices, "poison") > 0)
        return unfit(err, "poison", "op insert");
    if (o->driver && !(o->driver->batchings & 1U << merge_of(o)))
        return slw_fail(err, SLW_E_USAGE, "%s has no --merge %s", o->driver->name,
                        merges[slw_choices_choice(o->choices, "merge")]);
    return 0;
}

static struct slw_coalesce_choices choices_of(const struct slw_workload_options *o)
{
    struct slw_coalesce_choices c = {
        .mode = (enum slw_coalesce_mode)slw_choices_choice(o->choices, "mode"),
        .load = (enum slw_coalesce_load)slw_choices_choice(o->choices, "op"),
        .callers = (size_t)slw_choices_number(o->choices, "callers"),
        .payload = (size_t)slw_choices_number(o->choices, "payload"),
        .poison = slw_choices_number(o->choices, "poison"),
        .read_share = (double)slw_choices_number(o->choices, "reads") / 100,
        .first_key = o->first_id,
    };

    for (size_t i = 0; i < o->choices->count; i++) /* a setting of whoever runs it, if at all */
        if (strcmp(o->choices->rows[i].setting->name, "keep") == 0)
            c.is_kept = o->choices->rows[i].given;
    if (c.load != SLW_COALESCE_INSERT || c.poison > 0)
        c.keys = slw_choices_number(o->choices, "keys");
    if (c.load == SLW_COALESCE_INSERT)
        c.first_key = TAKEN_IDS;
    else
        slw_zipf_init(&c.zipf, c.keys, slw_choices_decimal(o->choices, "zipf"));
    return c;
}

static struct slw_lane_options lane_of(const struct slw_workload_options *o)
{
    return (struct slw_lane_options){
        .driver = o->driver,
        .where = o->where,
        .table = o->table,
        .choices = o->choices,
        .patience_ns = slw_choices_number(o->choices, "patience") * 1000000000U,
        .fail_every = slw_choices_number(o->choices, "fail"),
        .stop = o->stop,
    };
}

/* ---- warm-up and measured requests ---- */

static void tell(struct slw_workload_result *r, const struct slw_execute_counts *e,
                 uint64_t reconnects)
{
    r->tally.batch = e->batch;
    r->tally.retries = e->retries;
    slw_workload_extra(r, "calls of the database", (double)e->calls, "");
    slw_workload_extra(r, "statements halved", (double)e->halvings, "");
    slw_workload_extra(r, "reconnects", (double)reconnects, "");
}

static int with_pool(struct slw_coalesce_run *run, struct slw_workload_result *result,
                     struct slw_error *err)
{
    struct slw_tally *tally = &result->tally;
    struct slw_execute_counts counts = {.calls = 0};
    uint64_t reconnects = 0;
    int rc = 0;

    slw_pool_forget_counts(run->pool);
    rc = slw_coalesce_phase(run, tally, err);
    slw_pool_counts(run->pool, &counts, &reconnects);
    tell(result, &counts, reconnects);
    return rc;
}

static struct slw_coalescer_options worker_of(const struct slw_coalesce_run *run)
{
    const struct slw_workload_options *o = run->options;

    return (struct slw_coalescer_options){
        .batch = (size_t)slw_choices_number(o->choices, "batch"),
        .linger_ns = slw_choices_number(o->choices, "linger") * 1000U,
        .limits = {.rows = (size_t)slw_choices_number(o->choices, "rows"),
                   .bytes = SLW_COALESCE_STATEMENT_BYTES},
        .how = run->how,
        .retries = (unsigned)slw_choices_number(o->choices, "retries"),
        .back_off_ns = SLW_COALESCE_BACK_OFF_NS,
        .back_off_cap_ns = SLW_COALESCE_BACK_OFF_CAP_NS,
        .cache_rows = (size_t)slw_choices_number(o->choices, "cache"),
        .acknowledged = o->acknowledged,
        .acknowledged_ctx = o->acknowledged_ctx,
    };
}

static int with_worker(struct slw_coalesce_run *run, struct slw_lane *lane,
                       struct slw_workload_result *result, struct slw_error *err)
{
    const struct slw_coalescer_options o = worker_of(run);
    struct slw_coalescer_counts *counts = calloc(1, sizeof(*counts));

    if (!counts)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a worker");
    lane->reconnects = 0;
    int rc = slw_coalescer_new(lane, &o, &run->coalescer, err);
    if (rc == 0) {
        rc = slw_coalesce_phase(run, &result->tally, err);
        const int broken = slw_coalescer_free(run->coalescer, counts, err);
        run->coalescer = NULL;
        rc = rc < 0 ? rc : broken;
        tell(result, &counts->execute, lane->reconnects);
        if (counts->batches > 0)
            slw_workload_extra(result, "mean requests taken at once",
                               (double)counts->taken / (double)counts->batches, "");
        slw_workload_extra(result, "reads shared", (double)counts->shared_reads, "");
        slw_workload_extra(result, "reads from the cache", (double)counts->cache_hits, "");
    }
    free(counts);
    return rc;
}

/* One after the other on the same connections; what the first one did is forgotten. */
static int both(struct slw_coalesce_run *run, struct slw_lane *lane,
                struct slw_workload_result *result, struct slw_error *err)
{
    const uint64_t counts[] = {run->options->warm_up, run->options->requests};
    int rc = 0;

    for (size_t i = 0; i < 2 && rc == 0; i++) {
        run->first += run->count;
        run->count = counts[i];
        memset(&result->tally, 0, sizeof(result->tally));
        result->extra_count = 0;
        if (run->count > 0 || i > 0)
            rc = run->pool ? with_pool(run, result, err) : with_worker(run, lane, result, err);
    }
    return rc;
}

/* On a connection of its own, that does not fail on purpose. */
static int prepare(const struct slw_coalesce_run *run, struct slw_workload_result *result,
                   struct slw_error *err)
{
    const struct slw_driver *d = run->options->driver;
    struct slw_lane_options o = run->lane;
    struct slw_lane lane = {.connection = NULL};

    o.fail_every = 0;
    int rc = slw_lane_open(&lane, &o, run->options->seed, err);
    if (rc == 0 && (!d->durability || d->durability(lane.connection, result->durability,
                                                    sizeof(result->durability)) < 0))
        result->durability[0] = '\0';
    if (rc == 0 && run->choices.keys > 0)
        rc = slw_coalesce_preload(run, &lane, err);
    slw_lane_close(&lane);
    return rc;
}

static int connect_and_run(struct slw_coalesce_run *run, struct slw_workload_result *result,
                           struct slw_error *err)
{
    const struct slw_choices *c = run->options->choices;
    const struct slw_execute_options e = {.retries = (unsigned)slw_choices_number(c, "retries"),
                                          .back_off_ns = SLW_COALESCE_BACK_OFF_NS,
                                          .back_off_cap_ns = SLW_COALESCE_BACK_OFF_CAP_NS};
    const uint64_t seed = run->options->seed;
    struct slw_lane lane = {.connection = NULL};
    const size_t connections =
        run->choices.mode == SLW_COALESCE_POOL ? (size_t)slw_choices_number(c, "connections") : 1;
    int rc = prepare(run, result, err);

    if (rc == 0)
        rc = run->choices.mode == SLW_COALESCE_WORKER
                 ? slw_lane_open(&lane, &run->lane, seed, err)
                 : slw_pool_new(&run->lane, &e, connections, seed, &run->pool, err);
    if (rc == 0)
        rc = both(run, &lane, result, err);
    slw_pool_free(run->pool);
    slw_lane_close(&lane);
    return rc;
}

static int run_coalesce(const struct slw_workload_options *options,
                        struct slw_workload_result *ret_result, struct slw_error *err)
{
    struct slw_coalesce_run run = {
        .options = options,
        .choices = choices_of(options),
        .lane = lane_of(options),
        .how = merge_of(options),
        .arrivals_lock = PTHREAD_MUTEX_INITIALIZER,
        .told = ATOMIC_FLAG_INIT,
        .started = ATOMIC_FLAG_INIT,
    };
    struct slw_workload_result *result = calloc(1, sizeof(*result));

    if (!result)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a result");
    const int rc = connect_and_run(&run, result, err);
    if (rc == 0)
        *ret_result = *result;
    free(result);
    return rc;
}

const struct slw_workload slw_workload_coalesce = {
    .name = "coalesce",
    .summary = "Many callers, one database worker that merges what they ask for",
    .ancestor =
        "Published for a writer that coalesces into multi-row statements: one blocking call for "
        "each request, about 1,000 requests/s; a worker that greedily takes what is queued, about "
        "5,000/s sustained.",
    .needs_driver = true,
    .requests = 50000,
    .settings = settings,
    .check = check,
    .run = run_coalesce,
};
