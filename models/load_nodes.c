/* SPDX-License-Identifier: MIT */
/* The "tree", "metrics" and "checks" sections of a model file. */
#include "models/model_int.h"

#include "base/arena.h"

#include <string.h>

static const char *const tree_keys[] = {"name",    "title",  "level",     "parent",
                                        "formula", "unit",   "threshold", "what",
                                        "look_at", "source", "range",     NULL};
static const char *const metric_keys[] = {"name", "title",   "formula", "unit",      "range",
                                          "what", "look_at", "source",  "threshold", NULL};
static const char *const threshold_keys[] = {"above", "needs", "or", NULL};
static const char *const check_keys[] = {"why", "smt_on", "single_task", "counts", "expect", NULL};

static int load_range(struct slw_loader *l, const struct slw_json *at, bool required,
                      struct slw_model_node *n)
{
    const struct slw_json range = slw_json_member(at, "range");

    n->low = 0;
    n->high = 1;
    if (!range.value && !required)
        return 0;
    if (!range.value)
        return slw_json_fail(l->doc, at, SLW_E_FORMAT, "'range' is missing");
    const int rc = slw_json_array(l->doc, &range, 2, 2);
    if (rc < 0)
        return rc;
    const struct slw_json low = slw_json_element(&range, 0);
    const struct slw_json high = slw_json_element(&range, 1);
    if (!json_is_number(low.value) || !json_is_number(high.value))
        return slw_json_fail(l->doc, &range, SLW_E_FORMAT, "'range' must be two numbers");
    n->low = json_number_value(low.value);
    n->high = json_number_value(high.value);
    if (!(n->low < n->high) || n->high > 1e15 || n->low < -1e15)
        return slw_json_fail(l->doc, &range, SLW_E_FORMAT, "'range' must be [low, high]");
    return 0;
}

static int load_parent(struct slw_loader *l, const struct slw_json *at, struct slw_model_node *n)
{
    const struct slw_json member = slw_json_member(at, "parent");
    const char *name = NULL;
    int rc = slw_json_string(l->doc, at, "parent", n->level > 1, &name);

    n->parent = -1;
    if (rc < 0 || !name)
        return rc;
    if (n->level == 1)
        return slw_json_fail(l->doc, &member, SLW_E_FORMAT, "a level-1 node has no parent");
    n->parent = slw_model_find_node(l->model, name);
    if (n->parent < 0)
        return slw_json_fail(l->doc, &member, SLW_E_FORMAT,
                             "'%.64s' is no node above this one in the file", name);
    const int above = l->model->nodes[n->parent].level;
    if (above != n->level - 1)
        return slw_json_fail(l->doc, &member, SLW_E_FORMAT,
                             "a level-%d node needs a level-%d parent, '%.64s' is level %d",
                             n->level, n->level - 1, name, above);
    return 0;
}

static int load_position(struct slw_loader *l, const struct slw_json *at, struct slw_model_node *n)
{
    int64_t level = 0;
    const int rc = slw_json_int(l->doc, at, "level", true, 1, SLW_MODEL_MAX_LEVEL, &level);

    if (rc < 0)
        return rc;
    n->level = (int)level;
    if (n->level > l->model->max_level)
        l->model->max_level = n->level;
    return load_parent(l, at, n);
}

static int load_node(struct slw_loader *l, const struct slw_json *at, bool metric,
                     struct slw_model_node *n)
{
    const struct slw_json formula = slw_json_member(at, "formula");
    int rc = slw_json_keys(l->doc, at, metric ? metric_keys : tree_keys);

    n->parent = -1;
    if (rc >= 0)
        rc = slw_load_string(l, at, "name", true, &n->name);
    if (rc >= 0)
        rc = slw_load_string(l, at, "title", true, &n->title);
    if (rc >= 0 && !metric)
        rc = load_position(l, at, n);
    if (rc >= 0 && !formula.value)
        rc = slw_json_fail(l->doc, at, SLW_E_FORMAT, "'formula' is missing");
    if (rc >= 0)
        rc = slw_load_formula(l, &formula, &n->text, &n->expr);
    if (rc >= 0)
        rc = slw_load_string(l, at, "unit", true, &n->unit);
    if (rc >= 0)
        rc = load_range(l, at, metric, n);
    if (rc >= 0)
        rc = slw_load_prose(l, at, n->name, "what", &n->prose.what);
    if (rc >= 0)
        rc = slw_load_prose(l, at, n->name, "look_at", &n->prose.look_at);
    if (rc >= 0)
        rc = slw_load_string(l, at, "source", false, &n->source);
    return rc;
}

