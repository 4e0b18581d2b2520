/* SPDX-License-Identifier: MIT */
#include "workloads/coalesce/coalescer.h"

#include "workloads/coalesce/cache.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <slotwise/stage.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct slw_coalescer {
    struct slw_coalescer_options options;

    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct slw_job *first, *last; /* the queue, oldest first */
    size_t queued;
    size_t awaited; /* the worker sleeps until so many are queued; 0: it does not sleep */
    bool closing;

    /* The worker's own. */
    pthread_t worker;
    struct slw_job **jobs; /* of this batch */
    const struct slw_request **requests;
    struct slw_merge_plan *plan;
    struct slw_executor *executor;
    struct slw_row_cache *cache;
    struct slw_coalescer_counts counts;
    struct slw_error error;
    atomic_bool broken;
};

/* ---- jobs ---- */

void slw_job_init(struct slw_job *job)
{
    *job = (struct slw_job){.next = NULL};
    (void)sem_init(&job->answered, 0, 0); /* cannot fail for 0 */
}

void slw_job_release(struct slw_job *job)
{
    slw_buf_release(&job->payload);
    (void)sem_destroy(&job->answered);
}

void slw_job_take_answer(struct slw_job *job, const struct slw_answer *answer)
{
    job->answer = *answer;
    job->answer.payload = NULL;
    if (job->request.op != SLW_OP_READ || answer->outcome != SLW_OUTCOME_DONE)
        return;
    job->payload.length = 0;
    slw_buf_put(&job->payload, answer->payload, answer->length);
    job->answer.payload = job->payload.data;
    if (slw_buf_failed(&job->payload)) {
        slw_buf_release(&job->payload);
        job->answer = (struct slw_answer){.outcome = SLW_OUTCOME_TRANSIENT, .why = "no memory"};
    }
}

void slw_job_wait(struct slw_job *job)
{
    while (sem_wait(&job->answered) < 0 && errno == EINTR)
        continue;
}

/* ---- the queue ---- */

void slw_coalescer_submit(struct slw_coalescer *c, struct slw_job *job)
{
    job->next = NULL;
    (void)pthread_mutex_lock(&c->lock);
    if (c->last)
        c->last->next = job;
    else
        c->first = job;
    c->last = job;
    c->queued++;
    const bool wake = c->awaited > 0 && c->queued >= c->awaited;
    if (wake)
        c->awaited = 0;
    (void)pthread_mutex_unlock(&c->lock);
    if (wake)
        (void)pthread_cond_signal(&c->arrived);
}

/* Until `count` are queued, the end, or the time (NULL: none). Under the lock. */
static void await(struct slw_coalescer *c, size_t count, const struct timespec *until)
{
    int rc = 0;

    while (c->queued < count && !c->closing && rc != ETIMEDOUT) {
        c->awaited = count;
        rc = until ? pthread_cond_timedwait(&c->arrived, &c->lock, until)
                   : pthread_cond_wait(&c->arrived, &c->lock);
    }
    c->awaited = 0;
}

static struct timespec after(uint64_t ns)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    ns += (uint64_t)t.tv_nsec;
    t.tv_sec += (time_t)(ns / 1000000000U);
    t.tv_nsec = (long)(ns % 1000000000U);
    return t;
}

static size_t unlink_jobs(struct slw_coalescer *c, size_t most)
{
    size_t count = 0;

    SLOTWISE_STAGE_BEGIN(take, c->queued < most ? c->queued : most);
    for (; c->first && count < most; count++) {
        c->jobs[count] = c->first;
        c->requests[count] = &c->first->request;
        c->first = c->first->next;
    }
    if (!c->first)
        c->last = NULL;
    c->queued -= count;
    SLOTWISE_STAGE_END(take);
    return count;
}

/* 0: it is over. */
static size_t take(struct slw_coalescer *c)
{
    (void)pthread_mutex_lock(&c->lock);
    await(c, 1, NULL);
    if (c->options.linger_ns > 0 && c->queued < c->options.batch) {
        const struct timespec until = after(c->options.linger_ns);
        await(c, c->options.batch, &until);
    }
    const size_t count = unlink_jobs(c, c->options.batch);
    (void)pthread_mutex_unlock(&c->lock);
    return count;
}

/* ---- answers ---- */

static void keep(struct slw_coalescer *c, const struct slw_request *r, const struct slw_answer *a)
{
    if (!c->cache)
        return;
    if (a->outcome == SLW_OUTCOME_LOST)
        slw_row_cache_drop(c->cache, r->id);
    else if (a->outcome != SLW_OUTCOME_DONE)
        return;
    else if (r->op == SLW_OP_READ)
        slw_row_cache_put(c->cache, r->id, a->payload, a->length);
    else if (a->affected > 0)
        slw_row_cache_put(c->cache, r->id, r->payload, r->length);
}

static void break_off(struct slw_coalescer *c)
{
    atomic_store_explicit(&c->broken, true, memory_order_relaxed);
}

/* Stored: whoever keeps the list of it learns it before the caller does. */
static void acknowledge(struct slw_coalescer *c, const struct slw_request *r,
                        const struct slw_answer *a)
{
    if (r->op != SLW_OP_INSERT || a->outcome != SLW_OUTCOME_DONE || !c->options.acknowledged)
        return;
    const int rc = c->options.acknowledged(c->options.acknowledged_ctx, r->id);

    if (rc < 0) {
        (void)slw_fail(&c->error, (enum slw_code) - rc, "what was acknowledged cannot be noted");
        break_off(c);
    }
}

