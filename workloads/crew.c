/* SPDX-License-Identifier: MIT */
#include "workloads/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct crew {
    void (*work)(void *ctx, size_t index);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t go;
    enum { WAIT, GO, GIVE_UP } order;
};

struct member {
    struct crew *crew;
    size_t index;
    pthread_t thread;
};

static void *member_main(void *arg)
{
    const struct member *m = arg;
    struct crew *c = m->crew;

    (void)pthread_mutex_lock(&c->lock);
    while (c->order == WAIT)
        (void)pthread_cond_wait(&c->go, &c->lock);
    const bool work = c->order == GO;
    (void)pthread_mutex_unlock(&c->lock);
    if (work)
        c->work(c->ctx, m->index);
    return NULL;
}

int slw_crew_run(size_t count, void (*work)(void *ctx, size_t index), void *ctx,
                 struct slw_error *err)
{
    struct crew crew = {.work = work,
                        .ctx = ctx,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .go = PTHREAD_COND_INITIALIZER};
    struct member *members = calloc(count, sizeof(*members));
    size_t made = 0;
    int sys = 0;

    if (!members)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu threads", count);
    for (; made < count && sys == 0; made += sys == 0) {
        members[made] = (struct member){.crew = &crew, .index = made};
        sys = pthread_create(&members[made].thread, NULL, member_main, &members[made]);
    }
    (void)pthread_mutex_lock(&crew.lock);
    crew.order = sys ? GIVE_UP : GO;
    (void)pthread_cond_broadcast(&crew.go);
    (void)pthread_mutex_unlock(&crew.lock);
    for (size_t i = 0; i < made; i++)
        (void)pthread_join(members[i].thread, NULL);
    free(members);
    return sys ? slw_fail_sys(err, SLW_E_NOMEM, sys, "cannot start thread %zu of %zu", made + 1,
                              count)
               : 0;
}
