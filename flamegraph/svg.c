/* SPDX-License-Identifier: MIT */
/* The drawing: geometry in pixels, text, classes for colours. What a reader can do with it is in
 * the scripts of svg/, how it looks in svg/style.css; the file is also readable without either. */
#include "base/hash.h"
#include "flamegraph/amount.h"
#include "flamegraph/escape.h"
#include "flamegraph/layout.h"
#include "flamegraph/svg_assets.h"
#include "flamegraph/svg_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Pixels. The script gets what it needs of them in data- attributes. */
#define WIDTH_DEFAULT 1200
#define WIDTH_MIN     200
#define WIDTH_MAX     100000
#define MIN_WIDTH     0.1
#define MARGIN        10
#define ROW           17   /* a frame and the line between it and the next */
#define LINE          15   /* a line of small text */
#define KEY_LINE      17   /* a line of the legend above the graph */
#define TITLE_BASE    24   /* baseline of the title */
#define TOOLBAR       36   /* the row of controls above the graph */
#define FOOTER        58   /* details and legend below it */
#define TEXT_MIN      2600 /* hundredths: narrower frames carry no text */
#define CHAR_HUND     670  /* hundredths: advance of the 11 px fixed-width font */

#define MARKED_COLUMNS   8 /* of a name that there is room for, behind its whole mark */
#define SHADES           6
#define MAX_NAME_COLUMNS 8192 /* of one name in a tooltip; longer ones end in an ellipsis */
#define MAX_SUBTITLES    12

struct drawing {
    const struct slw_tree *tree;
    const struct slw_layout *layout;
    struct slw_amount_unit unit;
    uint64_t total;
    int width, height;
    int graph_top;
    const char *title, *subtitle;
    slw_svg_category_fn category; /* NULL: colours are of kinds */
    const void *category_ctx;
    const struct slw_svg_skin *skin; /* NULL: a plain graph */
    struct slw_buf *out;
};

/* Class and words of each category; the classes are in svg/style.css. */
static const struct {
    const char *class, *words;
} categories[SLW_SVG_CATEGORY_COUNT] = {
    [SLW_SVG_UNKNOWN] = {"cn", "too few samples"},
    [SLW_SVG_UNDECIDED] = {"cu", "undecided"},
    [SLW_SVG_FRONTEND] = {"cf", "front-end bound"},
    [SLW_SVG_BACKEND] = {"cb", "back-end bound"},
    [SLW_SVG_BAD_SPECULATION] = {"cs", "bad speculation"},
    [SLW_SVG_RETIRING] = {"cr", "retiring"},
};

