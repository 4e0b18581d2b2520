/* SPDX-License-Identifier: MIT */
#include "workloads/answer.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

void slw_answer_done(struct slw_answer *a, uint64_t affected, uint64_t row)
{
    *a = (struct slw_answer){.outcome = SLW_OUTCOME_DONE, .affected = affected, .row = row};
}

void slw_answer_failed(struct slw_answer *a, enum slw_outcome outcome, const char *why,
                       size_t length)
{
    *a = (struct slw_answer){.outcome = outcome};
    if (length >= sizeof(a->why))
        length = sizeof(a->why) - 1;
    for (size_t i = 0; i < length; i++)
        a->why[i] = (unsigned char)why[i] < ' ' || why[i] == 0x7f ? ' ' : why[i];
    while (length > 0 && a->why[length - 1] == ' ')
        a->why[--length] = '\0';
}

void slw_answers_same(struct slw_answer *answers, size_t count, const struct slw_answer *same)
{
    const struct slw_answer copy = *same; /* may be one of them */

    for (size_t i = 0; i < count; i++)
        answers[i] = copy;
}

void slw_answers_lost(struct slw_answer *answers, size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++)
        slw_answer_failed(&answers[i], SLW_OUTCOME_LOST, why, strlen(why));
}

/* ---- results that answers point into ---- */

int slw_keep_put(struct slw_keep *k, void *item)
{
    if (k->count == k->capacity) {
        const size_t capacity = k->capacity ? k->capacity * 2 : 64;
        void **items = realloc(k->items, capacity * sizeof(*items));

        if (!items)
            return -SLW_E_NOMEM;
        k->items = items;
        k->capacity = capacity;
    }
    k->items[k->count++] = item;
    return 0;
}

void slw_keep_drop(struct slw_keep *k, void (*drop)(void *item))
{
    for (size_t i = 0; i < k->count; i++)
        drop(k->items[i]);
    k->count = 0;
}

void slw_keep_release(struct slw_keep *k)
{
    assert(k->count == 0);
    free(k->items);
    *k = (struct slw_keep){0};
}

/* ---- whose id ---- */

static int compare_places(const void *a, const void *b)
{
    const struct slw_id_place *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

int slw_ids_init(struct slw_ids *ids, const struct slw_request *requests, size_t count)
{
    *ids = (struct slw_ids){.places = calloc(count + 1, sizeof(*ids->places)), .count = count};
    if (!ids->places)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        ids->places[i] = (struct slw_id_place){requests[i].id, i};
    qsort(ids->places, count, sizeof(*ids->places), compare_places);
    return 0;
}

size_t slw_ids_find(struct slw_ids *ids, const struct slw_request *requests, uint64_t id)
{
    const struct slw_id_place key = {.id = id};

    if (ids->hint >= ids->count || requests[ids->hint].id != id) {
        const struct slw_id_place *found =
            bsearch(&key, ids->places, ids->count, sizeof(key), compare_places);
        if (!found)
            return SIZE_MAX;
        ids->hint = found->index;
    }
    return ids->hint++;
}

void slw_ids_release(struct slw_ids *ids)
{
    free(ids->places);
    *ids = (struct slw_ids){0};
}

/* ---- waiting ---- */

int slw_wait_left(uint64_t start_ns, int total_ms)
{
    const uint64_t passed_ms = (slw_clock_monotonic_ns() - start_ns) / 1000000;

    return passed_ms >= (uint64_t)total_ms ? 0 : total_ms - (int)passed_ms;
}

int slw_wait_for(int fd, short events, int timeout_ms)
{
    const uint64_t start_ns = slw_clock_monotonic_ns();
    struct pollfd p = {.fd = fd, .events = events};
    int rc, left = timeout_ms;

    while ((rc = poll(&p, 1, left)) < 0 && errno == EINTR)
        left = slw_wait_left(start_ns, timeout_ms);
    if (rc < 0)
        return -errno;
    return rc == 0 ? 0 : p.revents;
}

size_t slw_requests_bytes(const struct slw_request *requests, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += (requests[i].op == SLW_OP_READ ? 0 : requests[i].length) + 16;
    return bytes;
}

/* ---- one by one and pipelined ---- */

/* Refilled when half of the window is answered: written together, and never a gap. */
static int fill_window(const struct slw_flow *flow, void *connection,
                       const struct slw_request *requests, size_t count, size_t answered,
                       size_t *sent, struct slw_error *err)
{
    int rc = 0;

    if (*sent == count || *sent - answered > flow->window / 2)
        return 0;
    while (rc == 0 && *sent < count && *sent - answered < flow->window) {
        rc = flow->submit(connection, &requests[*sent], *sent, err);
        *sent += rc == 0;
    }
    return rc < 0 ? rc : flow->flush(connection, err);
}

int slw_flow_run(const struct slw_flow *flow, void *connection, const struct slw_request *requests,
                 size_t count, struct slw_answer *answers, struct slw_error *err)
{
    struct slw_completion done[16] = {0};
    size_t sent = 0, answered = 0;

    slw_answers_lost(answers, count, "the connection broke before");
    while (answered < count) {
        int rc = fill_window(flow, connection, requests, count, answered, &sent, err);

        if (rc == 0)
            rc = flow->poll(connection, SLW_SILENCE_MS, done, sizeof(done) / sizeof(done[0]), err);
        if (rc == 0)
            rc = flow->give_up(connection, "it has been silent for too long", err);
        if (rc < 0)
            return rc;
        for (int i = 0; i < rc; i++)
            answers[done[i].token] = done[i].answer;
        answered += (size_t)rc;
    }
    return 0;
}

/* ---- all ways of a server ---- */

int slw_ways_run(const struct slw_ways *ways, void *connection, const char *gone,
                 enum slw_batching how, const struct slw_request *requests, size_t count,
                 struct slw_answer *answers, struct slw_error *err)
{
    struct slw_flow single = ways->pipeline;

    if (count == 0)
        return 0;
    if (gone) {
        slw_answers_lost(answers, count, gone);
        return single.give_up(connection, gone, err);
    }
    switch (how) {
    case SLW_BATCHING_NONE:
        if (ways->one_by_one)
            return ways->one_by_one(connection, requests, count, answers, err);
        single.window = 1;
        return slw_flow_run(&single, connection, requests, count, answers, err);
    case SLW_BATCHING_PIPELINE:
        return slw_flow_run(&ways->pipeline, connection, requests, count, answers, err);
    case SLW_BATCHING_STATEMENT:
        return ways->statement(connection, requests, count, answers, err);
    case SLW_BATCHING_TRANSACTION:
        return ways->transaction(connection, requests, count, answers, err);
    case SLW_BATCHING_COUNT:
        break;
    }
    return slw_fail(err, SLW_E_UNSUPPORTED, "%s has no such batching", ways->server);
}
