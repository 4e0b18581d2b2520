/* SPDX-License-Identifier: MIT */
/* A request and the future of its answer. */
#include "workloads/submit/submit_int.h"

#include "base/clock.h"

#include <slotwise/stage.h>
#include <stdlib.h>

/* What somebody who wants to wait for the answer needs. */
struct slw_submit_event {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
};

static struct slw_submit_event *event_new(void)
{
    struct slw_submit_event *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    (void)pthread_mutex_init(&e->lock, NULL);
    (void)pthread_cond_init(&e->done, NULL);
    return e;
}

static void event_set(struct slw_submit_event *e)
{
    (void)pthread_mutex_lock(&e->lock);
    e->is_done = true;
    (void)pthread_cond_broadcast(&e->done);
    (void)pthread_mutex_unlock(&e->lock);
}

static void event_free(struct slw_submit_event *e)
{
    if (!e)
        return;
    (void)pthread_cond_destroy(&e->done);
    (void)pthread_mutex_destroy(&e->lock);
    free(e);
}

static void register_callbacks(struct slw_future *f, bool one_lock,
                               void (*on_answer)(struct slw_future *, const struct slw_answer *),
                               void (*on_error)(struct slw_future *, const struct slw_answer *))
{
    (void)pthread_mutex_lock(&f->lock);
    f->on_answer = on_answer;
    if (!one_lock) {
        (void)pthread_mutex_unlock(&f->lock);
        (void)pthread_mutex_lock(&f->lock);
    }
    f->on_error = on_error;
    (void)pthread_mutex_unlock(&f->lock);
}

struct slw_future *slw_future_new(const struct slw_submit_source *s, uint64_t id,
                                  void (*on_answer)(struct slw_future *, const struct slw_answer *),
                                  void (*on_error)(struct slw_future *, const struct slw_answer *),
                                  void *ctx)
{
    struct slw_future *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->created_ns = slw_clock_monotonic_ns();
    f->id = id;
    f->ctx = ctx;
    (void)pthread_mutex_init(&f->lock, NULL);
    SLOTWISE_STAGE_BEGIN(serialize, 1);
    int rc = slw_submit_serialize(s, id, &f->bytes, &f->length);
    SLOTWISE_STAGE_END(serialize);
    if (rc >= 0 && !s->how->lazy_event) {
        f->event = event_new();
        rc = f->event ? 0 : -SLW_E_NOMEM;
    }
    if (rc < 0) {
        slw_future_free(f);
        return NULL;
    }
    register_callbacks(f, s->how->one_lock, on_answer, on_error);
    return f;
}

void slw_future_free(struct slw_future *f)
{
    if (!f)
        return;
    event_free(f->event);
    (void)pthread_mutex_destroy(&f->lock);
    free(f->bytes);
    free(f);
}

void slw_future_complete(struct slw_future *f, const struct slw_answer *answer)
{
    (void)pthread_mutex_lock(&f->lock);
    void (*const callback)(struct slw_future *, const struct slw_answer *) =
        answer->outcome == SLW_OUTCOME_DONE ? f->on_answer : f->on_error;
    (void)pthread_mutex_unlock(&f->lock);
    if (f->event)
        event_set(f->event);
    callback(f, answer);
}