/* How many lines a subtitle has; also its limit. */
static int line_count(const char *text)
{
    int lines = text && text[0] ? 1 : 0;

    for (; lines > 0 && lines < MAX_SUBTITLES && (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

static char kind_letter(enum slw_tree_kind kind)
{
    static const char letters[] = {
        [SLW_TREE_ALL] = 'a',     [SLW_TREE_THREAD] = 't', [SLW_TREE_USER] = 'u',
        [SLW_TREE_INLINED] = 'i', [SLW_TREE_KERNEL] = 'k', [SLW_TREE_OTHER] = 'o'};

    return letters[kind];
}

static void put_attribute(struct slw_buf *out, const char *name, const char *value)
{
    slw_buf_printf(out, " %s=\"", name);
    slw_escape_put(out, value, MAX_NAME_COLUMNS);
    slw_buf_putc(out, '"');
}

static void put_head(const struct drawing *d)
{
    struct slw_buf *out = d->out;

    slw_buf_printf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"slw-fg\" width=\"%d\" "
                   "height=\"%d\" viewBox=\"0 0 %d %d\" role=\"group\"",
                   d->width, d->height, d->width, d->height);
    put_attribute(out, "aria-label", d->title);
    slw_buf_printf(out, " data-total=\"%" PRIu64 "\" data-culled=\"%" PRIu64 "\"", d->total,
                   d->layout->culled_weight);
    put_attribute(out, "data-unit", d->unit.label);
    slw_buf_printf(out,
                   " data-scale=\"%u\" data-row=\"%d\" data-char=\"%d.%02d\" data-margin=\"%d\" "
                   "data-toolbar=\"%d\"%s",
                   d->unit.scale, ROW, CHAR_HUND / 100, CHAR_HUND % 100, MARGIN,
                   d->graph_top - TOOLBAR, d->tree->inverted ? " data-inverted=\"1\"" : "");
    if (d->skin)
        put_attribute(out, "data-wide", d->skin->wide);
    slw_buf_puts(out, ">\n<title>");
    slw_escape_put(out, d->title, MAX_NAME_COLUMNS);
    slw_buf_puts(out, "</title>\n<style><![CDATA[\n");
    slw_buf_put(out, slw_svg_style, slw_svg_style_length);
    slw_buf_puts(out, "]]></style>\n<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n");
}

static void put_text_at(struct slw_buf *out, const char *class, int y)
{
    slw_buf_printf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, MARGIN, y);
}

/* What was measured, how much of it and by whom: never a picture without its unit and source. */
static void put_summary(const struct drawing *d, int y)
{
    static const char *const sources[] = {[SLW_SOURCE_HARDWARE] = "hardware",
                                          [SLW_SOURCE_SIMULATED] = "simulated",
                                          [SLW_SOURCE_SOFTWARE] = "software"};
    const struct slw_provenance *from = &d->tree->from;
    struct slw_buf *out = d->out;

    put_text_at(out, "sub", y);
    slw_buf_puts(out, "Total: ");
    slw_amount_put(out, d->total, d->unit.scale);
    slw_buf_putc(out, ' ');
    slw_escape_put(out, d->unit.label, 80);
    if (d->tree->has_samples) {
        slw_buf_puts(out, " in ");
        slw_amount_put(out, d->tree->nodes[SLW_ROOT_NODE].samples, 1);
        slw_buf_puts(out, " samples");
    }
    if (strcmp(d->tree->event, d->unit.label) != 0) {
        slw_buf_puts(out, "; event ");
        slw_escape_put(out, d->tree->event, 80);
    }
    slw_buf_printf(out, "; %s, %s", sources[from->source], from->imported ? "imported" : "live");
    if (from->detail) {
        slw_buf_puts(out, " (");
        slw_escape_put(out, from->detail, 120);
        slw_buf_putc(out, ')');
    }
    slw_buf_puts(out, "</text>\n");
}

static void put_subtitle(const struct drawing *d, int y)
{
    const char *line = d->subtitle;

    for (int left = line_count(line); left > 0; left--, y += LINE) {
        const size_t length = strcspn(line, "\n");
        char copy[512];

        (void)snprintf(copy, sizeof(copy), "%.*s", (int)(length < 511 ? length : 511), line);
        put_text_at(d->out, "sub", y);
        slw_escape_put(d->out, copy, d->width * 100 / CHAR_HUND);
        slw_buf_puts(d->out, "</text>\n");
        line += length + 1;
    }
}

/* What the colours mean stands above a graph of differences, in words that no turn of the head can
 * swap. Returns the y of the last line. */
static int put_skin_head(const struct drawing *d, int y)
{
    const struct slw_svg_skin *skin = d->skin;

    for (size_t i = 0; i < skin->line_count; i++, y += LINE) {
        put_text_at(d->out, "sub", y);
        slw_escape_put(d->out, skin->lines[i], (d->width - 2 * MARGIN) * 100 / CHAR_HUND);
        slw_buf_puts(d->out, "</text>\n");
    }
    slw_buf_puts(d->out, "<g class=\"legend\" role=\"img\" aria-label=\"Legend\">\n");
    for (size_t i = 0; i < skin->key_count; i++, y += KEY_LINE) {
        int x = MARGIN;

        for (size_t k = 0; k < SLW_SVG_SWATCHES && skin->keys[i].classes[k]; k++, x += 18)
            slw_buf_printf(
                d->out, "<g class=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"14\" height=\"12\"/></g>",
                skin->keys[i].classes[k], x, y - 10);
        slw_buf_printf(d->out, "<text class=\"sub key\" x=\"%d\" y=\"%d\">",
                       MARGIN + 18 * SLW_SVG_SWATCHES + 4, y);
        slw_escape_put(d->out, skin->keys[i].words,
                       (d->width - 2 * MARGIN - 18 * SLW_SVG_SWATCHES) * 100 / CHAR_HUND);
        slw_buf_puts(d->out, "</text>\n");
    }
    slw_buf_puts(d->out, "</g>\n");
    return y - LINE;
}

static void put_titles(const struct drawing *d)
{
    int y = TITLE_BASE;

    put_text_at(d->out, "title", y);
    slw_escape_put(d->out, d->title, d->width / 9);
    slw_buf_puts(d->out, "</text>\n");
    y += LINE + 4;
    if (d->skin)
        y = put_skin_head(d, y);
    else
        put_summary(d, y);
    put_subtitle(d, y + LINE);
    put_text_at(d->out, "off", d->graph_top - 16);
    slw_buf_puts(d->out, "Open this file in a browser that runs scripts to zoom and search."
                         "</text>\n");
}

static int skin_height(const struct slw_svg_skin *skin)
{
    return skin ? (int)skin->line_count * LINE + (int)skin->key_count * KEY_LINE - LINE : 0;
}

static void put_label(const struct drawing *d, const struct slw_layout_frame *f)
{
    struct slw_buf *out = d->out;

    if (f->node == SLW_NO_NODE) {
        slw_buf_printf(out, "%u frames too narrow to draw", f->narrow_count);
        return;
    }
    const struct slw_tree_name *name = &d->tree->names[d->tree->nodes[f->node].name];
    slw_escape_put(out, name->label, MAX_NAME_COLUMNS);
    if (name->module[0]) {
        slw_buf_putc(out, '\n');
        slw_escape_put(out, name->module, MAX_NAME_COLUMNS);
    }
}

static enum slw_svg_category category_of(const struct drawing *d, const struct slw_layout_frame *f)
{
    const struct slw_tree_name *name = &d->tree->names[d->tree->nodes[f->node].name];

    if (name->kind == SLW_TREE_ALL || name->kind == SLW_TREE_THREAD)
        return SLW_SVG_UNKNOWN;
    return d->category(d->category_ctx, name->label, name->module);
}

/* The module has a line, known or not: what follows it are facts, however many. */
static void put_skin_tooltip(const struct drawing *d, const struct slw_layout_frame *f)
{
    struct slw_buf *out = d->out;

    slw_buf_puts(out, "<title>");
    put_label(d, f);
    if (f->node == SLW_NO_NODE || !d->tree->names[d->tree->nodes[f->node].name].module[0])
        slw_buf_putc(out, '\n');
    if (f->node != SLW_NO_NODE)
        d->skin->put_facts(d->skin->ctx, f->node, out);
    slw_buf_puts(out, "</title>");
}

/* Lines: the name, the module when known, the numbers. The script reads them back. */
static void put_tooltip(const struct drawing *d, const struct slw_layout_frame *f)
{
    struct slw_buf *out = d->out;

    if (d->skin) {
        put_skin_tooltip(d, f);
        return;
    }
    slw_buf_puts(out, "<title>");
    put_label(d, f);
    slw_buf_putc(out, '\n');
    slw_amount_put(out, f->weight, d->unit.scale);
    slw_buf_putc(out, ' ');
    slw_escape_put(out, d->unit.label, 80);
    slw_buf_puts(out, ", ");
    slw_amount_put_hundredths(out, slw_amount_share(f->weight, d->total, 100));
    slw_buf_putc(out, '%');
    /* Colour alone would leave out who cannot see it. */
    if (d->category && f->node != SLW_NO_NODE && category_of(d, f) != SLW_SVG_UNKNOWN)
        slw_buf_printf(out, "; itself: %s", categories[category_of(d, f)].words);
    slw_buf_puts(out, "</title>");
}

/* The class is kind and shade; the shade is the name's, so that a function keeps its colour in
 * every graph. */
static void put_class(const struct drawing *d, const struct slw_layout_frame *f)
{
    if (f->node == SLW_NO_NODE) {
        slw_buf_puts(d->out, "<g class=\"n\"");
        return;
    }
    if (d->skin) {
        slw_buf_printf(d->out, "<g class=\"%s\" data-m=\"",
                       d->skin->class_of(d->skin->ctx, f->node));
        d->skin->put_mark(d->skin->ctx, f->node, d->out);
        slw_buf_putc(d->out, '"');
        return;
    }
    if (d->category) {
        slw_buf_printf(d->out, "<g class=\"%s\"", categories[category_of(d, f)].class);
        return;
    }
    const struct slw_tree_name *name = &d->tree->names[d->tree->nodes[f->node].name];
    const uint64_t hash = slw_hash_bytes(name->label, strlen(name->label), 0);

    slw_buf_printf(d->out, "<g class=\"%c%u\"", kind_letter(name->kind), (unsigned)(hash % SHADES));
}

/* The mark, or its sign alone, or nothing: what leaves room for the name. Returns its columns, each
 * of one byte. The script does the same. */
static int put_fitting_mark(const struct drawing *d, const struct slw_layout_frame *f, int columns)
{
    const size_t before = d->out->length;

    d->skin->put_mark(d->skin->ctx, f->node, d->out);
    const int length = (int)(d->out->length - before);
    if (length == 0 || length + MARKED_COLUMNS <= columns)
        return length;
    d->out->length = before;
    if (columns < 4)
        return 0;
    slw_buf_printf(d->out, "%c ", d->out->data[before]);
    return 2;
}

static void put_frame_text(const struct drawing *d, const struct slw_layout_frame *f, uint64_t x,
                           uint64_t width, int y)
{
    if (width < TEXT_MIN || f->node == SLW_NO_NODE)
        return;
    slw_buf_puts(d->out, "<text x=\"");
    slw_amount_put_hundredths(d->out, x + 300);
    slw_buf_printf(d->out, "\" y=\"%d\">", y + 12);
    int columns = (int)((width - 600) / CHAR_HUND);
    if (d->skin)
        columns -= put_fitting_mark(d, f, columns);
    slw_escape_put(d->out, d->tree->names[d->tree->nodes[f->node].name].label, columns);
    slw_buf_puts(d->out, "</text>");
}

static void put_frame(const struct drawing *d, const struct slw_layout_frame *f)
{
    const uint32_t span = (uint32_t)(d->width - 2 * MARGIN);
    const uint64_t x = slw_amount_share(f->start, d->total, span) + (uint64_t)MARGIN * 100;
    uint64_t width = slw_amount_share(f->weight, d->total, span);
    const uint32_t row = d->tree->inverted ? f->depth : d->layout->level_count - 1 - f->depth;
    const int y = d->graph_top + (int)row * ROW;
    struct slw_buf *out = d->out;

    if (width > 150) /* a line between neighbours, unless it would swallow them */
        width -= 50;
    put_class(d, f);
    slw_buf_printf(out, " data-f=\"%u %" PRIu64 " %" PRIu64, f->depth, f->start, f->weight);
    if (d->tree->has_samples)
        slw_buf_printf(out, " %" PRIu64, f->samples);
    slw_buf_puts(out, "\">");
    put_tooltip(d, f);
    slw_buf_puts(out, "<rect x=\"");
    slw_amount_put_hundredths(out, x);
    slw_buf_printf(out, "\" y=\"%d\" width=\"", y);
    slw_amount_put_hundredths(out, width);
    slw_buf_printf(out, "\" height=\"%d\"/>", ROW - 1);
    put_frame_text(d, f, x, width, y);
    slw_buf_puts(out, "</g>\n");
}

static int put_legend_entry(const struct drawing *d, const char *class, const char *words, int x,
                            int y)
{
    slw_buf_printf(d->out,
                   "<g class=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"14\" height=\"12\"/></g>"
                   "<text class=\"sub\" x=\"%d\" y=\"%d\">%s</text>",
                   class, x, y - 10, x + 19, y, words);
    return x + 34 + (int)strlen(words) * CHAR_HUND / 100;
}

static void put_legend(const struct drawing *d, int y)
{
    static const char *const kinds[][2] = {{"u2", "user"},
                                           {"i2", "inlined"},
                                           {"k2", "kernel"},
                                           {"o2", "other (JIT, vdso)"},
                                           {"t2", "thread"}};
    int x = MARGIN;

    if (d->skin) {
        slw_buf_puts(d->out, "<g class=\"marks\">");
        x = put_legend_entry(d, "n", "too narrow to draw", x, y);
        (void)put_legend_entry(d, "d0 hit", "search match", x, y);
        slw_buf_puts(d->out, "</g>\n");
        return;
    }
    slw_buf_puts(d->out, "<g class=\"legend\" role=\"img\" aria-label=\"Legend\">");
    for (size_t i = SLW_SVG_CATEGORY_COUNT; i-- > 0 && d->category;)
        x = put_legend_entry(d, categories[i].class, categories[i].words, x, y);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !d->category; i++)
        x = put_legend_entry(d, kinds[i][0], kinds[i][1], x, y);
    x = put_legend_entry(d, "n", "too narrow to draw", x, y);
    (void)put_legend_entry(d, d->category ? "cr hit" : "u2 hit", "search match", x, y);
    slw_buf_puts(d->out, "</g>\n");
}

