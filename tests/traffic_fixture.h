/* SPDX-License-Identifier: MIT */
/* Traffic and waiting threads for runs of report_fixture.h. */
#ifndef SLW_TESTS_TRAFFIC_FIXTURE_H
#define SLW_TESTS_TRAFFIC_FIXTURE_H

#include "analyzer/bar.h"
#include "analyzer/costs.h"
#include "analyzer/findings.h"
#include "analyzer/side.h"
#include "analyzer/traffic.h"
#include "tests/report_fixture.h"

/* One PostgreSQL connection over TCP; what the caller leaves 0 is what a client without surprises
 * does: as many sends and reads as flushes or requests, 20 bytes a request, as deep as its batches.
 * The run's requests are its. */
static inline void fixture_traffic(struct fixture *f, const struct slw_connection *told)
{
    struct slw_connection c = *told;

    c.protocol = c.protocol ? c.protocol : "PostgreSQL";
    c.peer = c.peer ? c.peer : "127.0.0.1:5432";
    c.pid = 4711;
    c.from = fixture_software;
    c.connections = c.connections ? c.connections : 1;
    c.responses = c.requests;
    c.statements = c.requests;
    c.sends = c.sends ? c.sends : c.flushes;
    c.reads = c.reads ? c.reads : c.requests;
    c.flush_bytes = 60 * c.requests;
    c.sent_bytes = c.sent_bytes ? c.sent_bytes : c.flush_bytes;
    c.received_bytes = 5 * c.requests;
    c.max_batch = c.max_batch ? c.max_batch : 1;
    c.depth_sum = c.depth_sum ? c.depth_sum : c.flushes;
    c.max_depth = c.max_depth ? c.max_depth : 1;
    assert_int_equal(slw_run_add_connection(f->run, &c, NULL), 0);
    f->run->requests = (struct slw_maybe_u64){.value = c.requests};
}

/* Threads one by one, after their sum. */
static inline void fixture_threads(struct fixture *f, const struct slw_waiting *threads,
                                   size_t count)
{
    struct slw_waiting all = {.pid = -1,
                              .tid = -1,
                              .from = fixture_software,
                              .by_cause = true,
                              .syscalls = {.absent = "not counted"}};

    for (size_t i = 0; i < count; i++) {
        all.wall_ns += threads[i].wall_ns;
        all.thread_count++;
        for (int s = 0; s < SLW_WAIT_COUNT; s++) {
            all.ns[s] += threads[i].ns[s];
            all.waits[s] += threads[i].waits[s];
        }
    }
    assert_int_equal(slw_run_add_waiting(f->run, &all, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        struct slw_waiting w = threads[i];

        w.pid = 4711;
        w.tid = 4711 + (int32_t)i;
        w.comm = "client";
        w.from = fixture_software;
        w.by_cause = true;
        w.syscalls = all.syscalls;
        w.thread_count = 1;
        assert_int_equal(slw_run_add_waiting(f->run, &w, NULL), 0);
    }
}

#endif
