/* SPDX-License-Identifier: MIT */
/* A history for a terminal: its levels, and a row for each run with its value on a common scale.
 * The chart is plain ASCII, so that it stands in any terminal, log and mail. */
#include "analyzer/format.h"
#include "analyzer/history/history.h"
#include "analyzer/history/history_int.h"
#include "analyzer/legend.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"
#include "base/clock.h"

#include <math.h>
#include <string.h>

#define MIN_WIDTH  50
#define MAX_WIDTH  160
#define WITH_NAMES 70 /* columns from which a row has room for the name of its run */
#define WITH_TIMES 96 /* and its time as well as its day */
#define VALUE      11
#define DAY        10 /* of a time stamp, "2026-11-22" */
#define MINUTE     16
#define LAST_RUNS  40 /* rows; --verbose shows all */
#define SLW_GREEN  "32"

struct page {
    struct slw_term_page t;
    const struct slw_history *h;
    double low, high;          /* ends of the scale */
    size_t chart, name, stamp; /* columns */
    bool mark_used[SLW_MARK_COUNT];
};

/* ---- pieces ---- */

static void put_blanks(struct page *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slw_buf_putc(p->t.out, ' ');
}

static void put_stamp(struct page *p, uint64_t started_ns)
{
    char iso[SLW_CLOCK_ISO_BYTES];

    if (!started_ns) {
        slw_text_cell(p->t.out, "unknown", p->stamp);
        return;
    }
    slw_clock_iso(started_ns, iso);
    iso[DAY] = ' ';
    iso[p->stamp] = '\0';
    slw_buf_puts(p->t.out, iso);
}

static void put_value(struct page *p, const struct slw_history_point *point)
{
    struct slw_buf b = {0};

    slw_history_put_value(&b, p->h, point->value.value);
    slw_term_mark(&b, &point->value.from);
    for (const char *m = slw_format_mark(&point->value.from); *m; m++)
        for (size_t i = 0; i < SLW_MARK_COUNT; i++)
            p->mark_used[i] |= SLW_MARK_LETTERS[i] == *m;
    slw_term_right(&p->t, b.data ? b.data : "", VALUE);
    p->t.out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
}

static size_t column_of(const struct page *p, double value)
{
    const double range = p->high - p->low;
    const double part = range > 0 ? (value - p->low) / range : .5;

    return (size_t)lround(fmin(1, fmax(0, part)) * (double)(p->chart - 1));
}

/* "  --o--  :": the value, its interval, and the level it belongs to. */
static void put_chart(struct page *p, const struct slw_history_point *point)
{
    const struct slw_figure *f = &point->value;
    char line[MAX_WIDTH + 1];

    memset(line, ' ', p->chart);
    line[p->chart] = '\0';
    if (f->interval.have)
        for (size_t i = column_of(p, f->interval.low); i <= column_of(p, f->interval.high); i++)
            line[i] = '-';
    if (line[column_of(p, point->level)] == ' ')
        line[column_of(p, point->level)] = ':';
    line[column_of(p, f->value)] = 'o';
    for (size_t end = p->chart; !p->name && end > 0 && line[end - 1] == ' '; end--)
        line[end - 1] = '\0';
    slw_buf_puts(p->t.out, line);
}

static const char *shift_style(const struct slw_history *h, double shift)
{
    if (h->better == SLW_BETTER_NEITHER || isnan(shift))
        return SLW_TERM_BOLD;
    return (shift > 0) == (h->better == SLW_BETTER_HIGHER) ? SLW_GREEN : SLW_TERM_HOT;
}

static const char *shift_word(const struct slw_history *h, double before, double after)
{
    if (h->better == SLW_BETTER_NEITHER)
        return after > before ? "higher" : "lower";
    return (after > before) == (h->better == SLW_BETTER_HIGHER) ? "better" : "worse";
}

static void put_shift(struct page *p, double before, const struct slw_history_point *to)
{
    slw_history_put_value(p->t.out, p->h, before);
    slw_buf_puts(p->t.out, " -> ");
    slw_history_put_value(p->t.out, p->h, to->level);
    slw_buf_puts(p->t.out, isnan(to->shift) ? ", " : " (");
    slw_history_put_shift(p->t.out, to->shift);
    slw_buf_puts(p->t.out, isnan(to->shift) ? "" : "), ");
    slw_buf_puts(p->t.out, shift_word(p->h, before, to->level));
}

