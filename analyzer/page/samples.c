/* SPDX-License-Identifier: MIT */
/* The samples of a page as bytes: the call tree in the order it is drawn in, and the moments of
 * each side in the order of time. assets/samples.js reads both. */
#include "analyzer/page/page_int.h"
#include "analyzer/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void slw_page_varint(struct slw_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        slw_buf_putc(out, (char)(0x80 | (value & 0x7f)));
    slw_buf_putc(out, (char)value);
}

json_t *slw_page_base64(const struct slw_buf *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes->data;
    const size_t length = (bytes->length + 2) / 3 * 4;
    char *text = slw_buf_failed(bytes) ? NULL : malloc(length + 1), *to = text;

    if (!text)
        return NULL;
    for (size_t i = 0; i < bytes->length; i += 3) {
        const size_t left = bytes->length - i;
        const uint32_t three = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                               (left > 2 ? p[i + 2] : 0);
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = left > 1 ? digits[three >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[three & 63] : '=';
    }
    json_t *json = json_stringn_nocheck(text, length);
    free(text);
    return json;
}

/* ---- the call tree ---- */

static json_t *frames_json(struct slw_json *j, const struct slw_page_tree *t)
{
    json_t *o = json_object(), *names = json_array(), *modules = json_array();
    struct slw_buf of = {0};
    const char *last = NULL;
    size_t module = 0;

    for (uint32_t i = 0; i < t->frame_count; i++) {
        const struct slw_page_frame *f = &t->frames[i];

        /* Frames of one file tend to come together. */
        if (!last || strcmp(last, f->module) != 0) {
            slw_json_push(j, modules, slw_json_text(f->module));
            module++;
        }
        last = f->module;
        slw_json_push(j, names, slw_json_text(f->name));
        slw_page_varint(&of, (module - 1) * 8 + (uint64_t)f->kind);
    }
    slw_json_put(j, o, "names", names);
    slw_json_put(j, o, "modules", modules);
    slw_json_put(j, o, "of", slw_page_base64(&of));
    slw_buf_release(&of);
    return o;
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
    while (b > 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Clock samples weigh whole periods: in this unit they take a byte or two. */
static uint64_t unit_of_nodes(const struct slw_page_tree *t, size_t side)
{
    uint64_t unit = 0;

    for (uint32_t i = 0; i < t->node_count && unit != 1; i++)
        unit = divisor(unit, t->nodes[i].weight[side]);
    return unit ? unit : 1;
}

/* Levels up from the last node (0: it is its caller), frame, then weight in units and samples of
 * each side. */
static void put_nodes(struct slw_buf *out, const struct slw_page_tree *t, const uint64_t *units)
{
    uint32_t depth = 0;

    for (uint32_t i = 1; i < t->node_count; i++) {
        const struct slw_page_node *n = &t->nodes[t->order[i]];

        slw_page_varint(out, depth + 1 - n->depth);
        slw_page_varint(out, n->frame);
        for (size_t s = 0; s < t->side_count; s++) {
            slw_page_varint(out, n->weight[s] / units[s]);
            slw_page_varint(out, n->samples[s]);
        }
        depth = n->depth;
    }
}

json_t *slw_page_tree_json(struct slw_json *j, const struct slw_page_tree *tree)
{
    const struct slw_page_node *root = &tree->nodes[0];
    json_t *o = json_object(), *own = json_array(), *units = json_array();
    uint64_t unit[SLW_MAX_PAGE_SIDES];
    struct slw_buf bytes = {0};

    for (size_t s = 0; s < tree->side_count; s++) {
        unit[s] = unit_of_nodes(tree, s);
        slw_json_push(j, units, slw_json_integer(unit[s]));
        slw_json_push(j, own, slw_json_integer(root->weight[s] / unit[s]));
        slw_json_push(j, own, slw_json_integer(root->samples[s]));
    }
    put_nodes(&bytes, tree, unit);
    slw_json_put(j, o, "frames", frames_json(j, tree));
    slw_json_put(j, o, "count", slw_json_integer(tree->node_count));
    slw_json_put(j, o, "units", units);
    slw_json_put(j, o, "root", own);
    slw_json_put(j, o, "tree", slw_page_base64(&bytes));
    slw_buf_release(&bytes);
    return o;
}

/* ---- moments ---- */

struct moment {
    uint32_t round, bucket, node;
    uint64_t weight;
};

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->round != y->round)
        return x->round < y->round ? -1 : 1;
    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node ? 1 : 0;
}

/* Those that weigh something, in the order of time. */
static size_t collect(const struct slw_page_side *side, const struct slw_page_tree *tree,
                      size_t index, struct moment *to)
{
    const size_t count = slw_moments_count(side->moments);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        const struct slw_moment *m = slw_moments_get(side->moments, i);
        const uint32_t node = m->path < slw_stacks_path_count(side->stacks)
                                  ? tree->node_of_path[index][m->path]
                                  : SLW_PAGE_NO_NODE;
        if (m->weight > 0 && node != SLW_PAGE_NO_NODE)
            to[kept++] = (struct moment){m->round, m->bucket, tree->place[node], m->weight};
    }
    qsort(to, kept, sizeof(*to), by_time);
    return kept;
}

