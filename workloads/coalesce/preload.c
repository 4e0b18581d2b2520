/* SPDX-License-Identifier: MIT */
/* Rows that are there before the first request. */
#include "workloads/coalesce/run_int.h"

#include <stdlib.h>

#define PRELOAD_ROWS    500u
#define PRELOAD_RETRIES 20u

struct preload {
    const struct slw_coalesce_run *run;
    const struct slw_request *requests[PRELOAD_ROWS];
    uint32_t rows[PRELOAD_ROWS];
    struct slw_request made[PRELOAD_ROWS];
    uint32_t count;
    char *payloads;
    struct slw_error error;
};

/* Rows an earlier run has left may have been updated since; that is no harm to a mixed load. */
static void note(void *ctx, uint32_t row, const struct slw_answer *a)
{
    struct preload *p = ctx;
    const bool kept = p->made[row].again && a->outcome == SLW_OUTCOME_REJECTED &&
                      p->run->choices.load == SLW_COALESCE_MIXED;

    if (a->outcome != SLW_OUTCOME_DONE && !kept)
        (void)slw_fail(&p->error, SLW_E_IO, "row %llu cannot be stored beforehand: %s",
                       (unsigned long long)p->made[row].id, a->why);
}

static void add(struct preload *p, uint64_t id)
{
    const size_t length = p->run->choices.payload;
    char *payload = p->payloads + p->count * length;

    slw_payload_fill(p->run->options->seed, id, payload, length);
    p->made[p->count] = (struct slw_request){
        .id = id, .payload = payload, .length = length, .again = p->run->choices.is_kept};
    p->requests[p->count] = &p->made[p->count];
    p->rows[p->count] = p->count;
    p->count++;
}

static int store(struct slw_executor *x, struct preload *p, struct slw_error *err)
{
    const struct slw_coalesce_choices *c = &p->run->choices;
    const atomic_bool *stop = p->run->options->stop;
    int rc = 0;

    for (uint64_t i = 0; i < c->keys && rc == 0 && !(stop && atomic_load(stop));) {
        p->count = 0;
        while (i < c->keys && p->count < PRELOAD_ROWS &&
               (p->count + 1) * c->payload <= SLW_COALESCE_STATEMENT_BYTES)
            add(p, c->first_key + i++);
        rc = slw_execute(x, p->requests, p->rows, p->count, err);
        if (rc == 0 && p->error.code)
            rc = slw_fail(err, p->error.code, "%s", p->error.text);
    }
    return rc;
}

int slw_coalesce_preload(const struct slw_coalesce_run *run, struct slw_lane *lane,
                         struct slw_error *err)
{
    struct preload *p = calloc(1, sizeof(*p));
    const struct slw_execute_options e = {.how = run->how,
                                          .retries = PRELOAD_RETRIES,
                                          .back_off_ns = SLW_COALESCE_BACK_OFF_NS,
                                          .back_off_cap_ns = SLW_COALESCE_BACK_OFF_CAP_NS,
                                          .rows = PRELOAD_ROWS,
                                          .answer = note,
                                          .ctx = p};
    struct slw_executor *x = p ? slw_executor_new(lane, &e) : NULL;
    int rc = 0;

    if (x) {
        p->run = run;
        p->payloads = malloc(SLW_COALESCE_STATEMENT_BYTES + 1);
    }
    if (x && p->payloads)
        rc = store(x, p, err);
    else
        rc = slw_fail(err, SLW_E_NOMEM, "no memory to store rows beforehand");
    slw_executor_free(x);
    if (p)
        free(p->payloads);
    free(p);
    return rc;
}
