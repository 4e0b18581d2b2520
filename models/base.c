/* SPDX-License-Identifier: MIT */
/* "based_on" and "remove": a CPU told as another one and the differences. The two JSON trees are
 * merged before anything else reads them, so that the merged model is checked like any other;
 * json_cursor.c finds out which file a complaint is about. */
#include "models/model_int.h"

#include <string.h>

/* Which CPU it is and who says so is never another file's. Nor is libpfm4's table: its names are
 * compared with one PMU only. */
static const char *const never_inherited[] = {"name",      "title",    "source",
                                              "libpfm",    "match",    "match_source",
                                              "relatives", "based_on", "remove"};

struct merge {
    const json_t *base, *own, *remove;
    bool failed; /* out of memory */
};

static const char *name_of(const json_t *node)
{
    return json_string_value(json_object_get(node, "name"));
}

static bool is_named(const json_t *node, const char *name)
{
    const char *other = name_of(node);

    return other && strcmp(other, name) == 0;
}

static size_t find_named(const json_t *nodes, const char *name)
{
    const size_t count = json_array_size(nodes);
    size_t i = 0;

    while (i < count && !is_named(json_array_get(nodes, i), name))
        i++;
    return i;
}

static bool has_named(const json_t *nodes, const char *name)
{
    return find_named(nodes, name) < json_array_size(nodes);
}

static bool removes(const struct merge *m, const char *name)
{
    for (size_t i = 0; name && i < json_array_size(m->remove); i++)
        if (strcmp(json_string_value(json_array_get(m->remove, i)), name) == 0)
            return true;
    return false;
}

static void put(struct merge *m, json_t *object, const char *key, json_t *value)
{
    m->failed |= json_object_set(object, key, value) != 0;
}

static void put_all(struct merge *m, json_t *object, const json_t *from)
{
    m->failed |= from && json_object_update(object, (json_t *)(uintptr_t)from) != 0;
}

/* Events and lets: an entry of the same name replaces the other whole. */
static json_t *merge_objects(struct merge *m, json_t *base, const json_t *own)
{
    json_t *merged = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(base, key, value)
    {
        if (!removes(m, key))
            put(m, merged, key, value);
    }
    put_all(m, merged, own);
    return merged;
}

/* Where a new node goes: below its parent, after those already there. */
static size_t place_of(const json_t *nodes, const json_t *node)
{
    const char *parent = json_string_value(json_object_get(node, "parent"));
    const size_t count = json_array_size(nodes);
    const size_t above = parent ? find_named(nodes, parent) : count;
    size_t i = above < count ? above + 1 : count;

    const json_int_t level =
        json_integer_value(json_object_get(json_array_get(nodes, above), "level"));
    while (i < count &&
           json_integer_value(json_object_get(json_array_get(nodes, i), "level")) > level)
        i++;
    return i;
}

static void change_node(struct merge *m, json_t *nodes, size_t index, const json_t *own)
{
    json_t *both = json_object();

    put_all(m, both, json_array_get(nodes, index));
    put_all(m, both, own);
    m->failed |= json_array_set_new(nodes, index, both) != 0;
}

/* Nodes: what is given replaces those keys of the node of that name, or adds a node. A name given
 * twice is added the second time, which the loader then refuses. */
static json_t *merge_nodes(struct merge *m, const json_t *base, const json_t *own)
{
    json_t *merged = json_array();

    for (size_t i = 0; i < json_array_size(base); i++)
        if (!removes(m, name_of(json_array_get(base, i))))
            m->failed |= json_array_append(merged, json_array_get(base, i)) != 0;
    for (size_t i = 0; i < json_array_size(own); i++) {
        json_t *node = json_array_get(own, i);
        const char *name = name_of(node);
        const size_t at = name ? find_named(merged, name) : json_array_size(merged);

        if (at < json_array_size(merged) && name && has_named(base, name) &&
            json_array_get(merged, at) == json_array_get(base, find_named(base, name)))
            change_node(m, merged, at, node);
        else
            m->failed |= json_array_insert(merged, place_of(merged, node), node) != 0;
    }
    return merged;
}

/* A section of the wrong type, or too long, is left for the loader to refuse. */
static bool mergeable(const json_t *own, json_type type)
{
    return !own || (json_typeof(own) == type && json_array_size(own) <= SLW_MODEL_MAX_NODES);
}

