/* SPDX-License-Identifier: MIT */
#include "analyzer/annotate.h"
#include "analyzer/json_value.h"

#include <jansson.h>

static json_t *line_json(struct slw_json *j, const struct slw_annotated_line *l)
{
    json_t *o = json_object();

    slw_json_put(j, o, "line", slw_json_integer(l->line));
    slw_json_put(j, o, "self", slw_json_integer(l->self));
    slw_json_put(j, o, "total", slw_json_integer(l->total));
    slw_json_put(j, o, "text", slw_json_text(l->text));
    return o;
}

static json_t *source_json(struct slw_json *j, const struct slw_annotated_source *s)
{
    json_t *o = json_object(), *lines = json_array();

    slw_json_put_text(j, o, "path", s->path);
    slw_json_put(j, o, "absent", slw_json_text(s->absent));
    slw_json_put(j, o, "newer_than_program", json_boolean(s->newer));
    for (size_t i = 0; i < s->line_count; i++)
        slw_json_push(j, lines, line_json(j, &s->lines[i]));
    slw_json_put(j, o, "lines", lines);
    return o;
}

static json_t *instruction_json(struct slw_json *j, const struct slw_annotated_instruction *n)
{
    json_t *o = json_object();

    slw_json_put(j, o, "address", slw_json_integer(n->address));
    slw_json_put(j, o, "bytes", slw_json_integer(n->bytes));
    slw_json_put(j, o, "text", slw_json_text(n->text));
    slw_json_put(j, o, "inlined", slw_json_text(n->inlined[0] ? n->inlined : NULL));
    slw_json_put(j, o, "source",
                 n->source == SLW_NO_SOURCE ? json_null() : slw_json_integer(n->source));
    slw_json_put(j, o, "line", n->line ? slw_json_integer(n->line) : json_null());
    slw_json_put(j, o, "self", slw_json_integer(n->self));
    slw_json_put(j, o, "total", slw_json_integer(n->total));
    return o;
}

/* *next goes along: the first with weight that is not too far before i. */
static bool is_near(const struct slw_annotation *a, size_t i, size_t near, size_t *next)
{
    while (*next < a->instruction_count && (a->instructions[*next].total == 0 || *next + near < i))
        ++*next;
    return *next < a->instruction_count && *next <= i + near;
}

struct json_t *slw_annotation_json(const struct slw_annotation *a, size_t near)
{
    struct slw_json j = {0};
    json_t *o = json_object(), *sources = json_array(), *code = json_array();

    slw_json_put(&j, o, "schema", slw_json_integer(1));
    slw_json_put_text(&j, o, "function", a->function);
    slw_json_put_text(&j, o, "linkage", a->linkage);
    slw_json_put_text(&j, o, "module", a->module);
    slw_json_put_text(&j, o, "event", a->event);
    slw_json_put_text(&j, o, "unit", a->unit);
    slw_json_put(&j, o, "self", slw_json_integer(a->self));
    slw_json_put(&j, o, "total", slw_json_integer(a->total));
    slw_json_put(&j, o, "all", slw_json_integer(a->all));
    slw_json_put(&j, o, "build_unchecked", json_boolean(a->unchecked));
    for (size_t i = 0; i < a->source_count; i++)
        slw_json_push(&j, sources, source_json(&j, &a->sources[i]));
    slw_json_put(&j, o, "sources", sources);
    for (size_t i = 0, next = 0; i < a->instruction_count; i++)
        if (near == 0 || is_near(a, i, near, &next))
            slw_json_push(&j, code, instruction_json(&j, &a->instructions[i]));
    slw_json_put(&j, o, "instructions", code);
    return slw_json_done(&j, o);
}
