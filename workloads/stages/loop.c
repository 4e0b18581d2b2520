/* SPDX-License-Identifier: MIT */
#include "workloads/stages/loop_int.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_UP_NS 50000000U /* a stop flag is seen this soon */

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return slw_clock_monotonic_ns();
}

/* An answer's way to the client. Where the connection is full the client, which is on this thread,
 * reads from it. */
static int write_answer(struct slw_stages_loop *l, const struct slw_gateway_call *call,
                        struct slw_error *err)
{
    for (size_t done = 0; done < call->answer_length;) {
        const ssize_t n =
            slw_stages_send(l->fds[1], call->answer + done, call->answer_length - done, err);
        const int r = n != 0 ? (int)n : slw_stages_client_read(&l->client, err);

        if (r < 0)
            return r;
        if (r == 0)
            return slw_fail(err, SLW_E_INTERNAL, "stages: the connection is full, nobody reads");
        done += (size_t)n;
    }
    return 0;
}

static int send_answer(void *ctx, struct slw_gateway_call *call, struct slw_error *err)
{
    struct slw_stages_loop *l = ctx;
    /* Read before the answer is written: its place is free as soon as the client has it. */
    const uint64_t since = l->client.flights[call->sequence % l->plan.concurrency].since_ns;
    const int r = write_answer(l, call, err);

    if (r < 0 || !l->tally)
        return r;
    const uint64_t now = slw_clock_monotonic_ns();
    slw_tally_answer(l->tally, SLW_OUTCOME_DONE, now > since ? now - since : 0);
    return 0;
}

/* One block, so that the requests of a batch lie side by side. */
static int make_calls(struct slw_stages_loop *l, struct slw_error *err)
{
    const size_t frame = SLW_GATEWAY_MAX_REQUEST + 1;
    const size_t text = slw_gateway_text_capacity(l->plan.payload);
    const size_t answer = slw_gateway_answer_capacity(l->plan.payload);
    const size_t each = (frame + text + 2 * answer + 63) / 64 * 64;

    l->calls = calloc(l->plan.concurrency, sizeof(*l->calls));
    l->memory = calloc(l->plan.concurrency, each);
    l->in = malloc(l->plan.read_bytes + SLW_GATEWAY_MAX_REQUEST);
    if (!l->calls || !l->memory || !l->in)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu requests in flight",
                        l->plan.concurrency);
    for (size_t i = 0; i < l->plan.concurrency; i++) {
        uint8_t *p = l->memory + i * each;

        l->calls[i].frame = p;
        l->calls[i].text = (char *)(p + frame);
        l->calls[i].packed = (char *)(p + frame + text);
        l->calls[i].answer = p + frame + text + answer;
    }
    return 0;
}

int slw_stages_loop_init(struct slw_stages_loop *l, const struct slw_stages_plan *plan,
                         const size_t limits[SLW_GATEWAY_STAGE_COUNT], uint64_t quota_ns,
                         struct slw_error *err)
{
    struct slw_execution_kind kinds[SLW_GATEWAY_STAGE_COUNT];

    *l = (struct slw_stages_loop){.plan = *plan, .fds = {-1, -1}};
    int r = make_calls(l, err);
    if (r == 0)
        r = slw_gateway_open(&l->gateway, plan->keys, plan->payload, plan->seed, err);
    if (r == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, l->fds) < 0)
        r = slw_fail_sys(err, SLW_E_IO, errno, "no connection");
    if (r == 0)
        r = slw_stages_client_init(&l->client, &l->plan, l->fds[0], err);
    if (r == 0) {
        l->gateway.send = send_answer;
        l->gateway.send_ctx = l;
        slw_gateway_kinds(&l->gateway, kinds);
        for (size_t i = 0; i < SLW_GATEWAY_STAGE_COUNT; i++)
            kinds[i].limit = limits[i];
        r = slw_execution_init(&l->execution, kinds, SLW_GATEWAY_STAGE_COUNT, quota_ns, now_ns,
                               NULL, err);
    }
    if (r < 0)
        slw_stages_loop_release(l);
    return r;
}

