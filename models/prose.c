/* SPDX-License-Identifier: MIT */
/* Prose many CPUs share: prose.json holds what and look_at by node name, for nodes that leave
 * theirs out. */
#include "models/model_int.h"

#include "base/arena.h"

static const char *const prose_keys[] = {"what", "look_at", NULL};

static int load_shared(struct slw_loader *l)
{
    struct slw_model_text t = {0};

    if (l->prose)
        return 0;
    const int rc = l->library->get(l->library->context, "prose", &t, l->err);
    if (rc < 0)
        return rc;
    const struct slw_json_doc doc = {
        .text = t.text, .length = t.length, .origin = t.origin, .err = l->err};
    return slw_load_json(&doc, &l->prose);
}

int slw_load_prose(struct slw_loader *l, const struct slw_json *at, const char *name,
                   const char *key, const char **ret_copy)
{
    if (json_object_get(at->value, key))
        return slw_load_string(l, at, key, true, ret_copy);
    const int rc = load_shared(l);
    if (rc < 0)
        return rc;
    const char *shared = json_string_value(json_object_get(json_object_get(l->prose, name), key));
    if (!shared)
        return slw_json_fail(l->doc, at, SLW_E_FORMAT,
                             "'%s' is missing, and prose.json has none for '%.64s'", key, name);
    *ret_copy = slw_arena_strdup(l->arena, shared);
    return *ret_copy ? 0 : slw_fail(l->err, SLW_E_NOMEM, "out of memory");
}

int slw_prose_check(const struct slw_json_doc *doc)
{
    const struct slw_json root = {.value = doc->own};
    const char *name, *text;
    json_t *value;
    int rc = slw_json_object(doc, &root, 1, SLW_MODEL_MAX_ITEMS);

    if (rc < 0)
        return rc;
    json_object_foreach(root.value, name, value)
    {
        const struct slw_json at = slw_json_member(&root, name);

        rc = slw_json_keys(doc, &at, prose_keys);
        for (size_t i = 0; rc >= 0 && prose_keys[i]; i++)
            rc = slw_json_string(doc, &at, prose_keys[i], false, &text);
        if (rc < 0)
            return rc;
    }
    return 0;
}
