/* SPDX-License-Identifier: MIT */
/* The callers: threads that each have one request at a time, closed or open loop. */
#include "base/clock.h"
#include "workloads/coalesce/run_int.h"
#include "workloads/crew.h"

#include <stdlib.h>

#define LOOK_UP_NS 50000000U /* how often a caller that sleeps looks whether it is over */

struct caller {
    struct slw_coalesce_run *run;
    struct slw_random random;
    struct slw_job job;
    char *payload;
    struct slw_tally tally;
};

static void fail_run(struct slw_coalesce_run *run, const struct slw_error *err)
{
    if (!atomic_flag_test_and_set(&run->told))
        run->error = *err;
    atomic_store(&run->failed, true);
}

static bool is_over(const struct slw_coalesce_run *run)
{
    const atomic_bool *stop = run->options->stop;

    return atomic_load_explicit(&run->failed, memory_order_relaxed) ||
           (stop && atomic_load_explicit(stop, memory_order_relaxed)) ||
           (run->coalescer && slw_coalescer_is_broken(run->coalescer));
}

/* ---- what is asked for ---- */

/* Rows of a poisoned insert are other ones than those whose ids they have. */
static void make_insert(struct caller *c, struct slw_request *r, uint64_t number)
{
    const struct slw_coalesce_choices *o = &c->run->choices;
    const bool bad = o->poison > 0 && number % o->poison == o->poison - 1;

    r->op = SLW_OP_INSERT;
    r->id = bad ? o->first_key + number / o->poison % o->keys : c->run->options->first_id + number;
    slw_payload_fill(c->run->options->seed + bad, r->id, c->payload, o->payload);
}

static void make_request(struct caller *c, uint64_t number)
{
    const struct slw_coalesce_choices *o = &c->run->choices;
    struct slw_request *r = &c->job.request;

    *r = (struct slw_request){.payload = c->payload, .length = o->payload};
    if (o->load == SLW_COALESCE_INSERT) {
        make_insert(c, r, number);
        return;
    }
    r->id = o->first_key + slw_zipf_next(&o->zipf, &c->random);
    if (o->load == SLW_COALESCE_READ || slw_random_unit(&c->random) < o->read_share) {
        r->op = SLW_OP_READ;
        r->length = 0;
    } else {
        r->op = SLW_OP_UPDATE;
        slw_payload_fill(c->run->options->seed + number, r->id, c->payload, o->payload);
    }
}

/* ---- what is answered ---- */

/* The worker has done this already; here each caller does it for itself. */
static void acknowledge(struct caller *c)
{
    const struct slw_workload_options *o = c->run->options;
    const struct slw_job *job = &c->job;
    struct slw_error err = {0};

    if (!o->acknowledged || job->request.op != SLW_OP_INSERT ||
        job->answer.outcome != SLW_OUTCOME_DONE)
        return;
    const int rc = o->acknowledged(o->acknowledged_ctx, job->request.id);
    if (rc < 0) {
        (void)slw_fail(&err, (enum slw_code) - rc, "what was acknowledged cannot be noted");
        fail_run(c->run, &err);
    }
}

/* Nothing writes during a load of reads, so what comes back is known. */
static void check_payload(struct caller *c)
{
    const struct slw_job *job = &c->job;
    struct slw_error err = {0};

    if (c->run->choices.load != SLW_COALESCE_READ || job->answer.outcome != SLW_OUTCOME_DONE)
        return;
    if (job->answer.length == c->run->choices.payload &&
        slw_payload_is(c->run->options->seed, job->request.id, job->answer.payload,
                       job->answer.length))
        return;
    (void)slw_fail(&err, SLW_E_INTERNAL, "row %llu has another payload than was stored",
                   (unsigned long long)job->request.id);
    fail_run(c->run, &err);
}

