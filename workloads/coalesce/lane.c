/* SPDX-License-Identifier: MIT */
#include "workloads/coalesce/lane.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define RECONNECT_FIRST_NS 5000000U
#define RECONNECT_CAP_NS   250000000U

int slw_lane_open(struct slw_lane *lane, const struct slw_lane_options *options, uint64_t seed,
                  struct slw_error *err)
{
    *lane = (struct slw_lane){.options = *options, .random = {seed}};
    return options->driver->open(options->where, options->table, options->choices,
                                 &lane->connection, err);
}

void slw_lane_close(struct slw_lane *lane)
{
    if (lane->connection)
        lane->options.driver->close(lane->connection);
    lane->connection = NULL;
    lane->broken = false;
}

void slw_lane_back_off(struct slw_lane *lane, uint64_t first_ns, uint64_t cap_ns, unsigned round)
{
    const uint64_t whole = round >= 32 || first_ns << round > cap_ns ? cap_ns : first_ns << round;

    if (whole == 0)
        return;
    const uint64_t ns = whole / 2 + slw_random_below(&lane->random, whole - whole / 2);
    struct timespec left = {(time_t)(ns / 1000000000U), (long)(ns % 1000000000U)};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static bool is_stopped(const struct slw_lane *lane)
{
    return lane->options.stop && atomic_load_explicit(lane->options.stop, memory_order_relaxed);
}

static int told_once_more(const struct slw_lane *lane, struct slw_error *err)
{
    if (err && !err->code)
        *err = lane->given_up;
    return -(int)lane->given_up.code;
}

/* A server that starts may refuse us for reasons that will pass, so every failure is tried again;
 * the last one is told. */
static int reconnect(struct slw_lane *lane, struct slw_error *err)
{
    const struct slw_lane_options *o = &lane->options;
    const uint64_t start_ns = slw_clock_monotonic_ns();

    if (lane->given_up.code)
        return told_once_more(lane, err);
    for (unsigned round = 0;; round++) {
        struct slw_error last = {0};
        const int rc = o->driver->open(o->where, o->table, o->choices, &lane->connection, &last);

        if (rc == 0) {
            lane->reconnects++;
            return 0;
        }
        lane->connection = NULL;
        if (is_stopped(lane) || slw_clock_monotonic_ns() - start_ns > o->patience_ns) {
            slw_error_hint(&lane->given_up, "%s", last.hint);
            (void)slw_fail(&lane->given_up, last.code ? last.code : SLW_E_GONE,
                           "the connection broke and did not come back: %.400s", last.text);
            return told_once_more(lane, err);
        }
        slw_lane_back_off(lane, RECONNECT_FIRST_NS, RECONNECT_CAP_NS, round);
    }
}

static void answer_all(struct slw_answer *answers, size_t count, enum slw_outcome outcome,
                       const char *why)
{
    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct slw_answer){.outcome = outcome};
        (void)snprintf(answers[i].why, sizeof(answers[i].why), "%s", why);
    }
}

int slw_lane_run(struct slw_lane *lane, enum slw_batching how, const struct slw_request *requests,
                 size_t count, struct slw_answer *answers, struct slw_error *err)
{
    const struct slw_lane_options *o = &lane->options;
    struct slw_error broke = {0};

    answer_all(answers, count, SLW_OUTCOME_TRANSIENT, "not sent: there is no connection");
    if (lane->broken)
        slw_lane_close(lane);
    if (!lane->connection) {
        const int rc = reconnect(lane, err);
        if (rc < 0)
            return rc;
    }
    if (o->fail_every && ++lane->calls % o->fail_every == 0) {
        answer_all(answers, count, SLW_OUTCOME_TRANSIENT, "failed on purpose");
        return 0;
    }
    const int rc = o->driver->run(lane->connection, how, requests, count, answers, &broke);
    if (rc >= 0)
        return 0;
    lane->broken = true; /* closed later: answers may still point into it */
    if (rc == -SLW_E_GONE)
        return 0;
    for (size_t i = 0; i < count; i++) /* payloads may not be there */
        if (requests[i].op == SLW_OP_READ)
            answers[i].outcome = SLW_OUTCOME_TRANSIENT;
    return slw_fail(err, broke.code ? broke.code : SLW_E_INTERNAL, "%s", broke.text);
}
