/* SPDX-License-Identifier: MIT */
/* The differential flame graph: what is written above it, what colours and marks its frames have
 * and what their tooltips say. Every sentence names both runs, so that none can be read backwards.
 */
#include "flamegraph/amount.h"
#include "flamegraph/diff_int.h"
#include "flamegraph/flamegraph.h"
#include "flamegraph/svg_int.h"

#include "analyzer/format.h"
#include "base/arena.h"

#include <math.h>
#include <string.h>

#define MAX_LINES   5
#define MAX_KEYS    6
#define CMD_COLUMNS 60 /* of a command in the legend */

/* Steps of colour: the change as a part of the larger of both costs, so that more and less are
 * mirror images. */
#define STEP_2 0.1
#define STEP_3 (1.0 / 3)

struct words {
    struct slw_arena *arena;
    const struct slw_diff *d;
    const char *lines[MAX_LINES];
    size_t line_count;
    struct slw_svg_key keys[MAX_KEYS];
    size_t key_count;
    bool no_memory;
};

/* ---- numbers ---- */

static bool is_time(const struct slw_diff *d)
{
    return strcmp(d->column.unit, "nanoseconds") == 0 || strcmp(d->column.unit, "ns") == 0;
}

/* Three digits at least, without an exponent. */
static void put_digits(struct slw_buf *out, double size)
{
    slw_buf_printf(out, "%.*f", size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2, size);
}

static void put_size(const struct slw_diff *d, double size, struct slw_buf *out)
{
    static const struct {
        double least, per;
        const char *unit;
    } units[] = {{999.5e6, 1e9, "s"}, {999.5e3, 1e6, "ms"}, {999.5, 1e3, "us"}, {0, 1, "ns"}};
    size_t i = 0;

    if (!is_time(d)) {
        slw_format_number(out, size);
        return;
    }
    if (size == 0) {
        slw_buf_putc(out, '0');
        return;
    }
    while (size < units[i].least)
        i++;
    put_digits(out, size / units[i].per);
    slw_buf_printf(out, " %s", units[i].unit);
}

/* "+1.20 us"; nothing is 0 without a sign. */
static void put_signed(const struct slw_diff *d, double value, struct slw_buf *out)
{
    if (value != 0)
        slw_buf_putc(out, value > 0 ? '+' : '-');
    put_size(d, fabs(value), out);
}

static const char *per_words(const struct slw_diff *d)
{
    static const char *const words[] = {[SLW_DIFF_PER_REQUEST] = "per request",
                                        [SLW_DIFF_PER_CPU_SECOND] = "of each second of CPU time",
                                        [SLW_DIFF_PER_THOUSAND] = "of every 1,000"};

    return words[d->per];
}

static double change_of(const struct slw_diff *d, uint32_t node)
{
    return slw_diff_cost(d, node, 1) - slw_diff_cost(d, node, 0);
}

static bool is_new(const struct slw_diff *d, uint32_t node)
{
    return d->nodes[node].weight[0] == 0 && d->nodes[node].samples[0] == 0;
}

static bool is_gone(const struct slw_diff *d, uint32_t node)
{
    return d->nodes[node].weight[1] == 0 && d->nodes[node].samples[1] == 0;
}

/* ---- frames ---- */

static int step_of(const struct slw_diff *d, uint32_t node)
{
    const double larger = fmax(slw_diff_cost(d, node, 0), slw_diff_cost(d, node, 1));
    const double part = fabs(change_of(d, node)) / larger;

    return part >= STEP_3 ? 2 : part >= STEP_2 ? 1 : 0;
}

static const char *class_of(const void *ctx, uint32_t node)
{
    static const char *const up[] = {"d1u", "d2u", "d3u"}, *const down[] = {"d1d", "d2d", "d3d"};
    const struct slw_diff *d = ctx;
    const double change = change_of(d, node);

    if (d->nodes[node].state == SLW_DIFF_FEW)
        return "dfew";
    if (d->nodes[node].state == SLW_DIFF_INSIDE || change == 0)
        return "d0";
    if (is_new(d, node))
        return "dnew";
    if (is_gone(d, node))
        return "dgone";
    return change > 0 ? up[step_of(d, node)] : down[step_of(d, node)];
}

static void put_mark(const void *ctx, uint32_t node, struct slw_buf *out)
{
    const struct slw_diff *d = ctx;
    const char *class = class_of(d, node);

    if (strcmp(class, "dfew") == 0 || strcmp(class, "d0") == 0)
        return;
    put_signed(d, change_of(d, node), out);
    if (strcmp(class, "dnew") == 0 || strcmp(class, "dgone") == 0)
        slw_buf_printf(out, " %s", class + 1);
    slw_buf_puts(out, "  ");
}