static uint64_t unit_of_moments(const struct moment *m, size_t count)
{
    uint64_t unit = 0;

    for (size_t i = 0; i < count && unit != 1; i++)
        unit = divisor(unit, m[i].weight);
    return unit ? unit : 1;
}

static uint64_t zigzag(uint32_t now, uint32_t before)
{
    const int64_t step = (int64_t)now - (int64_t)before;

    return step < 0 ? (uint64_t)(-step) * 2 - 1 : (uint64_t)step * 2;
}

/* Rounds on, buckets on (from 0 in a new round), node against the last, weight in units. */
static void put_moments(struct slw_buf *out, const struct moment *m, size_t count, uint64_t unit)
{
    struct moment last = {0};

    for (size_t i = 0; i < count; i++) {
        if (m[i].round != last.round)
            last.bucket = 0;
        slw_page_varint(out, m[i].round - last.round);
        slw_page_varint(out, m[i].bucket - last.bucket);
        slw_page_varint(out, zigzag(m[i].node, last.node));
        slw_page_varint(out, m[i].weight / unit);
        last = m[i];
    }
}

static json_t *encode(struct slw_json *j, const struct slw_moments *moments, const struct moment *m,
                      size_t count)
{
    const uint64_t unit = unit_of_moments(m, count);
    struct slw_buf bytes = {0};
    json_t *o = json_object();

    put_moments(&bytes, m, count, unit);
    slw_json_put_text(j, o, "absent", count ? NULL : "no sample has a time");
    slw_json_put(j, o, "bucket_ns", slw_json_integer(slw_moments_bucket_ns(moments)));
    slw_json_put(j, o, "unit", slw_json_integer(unit));
    slw_json_put(j, o, "count", slw_json_integer(count));
    slw_json_put(j, o, "data", slw_page_base64(&bytes));
    slw_buf_release(&bytes);
    return o;
}

static const char *why_no_moments(const struct slw_page_side *side, int column)
{
    if (!side->stacks || column < 0)
        return side->absent ? side->absent : "the run has no samples";
    if (!side->moments)
        return "the times of the samples were not kept";
    if (slw_moments_count(side->moments) > SLW_MAX_PAGE_MOMENTS)
        return "more moments than a page can hold";
    if (column != slw_stacks_find_column(side->stacks, NULL, NULL))
        return "times were kept of another event than the one shown";
    return NULL;
}

json_t *slw_page_moments_json(struct slw_json *j, const struct slw_page_side *side,
                              const struct slw_page_tree *tree, size_t side_index)
{
    const char *absent = why_no_moments(side, tree->column[side_index]);

    if (absent) {
        json_t *o = json_object();
        slw_json_put_text(j, o, "absent", absent);
        return o;
    }
    const size_t count = slw_moments_count(side->moments);
    struct moment *m = calloc(count + 1, sizeof(*m));
    if (!m) {
        j->failed = true;
        return NULL;
    }
    json_t *o = encode(j, side->moments, m, collect(side, tree, side_index, m));
    free(m);
    return o;
}
