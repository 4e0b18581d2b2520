/* SPDX-License-Identifier: MIT */
/* One thread owns the connection: it sends requests and calls back when they are answered. What the
 * callback does is what is compared: make and send the next request itself, or give leave to a
 * thread that makes requests, which are then sent together. */
#include "workloads/submit/loop.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <slotwise/stage.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST_AT_ONCE 256
#define MOST_TRIES   10
#define WAIT_MS      100 /* a bound, not a period: what is waited for wakes */

static uint64_t total(const struct slw_submit_loop *l)
{
    return l->options->warm_up + l->options->requests;
}

static bool stopped(const struct slw_submit_loop *l)
{
    return l->options->stop && atomic_load_explicit(l->options->stop, memory_order_relaxed);
}

/* ---- making requests: on the event loop, or on the submitter thread ---- */

static void on_answer(struct slw_future *f, const struct slw_answer *answer);
static void on_error(struct slw_future *f, const struct slw_answer *answer);

static struct slw_future *make_next(struct slw_submit_loop *l)
{
    const uint64_t row = l->made++;
    const double rate = l->options->rate;
    uint64_t due = 0;

    if (rate > 0) {
        due = slw_arrivals_next(&l->arrivals);
        slw_wait_until(due);
    }
    struct slw_future *f =
        slw_future_new(l->source, l->options->first_id + row, on_answer, on_error, l);
    if (f)
        f->counted = row >= l->options->warm_up;
    if (f && rate > 0)
        f->created_ns = due;
    return f;
}

static void *submitter_main(void *arg)
{
    struct slw_submit_loop *l = arg;
    /* What arrives at a rate must not wait for what arrives after it. */
    const size_t most = l->options->rate > 0 ? 1 : MOST_AT_ONCE;
    void *leave[MOST_AT_ONCE];
    size_t n;

    while ((n = slw_submit_queue_take(&l->leave, leave, most, true)) > 0) {
        const uint64_t one = 1;

        for (size_t i = 0; i < n && l->made < total(l) && !stopped(l); i++)
            slw_submit_queue_put(&l->ready, make_next(l)); /* NULL: no memory */
        if (write(l->wake, &one, sizeof(one)) < 0)
            continue; /* the event loop looks again after WAIT_MS at the latest */
    }
    return NULL;
}

/* ---- the event loop ---- */

static int no_memory(struct slw_submit_loop *l)
{
    return slw_fail(&l->err, SLW_E_NOMEM, "no memory for a request");
}

static void link_open(struct slw_submit_loop *l, struct slw_future *f)
{
    f->newer = NULL;
    f->older = l->newest;
    if (l->newest)
        l->newest->newer = f;
    l->newest = f;
    l->open++;
}

static void unlink_open(struct slw_submit_loop *l, struct slw_future *f)
{
    if (f->newer)
        f->newer->older = f->older;
    else
        l->newest = f->older;
    if (f->older)
        f->older->newer = f->newer;
    l->open--;
}

static int send(struct slw_submit_loop *l, struct slw_future *f)
{
    const struct slw_request request = {
        .op = SLW_OP_INSERT, .id = f->id, .payload = f->bytes, .length = f->length};
    int rc = l->options->driver->submit(l->connection, &request, (uint64_t)(uintptr_t)f, &l->err);

    if (f->counted && l->stretch.start_ns == 0)
        slw_stretch_start(&l->stretch);
    if (rc < 0)
        slw_future_free(f);
    else
        link_open(l, f);
    return rc;
}

static int flush(struct slw_submit_loop *l, uint64_t count)
{
    SLOTWISE_STAGE_BEGIN(flush, count);
    int rc = l->options->driver->flush(l->connection, &l->err);
    SLOTWISE_STAGE_END(flush);
    if (l->stretch.start_ns)
        slw_histogram_add(&l->tally->batch, count);
    return rc;
}

static int send_next(struct slw_submit_loop *l)
{
    if (l->made >= total(l) || stopped(l))
        return 0;
    struct slw_future *f = make_next(l);
    int rc = f ? send(l, f) : no_memory(l);

    return rc < 0 ? rc : flush(l, 1);
}

/* What was made meanwhile, with one flush. */
static int send_ready(struct slw_submit_loop *l, size_t *ret_sent)
{
    void *ready[MOST_AT_ONCE];
    const size_t n = slw_submit_queue_take(&l->ready, ready, MOST_AT_ONCE, false);
    int rc = 0;

    *ret_sent = n;
    for (size_t i = 0; i < n; i++) {
        if (rc < 0)
            slw_future_free(ready[i]);
        else
            rc = ready[i] ? send(l, ready[i]) : no_memory(l);
    }
    return rc < 0 || n == 0 ? rc : flush(l, n);
}

static void go_on(struct slw_submit_loop *l)
{
    if (l->stopping)
        return;
    if (l->how->thread)
        slw_submit_queue_put(&l->leave, l);
    else if (send_next(l) < 0)
        l->stopping = true;
}

static void count(struct slw_submit_loop *l, const struct slw_future *f,
                  const struct slw_answer *answer)
{
    l->answered++;
    if (f->counted)
        slw_tally_answer(l->tally, answer->outcome, slw_clock_monotonic_ns() - f->created_ns);
}

