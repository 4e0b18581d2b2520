/* SPDX-License-Identifier: MIT */
/* The event loop of the workload submit. */
#ifndef SLW_WORKLOADS_SUBMIT_LOOP_H
#define SLW_WORKLOADS_SUBMIT_LOOP_H

#include "workloads/load.h"
#include "workloads/submit/submit_int.h"

struct slw_submit_loop {
    const struct slw_workload_options *options;
    const struct slw_submit_how *how;
    const struct slw_submit_source *source;
    void *connection;
    size_t concurrency;
    int wake; /* eventfd: requests are ready to be sent */
    /* Handed over between the two threads: leave to make one more request; requests made. */
    struct slw_submit_queue leave, ready;

    uint64_t made; /* rows so far, by the thread that makes them */
    struct slw_arrivals arrivals;

    /* Of the event loop alone. */
    uint64_t open, answered;
    struct slw_future *newest; /* of those that are open */
    bool stopping;             /* nothing new is sent */
    bool broken;               /* no answer will come any more */
    struct slw_stretch stretch;
    struct slw_tally *tally;
    uint64_t callbacks, callback_ns;
    struct slw_error err;
};

/* Send all rows and wait for their answers. Negative: l->err says why. */
int slw_submit_loop_run(struct slw_submit_loop *l);

#endif
