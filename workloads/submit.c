/* SPDX-License-Identifier: MIT */
/* Where requests are submitted from: the callback of the last answer, or a thread of their own that
 * makes what is due and has it sent together; and what else a driver does for each request. */
#include "workloads/submit/loop.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct slw_setting settings[] = {
    {.name = "submit",
     .kind = SLW_SETTING_CHOICE,
     .choices = (const char *const[]){"callback", "thread", NULL},
     .otherwise = "thread",
     .text = "Who makes the next request: the callback of an answer, which also sends it, or a "
             "thread; what that has made meanwhile is sent together."},
    {.name = "event",
     .kind = SLW_SETTING_CHOICE,
     .choices = (const char *const[]){"eager", "lazy", NULL},
     .otherwise = "lazy",
     .text = "Make the event that a caller may wait for with each request, or when one waits."},
    {.name = "callbacks",
     .kind = SLW_SETTING_CHOICE,
     .choices = (const char *const[]){"two-locks", "one-lock", NULL},
     .otherwise = "one-lock",
     .text = "Register the callbacks of answer and error under two locks or one."},
    {.name = "parameters",
     .kind = SLW_SETTING_CHOICE,
     .choices = (const char *const[]){"separate", "joined", NULL},
     .otherwise = "joined",
     .text = "Serialize parameters one by one, or into one buffer."},
    {.name = "vector",
     .kind = SLW_SETTING_CHOICE,
     .choices = (const char *const[]){"elements", "bulk", "passed", NULL},
     .otherwise = "bulk",
     .text =
         "Serialize a vector element by element, in bulk with its bytes swapped, or pass on what "
         "is serialized already."},
    {.name = "dimensions",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "768",
     .low = 0,
     .high = 65536,
     .text = "Numbers (float32) of a vector."},
    {.name = "compress", .kind = SLW_SETTING_FLAG, .text = "Compress each row with LZ4."},
    {.name = "concurrency",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "128",
     .low = 1,
     .high = 65536,
     .text = "Requests that are made and not yet answered, at most."},
    {.name = NULL},
};

static int check(const struct slw_workload_options *o, struct slw_error *err)
{
    const uint64_t concurrency = slw_choices_number(o->choices, "concurrency");

    if (o->rate > 0 && slw_choices_choice(o->choices, "submit") == 0) {
        slw_error_hint(err, "use --submit thread with --rate");
        return slw_fail(err, SLW_E_USAGE, "a callback submits when an answer comes, not at a rate");
    }
    if (concurrency > o->driver->capacity)
        return slw_fail(err, SLW_E_USAGE, "--concurrency: the driver %s keeps at most %zu open",
                        o->driver->name, o->driver->capacity);
    return 0;
}

static void read_how(const struct slw_choices *c, struct slw_submit_how *how)
{
    *how = (struct slw_submit_how){
        .thread = slw_choices_choice(c, "submit") == 1,
        .lazy_event = slw_choices_choice(c, "event") == 1,
        .one_lock = slw_choices_choice(c, "callbacks") == 1,
        .joined = slw_choices_choice(c, "parameters") == 1,
        .compressed = slw_choices_flag(c, "compress"),
        .vector = (enum slw_submit_vector)slw_choices_choice(c, "vector"),
        .dimensions = slw_choices_number(c, "dimensions"),
    };
}

static int prepare(struct slw_submit_loop *l, struct slw_submit_source *source,
                   struct slw_error *err)
{
    const struct slw_workload_options *o = l->options;

    l->concurrency = slw_choices_number(o->choices, "concurrency");
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake < 0 || slw_submit_source_init(source, l->how, o->seed) < 0 ||
        slw_submit_queue_init(&l->leave, l->concurrency) < 0 ||
        slw_submit_queue_init(&l->ready, l->concurrency) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu requests", l->concurrency);
    return o->driver->open(o->where, o->table, o->choices, &l->connection, err);
}

static void tell(const struct slw_submit_loop *l, struct slw_workload_result *r)
{
    const struct slw_workload_options *o = l->options;

    if (l->callbacks)
        slw_workload_extra(r, "callback cost", (double)l->callback_ns / (double)l->callbacks, "ns");
    if (o->driver->durability)
        (void)o->driver->durability(l->connection, r->durability, sizeof(r->durability));
}

static int run(const struct slw_workload_options *o, struct slw_workload_result *ret_result,
               struct slw_error *err)
{
    struct slw_submit_how how;
    struct slw_submit_source source = {0};
    struct slw_submit_loop l = {
        .options = o, .how = &how, .source = &source, .wake = -1, .tally = &ret_result->tally};

    read_how(o->choices, &how);
    int rc = prepare(&l, &source, err);
    if (rc >= 0) {
        rc = slw_submit_loop_run(&l);
        if (rc < 0)
            *err = l.err;
        else
            tell(&l, ret_result);
    }
    o->driver->close(l.connection);
    slw_submit_queue_release(&l.leave);
    slw_submit_queue_release(&l.ready);
    slw_submit_source_release(&source);
    if (l.wake >= 0)
        (void)close(l.wake);
    return rc;
}

const struct slw_workload slw_workload_submit = {
    .name = "submit",
    .summary = "Ingest of rows with a vector: requests made by callbacks or by a thread.",
    .ancestor =
        "Published: scylladb/python-driver #827, where a thread drains a queue of completed "
        "requests and submits the next ones, in place of the callback on the event loop: 6 to 9 % "
        "more throughput in an ingest of 100,000 rows with 768 x float32, the callback from 27 us "
        "to 0.1 us. Its other changes can be switched as well: --event, --callbacks, --parameters, "
        "--vector.",
    .needs_driver = true,
    .requests = 100000,
    .settings = settings,
    .check = check,
    .run = run,
};
