/* SPDX-License-Identifier: MIT */
#include "analyzer/waiting.h"

#include "analyzer/bar.h"
#include "analyzer/format.h"
#include "analyzer/text.h"
#include "analyzer/waited_for.h"

#include <stdlib.h>

#define THREADS  6
#define SMALLEST 0.01 /* of a thread's time, to be named in one line */

static int by_time(const void *a, const void *b)
{
    const struct slw_waiting_part *x = a, *y = b;
    bool x_first = x->state == SLW_WAIT_ON_CPU, y_first = y->state == SLW_WAIT_ON_CPU;

    if (x_first != y_first)
        return x_first ? -1 : 1;
    if (x->ns != y->ns)
        return x->ns < y->ns ? 1 : -1;
    return (int)x->state - (int)y->state;
}

size_t slw_waiting_parts(const struct slw_waiting *w,
                         struct slw_waiting_part ret_parts[SLW_WAIT_COUNT])
{
    size_t count = 0;
    double whole = 0;

    for (int i = 0; i < SLW_WAIT_COUNT; i++)
        whole += (double)w->ns[i];
    for (int i = 0; i < SLW_WAIT_COUNT; i++)
        if (w->ns[i] > 0)
            ret_parts[count++] = (struct slw_waiting_part){(enum slw_wait)i, w->ns[i], w->waits[i],
                                                           (double)w->ns[i] / whole};
    qsort(ret_parts, count, sizeof(ret_parts[0]), by_time);
    return count;
}

uint64_t slw_waiting_switches(const struct slw_waiting *w)
{
    uint64_t sum = 0;

    for (int i = 0; i < SLW_WAIT_COUNT; i++)
        if (__builtin_add_overflow(sum, w->waits[i], &sum))
            return UINT64_MAX;
    return sum;
}

/* "9,642 system calls (6,588 a second, 4.1 per request)" */
static void put_rate(struct slw_buf *out, const struct slw_run *run, uint64_t count,
                     const char *what)
{
    const char *lead = " (", *end = "";

    slw_format_integer(out, count);
    slw_buf_printf(out, " %s", what);
    if (!run->wall_ns.absent && run->wall_ns.value > 0) {
        slw_buf_puts(out, lead);
        slw_format_number(out, (double)count * 1e9 / (double)run->wall_ns.value);
        slw_buf_puts(out, " a second");
        lead = ", ";
        end = ")";
    }
    if (!run->requests.absent && run->requests.value > 0) {
        slw_buf_puts(out, lead);
        slw_format_number(out, (double)count / (double)run->requests.value);
        slw_buf_puts(out, " per request");
        end = ")";
    }
    slw_buf_puts(out, end);
}

void slw_waiting_rates(struct slw_buf *out, const struct slw_run *run)
{
    const struct slw_waiting *w = &run->waiting[0];

    put_rate(out, run, slw_waiting_switches(w), "context switches");
    if (w->by_cause) {
        slw_buf_puts(out, ", ");
        slw_format_integer(out, w->waits[SLW_WAIT_RUNNABLE]);
        slw_buf_puts(out, " of them preemptions");
    }
    slw_buf_puts(out, "; ");
    if (w->syscalls.absent)
        slw_buf_printf(out, "system calls: %s", w->syscalls.absent);
    else
        put_rate(out, run, w->syscalls.value, "system calls");
}

void slw_waiting_summary(struct slw_buf *out, const struct slw_waiting *w)
{
    struct slw_waiting_part parts[SLW_WAIT_COUNT];
    size_t count = slw_waiting_parts(w, parts);
    const char *lead = "";

    for (size_t i = 0; i < count; i++) {
        if (parts[i].share < SMALLEST)
            continue;
        slw_buf_printf(out, "%s%s ", lead, slw_wait_words(parts[i].state));
        slw_format_percent(out, parts[i].share);
        lead = ", ";
    }
}

/* ---- terminal ---- */

static void put_thread(struct slw_buf *out, const struct slw_waiting *w, size_t width)
{
    struct slw_buf line = {0};

    slw_buf_printf(&line, "%s (%d), ", w->comm && w->comm[0] ? w->comm : "unknown", (int)w->tid);
    slw_format_ns(&line, w->wall_ns);
    slw_buf_puts(&line, ": ");
    slw_waiting_summary(&line, w);
    slw_buf_puts(out, "    ");
    slw_text_wrap(out, line.data ? line.data : "", width, 6);
    slw_buf_putc(out, '\n');
    if (slw_buf_failed(&line))
        out->failed = true;
    slw_buf_release(&line);
}

static void put_line(struct slw_buf *out, const struct slw_run *run, size_t width,
                     void (*text)(struct slw_buf *out, const struct slw_run *run))
{
    struct slw_buf line = {0};

    text(&line, run);
    if (!slw_buf_failed(&line) && !line.data)
        return;
    slw_buf_puts(out, "  ");
    slw_text_wrap(out, line.data ? line.data : "", width, 2);
    slw_buf_putc(out, '\n');
    if (slw_buf_failed(&line))
        out->failed = true;
    slw_buf_release(&line);
}

void slw_waiting_term(struct slw_buf *out, const struct slw_report *r, size_t width, bool color)
{
    const struct slw_run *run = r->run;

    if (run->waiting_count == 0)
        return;
    slw_buf_puts(out, color ? "\n\033[1mWHERE THE WALL TIME WENT\033[0m\n"
                            : "\nWHERE THE WALL TIME WENT\n");
    slw_bar_term(out, r, width, color);
    put_line(out, run, width, slw_waiting_rates);
    put_line(out, run, width, slw_waited_for_text);
    if (run->waiting_count <= 2)
        return;
    slw_buf_puts(out, "  by thread\n");
    for (size_t i = 1; i < run->waiting_count && i <= THREADS; i++)
        put_thread(out, &run->waiting[i], width);
}