static int load_node_list(struct slw_loader *l, const struct slw_json *threshold, const char *key,
                          const int **ret_list, size_t *ret_count)
{
    const struct slw_json at = slw_json_member(threshold, key);
    int *list = NULL;
    int rc = slw_json_array(l->doc, &at, 0, SLW_MODEL_MAX_NODES);

    if (rc < 0)
        return rc;
    const size_t count = json_array_size(at.value);
    rc = slw_load_array(l, count, sizeof(*list), &list);
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        const struct slw_json e = slw_json_element(&at, i);
        const char *name = json_string_value(e.value);

        list[i] = name ? slw_model_find_node(l->model, name) : -1;
        if (list[i] < 0)
            return slw_json_fail(l->doc, &e, SLW_E_FORMAT, "'%.64s' is no node",
                                 name ? name : "this");
        if (!l->model->nodes[list[i]].has_threshold)
            return slw_json_fail(l->doc, &e, SLW_E_FORMAT, "'%.64s' has no threshold", name);
    }
    if (rc >= 0) {
        *ret_list = list;
        *ret_count = count;
    }
    return rc;
}

static int load_threshold(struct slw_loader *l, const struct slw_json *at, struct slw_model_node *n)
{
    const struct slw_json t = slw_json_member(at, "threshold");

    if (!n->has_threshold)
        return 0;
    int rc = load_node_list(l, &t, "needs", &n->threshold_needs, &n->threshold_need_count);
    return rc < 0 ? rc : load_node_list(l, &t, "or", &n->threshold_or, &n->threshold_or_count);
}

/* Whether there is one and its bound; the nodes it names are looked up once all are known. */
static int load_bound(struct slw_loader *l, const struct slw_json *at, struct slw_model_node *n)
{
    const struct slw_json t = slw_json_member(at, "threshold");

    if (!t.value)
        return 0;
    const int rc = slw_json_keys(l->doc, &t, threshold_keys);
    if (rc < 0)
        return rc;
    n->has_threshold = true;
    return slw_json_number(l->doc, &t, "above", true, &n->threshold);
}

static struct slw_json node_at(const struct slw_json *tree, const struct slw_json *metrics,
                               size_t index)
{
    const size_t in_tree = json_array_size(tree->value);

    return index < in_tree ? slw_json_element(tree, index)
                           : slw_json_element(metrics, index - in_tree);
}

static int load_all(struct slw_loader *l, const struct slw_json *tree,
                    const struct slw_json *metrics, struct slw_model_node *nodes, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < count; i++) {
        const struct slw_json at = node_at(tree, metrics, i);

        rc = load_node(l, &at, i >= json_array_size(tree->value), &nodes[i]);
        if (rc >= 0)
            rc = load_bound(l, &at, &nodes[i]);
        l->model->node_count = i + 1;
    }
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        const struct slw_json at = node_at(tree, metrics, i);

        rc = load_threshold(l, &at, &nodes[i]);
    }
    return rc;
}

int slw_load_nodes(struct slw_loader *l, const struct slw_json *tree,
                   const struct slw_json *metrics)
{
    struct slw_model_node *nodes = NULL;
    int rc = slw_json_array(l->doc, tree, 0, SLW_MODEL_MAX_NODES / 2);

    if (rc >= 0)
        rc = slw_json_array(l->doc, metrics, 1, SLW_MODEL_MAX_NODES / 2);
    if (rc < 0)
        return rc;
    const size_t count = json_array_size(tree->value) + json_array_size(metrics->value);
    rc = slw_load_array(l, count, sizeof(*nodes), &nodes);
    if (rc < 0)
        return rc;
    l->model->nodes = nodes;
    return load_all(l, tree, metrics, nodes, count);
}