void slw_stages_loop_release(struct slw_stages_loop *l)
{
    if (!l)
        return;
    slw_execution_release(&l->execution);
    slw_stages_client_release(&l->client);
    slw_gateway_close(&l->gateway);
    for (size_t i = 0; i < 2; i++)
        if (l->fds[i] >= 0)
            (void)close(l->fds[i]);
    free(l->calls);
    free(l->memory);
    free(l->in);
    *l = (struct slw_stages_loop){.fds = {-1, -1}};
}

static int take_requests(struct slw_stages_loop *l, struct slw_error *err)
{
    size_t at = 0;

    while (l->in_length - at >= 4 && !l->gateway.failed) {
        const uint64_t length = slw_gateway_get(l->in + at, 4);
        struct slw_gateway_call *call = &l->calls[l->taken % l->plan.concurrency];

        if (length > SLW_GATEWAY_MAX_REQUEST || length < SLW_GATEWAY_HEAD)
            return slw_fail(err, SLW_E_INTERNAL, "stages: a request of %" PRIu64 " bytes", length);
        if (l->in_length - at < length)
            break;
        memcpy(call->frame, l->in + at, (size_t)length);
        call->frame_length = (size_t)length;
        at += (size_t)length;
        l->taken++;
        slw_execution_call(&l->execution, call);
    }
    l->in_length -= at;
    memmove(l->in, l->in + at, l->in_length);
    return 0;
}

/* What one read brings. Less than it might have brought, and the connection has no more: the loop
 * is idle, which is when it polls. */
static int serve(struct slw_stages_loop *l, struct slw_error *err)
{
    const ssize_t n = slw_stages_receive(l->fds[1], l->in + l->in_length, l->plan.read_bytes, err);

    if (n < 0)
        return (int)n;
    l->in_length += (size_t)n;
    const int r = take_requests(l, err);
    if (r < 0)
        return r;
    size_t ran = 0;
    if ((size_t)n < l->plan.read_bytes)
        ran = slw_execution_poll(&l->execution);
    if (l->gateway.failed) {
        if (err)
            *err = l->gateway.error;
        return -(int)l->gateway.error.code;
    }
    return n > 0 || ran > 0;
}

/* Nothing in flight, the next request not due: sleep. */
static void rest(const struct slw_stages_client *c)
{
    const uint64_t latest = slw_clock_monotonic_ns() + LOOK_UP_NS;

    slw_wait_until(c->due_ns < latest ? c->due_ns : latest);
}

static int turn(struct slw_stages_loop *l, struct slw_error *err)
{
    struct slw_stages_client *c = &l->client;
    const int written = slw_stages_client_write(c, slw_clock_monotonic_ns(), err);
    const int served = written < 0 ? written : serve(l, err);
    const int read = served < 0 ? served : slw_stages_client_read(c, err);

    if (read < 0)
        return read;
    if (written > 0 || served > 0 || read > 0)
        return 0;
    if (c->sent > c->received)
        return slw_fail(err, SLW_E_INTERNAL, "stages: %" PRIu64 " requests are lost",
                        c->sent - c->received);
    if (c->sent < c->goal)
        rest(c);
    return 0;
}

int slw_stages_loop_run(struct slw_stages_loop *l, uint64_t count, struct slw_tally *tally,
                        struct slw_error *err)
{
    struct slw_stages_client *c = &l->client;
    int r = 0;

    l->tally = tally;
    slw_stages_client_start(c, count, slw_clock_monotonic_ns());
    while (r == 0 && c->received < c->goal) {
        if (l->plan.stop && atomic_load_explicit(l->plan.stop, memory_order_relaxed))
            c->goal = c->sent;
        r = turn(l, err);
    }
    l->tally = NULL;
    return r;
}