/* ---- sections ---- */

static void put_head(struct page *p)
{
    const struct slw_history *h = p->h;
    static const char *const better[] = {[SLW_BETTER_LOWER] = "lower is better",
                                         [SLW_BETTER_HIGHER] = "higher is better",
                                         [SLW_BETTER_NEITHER] = "neither direction is better"};
    struct slw_buf title = {0};

    slw_text_clean(&title, h->title);
    slw_buf_puts(&title, " (");
    slw_text_clean(&title, h->metric);
    slw_buf_printf(&title, "), %zu run%s, %s", h->point_count, h->point_count == 1 ? "" : "s",
                   better[h->better]);
    for (size_t i = 0; i < h->label_count; i++) {
        slw_buf_puts(&title, i ? ", " : "; only ");
        slw_text_clean(&title, h->labels[i].key);
        slw_buf_putc(&title, '=');
        slw_text_clean(&title, h->labels[i].value);
    }
    slw_term_styled(&p->t, SLW_TERM_BOLD, 0, "", title.data ? title.data : "");
    p->t.out->failed |= slw_buf_failed(&title);
    slw_buf_release(&title);
}

static void put_levels(struct page *p)
{
    const struct slw_history *h = p->h;
    const struct slw_history_point *last = &h->points[h->point_count - 1];

    slw_buf_putc(p->t.out, '\n');
    if (h->change_count == 0) {
        slw_buf_puts(p->t.out, !h->searched     ? "too few runs to see a change of level; now at "
                               : h->apart_count ? "no change of level among runs that may be "
                                                  "compared; now at "
                                                : "no change of level is seen: it stays at ");
        slw_history_put_value(p->t.out, h, last->level);
        slw_buf_putc(p->t.out, '\n');
        return;
    }
    slw_buf_printf(p->t.out, "%zu change%s of level\n", h->change_count,
                   h->change_count == 1 ? "" : "s");
    for (size_t i = 1; i < h->point_count; i++) {
        if (!h->points[i].change)
            continue;
        slw_buf_puts(p->t.out, "  ");
        put_stamp(p, h->points[i].started_ns);
        slw_buf_puts(p->t.out, "  ");
        slw_term_style(&p->t, shift_style(h, h->points[i].level - h->points[i - 1].level));
        put_shift(p, h->points[i - 1].level, &h->points[i]);
        slw_term_plain(&p->t);
        slw_buf_puts(p->t.out, "\n");
        slw_term_paragraph(&p->t, 4, "from ", h->points[i].path);
    }
}

static void put_mark_line(struct page *p, const struct slw_history_point *point)
{
    if (point->change) {
        slw_buf_puts(p->t.out, "  ");
        slw_term_style(&p->t, shift_style(p->h, point->level - point[-1].level));
        slw_buf_puts(p->t.out, "== level ");
        put_shift(p, point[-1].level, point);
        slw_term_plain(&p->t);
        slw_buf_putc(p->t.out, '\n');
    }
    if (point->unlike)
        slw_term_styled(&p->t, point->apart ? SLW_TERM_WARN : SLW_TERM_DIM, 2,
                        point->apart ? "~~ not compared: " : "~~ ", point->unlike);
}

static void put_row(struct page *p, const struct slw_history_point *point)
{
    put_mark_line(p, point);
    put_stamp(p, point->started_ns);
    put_value(p, point);
    slw_buf_puts(p->t.out, "  ");
    put_chart(p, point);
    if (p->name) {
        struct slw_buf name = {0};
        slw_buf_puts(&name, point->path);
        if (point->arm)
            slw_buf_printf(&name, " (%s)", point->arm);
        slw_buf_puts(p->t.out, "  ");
        slw_text_fit(p->t.out, name.data ? name.data : "", p->name);
        p->t.out->failed |= slw_buf_failed(&name);
        slw_buf_release(&name);
    }
    slw_buf_putc(p->t.out, '\n');
}

