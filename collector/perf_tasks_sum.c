/* SPDX-License-Identifier: MIT */
/* From records to tasks of the run: who gets what no record told, the few that are listed, and the
 * rest in one. */
#include "collector/perf_tasks.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* Counts of tasks in run.json: some megabytes of text. */
#define MAX_LISTED_COUNTS 10000

static struct slw_counted *cell(const struct slw_tasks *t, size_t row, size_t counter)
{
    return &t->cells[row * t->counter_count + counter];
}

static void add_to(struct slw_counted *sum, const struct slw_counted *n)
{
    sum->raw += n->raw;
    sum->enabled_ns += n->enabled_ns;
    sum->running_ns += n->running_ns;
}

static uint64_t less(uint64_t whole, uint64_t part)
{
    return whole > part ? whole - part : 0;
}

/* ---- a command: what no record told ---- */

/* Threads without a record of this counter: those that still run, and the one that ended with the
 * events we opened ourselves (the command, unless the kernel exchanged the events of two threads
 * when it switched between them). Theirs is what is left, together where there are several. */
static void give_rest(struct slw_tasks *t, const struct slw_counting *c, size_t counter)
{
    struct slw_counted told = {0};
    size_t holder = t->row_count, without = 0;

    for (size_t i = 0; i < t->row_count; i++) {
        if (t->told[i * t->counter_count + counter]) {
            add_to(&told, cell(t, i, counter));
            continue;
        }
        holder = without == 0 ? i : holder; /* the command is the first row */
        without++;
    }
    if (without == 0)
        return;
    const struct slw_counted *whole = &c->totals[counter];
    *cell(t, holder, counter) =
        (struct slw_counted){less(whole->raw, told.raw), less(whole->enabled_ns, told.enabled_ns),
                             less(whole->running_ns, told.running_ns)};
    if (without + t->untold > t->rows[holder].task_count)
        t->rows[holder].task_count = without + t->untold;
}

/* ---- a process: the events of each thread ---- */

static void read_threads(const struct slw_perf_env *env, struct slw_tasks *t,
                         struct slw_counting *c)
{
    for (size_t i = 0; i < c->spot_count && i < t->row_count; i++)
        slw_counting_read(env, c, i, cell(t, i, 0));
}

static int note_inherited(const struct slw_perf_env *env)
{
    return slw_run_note(env->run, SLW_NOTE_INFO, "tasks-inherited", NULL,
                        "threads and processes that were started after slotwise attached are "
                        "counted with the thread that started them");
}

/* ---- processes, order, pool ---- */

static void merge(struct slw_tasks *t, size_t into, size_t from)
{
    for (size_t k = 0; k < t->counter_count; k++) {
        add_to(cell(t, into, k), cell(t, from, k));
        *cell(t, from, k) = (struct slw_counted){0};
    }
    t->rows[into].task_count += t->rows[from].task_count;
    t->rows[from].task_count = 0;
}

/* The first thread of a process known here stands for it; its main thread gives the name. */
static void join_processes(struct slw_tasks *t)
{
    for (size_t i = 0; i < t->row_count; i++) {
        for (size_t k = i + 1; k < t->row_count && t->rows[i].task_count > 0; k++) {
            if (t->rows[k].pid != t->rows[i].pid || t->rows[k].task_count == 0)
                continue;
            if (t->rows[k].tid == t->rows[k].pid)
                memcpy(t->rows[i].comm, t->rows[k].comm, SLW_MAX_COMM);
            merge(t, i, k);
        }
        t->rows[i].tid = -1;
    }
}

struct place {
    uint64_t weight;
    size_t row;
};

static int heaviest_first(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Rows that ever ran, by CPU time. */
static size_t order(const struct slw_tasks *t, struct place *places)
{
    size_t count = 0;

    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].task_count > 0 && cell(t, i, 0)->enabled_ns > 0)
            places[count++] = (struct place){cell(t, i, 0)->raw, i};
    qsort(places, count, sizeof(places[0]), heaviest_first);
    return count;
}

static int add_task(const struct slw_perf_env *env, const struct slw_tasks *t,
                    const struct slw_counting *c, const struct slw_task_row *r,
                    const struct slw_counted *cells, struct slw_error *err)
{
    const struct slw_counted_task task = {.pid = r->pid,
                                          .tid = r->tid,
                                          .comm = r->comm[0] ? r->comm : NULL,
                                          .task_count = r->task_count};
    int rc = slw_run_add_task(env->run, &task, err);

    for (size_t k = 0; k < t->counter_count && rc == 0; k++) {
        if (env->run->counts[c->first_count + k].absent || cells[k].enabled_ns == 0)
            continue;
        rc = slw_counting_add(env, &c->counters[k], &cells[k], r->pid, r->tid, err);
    }
    return rc;
}

static size_t listed(const struct slw_tasks *t)
{
    size_t most = MAX_LISTED_COUNTS / (t->counter_count + 1);

    return most < SLW_MAX_TASKS - 1 ? most : SLW_MAX_TASKS - 1;
}

static int add_tasks(const struct slw_perf_env *env, struct slw_tasks *t,
                     const struct slw_counting *c, struct slw_error *err)
{
    struct place *SLW_AUTO(free) places = calloc(t->row_count + 1, sizeof(places[0]));
    int rc = 0;

    if (!places)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the counts of threads");
    const size_t count = order(t, places), most = listed(t);
    for (size_t i = 0; i < count && i < most && rc == 0; i++)
        rc = add_task(env, t, c, &t->rows[places[i].row], cell(t, places[i].row, 0), err);
    for (size_t i = most + 1; i < count; i++)
        merge(t, places[most].row, places[i].row);
    if (rc < 0 || count <= most)
        return rc;
    struct slw_task_row pool = {.task_count = t->rows[places[most].row].task_count};
    return add_task(env, t, c, &pool, cell(t, places[most].row, 0), err);
}

/* One thread ends without a record: the one with the events we opened. Where none of several left
 * one, this kernel writes none: Linux 6.1 takes the thread off its events before it would. */
static bool kernel_tells(const struct slw_tasks *t)
{
    return t->reads > 0 || t->ended < 2;
}

int slw_tasks_collect(const struct slw_perf_env *env, struct slw_tasks *t, struct slw_counting *c,
                      struct slw_error *err)
{
    int rc = 0;

    if (!t->rows || t->counter_count == 0)
        return 0;
    if (env->records) {
        slw_tasks_drain(env, t);
        if (!kernel_tells(t))
            return slw_run_note(env->run, SLW_NOTE_WARNING, "tasks-not-counted",
                                "attach to the running process with -p, or see the samples by "
                                "thread",
                                "threads and processes were not counted one by one: this kernel "
                                "does not tell what a thread had counted when it ends");
        for (size_t k = 0; k < t->counter_count; k++)
            if (c->fds[k] >= 0)
                give_rest(t, c, k);
    } else {
        read_threads(env, t, c);
        rc = note_inherited(env);
    }
    if (t->untold > 0)
        (void)slw_run_note(env->run, SLW_NOTE_WARNING, "tasks-untold", NULL,
                           "not every thread could be told apart (about %llu were too many for the "
                           "buffers); their counts are with those of the command",
                           (unsigned long long)t->untold);
    if (env->opts->per == SLW_PER_PROCESS)
        join_processes(t);
    return rc < 0 ? rc : add_tasks(env, t, c, err);
}
