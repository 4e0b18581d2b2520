/* SPDX-License-Identifier: MIT */
/* The text of `perf script -F comm,pid,tid,time,period,event,ip,sym,dso`: a head line a sample, a
 * line a frame with the leaf first, an empty line. Source: perf's builtin-script.c and what
 * stackcollapse-perf.pl reads.
 *
 * A profile holds sums: how many samples a stack has and what their periods add up to. Each sample
 * is written with an equal share of its stack's periods, so that both sums are right for readers
 * that add up periods and for those that count samples. Where the number of samples is not known or
 * is too large, a stack is one sample of its whole weight. When they were taken is not in a
 * profile. Readers that draw time take a sample for as long as the next one of its thread is away:
 * those of a thread stand one behind the other, as wide as they weigh when they weigh time, else
 * one millisecond each. */
#include "flamegraph/export_parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* More samples than perf records in a day at its usual rate; about 10 GB of text. */
#define MAX_SAMPLES 20000000
#define NS_PER_MS   1000000u

struct writer {
    const struct slw_stacks *stacks;
    struct slw_buf *out;
    uint64_t *clocks_ns; /* of each thread, and last of none: where its next sample begins */
};

/* What is written of one column. */
struct kind {
    const char *event;
    bool is_time;
};

/* Readers take the last " (" for the start of the module. */
static void put_frame(struct writer *w, uint32_t id)
{
    const struct slw_frame f = slw_stacks_frame(w->stacks, id);
    const char *module = slw_export_module(w->stacks, &f);

    slw_buf_printf(w->out, "\t%16" PRIx64 " ", f.address);
    if (f.function[0])
        slw_export_put_line(w->out, f.function);
    else
        slw_buf_puts(w->out, "[unknown]");
    slw_buf_puts(w->out, " (");
    slw_export_put_line(w->out, f.inlined ? "inlined" : module[0] ? module : "[unknown]");
    slw_buf_puts(w->out, ")\n");
}

/* Readers look for the time behind a thread name: "3.5:" in the name must not pass for one; and
 * lines that start with '#' are comments. */
static void put_comm(struct slw_buf *out, const char *comm)
{
    const size_t start = out->length;

    slw_export_put_line(out, comm[0] ? comm : "[unknown]");
    if (out->length > start && out->data[start] == '#')
        out->data[start] = '_';
    for (size_t i = start + 1; i < out->length; i++)
        if (out->data[i] == ':' && isdigit((unsigned char)out->data[i - 1]))
            out->data[i] = '.';
}

/* One word. */
static void put_event_name(struct slw_buf *out, const char *event)
{
    const size_t start = out->length;

    slw_export_put_line(out, event[0] ? event : "unknown");
    for (size_t i = start; i < out->length; i++)
        if (out->data[i] == ' ')
            out->data[i] = '_';
}

static uint64_t take_time(struct writer *w, uint32_t thread, uint64_t length_ns)
{
    uint64_t *clock =
        &w->clocks_ns[thread == SLW_NO_THREAD ? slw_stacks_thread_count(w->stacks) : thread];
    const uint64_t now = *clock;

    if (__builtin_add_overflow(now, length_ns, clock))
        *clock = UINT64_MAX;
    return now;
}

static void put_head(struct writer *w, const struct slw_stack *stack, const struct kind *kind,
                     uint64_t period)
{
    struct slw_thread t = {.comm = "", .pid = -1, .tid = -1};
    const uint64_t us = take_time(w, stack->thread, kind->is_time ? period : NS_PER_MS) / 1000;

    if (stack->thread != SLW_NO_THREAD)
        t = slw_stacks_thread(w->stacks, stack->thread);
    put_comm(w->out, t.comm);
    /* perf too writes -1 for what it does not know; but its readers look for digits only. */
    slw_buf_printf(w->out, " %" PRId32 "/%" PRId32 " %5" PRIu64 ".%06" PRIu64 ": %10" PRIu64 " ",
                   t.pid < 0 ? 0 : t.pid, t.tid < 0 ? 0 : t.tid, us / 1000000, us % 1000000,
                   period);
    put_event_name(w->out, kind->event);
    slw_buf_puts(w->out, ": \n");
}

static void put_sample(struct writer *w, const struct slw_stack *stack, const struct kind *kind,
                       uint64_t period)
{
    put_head(w, stack, kind, period);
    for (size_t i = 0; i < stack->depth; i++)
        put_frame(w, stack->frames[i]);
    slw_buf_putc(w->out, '\n');
}

/* `samples` equal shares; the first ones are larger by what is left over. */
static void put_stack(struct writer *w, const struct slw_stack *stack, const struct kind *kind,
                      uint64_t samples, uint64_t weight)
{
    for (uint64_t i = 0; i < samples && !slw_buf_failed(w->out); i++)
        put_sample(w, stack, kind, weight / samples + (i < weight % samples));
}

/* The column that counts the samples of `column`, when they can be written one by one; else -1. */
static int counts_of(const struct slw_stacks *s, size_t column)
{
    const int counts = slw_stacks_find_column(s, slw_stacks_column(s, column)->event, "count");

    if (counts < 0 || slw_stacks_total(s, (size_t)counts) > MAX_SAMPLES)
        return -1;
    for (size_t i = 0; i < slw_stacks_count(s); i++) {
        const uint64_t *weights = slw_stacks_weights(s, i);

        if (weights[column] > 0 && weights[counts] == 0)
            return -1;
    }
    return counts;
}

static void put_event(struct writer *w, size_t column)
{
    const struct slw_column *c = slw_stacks_column(w->stacks, column);
    const struct kind kind = {.event = c->event, .is_time = slw_export_is_time(c)};
    const int counts = counts_of(w->stacks, column);

    for (size_t i = 0; i < slw_stacks_count(w->stacks); i++) {
        const uint64_t *weights = slw_stacks_weights(w->stacks, i);

        if (weights[column] == 0)
            continue;
        const struct slw_stack stack = slw_stacks_get(w->stacks, i);
        put_stack(w, &stack, &kind, counts < 0 ? 1 : weights[counts], weights[column]);
    }
}

/* Samples are told apart by their event alone: of each, its weight. */
static bool is_written(const struct slw_stacks *s, const struct slw_export_options *opts,
                       size_t column)
{
    return slw_export_takes(s, opts, column) &&
           slw_stacks_find_column(s, slw_stacks_column(s, column)->event,
                                  opts ? opts->unit : NULL) == (int)column;
}

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    struct writer w = {.stacks = stacks, .out = out};
    int rc = slw_export_takes_any(stacks, opts, err);

    (void)run;
    if (rc < 0)
        return rc;
    w.clocks_ns = calloc(slw_stacks_thread_count(stacks) + 1, sizeof(*w.clocks_ns));
    if (!w.clocks_ns)
        return slw_fail(err, SLW_E_NOMEM, "no memory to write the stacks");
    for (size_t i = 0; i < slw_stacks_column_count(stacks); i++)
        if (is_written(stacks, opts, i))
            put_event(&w, i);
    free(w.clocks_ns);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory to write the stacks") : 0;
}

const struct slw_exporter slw_exporter_perf_script = {
    .name = "perf-script",
    .summary = "text as perf script prints it, with every event",
    .extension = "perf.txt",
    .needs_stacks = true,
    .export = export,
};
