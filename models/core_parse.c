/* SPDX-License-Identifier: MIT */
#include "models/core.h"

#include "models/model_int.h"

#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct parameter {
    const char *name, *unit;
    uint32_t least, most;
} parameters[] = {
#define SLW_SIM_PARAMETER(name, least, most, unit) {#name, unit, least, most},
#include "sim/parameters.def"
#undef SLW_SIM_PARAMETER
};

/* The values of a config, one after the other: it is made of the same table. */
_Static_assert(sizeof(struct slw_sim_config) == SLW_CORE_PARAMETER_COUNT * sizeof(uint32_t),
               "a config is its parameters");

struct loader {
    const struct slw_json_doc *doc;
    struct slw_core *core;
    struct slw_json root, sources, parameters;
};

const char *slw_core_parameter_name(size_t index)
{
    assert(index < SLW_CORE_PARAMETER_COUNT);
    return parameters[index].name;
}

const char *slw_core_parameter_unit(size_t index)
{
    assert(index < SLW_CORE_PARAMETER_COUNT);
    return parameters[index].unit;
}

uint32_t slw_core_parameter(const struct slw_core *core, size_t index)
{
    assert(index < SLW_CORE_PARAMETER_COUNT);
    return ((const uint32_t *)&core->config)[index];
}

static bool is_ports(const struct parameter *p)
{
    return strncmp(p->name, "ports_", 6) == 0;
}

static int copy(const struct loader *l, const char *s, char **ret_copy)
{
    *ret_copy = strdup(s);
    return *ret_copy ? 0 : slw_fail(l->doc->err, SLW_E_NOMEM, "out of memory");
}

static int copy_string(const struct loader *l, const char *key, char **ret_copy)
{
    const char *s = NULL;
    const int rc = slw_json_string(l->doc, &l->root, key, true, &s);

    return rc < 0 ? rc : copy(l, s, ret_copy);
}

static int load_like(struct loader *l)
{
    const struct slw_json like = slw_json_member(&l->root, "like");
    int rc = slw_json_array(l->doc, &like, 0, SLW_CORE_MAX_LIKE);

    for (size_t i = 0; rc >= 0 && i < json_array_size(like.value); i++) {
        const struct slw_json at = slw_json_element(&like, i);

        if (!json_is_string(at.value))
            return slw_json_fail(l->doc, &at, SLW_E_FORMAT,
                                 "the name of a model has to be a string");
        rc = copy(l, json_string_value(at.value), &l->core->like[i]);
        if (rc >= 0)
            l->core->like_count++;
    }
    return rc;
}

/* [0, 1, 5]: the ports, as a mask. */
static int load_ports(const struct loader *l, const struct slw_json *at, uint32_t *ret_value)
{
    uint32_t mask = 0;
    const int rc = slw_json_array(l->doc, at, 1, 16);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < json_array_size(at->value); i++) {
        const struct slw_json port = slw_json_element(at, i);
        const json_int_t number = json_is_integer(port.value) ? json_integer_value(port.value) : -1;

        if (number < 0 || number > 15 || mask & 1u << number)
            return slw_json_fail(l->doc, &port, SLW_E_FORMAT,
                                 "a port is a number from 0 to 15, named once");
        mask |= 1u << number;
    }
    *ret_value = mask;
    return 0;
}

static int load_number(const struct loader *l, const struct slw_json *at, const struct parameter *p,
                       uint32_t *ret_value)
{
    const json_int_t value = json_is_integer(at->value) ? json_integer_value(at->value) : -1;

    if (value < (json_int_t)p->least || value > (json_int_t)p->most)
        return slw_json_fail(l->doc, at, SLW_E_FORMAT, "'%s' is a whole number from %u to %u",
                             p->name, p->least, p->most);
    *ret_value = (uint32_t)value;
    return 0;
}

