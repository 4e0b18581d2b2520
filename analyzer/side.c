/* SPDX-License-Identifier: MIT */
#include "analyzer/side.h"

#include "analyzer/format.h"
#include "analyzer/json_value.h"
#include "analyzer/traffic.h"
#include "analyzer/waited_for.h"
#include "base/arena.h"
#include "base/buf.h"

#include <jansson.h>
#include <math.h>

/* A thread works with the database when it spends more than half of its time computing or with
 * sockets; one that joins others, or waits for work, does not. */
#define WORKING_SHARE 0.5
/* Threads that are told one by one must have nearly all of the time. */
#define LISTED_SHARE 0.9

/* ---- the rule ---- */

enum slw_side_kind slw_side_decide(const struct slw_side_shares *s, const char **ret_why)
{
    if (s->cpus >= SLW_SIDE_CLIENT_BUSY)
        return SLW_SIDE_CLIENT;
    if (s->busiest >= SLW_SIDE_CLIENT_BUSY && s->starved < SLW_SIDE_STARVED)
        return SLW_SIDE_CLIENT;
    if (s->starved >= SLW_SIDE_STARVED)
        *ret_why = "CPUs are scarce: the client waited for one while others, perhaps the server, "
                   "had them";
    else if (s->paced - s->loop >= SLW_SIDE_WAIT)
        *ret_why = "the client mostly slept: it sets the pace itself";
    else if (s->paced >= SLW_SIDE_WAIT)
        *ret_why = "the client mostly waited in its event loop, and nothing proves that requests "
                   "were in flight meanwhile: it may set the pace itself";
    else if (s->lock >= SLW_SIDE_WAIT)
        *ret_why = "the client's threads mostly waited for each other";
    else if (s->server >= SLW_SIDE_WAIT && s->busiest < SLW_SIDE_SERVER_BUSY)
        return SLW_SIDE_SERVER;
    else if (s->other >= SLW_SIDE_WAIT)
        *ret_why = "the client mostly waited for something else than the server";
    else
        *ret_why = "neither side is clearly the slower one";
    return SLW_SIDE_UNKNOWN;
}

/* ---- shares ---- */

struct sums {
    double listed, working, needed, runnable;
    const struct slw_waiting *busiest;
    double answer, event_loop, sleep, lock;
};

static double needed(const struct slw_waiting *w)
{
    return (double)w->ns[SLW_WAIT_ON_CPU] + (double)w->ns[SLW_WAIT_RUNNABLE];
}

static void add_thread(struct sums *s, const struct slw_waiting *w)
{
    const double answer = (double)w->ns[SLW_WAIT_ANSWER] + (double)w->ns[SLW_WAIT_SENDING];
    const double loop = (double)w->ns[SLW_WAIT_EVENT_LOOP], wall = (double)w->wall_ns;

    s->listed += wall;
    if (!s->busiest || needed(w) > needed(s->busiest))
        s->busiest = w;
    /* A client that sleeps between requests works with the database too. */
    if (needed(w) + answer + loop + (double)w->ns[SLW_WAIT_SLEEP] < WORKING_SHARE * wall)
        return;
    s->working += wall;
    s->needed += needed(w);
    s->runnable += (double)w->ns[SLW_WAIT_RUNNABLE];
    s->answer += answer;
    s->event_loop += loop;
    s->sleep += (double)w->ns[SLW_WAIT_SLEEP];
    s->lock += (double)w->ns[SLW_WAIT_LOCK];
}

static void add_all(struct sums *s, const struct slw_waiting *w)
{
    s->working = s->listed;
    s->needed = needed(w);
    s->runnable = (double)w->ns[SLW_WAIT_RUNNABLE];
    s->answer = (double)w->ns[SLW_WAIT_ANSWER] + (double)w->ns[SLW_WAIT_SENDING];
    s->event_loop = (double)w->ns[SLW_WAIT_EVENT_LOOP];
    s->sleep = (double)w->ns[SLW_WAIT_SLEEP];
    s->lock = (double)w->ns[SLW_WAIT_LOCK];
}

