/* SPDX-License-Identifier: MIT */
/* Samples in batches: a thread of its own unwinds the copies of one while the samples of the one
 * before are added and those of the next are read. Two batches take turns. The thread has the
 * unwinder as long as it works, and reads the mappings of processes and the list of modules, which
 * change by records that are no samples: before one of those, all batches are finished. */
#include "analyzer/samples_int.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

/* Of copies in a batch: a part of what is kept mapped of the recording. */
#define MAX_BATCH_BYTES ((size_t)4 << 20)
/* Smaller batches are unwound sooner than handed over, and few ones are worth no thread. */
#define MIN_HANDED_OVER 32
#define MIN_BATCHES     4

struct slw_unwinding_thread {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct slw_unwinder *unwinder;
    struct slw_batch *work; /* NULL: it waits */
    bool ending;
    struct slw_batch *given; /* the same or done; NULL: the other one is unused. Not the thread's */
};

static void *work(void *thread)
{
    struct slw_unwinding_thread *t = thread;

    (void)pthread_mutex_lock(&t->mutex);
    while (!t->ending) {
        if (!t->work) {
            (void)pthread_cond_wait(&t->changed, &t->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&t->mutex);
        slw_unwinder_run(t->unwinder, t->work);
        (void)pthread_mutex_lock(&t->mutex);
        t->work = NULL;
        (void)pthread_cond_broadcast(&t->changed);
    }
    (void)pthread_mutex_unlock(&t->mutex);
    return NULL;
}

static bool has_second_cpu(void)
{
    cpu_set_t allowed;

    return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && CPU_COUNT(&allowed) > 1;
}

/* NULL: it is done without one. */
static struct slw_unwinding_thread *thread_new(struct slw_unwinder *u)
{
    struct slw_unwinding_thread *t = has_second_cpu() ? calloc(1, sizeof(*t)) : NULL;
    sigset_t all, before;

    if (!t)
        return NULL;
    (void)pthread_mutex_init(&t->mutex, NULL);
    (void)pthread_cond_init(&t->changed, NULL);
    t->unwinder = u;
    (void)sigfillset(&all); /* signals are for the program's own thread */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&t->thread, NULL, work, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return t;
    (void)pthread_mutex_destroy(&t->mutex);
    (void)pthread_cond_destroy(&t->changed);
    free(t);
    return NULL;
}

static void batch_free(struct slw_batch *b)
{
    if (b)
        free(b->frames);
    free(b);
}

void slw_samples_forget_batches(struct slw_samples *s)
{
    struct slw_unwinding_thread *t = s->thread;

    if (t) {
        (void)pthread_mutex_lock(&t->mutex);
        t->ending = true;
        (void)pthread_cond_broadcast(&t->changed);
        (void)pthread_mutex_unlock(&t->mutex);
        (void)pthread_join(t->thread, NULL);
        (void)pthread_mutex_destroy(&t->mutex);
        (void)pthread_cond_destroy(&t->changed);
        batch_free(t->given);
        free(t);
    }
    batch_free(s->batch);
    s->thread = NULL;
    s->batch = NULL;
}

static int add(struct slw_samples *s, struct slw_batch *b)
{
    int rc = b->rc;

    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        const struct slw_sample *sample = &b->samples[i];
        rc = slw_samples_add(s, sample,
                             sample->unwound.depth > 0 ? b->frames + sample->frames_at : NULL);
    }
    b->count = b->bytes = 0;
    return rc;
}

/* The batch that was given to the thread, once it is done. */
static struct slw_batch *take_back(struct slw_unwinding_thread *t)
{
    struct slw_batch *b = t->given;

    (void)pthread_mutex_lock(&t->mutex);
    while (t->work)
        (void)pthread_cond_wait(&t->changed, &t->mutex);
    (void)pthread_mutex_unlock(&t->mutex);
    t->given = NULL;
    return b;
}

static void give(struct slw_unwinding_thread *t, struct slw_batch *b)
{
    t->given = b;
    (void)pthread_mutex_lock(&t->mutex);
    t->work = b;
    (void)pthread_cond_broadcast(&t->changed);
    (void)pthread_mutex_unlock(&t->mutex);
}

/* A full batch: the thread gets it, and the one it had is added meanwhile. */
static int hand_over(struct slw_samples *s)
{
    struct slw_batch *done = take_back(s->thread);

    give(s->thread, s->batch);
    s->batch = done ? done : calloc(1, sizeof(*s->batch));
    return s->batch ? add(s, s->batch) : -SLW_E_NOMEM;
}

/* Stacks of generated code are followed by its names, and naming is this thread's. */
static bool may_hand_over(const struct slw_samples *s)
{
    if (!s->thread)
        return false;
    for (size_t i = 0; i < s->modules.count; i++)
        if (s->modules.modules[i].kind == SLW_MODULE_ANONYMOUS)
            return false;
    return true;
}

static int finish(struct slw_samples *s)
{
    if (s->batch->count == 0)
        return 0;
    slw_unwinder_run(s->unwinder, s->batch);
    return add(s, s->batch);
}

int slw_samples_flush(struct slw_samples *s)
{
    int rc = 0;

    if (!s->batch)
        return 0;
    if (s->batch->count >= MIN_HANDED_OVER && may_hand_over(s))
        rc = hand_over(s);
    if (rc == 0 && s->thread && s->thread->given) {
        struct slw_batch *done = take_back(s->thread);
        rc = add(s, done);
        if (s->batch->count == 0) {
            batch_free(s->batch);
            s->batch = done;
        } else {
            batch_free(done);
        }
    }
    return rc < 0 ? rc : finish(s);
}

static int full(struct slw_samples *s)
{
    if (++s->batches == MIN_BATCHES)
        s->thread = thread_new(s->unwinder);
    return may_hand_over(s) ? hand_over(s) : slw_samples_flush(s);
}

static int start(struct slw_samples *s)
{
    if (!s->unwinder)
        s->unwinder = slw_unwinder_new(s);
    s->batch = calloc(1, sizeof(*s->batch));
    return s->unwinder && s->batch ? 0 : -SLW_E_NOMEM;
}

/* Samples without copies need not wait, but keep their turn. */
int slw_samples_queue(struct slw_samples *s, const struct slw_perf_record *r)
{
    if (!s->batch && !s->events[r->event].copies)
        return slw_samples_add_now(s, r);
    const bool waits = s->batch && (s->batch->count > 0 || (s->thread && s->thread->given));
    const bool copied = slw_samples_has_copy(s, r);

    if (!waits && !copied)
        return slw_samples_add_now(s, r);
    int rc = s->batch ? 0 : start(s);
    if (rc < 0)
        return rc;
    struct slw_perf_record *record = &s->batch->records[s->batch->count];
    *record = *r;
    rc = slw_samples_begin(s, record, &s->batch->samples[s->batch->count]);
    if (rc < 0)
        return rc;
    s->batch->samples[s->batch->count].copied = copied;
    s->batch->count++;
    s->batch->bytes += r->sample.stack_user_room;
    return s->batch->count == SLW_BATCH_SAMPLES || s->batch->bytes >= MAX_BATCH_BYTES ? full(s) : 0;
}