static void put_scale(struct page *p)
{
    struct slw_buf low = {0}, high = {0};

    slw_history_put_value(&low, p->h, p->low);
    slw_history_put_value(&high, p->h, p->high);
    put_blanks(p, p->stamp + VALUE + 2);
    slw_buf_puts(p->t.out, low.data ? low.data : "");
    const size_t used = slw_text_columns(low.data ? low.data : "");
    slw_term_right(&p->t, high.data ? high.data : "", p->chart > used ? p->chart - used : 1);
    slw_buf_putc(p->t.out, '\n');
    p->t.out->failed |= slw_buf_failed(&low) || slw_buf_failed(&high);
    slw_buf_release(&low);
    slw_buf_release(&high);
}

static void put_rows(struct page *p, size_t first)
{
    const struct slw_history *h = p->h;

    slw_buf_putc(p->t.out, '\n');
    if (first > 0)
        slw_buf_printf(p->t.out, "the last %zu runs; --verbose shows the %zu before\n",
                       h->point_count - first, first);
    put_scale(p);
    for (size_t i = first; i < h->point_count; i++)
        put_row(p, &h->points[i]);
    slw_term_styled(&p->t, SLW_TERM_DIM, 0, "",
                    "o median of the rounds, --- its 95 % interval (from 6 rounds on), : level");
    for (size_t i = 0; i < SLW_MARK_COUNT; i++)
        if (p->mark_used[i]) {
            const char *const leads[SLW_MARK_COUNT] = {"\xcb\xa2 ", "\xe1\xb5\x90 ",
                                                       "\xe2\x81\xb1 "};
            slw_term_styled(&p->t, SLW_TERM_DIM, 0, leads[i],
                            slw_format_mark_meaning(SLW_MARK_LETTERS[i]));
        }
}

static void put_notes(struct page *p)
{
    const struct slw_history *h = p->h;

    if (h->note_count)
        slw_buf_putc(p->t.out, '\n');
    for (size_t i = 0; i < h->note_count; i++) {
        const bool warning = h->notes[i].level == SLW_NOTE_WARNING;
        slw_term_styled(&p->t, warning ? SLW_TERM_WARN : SLW_TERM_DIM, 0,
                        warning ? "warning: " : "note: ", h->notes[i].text);
        if (h->notes[i].hint)
            slw_term_paragraph(&p->t, 2, "-> ", h->notes[i].hint);
    }
}

/* ---- the page ---- */

static void set_scale(struct page *p, size_t first)
{
    p->low = HUGE_VAL;
    p->high = -HUGE_VAL;
    for (size_t i = first; i < p->h->point_count; i++) {
        const struct slw_history_point *point = &p->h->points[i];
        const struct slw_interval *interval = &point->value.interval;
        p->low = fmin(p->low, fmin(point->level, point->value.value));
        p->high = fmax(p->high, fmax(point->level, point->value.value));
        if (interval->have) {
            p->low = fmin(p->low, interval->low);
            p->high = fmax(p->high, interval->high);
        }
    }
}

static void set_columns(struct page *p)
{
    const size_t width = p->t.width;

    p->stamp = width >= WITH_TIMES ? MINUTE : DAY;
    p->name = width >= WITH_NAMES ? (width - p->stamp - VALUE - 4) / 2 : 0;
    p->chart = width - p->stamp - VALUE - 2 - (p->name ? p->name + 2 : 0);
}

static int render(const struct slw_history *h, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    const int asked = opts->width > 0 ? opts->width : SLW_TERM_DEFAULT_WIDTH;
    const int width = asked < MIN_WIDTH ? MIN_WIDTH : asked > MAX_WIDTH ? MAX_WIDTH : asked;
    struct page p = {
        .t = {.out = out, .width = (size_t)width, .color = opts->color, .verbose = opts->verbose},
        .h = h,
    };
    const size_t first =
        opts->verbose || h->point_count <= LAST_RUNS ? 0 : h->point_count - LAST_RUNS;

    set_columns(&p);
    set_scale(&p, first);
    put_head(&p);
    put_levels(&p);
    put_rows(&p, first);
    put_notes(&p);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for a history") : 0;
}

const struct slw_history_renderer slw_history_renderer_term = {
    .name = "term",
    .summary = "levels, and a chart of all runs",
    .extension = "txt",
    .render = render,
};
