/* SPDX-License-Identifier: MIT */
#include "workloads/coalesce/execute.h"

#include <assert.h>
#include <slotwise/stage.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request on its way, and what is known of it. */
struct trial {
    uint32_t row;
    bool again;             /* may be stored already */
    struct slw_answer done; /* while it is verified: what will be told when it is ours */
};

/* Trials that are sent together. */
struct part {
    uint32_t first, count;
    unsigned tries;
    bool wait, verify;
};

/* Halving leaves one part behind for each level, and a part becomes two to be retried and verified
 * only when it is not cut: 16 levels of 65536 rows and these. */
#define MAX_PARTS 24

struct slw_executor {
    struct slw_lane *lane;
    struct slw_execute_options options;
    struct slw_execute_counts counts;
    const struct slw_request *const *requests; /* of this statement */
    struct trial *trials, *later;
    struct slw_request *sent;
    struct slw_answer *answers;
    struct part parts[MAX_PARTS];
    size_t part_count;
};

void slw_executor_free(struct slw_executor *x)
{
    if (!x)
        return;
    free(x->trials);
    free(x->later);
    free(x->sent);
    free(x->answers);
    free(x);
}

struct slw_executor *slw_executor_new(struct slw_lane *lane,
                                      const struct slw_execute_options *options)
{
    struct slw_executor *x = calloc(1, sizeof(*x));

    assert(options->rows > 0 && options->rows <= SLW_MAX_REQUESTS);
    if (!x)
        return NULL;
    x->lane = lane;
    x->options = *options;
    x->trials = calloc(options->rows, sizeof(*x->trials));
    x->later = calloc(options->rows, sizeof(*x->later));
    x->sent = calloc(options->rows, sizeof(*x->sent));
    x->answers = calloc(options->rows, sizeof(*x->answers));
    if (x->trials && x->later && x->sent && x->answers)
        return x;
    slw_executor_free(x);
    return NULL;
}

const struct slw_execute_counts *slw_executor_counts(const struct slw_executor *x)
{
    return &x->counts;
}

void slw_executor_forget_counts(struct slw_executor *x)
{
    x->counts = (struct slw_execute_counts){.calls = 0};
}

void slw_execute_counts_merge(struct slw_execute_counts *c, const struct slw_execute_counts *from)
{
    c->calls += from->calls;
    c->retries += from->retries;
    c->halvings += from->halvings;
    slw_histogram_merge(&c->batch, &from->batch);
}

static void push(struct slw_executor *x, struct part part)
{
    assert(x->part_count < MAX_PARTS);
    if (part.count > 0)
        x->parts[x->part_count++] = part;
}

static void finish(struct slw_executor *x, const struct trial *t, const struct slw_answer *answer)
{
    struct slw_answer told = *answer;

    if (t->again && told.outcome == SLW_OUTCOME_TRANSIENT)
        told.outcome = SLW_OUTCOME_LOST;
    x->options.answer(x->options.ctx, t->row, &told);
}

static void fill(struct slw_executor *x, const struct part *part)
{
    for (uint32_t i = 0; i < part->count; i++) {
        const struct trial *t = &x->trials[part->first + i];
        struct slw_request *r = &x->sent[i];

        *r = *x->requests[t->row];
        r->again = t->again;
        if (part->verify)
            *r = (struct slw_request){.op = SLW_OP_READ, .id = r->id};
    }
}

/* All or nothing: one REJECTED makes all so, and each is alone to blame only when it is alone. */
static bool is_cut(const struct slw_executor *x, const struct part *part)
{
    const bool atomic =
        x->options.how == SLW_BATCHING_STATEMENT || x->options.how == SLW_BATCHING_TRANSACTION;

    if (!atomic || part->count == 1)
        return false;
    for (uint32_t i = 0; i < part->count; i++)
        if (x->answers[i].outcome == SLW_OUTCOME_REJECTED)
            return true;
    return false;
}

static void cut(struct slw_executor *x, const struct part *part)
{
    struct part half = *part;

    half.wait = false;
    half.count = part->count / 2;
    push(x, half);
    half.first += half.count;
    half.count = part->count - half.count;
    push(x, half);
    x->counts.halvings++;
}

