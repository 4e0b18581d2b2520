/* SPDX-License-Identifier: MIT */
/* Tables of symbols are built by a thread of its own while the recording is read, in the order in
 * which modules are first met. Whoever needs a table that nobody has begun builds it himself. The
 * thread touches its job only: modules and symbols may grow meanwhile. */
#include "analyzer/symbols_int.h"

#include "base/arena.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Modules past these are few samples' and are read when they are needed. */
#define MAX_JOBS 256

enum state { WAITING, BEGUN, DONE };

struct job {
    struct slw_module module; /* its strings are the arena's, which stay */
    uint32_t position;
    enum state state;
    struct slw_symbols_module result;
    int rc;
};

struct slw_symbols_ahead {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct slw_symbols_loader loader;
    struct job jobs[MAX_JOBS];
    size_t count, next; /* next: the first that nobody has looked at */
    bool ending;
};

static struct job *next_job(struct slw_symbols_ahead *a)
{
    while (a->next < a->count) {
        struct job *j = &a->jobs[a->next++];
        if (j->state == WAITING)
            return j;
    }
    return NULL;
}

static void *work(void *ahead)
{
    struct slw_symbols_ahead *a = ahead;

    (void)pthread_mutex_lock(&a->mutex);
    while (!a->ending) {
        struct job *j = next_job(a);
        if (!j) {
            (void)pthread_cond_wait(&a->changed, &a->mutex);
            continue;
        }
        j->state = BEGUN;
        (void)pthread_mutex_unlock(&a->mutex);
        j->rc = slw_symbols_load_module(&a->loader, &j->module, &j->result);
        (void)pthread_mutex_lock(&a->mutex);
        j->state = DONE;
        (void)pthread_cond_broadcast(&a->changed);
    }
    (void)pthread_mutex_unlock(&a->mutex);
    return NULL;
}

static void ahead_free(struct slw_symbols_ahead *a)
{
    slw_arena_free(a->loader.arena);
    (void)pthread_mutex_destroy(&a->mutex);
    (void)pthread_cond_destroy(&a->changed);
    free(a);
}

static struct slw_symbols_ahead *ahead_new(const struct slw_symbols *s)
{
    struct slw_symbols_ahead *a = calloc(1, sizeof(*a));
    sigset_t all, before;

    if (!a)
        return NULL;
    (void)pthread_mutex_init(&a->mutex, NULL);
    (void)pthread_cond_init(&a->changed, NULL);
    a->loader = (struct slw_symbols_loader){.opts = &s->opts, .arena = slw_arena_new()};
    (void)sigfillset(&all); /* signals are for the program's own thread */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = a->loader.arena ? pthread_create(&a->thread, NULL, work, a) : -1;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return a;
    ahead_free(a);
    return NULL;
}

void slw_symbols_expect(struct slw_symbols *s, uint32_t module)
{
    const struct slw_module *m = &s->modules->modules[module];

    if (m->kind != SLW_MODULE_FILE || (s->ahead && s->ahead->count == MAX_JOBS))
        return;
    if (!s->ahead)
        s->ahead = ahead_new(s);
    if (!s->ahead)
        return; /* told when it is needed */
    (void)pthread_mutex_lock(&s->ahead->mutex);
    s->ahead->jobs[s->ahead->count++] = (struct job){.module = *m, .position = module};
    (void)pthread_cond_broadcast(&s->ahead->changed);
    (void)pthread_mutex_unlock(&s->ahead->mutex);
}

bool slw_symbols_take(struct slw_symbols *s, uint32_t module, struct slw_symbols_module *ret_result,
                      int *ret_rc)
{
    struct slw_symbols_ahead *a = s->ahead;
    struct job *j = NULL;

    for (size_t i = 0; a && i < a->count && !j; i++)
        if (a->jobs[i].position == module)
            j = &a->jobs[i];
    if (!j)
        return false;
    (void)pthread_mutex_lock(&a->mutex);
    bool ours = j->state == WAITING;
    while (j->state == BEGUN)
        (void)pthread_cond_wait(&a->changed, &a->mutex);
    j->state = DONE;
    (void)pthread_mutex_unlock(&a->mutex);
    if (ours)
        return false;
    *ret_result = j->result;
    *ret_rc = j->rc;
    j->result = (struct slw_symbols_module){0};
    return true;
}

void slw_symbols_forget_ahead(struct slw_symbols *s)
{
    struct slw_symbols_ahead *a = s->ahead;

    if (!a)
        return;
    (void)pthread_mutex_lock(&a->mutex);
    a->ending = true;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->mutex);
    (void)pthread_join(a->thread, NULL);
    for (size_t i = 0; i < a->count; i++)
        slw_symbols_module_release(&a->jobs[i].result);
    ahead_free(a);
    s->ahead = NULL;
}