static void call(struct caller *c)
{
    struct slw_coalesce_run *run = c->run;
    struct slw_error err = {0};

    if (run->coalescer) {
        slw_coalescer_submit(run->coalescer, &c->job);
        slw_job_wait(&c->job);
    } else {
        if (slw_pool_call(run->pool, &c->job, &err) < 0)
            fail_run(run, &err);
        acknowledge(c);
    }
    check_payload(c);
}

/* ---- when ---- */

/* The next request that nobody has taken, and when it is due: now, or in an open loop when it
 * arrives, which does not depend on who has the time for it. False: there is none. */
static bool take_number(struct slw_coalesce_run *run, uint64_t *ret_number, uint64_t *ret_due_ns)
{
    const bool is_open = run->options->rate > 0;

    if (is_open)
        (void)pthread_mutex_lock(&run->arrivals_lock);
    *ret_number = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed);
    if (is_open) {
        *ret_due_ns = slw_arrivals_next(&run->arrivals);
        (void)pthread_mutex_unlock(&run->arrivals_lock);
    } else {
        *ret_due_ns = slw_clock_monotonic_ns();
    }
    return *ret_number < run->count;
}

/* False: the run is over before. */
static bool wait_until_due(const struct slw_coalesce_run *run, uint64_t due_ns)
{
    if (run->options->rate <= 0)
        return !is_over(run);
    for (uint64_t at = slw_clock_monotonic_ns(); at + LOOK_UP_NS < due_ns && !is_over(run);) {
        at += LOOK_UP_NS;
        slw_wait_until(at);
    }
    if (is_over(run))
        return false;
    slw_wait_until(due_ns);
    return true;
}

static void work(void *ctx, size_t index)
{
    struct caller *c = (struct caller *)ctx + index;
    struct slw_coalesce_run *run = c->run;
    uint64_t number = 0, due_ns = 0;

    if (!atomic_flag_test_and_set(&run->started))
        slw_stretch_start(&run->stretch);
    while (take_number(run, &number, &due_ns) && wait_until_due(run, due_ns)) {
        make_request(c, run->first + number);
        call(c);
        slw_tally_answer(&c->tally, c->job.answer.outcome, slw_clock_monotonic_ns() - due_ns);
    }
}

/* ---- a phase ---- */

static void release_callers(struct caller *callers, size_t count)
{
    for (size_t i = 0; callers && i < count; i++) {
        free(callers[i].payload);
        slw_job_release(&callers[i].job);
    }
    free(callers);
}

static struct caller *new_callers(struct slw_coalesce_run *run)
{
    const size_t count = run->choices.callers;
    struct caller *callers = calloc(count, sizeof(*callers));
    bool is_complete = callers != NULL;

    for (size_t i = 0; callers && i < count; i++) {
        struct caller *c = &callers[i];

        c->run = run;
        c->random.state = run->options->seed + run->first + i * 0x9E3779B97F4A7C15U;
        c->payload = malloc(run->choices.payload + 1);
        slw_job_init(&c->job);
        is_complete &= c->payload != NULL;
    }
    if (is_complete)
        return callers;
    release_callers(callers, count);
    return NULL;
}

int slw_coalesce_phase(struct slw_coalesce_run *run, struct slw_tally *tally, struct slw_error *err)
{
    struct caller *callers = new_callers(run);

    if (!callers)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu callers", run->choices.callers);
    atomic_store(&run->next, 0);
    if (run->options->rate > 0)
        slw_arrivals_init(&run->arrivals, run->options->rate, run->options->seed + run->first,
                          slw_clock_monotonic_ns());
    atomic_flag_clear(&run->started);
    int rc = slw_crew_run(run->choices.callers, work, callers, err);
    if (rc == 0)
        slw_stretch_stop(&run->stretch, tally);
    for (size_t i = 0; i < run->choices.callers; i++)
        slw_tally_merge(tally, &callers[i].tally);
    release_callers(callers, run->choices.callers);
    if (rc == 0 && atomic_load(&run->failed)) {
        rc = -(int)run->error.code;
        if (err && !err->code)
            *err = run->error;
    }
    return rc;
}