/* The second element names one of "sources". */
static int load_source(const struct loader *l, const struct slw_json *pair, size_t index)
{
    const struct slw_json at = slw_json_element(pair, 1);
    const char *key = json_string_value(at.value);
    const char *text = key ? json_string_value(json_object_get(l->sources.value, key)) : NULL;

    if (!text || !*text)
        return slw_json_fail(l->doc, &at, SLW_E_FORMAT, "the source is not one of 'sources'");
    return copy(l, text, &l->core->sources[index]);
}

static int load_parameter(const struct loader *l, size_t index)
{
    const struct parameter *p = &parameters[index];
    const struct slw_json pair = slw_json_member(&l->parameters, p->name);
    uint32_t *to = &((uint32_t *)&l->core->config)[index];

    if (!pair.value)
        return slw_json_fail(l->doc, &l->parameters, SLW_E_FORMAT, "'%s' is missing", p->name);
    int rc = slw_json_array(l->doc, &pair, 2, 2);

    if (rc < 0)
        return rc;
    const struct slw_json value = slw_json_element(&pair, 0);

    rc = is_ports(p) ? load_ports(l, &value, to) : load_number(l, &value, p, to);
    return rc < 0 ? rc : load_source(l, &pair, index);
}

static int load_parameters(struct loader *l)
{
    const char *known[SLW_CORE_PARAMETER_COUNT + 1] = {NULL};
    int rc;

    for (size_t i = 0; i < SLW_CORE_PARAMETER_COUNT; i++)
        known[i] = parameters[i].name;
    rc = slw_json_keys(l->doc, &l->parameters, known);
    for (size_t i = 0; rc >= 0 && i < SLW_CORE_PARAMETER_COUNT; i++)
        rc = load_parameter(l, i);
    if (rc < 0)
        return rc;
    const char *fault = slw_sim_config_fault(&l->core->config);

    return fault ? slw_json_fail(l->doc, &l->parameters, SLW_E_FORMAT, "%s", fault) : 0;
}

static int load(struct loader *l)
{
    static const char *const keys[] = {"name", "title", "like", "sources", "parameters", NULL};
    int rc = slw_json_keys(l->doc, &l->root, keys);

    if (rc >= 0)
        rc = copy_string(l, "name", &l->core->name);
    if (rc >= 0)
        rc = copy_string(l, "title", &l->core->title);
    if (rc >= 0)
        rc = load_like(l);
    l->sources = slw_json_member(&l->root, "sources");
    l->parameters = slw_json_member(&l->root, "parameters");
    if (rc >= 0)
        rc = slw_json_object(l->doc, &l->sources, 1, SLW_CORE_PARAMETER_COUNT);
    if (rc >= 0)
        rc = slw_json_object(l->doc, &l->parameters, 1, SLW_CORE_PARAMETER_COUNT);
    return rc < 0 ? rc : load_parameters(l);
}

int slw_core_parse(const char *json, size_t length, const char *origin, struct slw_core **ret_core,
                   struct slw_error *err)
{
    struct slw_json_doc doc = {.text = json, .length = length, .origin = origin, .err = err};
    struct slw_core *core = calloc(1, sizeof(*core));
    int rc = core ? slw_load_json(&doc, &doc.own) : slw_fail(err, SLW_E_NOMEM, "out of memory");

    if (rc >= 0) {
        struct loader l = {.doc = &doc, .core = core, .root = {.value = doc.own}};

        rc = load(&l);
    }
    json_decref(doc.own);
    if (rc < 0) {
        slw_core_free(core);
        return rc;
    }
    *ret_core = core;
    return 0;
}

void slw_core_free(struct slw_core *core)
{
    if (!core)
        return;
    free(core->name);
    free(core->title);
    for (size_t i = 0; i < core->like_count; i++)
        free(core->like[i]);
    for (size_t i = 0; i < SLW_CORE_PARAMETER_COUNT; i++)
        free(core->sources[i]);
    free(core);
}

void slw_core_text(const struct slw_core *core, struct slw_buf *to)
{
    for (size_t i = 0; i < SLW_CORE_PARAMETER_COUNT; i++)
        slw_buf_printf(to, "%s %u\n", parameters[i].name, slw_core_parameter(core, i));
}
