/* SPDX-License-Identifier: MIT */
/* The traffic as lines of a name and a sentence, the same for every renderer of text. */
#include "analyzer/format.h"
#include "analyzer/text.h"
#include "analyzer/traffic.h"

#define LINES       10
#define NAME_COLUMN 25

struct line {
    const char *name;
    struct slw_buf text;
};

static void put_figure(struct slw_buf *out, const char *lead, const struct slw_figure *f)
{
    slw_buf_puts(out, lead);
    slw_format_figure(out, f);
}

static void put_count(struct slw_buf *out, const char *lead, uint64_t n, const char *what)
{
    slw_buf_puts(out, lead);
    slw_format_integer(out, n);
    slw_buf_puts(out, what);
}

static void put_requests(struct slw_buf *out, const struct slw_traffic *t)
{
    put_count(out, "", t->seen, t->requests.absent ? " at least" : "");
    if (!t->per_second.absent)
        put_figure(out, "; ", &t->per_second);
    if (t->responses != t->seen)
        put_count(out, "; answered ", t->responses, "");
    if (t->errors > 0)
        put_count(out, "; errors ", t->errors, "");
}

static void put_quantiles(struct slw_buf *out, const struct slw_quantiles *q)
{
    if (q->count == 0) {
        slw_buf_puts(out, q->p50.absent ? q->p50.absent : "no latency is known");
        return;
    }
    put_figure(out, "p50 ", &q->p50);
    put_figure(out, ", p90 ", &q->p90);
    put_figure(out, ", p99 ", &q->p99);
    put_figure(out, ", p99.9 ", &q->p999);
    put_figure(out, ", max ", &q->max);
}

static void put_connections(struct slw_buf *out, const struct slw_traffic *t)
{
    put_count(out, "", t->connections, " to ");
    slw_buf_puts(out, t->protocols);
    if (t->lost > 0)
        put_count(out, "; ", t->lost, " not followed to the end");
    if (t->unknown > 0)
        put_count(out, "; ", t->unknown, " others not followed");
    if (t->why)
        slw_buf_printf(out, " (%s)", t->why);
}

static void put_statements(struct slw_buf *out, const struct slw_traffic *t)
{
    put_count(out, "", t->statements, "");
    put_figure(out, "; ", &t->statements_per_batch);
    if (t->rows > 0)
        put_count(out, "; rows ", t->rows, "");
    if (t->prepares > 0)
        put_count(out, "; prepared ", t->prepares, "");
}

static struct slw_buf *next(struct line *lines, size_t *count, const char *name)
{
    lines[*count].name = name;
    return &lines[(*count)++].text;
}

static size_t make_lines(const struct slw_traffic *t, struct line lines[LINES])
{
    struct slw_buf *b;
    size_t n = 0;

    put_connections(next(lines, &n, "connections"), t);
    put_requests(next(lines, &n, "requests"), t);
    b = next(lines, &n, "batch factor");
    put_figure(b, "", &t->batch_factor);
    put_count(b, "; largest ", t->max_batch, "");
    put_statements(next(lines, &n, "statements"), t);
    b = next(lines, &n, "flushes");
    put_count(b, "", t->flushes, "");
    put_figure(b, "; ", &t->bytes_per_flush);
    put_figure(next(lines, &n, "reads"), "", &t->reads_per_request);
    b = next(lines, &n, "in flight");
    put_figure(b, "", &t->depth);
    put_count(b, " on average; largest ", t->max_depth, "");
    put_quantiles(next(lines, &n, "latency of requests"), &t->request);
    put_quantiles(next(lines, &n, "latency of batches"), &t->batch);
    if (t->merged + t->unmatched > 0) {
        b = next(lines, &n, "latency uncertain");
        put_count(b, "", t->merged, " requests counted from an earlier one; ");
        put_count(b, "", t->unmatched, " answers nobody asked for");
    }
    return n;
}

static void put_heading(struct slw_buf *out, bool color)
{
    slw_buf_puts(out, color ? "\n\033[1mREQUESTS\033[0m  \033[2mcounted on the wire\033[0m\n"
                            : "\nREQUESTS  counted on the wire\n");
}

static void release(struct slw_buf *out, struct line *l)
{
    if (slw_buf_failed(&l->text))
        out->failed = true;
    slw_buf_release(&l->text);
}

void slw_traffic_term(struct slw_buf *out, const struct slw_report *r, size_t width, bool color)
{
    struct line lines[LINES] = {0};

    if (!r->traffic->present)
        return;
    put_heading(out, color);
    size_t count = make_lines(r->traffic, lines);
    for (size_t i = 0; i < count; i++) {
        slw_buf_puts(out, "  ");
        slw_text_cell(out, lines[i].name, NAME_COLUMN);
        slw_buf_putc(out, ' ');
        slw_text_wrap(out, lines[i].text.data ? lines[i].text.data : "", width, NAME_COLUMN + 3);
        slw_buf_putc(out, '\n');
        release(out, &lines[i]);
    }
}

void slw_traffic_md(struct slw_buf *out, const struct slw_report *r,
                    void (*put_prose)(struct slw_buf *out, const char *text))
{
    struct line lines[LINES] = {0};

    if (!r->traffic->present)
        return;
    slw_buf_puts(out, "#### Requests\n\n| counted on the wire | |\n|---|---|\n");
    size_t count = make_lines(r->traffic, lines);
    for (size_t i = 0; i < count; i++) {
        slw_buf_printf(out, "| %s | ", lines[i].name);
        put_prose(out, lines[i].text.data ? lines[i].text.data : "");
        slw_buf_puts(out, " |\n");
        release(out, &lines[i]);
    }
    slw_buf_putc(out, '\n');
}