/* The time of all requests together, divided by the most that ever were in flight on a connection
 * at once: something was for at least this. */
static double by_depth(const struct slw_traffic *t)
{
    if (t->request.count == 0 || t->request.mean.absent || t->max_depth == 0)
        return 0;
    return t->request.mean.value * (double)t->request.count / (double)t->max_depth;
}

/* The time of all batches together. Those that were sent while others were in flight would be
 * counted twice: there are no more of them than requests found in flight, each with the longest
 * time. */
static double by_batches(const struct slw_traffic *t)
{
    if (t->batch.count == 0 || t->batch.mean.absent || t->depth.absent)
        return 0;
    const double found = t->depth.value * (double)t->flushes - (double)t->seen;
    const double doubled = fmax(0, round(found)) * t->batch.max.value;
    return fmax(0, t->batch.mean.value * (double)t->batch.count - doubled);
}

/* The least part of the window in which a connection had some request in flight, on average. */
static double in_flight(const struct slw_report *r)
{
    const struct slw_traffic *t = r->traffic;
    const double room = (double)t->connections * (double)r->run->wall_ns.value;

    return room > 0 ? fmin(1, fmax(by_depth(t), by_batches(t)) / room) : 0;
}

/* One thread in the window, or all working threads in their time, if they were busier. */
static void put_busiest(struct slw_side_shares *ret, const struct sums *s, double window)
{
    const double one = needed(s->busiest) / window, all = s->needed / s->working;

    ret->busiest = fmin(1, fmax(one, all));
    ret->starved =
        one >= all ? (double)s->busiest->ns[SLW_WAIT_RUNNABLE] / window : s->runnable / s->working;
    ret->starved = fmin(1, ret->starved);
}

/* Waiting in an event loop is waiting for answers as far as something was in flight: nothing can
 * have been for more than the rest of the window. */
static void divide(struct slw_side_shares *ret, const struct sums *s, const struct slw_report *r)
{
    const struct slw_waiting *all = &r->run->waiting[0];
    const double window = (double)r->run->wall_ns.value;
    const double cpus = r->run->host.cpu.online_count;
    const double loop = s->event_loop / s->working;
    const double idle = fmin(loop, 1 - in_flight(r));
    const double answer = s->answer / s->working * (1 - slw_waited_elsewhere(r->run));

    *ret = (struct slw_side_shares){
        .cpus = cpus > 0 ? (double)all->ns[SLW_WAIT_ON_CPU] / (window * cpus) : 0,
        .server = answer + loop - idle,
        .paced = s->sleep / s->working + idle,
        .loop = idle,
        .lock = s->lock / s->working,
    };
    put_busiest(ret, s, window);
    ret->other = fmax(0, 1 - s->needed / s->working - ret->server - ret->paced - ret->lock);
}

/* ---- what must be known ---- */

static const char *why_unknown(const struct slw_report *r)
{
    const struct slw_run *run = r->run;

    if (!slw_side_asked(r))
        return "that can be told of a client only, not of a machine or an import";
    if (!r->traffic->present)
        return run->requests.absent ? run->requests.absent : "no connection to a database was seen";
    if (run->waiting_count == 0)
        return "what the threads waited for was not measured";
    if (!run->waiting[0].by_cause)
        return "time off-CPU was measured without its causes";
    if (run->waiting[0].lost_threads > 0)
        return "some threads could not be followed";
    if (run->wall_ns.absent)
        return "the length of the window is not known";
    if (run->wall_ns.value < SLW_SIDE_MIN_WALL_NS || r->traffic->seen < SLW_SIDE_MIN_REQUESTS)
        return "too little was measured";
    return NULL;
}

static bool add_up(struct sums *s, const struct slw_run *run)
{
    double all = (double)run->waiting[0].wall_ns;

    for (size_t i = 1; i < run->waiting_count; i++)
        add_thread(s, &run->waiting[i]);
    if (s->working <= 0)
        add_all(s, &run->waiting[0]);
    return s->listed > 0 && s->working > 0 && s->listed >= LISTED_SHARE * all;
}