/* What a reader cannot see must be said. */
static void put_details(const struct drawing *d, int y)
{
    struct slw_buf *out = d->out;

    put_text_at(out, "details", y);
    if (d->layout->culled_nodes > 0) {
        slw_amount_put(out, d->layout->culled_nodes, 1);
        slw_buf_puts(out, " frames narrower than ");
        slw_amount_put_hundredths(out, (uint64_t)(d->layout->min_width_px * 100 + 0.5));
        slw_buf_puts(out, " px are not drawn one by one; together they are ");
        slw_amount_put_hundredths(out, slw_amount_share(d->layout->culled_weight, d->total, 100));
        slw_buf_puts(out, "% of the total.");
    }
    slw_buf_puts(out, "</text>\n");
}

static void put_graph(const struct drawing *d)
{
    const int bottom = d->height - FOOTER;

    if (d->layout->frame_count == 0) {
        put_text_at(d->out, "empty", d->graph_top + 12);
        slw_buf_puts(d->out, "No samples: there is nothing to draw.</text>\n");
    }
    slw_buf_puts(d->out, "<g class=\"frames\">\n");
    for (size_t i = 0; i < d->layout->frame_count; i++)
        put_frame(d, &d->layout->frames[i]);
    slw_buf_puts(d->out, "</g>\n");
    put_details(d, bottom + 20);
    put_legend(d, bottom + 42);
}