/* After the post the job is its caller's, who may already be gone with it. */
static void answer(void *ctx, uint32_t row, const struct slw_answer *a)
{
    struct slw_coalescer *c = ctx;

    acknowledge(c, c->requests[row], a);
    keep(c, c->requests[row], a);
    while (row != SLW_NO_RIDER) {
        struct slw_job *job = c->jobs[row];

        slw_job_take_answer(job, a);
        row = c->plan->riders[row];
        c->counts.shared_reads += row != SLW_NO_RIDER;
        (void)sem_post(&job->answered);
    }
}

/* Answer what the cache knows; the rows that are left are moved to the front. */
static size_t answer_from_cache(struct slw_coalescer *c, uint32_t *rows, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        struct slw_answer a = {.outcome = SLW_OUTCOME_DONE};
        if (slw_row_cache_find(c->cache, c->requests[rows[i]]->id, &a.payload, &a.length)) {
            c->counts.cache_hits++;
            answer(c, rows[i], &a);
        } else {
            rows[left++] = rows[i];
        }
    }
    return left;
}

/* ---- the worker ---- */

static void refuse(struct slw_coalescer *c, const struct slw_merged *s)
{
    const struct slw_answer a = {.outcome = SLW_OUTCOME_TRANSIENT,
                                 .why = "not sent: there is no connection"};

    for (uint32_t i = 0; i < s->count; i++)
        answer(c, c->plan->rows[s->first + i], &a);
}

static void execute(struct slw_coalescer *c, const struct slw_merged *s)
{
    uint32_t *rows = c->plan->rows + s->first;
    size_t count = s->count;

    if (slw_coalescer_is_broken(c)) {
        refuse(c, s);
        return;
    }
    if (c->cache && s->op == SLW_OP_READ)
        count = answer_from_cache(c, rows, count);
    if (count > 0 && slw_execute(c->executor, c->requests, rows, count, &c->error) < 0)
        break_off(c);
}

static void *work(void *arg)
{
    struct slw_coalescer *c = arg;

    for (;;) {
        const size_t count = take(c);

        if (count == 0)
            return NULL;
        c->counts.batches++;
        c->counts.taken += count;
        SLOTWISE_STAGE_BEGIN(plan, count);
        slw_merge_plan_make(c->plan, c->requests, count, &c->options.limits);
        SLOTWISE_STAGE_END(plan);
        for (size_t i = 0; i < c->plan->statement_count; i++)
            execute(c, &c->plan->statements[i]);
    }
}

/* ---- life ---- */

bool slw_coalescer_is_broken(const struct slw_coalescer *c)
{
    return atomic_load_explicit(&c->broken, memory_order_relaxed);
}

static void discard(struct slw_coalescer *c)
{
    (void)pthread_cond_destroy(&c->arrived);
    (void)pthread_mutex_destroy(&c->lock);
    slw_row_cache_free(c->cache);
    slw_executor_free(c->executor);
    slw_merge_plan_free(c->plan);
    free(c->requests);
    free(c->jobs);
    free(c);
}

static void init_lock(struct slw_coalescer *c)
{
    pthread_condattr_t monotonic;

    (void)pthread_mutex_init(&c->lock, NULL); /* none of these can fail on Linux */
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->arrived, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static bool allocate(struct slw_coalescer *c, struct slw_lane *lane)
{
    const struct slw_coalescer_options *o = &c->options;
    const struct slw_execute_options e = {.how = o->how,
                                          .retries = o->retries,
                                          .back_off_ns = o->back_off_ns,
                                          .back_off_cap_ns = o->back_off_cap_ns,
                                          .rows = o->batch,
                                          .answer = answer,
                                          .ctx = c};

    c->jobs = calloc(o->batch, sizeof(struct slw_job *));
    c->requests = calloc(o->batch, sizeof(struct slw_request *));
    c->plan = slw_merge_plan_new(o->batch);
    c->executor = slw_executor_new(lane, &e);
    if (o->cache_rows > 0)
        c->cache = slw_row_cache_new(o->cache_rows);
    return c->jobs && c->requests && c->plan && c->executor && (c->cache || !o->cache_rows);
}

int slw_coalescer_new(struct slw_lane *lane, const struct slw_coalescer_options *options,
                      struct slw_coalescer **ret_coalescer, struct slw_error *err)
{
    struct slw_coalescer *c = calloc(1, sizeof(*c));

    if (!c)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a worker");
    c->options = *options;
    init_lock(c);
    if (!allocate(c, lane)) {
        discard(c);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a worker");
    }
    const int sys = pthread_create(&c->worker, NULL, work, c);
    if (sys != 0) {
        discard(c);
        return slw_fail_sys(err, SLW_E_LIMIT, sys, "cannot start the worker");
    }
    *ret_coalescer = c;
    return 0;
}

int slw_coalescer_free(struct slw_coalescer *c, struct slw_coalescer_counts *ret_counts,
                       struct slw_error *err)
{
    int rc = 0;

    if (!c)
        return 0;
    (void)pthread_mutex_lock(&c->lock);
    c->closing = true;
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_cond_signal(&c->arrived);
    (void)pthread_join(c->worker, NULL);
    c->counts.execute = *slw_executor_counts(c->executor);
    if (ret_counts)
        *ret_counts = c->counts;
    if (c->error.code) {
        if (err && !err->code)
            *err = c->error;
        rc = -(int)c->error.code;
    }
    discard(c);
    return rc;
}