static void on_answer(struct slw_future *f, const struct slw_answer *answer)
{
    struct slw_submit_loop *l = f->ctx;
    const struct slw_workload_options *o = l->options;

    if (o->acknowledged && o->acknowledged(o->acknowledged_ctx, f->id) < 0) {
        (void)slw_fail(&l->err, SLW_E_IO, "cannot write the id of an acknowledged row");
        l->stopping = true;
    }
    count(l, f, answer);
    go_on(l);
}

static void on_error(struct slw_future *f, const struct slw_answer *answer)
{
    struct slw_submit_loop *l = f->ctx;

    count(l, f, answer);
    if (answer->outcome == SLW_OUTCOME_LOST) {
        slw_error_hint(&l->err, "rows that were acknowledged are stored; see --acknowledged");
        (void)slw_fail(&l->err, SLW_E_GONE, "the connection broke: %s", answer->why);
        l->stopping = true;
    }
    go_on(l);
}

/* Once more what may work when tried again; everything else is told. */
static int complete(struct slw_submit_loop *l, const struct slw_completion *c)
{
    struct slw_future *f = (struct slw_future *)(uintptr_t)c->token;
    int rc = 0;

    unlink_open(l, f);
    if (c->answer.outcome == SLW_OUTCOME_TRANSIENT && f->tries < MOST_TRIES && !l->stopping) {
        f->tries++;
        l->tally->retries += f->counted;
        rc = send(l, f);
        return rc < 0 ? rc : flush(l, 1);
    }
    const uint64_t start = slw_clock_monotonic_ns();
    SLOTWISE_STAGE_BEGIN(callback, 1);
    slw_future_complete(f, &c->answer);
    SLOTWISE_STAGE_END(callback);
    if (f->counted) {
        l->callback_ns += slw_clock_monotonic_ns() - start;
        l->callbacks++;
    }
    slw_future_free(f);
    return 0;
}

static int wait_for_more(struct slw_submit_loop *l)
{
    struct pollfd fds[] = {{.fd = l->wake, .events = POLLIN},
                           {.fd = l->options->driver->descriptor(l->connection), .events = POLLIN}};
    uint64_t ignored;

    if (fds[1].fd < 0 && l->open > 0)
        return 0; /* the work is done where the answers are asked for */
    if (poll(fds, 2, WAIT_MS) < 0 && errno != EINTR)
        return slw_fail_sys(&l->err, SLW_E_IO, errno, "cannot wait for answers");
    if (fds[0].revents && read(l->wake, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
        return slw_fail_sys(&l->err, SLW_E_IO, errno, "cannot read an eventfd");
    return 0;
}

static bool is_done(struct slw_submit_loop *l)
{
    return l->broken || (l->open == 0 && (l->stopping || stopped(l) || l->answered >= total(l)));
}

static int turn(struct slw_submit_loop *l)
{
    struct slw_completion completions[MOST_AT_ONCE];
    size_t sent = 0;
    int n = l->options->driver->poll(l->connection, 0, completions, MOST_AT_ONCE, &l->err);
    int rc = n;

    l->broken = n < 0;
    for (int i = 0; i < n; i++) {
        int one = complete(l, &completions[i]);
        rc = rc < 0 ? rc : one;
    }
    if (rc >= 0 && !l->stopping)
        rc = send_ready(l, &sent);
    return rc < 0 || n > 0 || sent > 0 ? rc : wait_for_more(l);
}

static int start(struct slw_submit_loop *l)
{
    int rc = 0;

    if (l->options->rate > 0)
        slw_arrivals_init(&l->arrivals, l->options->rate, l->options->seed,
                          slw_clock_monotonic_ns());
    for (size_t i = 0; i < l->concurrency && rc >= 0; i++) {
        if (l->how->thread)
            slw_submit_queue_put(&l->leave, l);
        else
            rc = send_next(l);
    }
    return rc;
}

/* Requests that were not sent or not answered, when it ends early. */
static void drop_rest(struct slw_submit_loop *l)
{
    void *ready[MOST_AT_ONCE];
    size_t n;

    while ((n = slw_submit_queue_take(&l->ready, ready, MOST_AT_ONCE, false)) > 0)
        for (size_t i = 0; i < n; i++)
            slw_future_free(ready[i]);
    while (l->newest) {
        struct slw_future *f = l->newest;

        unlink_open(l, f);
        slw_future_free(f);
    }
}

int slw_submit_loop_run(struct slw_submit_loop *l)
{
    pthread_t submitter = pthread_self();
    int sys = l->how->thread ? pthread_create(&submitter, NULL, submitter_main, l) : 0;

    if (sys)
        return slw_fail_sys(&l->err, SLW_E_NOMEM, sys, "cannot start a thread");
    int rc = start(l);
    l->stopping = l->stopping || rc < 0;
    while (!is_done(l)) {
        int one = turn(l);
        /* What is open still gets its answer. */
        l->stopping = l->stopping || one < 0;
        rc = rc < 0 ? rc : one;
    }
    if (l->stretch.start_ns)
        slw_stretch_stop(&l->stretch, l->tally);
    slw_submit_queue_close(&l->leave);
    if (l->how->thread)
        (void)pthread_join(submitter, NULL);
    drop_rest(l);
    return l->err.code ? -(int)l->err.code : rc;
}