static void put_samples(const struct slw_diff *d, uint32_t node, struct slw_buf *out)
{
    if (!d->has_samples)
        return;
    slw_buf_puts(out, "\nsamples: ");
    for (size_t side = 0; side < 2; side++) {
        slw_buf_printf(out, "%s%s ", side ? ", " : "", d->sides[side].name);
        slw_amount_put(out, d->nodes[node].samples[side], 1);
    }
}

static const char *state_words(const struct slw_diff *d, uint32_t node)
{
    if (d->basis == SLW_DIFF_NOT_JUDGED)
        return "not judged: it may be noise";
    if (d->nodes[node].state == SLW_DIFF_FEW)
        return "not judged: too few samples";
    if (d->nodes[node].state == SLW_DIFF_INSIDE)
        return "inside the noise";
    return d->basis == SLW_DIFF_BY_COUNTS ? "beyond the noise of sampling" : "beyond the noise";
}

static void put_interval(const struct slw_diff *d, uint32_t node, struct slw_buf *out)
{
    const struct slw_difference *x = &d->nodes[node].difference;

    if (!d->nodes[node].has_interval)
        return;
    slw_buf_printf(out, "\n%.3g %% interval of B - A: ", x->level * 100);
    put_signed(d, x->low, out);
    slw_buf_puts(out, " to ");
    put_signed(d, x->high, out);
}

static void put_facts(const void *ctx, uint32_t node, struct slw_buf *out)
{
    const struct slw_diff *d = ctx;
    const double a = slw_diff_cost(d, node, 0), change = change_of(d, node);

    slw_buf_putc(out, '\n');
    for (size_t side = 0; side < 2; side++) {
        slw_buf_printf(out, "%s%s ", side ? ", " : "", d->sides[side].name);
        put_size(d, slw_diff_cost(d, node, side), out);
    }
    slw_buf_printf(out, " %s\n", per_words(d));
    if (is_new(d, node) || is_gone(d, node)) {
        slw_buf_printf(out, "%s: only %s has it here", is_new(d, node) ? "new" : "gone",
                       d->sides[is_new(d, node)].name);
    } else {
        slw_buf_puts(out, "B - A: ");
        put_signed(d, change, out);
        if (a > 0)
            slw_buf_printf(out, " (%+.1f %% of A)", 100 * change / a);
    }
    slw_buf_printf(out, "; %s", state_words(d, node));
    put_interval(d, node, out);
    put_samples(d, node, out);
}

/* ---- words above the graph ---- */

/* A copy of what b holds, which is released. */
static const char *keep(struct words *w, struct slw_buf *b)
{
    const char *copy =
        slw_buf_failed(b) ? NULL : slw_arena_strdup(w->arena, b->data ? b->data : "");

    slw_buf_release(b);
    w->no_memory = w->no_memory || !copy;
    return copy ? copy : "";
}

/* "B (candidate: pgbench -M simple)" */
static void put_side(const struct slw_diff *d, size_t side, struct slw_buf *out)
{
    const struct slw_diff_side *s = &d->sides[side];

    slw_buf_printf(out, "%s (%s", s->name, s->role);
    if (s->command[0])
        slw_buf_printf(out, ": %.*s%s", CMD_COLUMNS, s->command,
                       strlen(s->command) > CMD_COLUMNS ? "..." : "");
    slw_buf_putc(out, ')');
}

static void add_line(struct words *w, struct slw_buf *b)
{
    w->lines[w->line_count++] = keep(w, b);
}

/* What both cost, and the difference as a whole. */
static void add_totals(struct words *w)
{
    const struct slw_diff *d = w->d;
    const double change = change_of(d, SLW_ROOT_NODE);
    struct slw_buf b = {0};

    if (d->per == SLW_DIFF_PER_REQUEST) {
        for (size_t side = 0; side < 2; side++) {
            slw_buf_printf(&b, "%s%s ", side ? ", " : "", d->sides[side].name);
            put_size(d, slw_diff_cost(d, SLW_ROOT_NODE, side), &b);
        }
        slw_buf_printf(&b, " of %s per request; B - A: ", d->column.event);
        put_signed(d, change, &b);
        slw_buf_printf(&b, ", %s", state_words(d, SLW_ROOT_NODE));
    } else {
        slw_buf_printf(&b, "Not per request: %s. Of each run it is shown what is spent %s.",
                       d->per_absent, per_words(d));
    }
    add_line(w, &b);
}

static void add_source(struct words *w)
{
    const struct slw_diff *d = w->d;
    struct slw_buf b = {0};

    slw_buf_printf(&b, "Event %s; %s, %s.", d->column.event,
                   slw_format_source(d->column.from.source),
                   d->column.from.imported ? "imported" : "live");
    if (d->opts.width == SLW_DIFF_WIDTH_BOTH) {
        slw_buf_puts(&b, " Width: what A and B cost together.");
    } else {
        const size_t side = d->opts.width == SLW_DIFF_WIDTH_B;
        slw_buf_printf(&b, " Width: what %s costs; code that only %s has cannot be seen.",
                       d->sides[side].name, d->sides[!side].name);
    }
    add_line(w, &b);
}