static int load_counts(struct slw_loader *l, const struct slw_json *at, struct slw_model_check *c)
{
    const char **names = NULL;
    double *values = NULL;
    const char *key;
    json_t *value;
    int rc = slw_json_object(l->doc, at, 1, SLW_MODEL_MAX_EVENTS);

    if (rc >= 0)
        rc = slw_load_array(l, json_object_size(at->value), sizeof(*names), &names);
    if (rc >= 0)
        rc = slw_load_array(l, json_object_size(at->value), sizeof(*values), &values);
    if (rc < 0)
        return rc;
    json_object_foreach(at->value, key, value)
    {
        const struct slw_json member = slw_json_member(at, key);
        const int event = slw_model_find_event(l->model, key);

        if (event < 0)
            return slw_json_fail_key(l->doc, &member, SLW_E_FORMAT, "'%.64s' is no event", key);
        if (!json_is_number(value) || json_number_value(value) < 0)
            return slw_json_fail(l->doc, &member, SLW_E_FORMAT, "a count is needed here");
        names[c->input_count] = l->model->events[event].name;
        values[c->input_count++] = json_number_value(value);
    }
    c->input_names = names;
    c->input_values = values;
    return 0;
}

/* "node": [value, tolerance] */
static int load_expect(struct slw_loader *l, const struct slw_json *at, struct slw_model_check *c)
{
    const size_t count = json_object_size(at->value);
    const char **names = NULL;
    double *values = NULL, *tolerances = NULL;
    const char *key;
    json_t *value;
    int rc = slw_json_object(l->doc, at, 1, SLW_MODEL_MAX_NODES);

    if (rc >= 0)
        rc = slw_load_array(l, count, sizeof(*names), &names);
    if (rc >= 0)
        rc = slw_load_array(l, count, sizeof(*values), &values);
    if (rc >= 0)
        rc = slw_load_array(l, count, sizeof(*tolerances), &tolerances);
    if (rc < 0)
        return rc;
    json_object_foreach(at->value, key, value)
    {
        const struct slw_json member = slw_json_member(at, key);
        const int node = slw_model_find_node(l->model, key);
        const json_t *want = json_array_get(value, 0), *off = json_array_get(value, 1);

        if (node < 0)
            return slw_json_fail_key(l->doc, &member, SLW_E_FORMAT, "'%.64s' is no node", key);
        if (json_array_size(value) != 2 || !json_is_number(want) || !json_is_number(off) ||
            json_number_value(off) < 0)
            return slw_json_fail(l->doc, &member, SLW_E_FORMAT, "[value, tolerance] is needed");
        names[c->expect_count] = l->model->nodes[node].name;
        values[c->expect_count] = json_number_value(want);
        tolerances[c->expect_count++] = json_number_value(off);
    }
    c->expect_names = names;
    c->expect_values = values;
    c->expect_tolerances = tolerances;
    return 0;
}

static int load_check(struct slw_loader *l, const struct slw_json *at, struct slw_model_check *c)
{
    const struct slw_json counts = slw_json_member(at, "counts");
    const struct slw_json expect = slw_json_member(at, "expect");
    int rc = slw_json_keys(l->doc, at, check_keys);

    if (rc >= 0)
        rc = slw_load_string(l, at, "why", true, &c->why);
    if (rc >= 0)
        rc = slw_json_bool(l->doc, at, "smt_on", &c->smt_on);
    if (rc >= 0)
        rc = slw_json_bool(l->doc, at, "single_task", &c->single_task);
    if (rc >= 0)
        rc = load_counts(l, &counts, c);
    return rc < 0 ? rc : load_expect(l, &expect, c);
}

int slw_load_checks(struct slw_loader *l, const struct slw_json *at)
{
    struct slw_model_check *checks = NULL;
    int rc = slw_json_array(l->doc, at, 1, SLW_MODEL_MAX_CHECKS);

    if (rc < 0)
        return rc;
    const size_t count = json_array_size(at->value);
    rc = slw_load_array(l, count, sizeof(*checks), &checks);
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        const struct slw_json e = slw_json_element(at, i);
        rc = load_check(l, &e, &checks[i]);
    }
    l->model->checks = checks;
    l->model->check_count = count;
    return rc;
}
