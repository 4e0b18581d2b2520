/* SPDX-License-Identifier: MIT */
/* Parts of the workload submit: what a request is made of, and the queues between its threads. */
#ifndef SLW_WORKLOADS_SUBMIT_INT_H
#define SLW_WORKLOADS_SUBMIT_INT_H

#include "base/buf.h"
#include "workloads/workload.h"

#include <pthread.h>

enum slw_submit_vector { SLW_VECTOR_ELEMENTS, SLW_VECTOR_BULK, SLW_VECTOR_PASSED };

/* The switches, each with the slow choice first. */
struct slw_submit_how {
    bool thread;     /* completions hand over to a submitter thread */
    bool lazy_event; /* the event that somebody may wait for is made when somebody waits */
    bool one_lock;   /* both callbacks are registered under one lock */
    bool joined;     /* parameters are written into one buffer, not one by one */
    bool compressed; /* LZ4 */
    enum slw_submit_vector vector;
    size_t dimensions; /* of the vector, float32 */
};

/* A request and the future of its answer: what drivers with callbacks make for each. */
struct slw_future {
    pthread_mutex_t lock;
    struct slw_submit_event *event; /* eager: always; lazy: only for who waits */
    void (*on_answer)(struct slw_future *f, const struct slw_answer *answer);
    void (*on_error)(struct slw_future *f, const struct slw_answer *answer);
    void *ctx;
    uint64_t id, created_ns;
    unsigned tries;
    bool counted;                     /* not a warm-up request */
    struct slw_future *newer, *older; /* of those that are sent and not answered */
    char *bytes;                      /* the serialized parameters */
    size_t length;
};

/* The rows to come: an id, a text, a vector. */
struct slw_submit_source {
    const struct slw_submit_how *how;
    uint64_t seed;
    float *vector;     /* in the byte order of the machine */
    uint32_t *encoded; /* the same, big endian, as a caller that has bytes would pass it through */
};
int slw_submit_source_init(struct slw_submit_source *s, const struct slw_submit_how *how,
                           uint64_t seed);
void slw_submit_source_release(struct slw_submit_source *s);

/* Make the request for row `id`: event, callbacks, serialized parameters. NULL without memory. */
struct slw_future *slw_future_new(const struct slw_submit_source *s, uint64_t id,
                                  void (*on_answer)(struct slw_future *, const struct slw_answer *),
                                  void (*on_error)(struct slw_future *, const struct slw_answer *),
                                  void *ctx);
void slw_future_free(struct slw_future *f); /* NULL is allowed */
/* Tell who waits, and call what was registered. */
void slw_future_complete(struct slw_future *f, const struct slw_answer *answer);

/* The serialized parameters, as slw_future_new makes them; for tests: `how` must not change what
 * is sent, except for compression. Returns 0 or -SLW_E_NOMEM. */
int slw_submit_serialize(const struct slw_submit_source *s, uint64_t id, char **ret_bytes,
                         size_t *ret_length);

/* Pointers from one side to the other, in order. Bounded by what is in flight. */
struct slw_submit_queue {
    pthread_mutex_t lock;
    pthread_cond_t more;
    void **items;
    size_t capacity, first, count;
    bool closed;
};
int slw_submit_queue_init(struct slw_submit_queue *q, size_t capacity);
void slw_submit_queue_release(struct slw_submit_queue *q);
void slw_submit_queue_put(struct slw_submit_queue *q, void *item); /* there is always room */
void slw_submit_queue_close(struct slw_submit_queue *q);
/* Take all that is there, up to `most`; waits for the first one when told to. 0: none there, or
 * closed. */
size_t slw_submit_queue_take(struct slw_submit_queue *q, void **items, size_t most, bool wait);

#endif