static void add_basis(struct words *w)
{
    const struct slw_diff *d = w->d;
    struct slw_buf b = {0};

    switch (d->basis) {
    case SLW_DIFF_BY_ROUNDS:
        slw_buf_printf(&b,
                       "Judged over %zu rounds measured in turn; of the coloured frames one in "
                       "twenty is noise at most, on average.",
                       d->rounds);
        break;
    case SLW_DIFF_BY_COUNTS:
        slw_buf_printf(&b,
                       "Judged by the numbers of samples alone (%s): what differs from one "
                       "execution to the next is not in it, so colour is no proof.",
                       d->basis_why);
        break;
    case SLW_DIFF_NOT_JUDGED:
        slw_buf_printf(&b,
                       "Not judged: %s, and the samples are not counted. Any colour may be noise.",
                       d->basis_why);
        break;
    }
    add_line(w, &b);
}

static struct slw_svg_key *add_key(struct words *w, struct slw_buf *b, const char *one,
                                   const char *two, const char *three)
{
    struct slw_svg_key *key = &w->keys[w->key_count++];

    *key = (struct slw_svg_key){{one, two, three}, keep(w, b)};
    return key;
}

/* verb: what the second run does, "more than" the first. */
static void add_direction(struct words *w, const char *colour, const char *verb,
                          const char *const classes[3])
{
    struct slw_buf b = {0};

    slw_buf_printf(&b, "%s: ", colour);
    put_side(w->d, 1, &b);
    slw_buf_printf(&b, " %s ", verb);
    put_side(w->d, 0, &b);
    (void)add_key(w, &b, classes[0], classes[1], classes[2]);
}

static void add_steps(struct words *w)
{
    struct slw_buf b = {0};

    slw_buf_puts(&b, "the stronger, the more: below 10 %, from 10 %, from 33 % of the larger of A "
                     "and B");
    (void)add_key(w, &b, NULL, NULL, NULL);
    slw_buf_puts(&b, "framed: new (only B has it there), or gone (only A, broken line)");
    (void)add_key(w, &b, "dnew", "dgone", NULL);
}

static void add_faded(struct words *w)
{
    struct slw_buf b = {0};

    if (w->d->basis == SLW_DIFF_NOT_JUDGED)
        return;
    slw_buf_puts(&b, "grey: inside the noise (first), or too few samples to judge (second)");
    (void)add_key(w, &b, "d0", "dfew", NULL);
}

static void fill_words(struct words *w)
{
    static const char *const up[] = {"d1u", "d2u", "d3u"}, *const down[] = {"d1d", "d2d", "d3d"};
    /* What the one does, compared with the other. */
    static const char *const verbs[][2] = {
        [SLW_DIFF_PER_REQUEST] = {"costs more per request than", "costs less per request than"},
        [SLW_DIFF_PER_CPU_SECOND] = {"spends more of each second of its CPU time here than",
                                     "spends less of each second of its CPU time here than"},
        [SLW_DIFF_PER_THOUSAND] = {"has a larger part of its whole here than",
                                   "has a smaller part of its whole here than"}};

    add_totals(w);
    add_source(w);
    add_basis(w);
    add_direction(w, "red, +", verbs[w->d->per][0], up);
    add_direction(w, "blue, -", verbs[w->d->per][1], down);
    add_steps(w);
    add_faded(w);
}

static const char *wide(const struct slw_diff *d)
{
    static const char *const words[] = {[SLW_DIFF_WIDTH_BOTH] = "what A and B cost together",
                                        [SLW_DIFF_WIDTH_A] = "what A costs",
                                        [SLW_DIFF_WIDTH_B] = "what B costs"};

    return words[d->opts.width];
}

int slw_diff_svg(const struct slw_diff *d, const struct slw_diff_svg_options *opts,
                 struct slw_buf *out, struct slw_error *err)
{
    static const struct slw_diff_svg_options none;
    struct words w = {.arena = slw_arena_new(), .d = d};

    if (!w.arena)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a flame graph");
    if (!opts)
        opts = &none;
    fill_words(&w);
    const struct slw_svg_skin skin = {.ctx = d,
                                      .wide = wide(d),
                                      .lines = w.lines,
                                      .line_count = w.line_count,
                                      .keys = w.keys,
                                      .key_count = w.key_count,
                                      .class_of = class_of,
                                      .put_mark = put_mark,
                                      .put_facts = put_facts};
    const struct slw_svg_options svg = {
        .title = opts->title ? opts->title : "What changed from A (base) to B (candidate)",
        .subtitle = opts->subtitle,
        .width_px = opts->width_px,
        .min_width_px = opts->min_width_px};
    int rc = w.no_memory ? slw_fail(err, SLW_E_NOMEM, "no memory for the words of a flame graph")
                         : slw_svg_draw(d->tree, &svg, &skin, out, err);
    slw_arena_free(w.arena);
    return rc;
}
