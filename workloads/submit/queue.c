/* SPDX-License-Identifier: MIT */
#include "workloads/submit/submit_int.h"

#include <assert.h>
#include <stdlib.h>

int slw_submit_queue_init(struct slw_submit_queue *q, size_t capacity)
{
    *q = (struct slw_submit_queue){.capacity = capacity};
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->more, NULL);
    q->items = calloc(capacity, sizeof(*q->items));
    return q->items ? 0 : -SLW_E_NOMEM;
}

void slw_submit_queue_release(struct slw_submit_queue *q)
{
    if (!q->capacity)
        return;
    free(q->items);
    (void)pthread_cond_destroy(&q->more);
    (void)pthread_mutex_destroy(&q->lock);
}

void slw_submit_queue_put(struct slw_submit_queue *q, void *item)
{
    (void)pthread_mutex_lock(&q->lock);
    assert(q->count < q->capacity);
    q->items[(q->first + q->count++) % q->capacity] = item;
    if (q->count == 1)
        (void)pthread_cond_signal(&q->more);
    (void)pthread_mutex_unlock(&q->lock);
}

void slw_submit_queue_close(struct slw_submit_queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->more);
    (void)pthread_mutex_unlock(&q->lock);
}

size_t slw_submit_queue_take(struct slw_submit_queue *q, void **items, size_t most, bool wait)
{
    size_t n = 0;

    (void)pthread_mutex_lock(&q->lock);
    while (wait && q->count == 0 && !q->closed)
        (void)pthread_cond_wait(&q->more, &q->lock);
    for (; n < most && q->count > 0; n++) {
        items[n] = q->items[q->first];
        q->first = (q->first + 1) % q->capacity;
        q->count--;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return n;
}
