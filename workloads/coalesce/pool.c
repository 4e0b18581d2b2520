/* SPDX-License-Identifier: MIT */
#include "workloads/coalesce/pool.h"

#include <assert.h>
#include <pthread.h>
#include <slotwise/stage.h>
#include <stdlib.h>

struct member {
    struct slw_lane lane;
    struct slw_executor *executor;
    struct slw_job *job; /* in its hands */
    struct member *next; /* free as well */
};

struct slw_pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct member *free;
    size_t count;
    struct member members[];
};

static void answer(void *ctx, uint32_t row, const struct slw_answer *a)
{
    const struct member *m = ctx;

    (void)row;
    slw_job_take_answer(m->job, a);
}

void slw_pool_free(struct slw_pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        slw_executor_free(p->members[i].executor);
        slw_lane_close(&p->members[i].lane);
    }
    (void)pthread_cond_destroy(&p->returned);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

static int add_member(struct slw_pool *p, const struct slw_lane_options *lane,
                      const struct slw_execute_options *execute, uint64_t seed,
                      struct slw_error *err)
{
    struct member *m = &p->members[p->count];
    struct slw_execute_options own = *execute;
    const int rc = slw_lane_open(&m->lane, lane, seed, err);

    if (rc < 0)
        return rc;
    p->count++;
    own.how = SLW_BATCHING_NONE;
    own.rows = 1;
    own.answer = answer;
    own.ctx = m;
    m->executor = slw_executor_new(&m->lane, &own);
    if (!m->executor)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu connections", p->count);
    m->next = p->free;
    p->free = m;
    return 0;
}

int slw_pool_new(const struct slw_lane_options *lane, const struct slw_execute_options *execute,
                 size_t connections, uint64_t seed, struct slw_pool **ret_pool,
                 struct slw_error *err)
{
    struct slw_pool *p = calloc(1, sizeof(*p) + connections * sizeof(p->members[0]));
    int rc = 0;

    if (!p)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu connections", connections);
    (void)pthread_mutex_init(&p->lock, NULL); /* cannot fail on Linux, nor can the next */
    (void)pthread_cond_init(&p->returned, NULL);
    for (size_t i = 0; i < connections && rc == 0; i++)
        rc = add_member(p, lane, execute, seed + i, err);
    if (rc < 0) {
        slw_pool_free(p);
        return rc;
    }
    *ret_pool = p;
    return 0;
}

static struct member *take(struct slw_pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    while (!p->free)
        (void)pthread_cond_wait(&p->returned, &p->lock);
    struct member *m = p->free;
    p->free = m->next;
    (void)pthread_mutex_unlock(&p->lock);
    return m;
}

static void give_back(struct slw_pool *p, struct member *m)
{
    (void)pthread_mutex_lock(&p->lock);
    m->next = p->free;
    p->free = m;
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_cond_signal(&p->returned);
}

int slw_pool_call(struct slw_pool *p, struct slw_job *job, struct slw_error *err)
{
    static const uint32_t row = 0;
    const struct slw_request *request = &job->request;

    SLOTWISE_STAGE_BEGIN(take, 1);
    struct member *m = take(p);
    SLOTWISE_STAGE_END(take);
    m->job = job;
    const int rc = slw_execute(m->executor, &request, &row, 1, err);
    give_back(p, m);
    return rc;
}

void slw_pool_counts(const struct slw_pool *p, struct slw_execute_counts *ret_counts,
                     uint64_t *ret_reconnects)
{
    *ret_reconnects = 0;
    for (size_t i = 0; i < p->count; i++) {
        slw_execute_counts_merge(ret_counts, slw_executor_counts(p->members[i].executor));
        *ret_reconnects += p->members[i].lane.reconnects;
    }
}

void slw_pool_forget_counts(struct slw_pool *p)
{
    for (size_t i = 0; i < p->count; i++) {
        slw_executor_forget_counts(p->members[i].executor);
        p->members[i].lane.reconnects = 0;
    }
}
