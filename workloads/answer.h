/* SPDX-License-Identifier: MIT */
/* What the drivers of servers have in common: filling in answers, keeping what answers point into
 * until the next call, finding the request an answered id belongs to, waiting with a bound. */
#ifndef SLW_WORKLOADS_ANSWER_H
#define SLW_WORKLOADS_ANSWER_H

#include "workloads/driver.h"

/* A server that says nothing for so long is gone. Longer than any lock is waited for by default in
 * MariaDB (50 s). */
#define SLW_SILENCE_MS 60000
#define SLW_CONNECT_MS 10000
/* One statement of many rows; PostgreSQL and Redis take 512 MiB and more in one piece. */
#define SLW_MAX_STATEMENT_BYTES (256U << 20)

void slw_answer_done(struct slw_answer *a, uint64_t affected, uint64_t row);
/* Not done, and why: `why` is foreign text of `length` bytes; cut, control characters replaced. */
void slw_answer_failed(struct slw_answer *a, enum slw_outcome outcome, const char *why,
                       size_t length);
/* The same answer to all: all or nothing was asked for. */
void slw_answers_same(struct slw_answer *answers, size_t count, const struct slw_answer *same);
/* Before anything is sent: an answer that never comes is LOST. */
void slw_answers_lost(struct slw_answer *answers, size_t count, const char *why);

/* ---- results that answers point into ---- */

struct slw_keep {
    void **items;
    size_t count, capacity;
};
int slw_keep_put(struct slw_keep *k, void *item); /* 0, or -SLW_E_NOMEM: the item is still yours */
void slw_keep_drop(struct slw_keep *k, void (*drop)(void *item)); /* all items; the room stays */
void slw_keep_release(struct slw_keep *k);                        /* after slw_keep_drop */

/* ---- whose id ---- */

struct slw_ids {
    struct slw_id_place {
        uint64_t id;
        size_t index;
    } * places;
    size_t count, hint;
};
int slw_ids_init(struct slw_ids *ids, const struct slw_request *requests, size_t count);
/* Index of the request with this id, or SIZE_MAX. Fast in the order of the requests. */
size_t slw_ids_find(struct slw_ids *ids, const struct slw_request *requests, uint64_t id);
void slw_ids_release(struct slw_ids *ids);

/* ---- waiting ---- */

/* Until the descriptor is ready for `events` (poll(2)) or timeout_ms have passed. What is ready, 0
 * for nothing, or -errno. */
int slw_wait_for(int fd, short events, int timeout_ms);
/* What is left of `total_ms` that began at start_ns; 0 when none is. */
int slw_wait_left(uint64_t start_ns, int total_ms);

/* ---- one by one and pipelined, for a driver that can do it without waiting ---- */

/* As in struct slw_driver, but poll() adds to what is kept for the answers. */
struct slw_flow {
    size_t window; /* requests under way at once; 1: one by one */
    int (*submit)(void *connection, const struct slw_request *request, uint64_t token,
                  struct slw_error *err);
    int (*flush)(void *connection, struct slw_error *err);
    int (*poll)(void *connection, int timeout_ms, struct slw_completion *completions, size_t count,
                struct slw_error *err);
    /* There is nothing to hope for from this connection any more: -SLW_E_GONE, at once and in every
     * later call. */
    int (*give_up)(void *connection, const char *why, struct slw_error *err);
};
/* What slw_driver.run does for NONE and PIPELINE. */
int slw_flow_run(const struct slw_flow *flow, void *connection, const struct slw_request *requests,
                 size_t count, struct slw_answer *answers, struct slw_error *err);

/* ---- all ways of a server ---- */

/* What slw_driver.run does for one batching. */
typedef int slw_way(void *connection, const struct slw_request *requests, size_t count,
                    struct slw_answer *answers, struct slw_error *err);

struct slw_ways {
    const char *server; /* "PostgreSQL" */
    struct slw_flow pipeline;
    slw_way *one_by_one; /* NULL: the pipeline with a window of 1 */
    slw_way *statement, *transaction;
};
/* slw_driver.run. `gone`: why nothing can be asked any more, or NULL. */
int slw_ways_run(const struct slw_ways *ways, void *connection, const char *gone,
                 enum slw_batching how, const struct slw_request *requests, size_t count,
                 struct slw_answer *answers, struct slw_error *err);

/* Bytes of all payloads, at least. */
size_t slw_requests_bytes(const struct slw_request *requests, size_t count);

#endif