/* ---- words ---- */

static void put_busy(struct slw_buf *b, const struct slw_side_shares *s)
{
    slw_format_percent(b, s->busiest);
}

static void put_text(struct slw_buf *b, const struct slw_side *side, const char *why)
{
    const struct slw_side_shares *s = &side->shares;

    switch (side->kind) {
    case SLW_SIDE_CLIENT:
        if (s->busiest >= SLW_SIDE_CLIENT_BUSY && s->cpus < SLW_SIDE_CLIENT_BUSY) {
            slw_buf_puts(b, "its busiest thread was on a CPU, or waited for one, ");
            put_busy(b, s);
            slw_buf_puts(b, " of the time");
        } else {
            slw_buf_puts(b, "it used ");
            slw_format_percent(b, s->cpus);
            slw_buf_puts(b, " of all CPUs");
        }
        return;
    case SLW_SIDE_SERVER:
        slw_format_percent(b, s->server);
        slw_buf_puts(b, " of the client's thread time went by waiting for the server or the "
                        "network to it, and its busiest thread needed a CPU for only ");
        put_busy(b, s);
        return;
    case SLW_SIDE_UNKNOWN:
        break;
    }
    slw_buf_puts(b, why);
    slw_buf_puts(b, " (its busiest thread needed a CPU for ");
    put_busy(b, s);
    if (s->starved >= SLW_SIDE_STARVED) {
        slw_buf_puts(b, ", of which it had none for ");
        slw_format_percent(b, s->starved);
    }
    slw_buf_puts(b, "; for the server it certainly waited ");
    slw_format_percent(b, s->server);
    slw_buf_puts(b, ")");
}

bool slw_side_asked(const struct slw_report *r)
{
    return r->run->command.kind == SLW_TARGET_COMMAND || r->run->command.kind == SLW_TARGET_PID;
}

int slw_side_fill(struct slw_report *r, struct slw_error *err)
{
    struct slw_side *side = slw_arena_alloc(r->arena, sizeof(*side));
    struct slw_buf text = {0};
    const char *why = why_unknown(r);
    struct sums s = {0};

    if (!side)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    r->side = side;
    if (!why && !add_up(&s, r->run))
        why = "not every thread is told by itself";
    side->text = why;
    if (why)
        return 0;
    divide(&side->shares, &s, r);
    side->have = true;
    side->kind = slw_side_decide(&side->shares, &why);
    put_text(&text, side, why);
    side->text = slw_buf_failed(&text) ? NULL : slw_arena_strdup(r->arena, text.data);
    slw_buf_release(&text);
    return side->text ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a report");
}

void slw_side_put(struct slw_buf *out, const struct slw_side *side)
{
    static const char *const leads[] = {
        "cannot tell: ", "the client limits throughput: ", "the server limits throughput: "};

    slw_buf_puts(out, "Client or server: ");
    slw_buf_puts(out, leads[side->kind]);
    slw_buf_puts(out, side->text);
}

json_t *slw_side_json(const struct slw_side *side)
{
    static const char *const kinds[] = {"cannot-tell", "client", "server"};
    const struct slw_side_shares *s = &side->shares;
    struct slw_json j = {0};
    json_t *o = json_object();

    slw_json_put(&j, o, "side", json_string_nocheck(kinds[side->kind]));
    slw_json_put_text(&j, o, "text", side->text);
    slw_json_put(&j, o, "busiest_thread", side->have ? slw_json_real(s->busiest) : json_null());
    slw_json_put(&j, o, "without_cpu", side->have ? slw_json_real(s->starved) : json_null());
    slw_json_put(&j, o, "cpus_used", side->have ? slw_json_real(s->cpus) : json_null());
    slw_json_put(&j, o, "server_wait", side->have ? slw_json_real(s->server) : json_null());
    slw_json_put(&j, o, "paced", side->have ? slw_json_real(s->paced) : json_null());
    slw_json_put(&j, o, "lock_wait", side->have ? slw_json_real(s->lock) : json_null());
    return slw_json_done(&j, o);
}