static void merge_section(struct merge *m, json_t *merged, const char *key, json_type type)
{
    json_t *base = json_object_get(m->base, key);
    const json_t *own = json_object_get(m->own, key);

    if (!base || json_typeof(base) != type || !mergeable(own, type))
        return;
    json_t *both = type == JSON_OBJECT ? merge_objects(m, base, own) : merge_nodes(m, base, own);
    m->failed |= json_object_set_new(merged, key, both) != 0;
}

static bool inherited(const char *key)
{
    for (size_t i = 0; i < sizeof(never_inherited) / sizeof(never_inherited[0]); i++)
        if (strcmp(never_inherited[i], key) == 0)
            return false;
    return true;
}

static json_t *merge_roots(struct merge *m, json_t *base)
{
    json_t *merged = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(base, key, value)
    {
        if (inherited(key))
            put(m, merged, key, value);
    }
    put_all(m, merged, m->own);
    merge_section(m, merged, "events", JSON_OBJECT);
    merge_section(m, merged, "let", JSON_OBJECT);
    merge_section(m, merged, "tree", JSON_ARRAY);
    merge_section(m, merged, "metrics", JSON_ARRAY);
    return merged;
}

static bool base_has(const json_t *base, const char *name)
{
    return json_object_get(json_object_get(base, "events"), name) ||
           json_object_get(json_object_get(base, "let"), name) ||
           has_named(json_object_get(base, "tree"), name) ||
           has_named(json_object_get(base, "metrics"), name);
}

static int check_remove(const struct slw_json_doc *doc, const struct slw_json *root,
                        const json_t *base)
{
    const struct slw_json at = slw_json_member(root, "remove");
    const int rc = slw_json_array(doc, &at, 0, SLW_MODEL_MAX_ITEMS + SLW_MODEL_MAX_EVENTS);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < json_array_size(at.value); i++) {
        const struct slw_json e = slw_json_element(&at, i);
        const char *name = json_string_value(e.value);

        if (!name || !base_has(base, name))
            return slw_json_fail(doc, &e, SLW_E_FORMAT,
                                 "'%.64s' is no event, let or node of the base",
                                 name ? name : "this");
    }
    return 0;
}

static bool is_plain_name(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static int load_base(const struct slw_json_doc *doc, const struct slw_json *root, const char *name,
                     const struct slw_model_library *library, struct slw_json_doc *base)
{
    const struct slw_json at = slw_json_member(root, "based_on");
    struct slw_model_text t = {0};
    struct slw_error ignored = {0};

    if (!is_plain_name(name) || strcmp(name, "prose") == 0 ||
        library->get(library->context, name, &t, &ignored) < 0)
        return slw_json_fail(doc, &at, SLW_E_FORMAT, "no model is called '%.64s'", name);
    *base = (struct slw_json_doc){
        .text = t.text, .length = t.length, .origin = t.origin, .err = doc->err};
    const int rc = slw_load_json(base, &base->own);
    if (rc < 0)
        return rc;
    const char *further = json_string_value(json_object_get(base->own, "based_on"));
    if (further)
        return slw_json_fail(doc, &at, SLW_E_FORMAT,
                             "'%.64s' is itself based on '%.64s': base this on '%.64s'", name,
                             further, further);
    return 0;
}

int slw_base_merge(struct slw_json_doc *doc, const struct slw_model_library *library,
                   struct slw_json_doc *base, json_t **ret_root)
{
    const struct slw_json root = {.value = doc->own};
    const struct slw_json remove = slw_json_member(&root, "remove");
    const char *name = NULL;
    int rc = slw_json_string(doc, &root, "based_on", false, &name);

    if (rc >= 0 && !name && remove.value)
        rc = slw_json_fail_key(doc, &remove, SLW_E_FORMAT, "'remove' needs 'based_on'");
    if (rc >= 0 && !name)
        *ret_root = json_incref(doc->own);
    if (rc < 0 || !name)
        return rc;
    rc = load_base(doc, &root, name, library, base);
    if (rc >= 0)
        rc = check_remove(doc, &root, base->own);
    if (rc < 0)
        return rc;
    struct merge m = {.base = base->own, .own = doc->own, .remove = remove.value};
    json_t *merged = merge_roots(&m, base->own);
    if (m.failed || !merged) {
        json_decref(merged);
        return slw_fail(doc->err, SLW_E_NOMEM, "out of memory");
    }
    doc->base = base;
    *ret_root = merged;
    return 0;
}