static void finish_verified(struct slw_executor *x, const struct trial *t,
                            const struct slw_answer *read)
{
    const struct slw_request *r = x->requests[t->row];
    struct slw_answer told = t->done;

    if (read->outcome == SLW_OUTCOME_DONE &&
        (read->length != r->length || memcmp(read->payload, r->payload, r->length) != 0)) {
        told = (struct slw_answer){.outcome = SLW_OUTCOME_REJECTED};
        (void)snprintf(told.why, sizeof(told.why), "another row has this id");
    } else if (read->outcome != SLW_OUTCOME_DONE && read->outcome != SLW_OUTCOME_NOTHING) {
        told = *read;
        told.outcome = SLW_OUTCOME_LOST;
    }
    finish(x, t, &told);
}

static bool is_tried_again(const struct slw_executor *x, const struct part *part,
                           const struct trial *t, enum slw_outcome outcome)
{
    if (part->tries >= x->options.retries)
        return false;
    return outcome == SLW_OUTCOME_TRANSIENT ||
           (outcome == SLW_OUTCOME_LOST &&
            (part->verify || x->requests[t->row]->op != SLW_OP_UPDATE));
}

/* Tell what is final; the others become parts of their own. */
static void sort_answers(struct slw_executor *x, const struct part *part)
{
    struct part retry = {part->first, 0, part->tries + 1, true, part->verify};
    uint32_t verify_count = 0;

    for (uint32_t i = 0; i < part->count; i++) {
        struct trial t = x->trials[part->first + i];
        const struct slw_answer *a = &x->answers[i];

        if (is_tried_again(x, part, &t, a->outcome)) {
            t.again |= a->outcome == SLW_OUTCOME_LOST && !part->verify &&
                       x->requests[t.row]->op == SLW_OP_INSERT;
            x->trials[part->first + retry.count++] = t;
        } else if (part->verify) {
            finish_verified(x, &t, a);
        } else if (t.again && a->outcome == SLW_OUTCOME_DONE) {
            t.done = *a;
            x->later[verify_count++] = t;
        } else {
            finish(x, &t, a);
        }
    }
    x->counts.retries += retry.count;
    const struct part verify = {retry.first + retry.count, verify_count, part->tries, false, true};
    memcpy(x->trials + verify.first, x->later, verify_count * sizeof(*x->later));
    push(x, retry);
    push(x, verify);
}

static int run_part(struct slw_executor *x, const struct part *part, struct slw_error *err)
{
    if (part->wait)
        slw_lane_back_off(x->lane, x->options.back_off_ns, x->options.back_off_cap_ns,
                          part->tries - 1);
    fill(x, part);
    SLOTWISE_STAGE_BEGIN(execute, part->count);
    const int rc = slw_lane_run(x->lane, x->options.how, x->sent, part->count, x->answers, err);
    SLOTWISE_STAGE_END(execute);
    x->counts.calls++;
    slw_histogram_add(&x->counts.batch, part->count);
    return rc;
}

/* There is no way on: what is left gets the answer it has, or that it was not sent. */
static void give_up(struct slw_executor *x, const struct part *part, bool sent)
{
    struct slw_answer unsent = {.outcome = SLW_OUTCOME_TRANSIENT,
                                .why = "not sent: there is no connection"};

    for (uint32_t i = 0; i < part->count; i++) {
        const struct trial *t = &x->trials[part->first + i];
        struct slw_answer a = sent ? x->answers[i] : unsent;

        if (t->again && a.outcome == SLW_OUTCOME_DONE)
            a.outcome = SLW_OUTCOME_LOST; /* whose row it is was not looked at */
        if (part->verify)
            finish_verified(x, t, &a);
        else
            finish(x, t, &a);
    }
}

int slw_execute(struct slw_executor *x, const struct slw_request *const *requests,
                const uint32_t *rows, size_t count, struct slw_error *err)
{
    int rc = 0;

    assert(count <= x->options.rows);
    x->requests = requests;
    for (size_t i = 0; i < count; i++)
        x->trials[i] = (struct trial){.row = rows[i], .again = requests[rows[i]]->again};
    push(x, (struct part){.count = (uint32_t)count});
    while (x->part_count > 0) {
        const struct part part = x->parts[--x->part_count];

        if (rc < 0) {
            give_up(x, &part, false);
            continue;
        }
        rc = run_part(x, &part, err);
        SLOTWISE_STAGE_BEGIN(answer, part.count);
        if (rc < 0)
            give_up(x, &part, true);
        else if (is_cut(x, &part))
            cut(x, &part);
        else
            sort_answers(x, &part);
        SLOTWISE_STAGE_END(answer);
    }
    return rc;
}
