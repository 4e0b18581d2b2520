/* SPDX-License-Identifier: MIT */
/* Rules about where the wall time of the threads went, and which side limits throughput. */
#include "analyzer/findings_int.h"
#include "analyzer/format.h"
#include "analyzer/side.h"
#include "analyzer/waited_for.h"
#include "analyzer/waiting.h"

#include <math.h>

#define LOCK_SHARE   0.10  /* of the time of the threads that wait for locks */
#define LOCKS_PER_S  100.0 /* of a thread: joining others, or a pool's long idling, is far fewer */
#define LOCK_THREADS 2     /* nobody waits alone */
#define ONE_LOCK     0.50
#define NO_CPU_SHARE 0.10 /* of all thread time; wake-ups alone take a few percent */
#define LOOP_BUSY    0.90 /* as SLW_SIDE_CLIENT_BUSY */
#define LOOP_WAITS   10   /* it did go through an event loop, and did not only poll at its start */
#define OTHERS_BUSY  0.20 /* of one CPU, all the others together */

static bool by_cause(const struct slw_run *run)
{
    return run->waiting_count > 0 && run->waiting[0].by_cause && run->waiting[0].wall_ns > 0 &&
           !run->wall_ns.absent && run->wall_ns.value >= SLW_SIDE_MIN_WALL_NS;
}

static double needed(const struct slw_waiting *w)
{
    return (double)w->ns[SLW_WAIT_ON_CPU] + (double)w->ns[SLW_WAIT_RUNNABLE];
}

bool slw_find_client_saturated(const struct slw_report *r, struct slw_evidence *e)
{
    if (r->side->kind != SLW_SIDE_CLIENT)
        return false;
    e->weight = fmax(r->side->shares.busiest, r->side->shares.cpus);
    e->of_wall = true;
    slw_buf_puts(e->out, r->side->text);
    return true;
}

bool slw_find_waits_for_server(const struct slw_report *r, struct slw_evidence *e)
{
    if (r->side->kind != SLW_SIDE_SERVER)
        return false;
    e->weight = r->side->shares.server;
    e->of_wall = true;
    slw_buf_puts(e->out, r->side->text);
    return true;
}

struct locks {
    double ns, wall, waits;
    size_t threads;
};

static struct locks sum_locks(const struct slw_run *run)
{
    struct locks l = {0};

    for (size_t i = 1; i < run->waiting_count; i++) {
        const struct slw_waiting *w = &run->waiting[i];

        if ((double)w->waits[SLW_WAIT_LOCK] < LOCKS_PER_S * (double)w->wall_ns / 1e9)
            continue;
        if (w->waits[SLW_WAIT_LOCK] == 0)
            continue;
        l.ns += (double)w->ns[SLW_WAIT_LOCK];
        l.wall += (double)w->wall_ns;
        l.waits += (double)w->waits[SLW_WAIT_LOCK];
        l.threads++;
    }
    return l;
}

/* One of them by name, if most of the waiting was for that. */
static void put_lock(const struct slw_run *run, struct slw_buf *out)
{
    double share = 0;
    const struct slw_waited_for *w = slw_waited_lock(run, &share);

    if (!w || share < ONE_LOCK)
        return;
    slw_buf_puts(out, "; ");
    slw_format_percent(out, share);
    slw_buf_printf(out, " of the waiting for locks was for one, %s", w->what);
}

bool slw_find_lock_waiting(const struct slw_report *r, struct slw_evidence *e)
{
    if (!by_cause(r->run))
        return false;
    const struct locks l = sum_locks(r->run);
    if (l.threads < LOCK_THREADS || l.ns < LOCK_SHARE * l.wall)
        return false;
    e->weight = l.ns / l.wall;
    e->of_wall = true;
    slw_evidence_count(e->out, l.threads, "thread", "threads");
    slw_buf_puts(e->out, " waited for locks ");
    slw_format_percent(e->out, e->weight);
    slw_buf_puts(e->out, " of their time, in waits of ");
    slw_format_ns(e->out, (uint64_t)(l.ns / l.waits));
    slw_buf_puts(e->out, " on average");
    put_lock(r->run, e->out);
    return true;
}

bool slw_find_no_free_cpu(const struct slw_report *r, struct slw_evidence *e)
{
    if (!by_cause(r->run))
        return false;
    const struct slw_waiting *all = &r->run->waiting[0];
    const double share = (double)all->ns[SLW_WAIT_RUNNABLE] / (double)all->wall_ns;
    if (share < NO_CPU_SHARE)
        return false;
    e->weight = share;
    e->of_wall = true;
    slw_format_percent(e->out, share);
    slw_buf_puts(e->out, " of the thread time was runnable without a CPU, next to ");
    slw_format_percent(e->out, (double)all->ns[SLW_WAIT_ON_CPU] / (double)all->wall_ns);
    slw_buf_puts(e->out, " on one");
    return true;
}

/* The thread that needed a CPU the most, and what all others needed together. */
static const struct slw_waiting *busiest(const struct slw_run *run, double *ret_others)
{
    const struct slw_waiting *most = NULL;
    double all = 0;

    for (size_t i = 1; i < run->waiting_count; i++) {
        if (!most || needed(&run->waiting[i]) > needed(most))
            most = &run->waiting[i];
        all += needed(&run->waiting[i]);
    }
    *ret_others = most ? all - needed(most) : 0;
    return most;
}

bool slw_find_event_loop_blocked(const struct slw_report *r, struct slw_evidence *e)
{
    double others;

    if (!by_cause(r->run) || r->run->waiting[0].thread_count < 2)
        return false;
    const double window = (double)r->run->wall_ns.value;
    const struct slw_waiting *w = busiest(r->run, &others);
    if (!w || w->waits[SLW_WAIT_EVENT_LOOP] < LOOP_WAITS || needed(w) < LOOP_BUSY * window ||
        others >= OTHERS_BUSY * window)
        return false;
    e->weight = fmin(1, needed(w) / window);
    e->of_wall = true;
    slw_buf_puts(e->out, "the thread of the event loop needed a CPU for ");
    slw_format_percent(e->out, e->weight);
    slw_buf_puts(e->out, " of the time, the other ");
    slw_format_integer(e->out, r->run->waiting[0].thread_count - 1);
    slw_buf_puts(e->out, " together for ");
    slw_format_percent(e->out, others / window);
    return true;
}