static void draw(struct drawing *d)
{
    const uint32_t rows = d->layout->level_count ? d->layout->level_count : 1;

    d->graph_top = TITLE_BASE + LINE + 4 + skin_height(d->skin) + line_count(d->subtitle) * LINE +
                   TOOLBAR + 10;
    d->height = d->graph_top + (int)rows * ROW + FOOTER;
    put_head(d);
    put_titles(d);
    put_graph(d);
    slw_buf_puts(d->out, "<script><![CDATA[\n");
    slw_buf_put(d->out, slw_svg_script, slw_svg_script_length);
    slw_buf_puts(d->out, "]]></script>\n</svg>\n");
}

int slw_svg_render(const struct slw_tree *t, const struct slw_svg_options *opts,
                   struct slw_buf *out, struct slw_error *err)
{
    return slw_svg_draw(t, opts, NULL, out, err);
}

int slw_svg_draw(const struct slw_tree *t, const struct slw_svg_options *opts,
                 const struct slw_svg_skin *skin, struct slw_buf *out, struct slw_error *err)
{
    static const struct slw_svg_options none;
    struct slw_layout layout;

    if (!opts)
        opts = &none;
    const int width = opts->width_px ? opts->width_px : WIDTH_DEFAULT;
    if (width < WIDTH_MIN || width > WIDTH_MAX)
        return slw_fail(err, SLW_E_INVAL, "a flame graph is %d to %d px wide, not %d", WIDTH_MIN,
                        WIDTH_MAX, width);
    const double min_width = opts->min_width_px > 0 ? opts->min_width_px : MIN_WIDTH;
    int rc = slw_layout_init(&layout, t, width - 2 * MARGIN, min_width, err);
    if (rc == 0) {
        struct drawing d = {.tree = t,
                            .layout = &layout,
                            .unit = slw_amount_unit_of(t),
                            .total = t->nodes[SLW_ROOT_NODE].weight,
                            .width = width,
                            .title = opts->title ? opts->title : "Flame graph",
                            .subtitle = opts->subtitle,
                            .category = opts->category,
                            .category_ctx = opts->category_ctx,
                            .skin = skin,
                            .out = out};
        draw(&d);
        if (slw_buf_failed(out))
            rc = slw_fail(err, SLW_E_NOMEM, "no memory for the flame graph");
    }
    slw_layout_release(&layout);
    return rc;
}
