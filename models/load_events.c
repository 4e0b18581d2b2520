/* SPDX-License-Identifier: MIT */
/* The "match", "relatives", "events" and "let" sections of a model file. */
#include "models/model_int.h"

#include "base/arena.h"

#include <linux/perf_event.h>
#include <string.h>

static const char *const match_keys[] = {"vendor", "family",      "model", "stepping",
                                         "why",    "implementer", "part",  NULL};

static const char *const event_keys[] = {
    "event",    "umask", "cmask",  "edge",  "any",  "inv",    "type",   "config", "config1",
    "counters", "fixed", "libpfm", "sysfs", "role", "errata", "source", NULL};

static int optional_int(struct slw_loader *l, const struct slw_json *at, const char *key,
                        int64_t max, int *ret_int)
{
    int64_t value = -1;
    const int rc = slw_json_int(l->doc, at, key, false, 0, max, &value);

    *ret_int = (int)value;
    return rc;
}

static int range_bound(struct slw_loader *l, const struct slw_json *range, size_t index,
                       int64_t *ret_bound)
{
    const struct slw_json e = slw_json_element(range, index);
    uint64_t bound = 0;
    const int rc = slw_json_code(l->doc, &e, &bound);

    if (rc < 0)
        return rc;
    if (bound > 0xff)
        return slw_json_fail(l->doc, &e, SLW_E_FORMAT, "a number from 0 to 0xff is needed");
    *ret_bound = (int64_t)bound;
    return 0;
}

/* [low, high], both inclusive. Absent: -1, -1. */
static int load_pair(struct slw_loader *l, const struct slw_json *range, int *ret_low,
                     int *ret_high)
{
    int64_t low = -1, high = -1;
    int rc = range->value ? slw_json_array(l->doc, range, 2, 2) : 0;

    if (range->value && rc >= 0)
        rc = range_bound(l, range, 0, &low);
    if (range->value && rc >= 0)
        rc = range_bound(l, range, 1, &high);
    if (rc >= 0 && low > high)
        rc = slw_json_fail(l->doc, range, SLW_E_FORMAT, "the range is empty");
    *ret_low = (int)low;
    *ret_high = (int)high;
    return rc;
}

/* One model, or [first, last]. */
static int load_models(struct slw_loader *l, const struct slw_json *at, struct slw_model_match *m)
{
    const struct slw_json member = slw_json_member(at, "model");

    m->model_high = -1;
    if (json_is_array(member.value))
        return load_pair(l, &member, &m->model, &m->model_high);
    return optional_int(l, at, "model", 0xff, &m->model);
}

static int load_match(struct slw_loader *l, const struct slw_json *at, bool relative,
                      struct slw_model_match *m, const char **ret_why)
{
    const struct slw_json stepping = slw_json_member(at, "stepping");
    int rc = slw_json_keys(l->doc, at, match_keys);

    if (rc >= 0)
        rc = slw_load_string(l, at, "vendor", true, &m->vendor);
    if (rc >= 0)
        rc = optional_int(l, at, "family", 0xfff, &m->family);
    if (rc >= 0)
        rc = load_models(l, at, m);
    if (rc >= 0)
        rc = optional_int(l, at, "implementer", 0xff, &m->implementer);
    if (rc >= 0)
        rc = optional_int(l, at, "part", 0xfff, &m->part);
    if (rc >= 0)
        rc = load_pair(l, &stepping, &m->stepping_low, &m->stepping_high);
    if (rc >= 0 && m->family < 0 && m->part < 0 && m->implementer < 0)
        rc = slw_json_fail(l->doc, at, SLW_E_FORMAT, "'family', 'part' or 'implementer' is needed");
    if (rc >= 0)
        rc = slw_load_string(l, at, "why", relative, ret_why);
    return rc;
}

static int load_relatives(struct slw_loader *l, const struct slw_json *at)
{
    struct slw_model_relative *r = NULL;
    int rc = slw_json_array(l->doc, at, 0, SLW_MODEL_MAX_MATCHES);

    if (rc < 0)
        return rc;
    const size_t count = json_array_size(at->value);
    rc = slw_load_array(l, count, sizeof(*r), &r);
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        const struct slw_json e = slw_json_element(at, i);
        rc = load_match(l, &e, true, &r[i].match, &r[i].why);
    }
    l->model->relatives = r;
    l->model->relative_count = count;
    return rc;
}

int slw_load_matches(struct slw_loader *l, const struct slw_json *at,
                     const struct slw_json *relatives)
{
    struct slw_model_match *m = NULL;
    const char *why = NULL;
    int rc = slw_json_array(l->doc, at, 0, SLW_MODEL_MAX_MATCHES);

    if (rc < 0)
        return rc;
    const size_t count = json_array_size(at->value);
    rc = slw_load_array(l, count, sizeof(*m), &m);
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        const struct slw_json e = slw_json_element(at, i);
        rc = load_match(l, &e, false, &m[i], &why);
    }
    l->model->matches = m;
    l->model->match_count = count;
    return rc < 0 ? rc : load_relatives(l, relatives);
}

/* Bits of an x86 event select register as Linux takes them; AMD's event bits 11:8 go to 35:32.
 * Source: /sys/bus/event_source/devices/cpu/format. */
static int x86_config(struct slw_loader *l, const struct slw_json *at, uint64_t *ret_config)
{
    int64_t event = 0, umask = 0, cmask = 0;
    bool edge = false, any = false, inv = false;
    int rc = slw_json_int(l->doc, at, "event", true, 0, 0xfff, &event);

    if (rc >= 0)
        rc = slw_json_int(l->doc, at, "umask", false, 0, 0xff, &umask);
    if (rc >= 0)
        rc = slw_json_int(l->doc, at, "cmask", false, 0, 0xff, &cmask);
    if (rc >= 0)
        rc = slw_json_bool(l->doc, at, "edge", &edge);
    if (rc >= 0)
        rc = slw_json_bool(l->doc, at, "any", &any);
    if (rc >= 0)
        rc = slw_json_bool(l->doc, at, "inv", &inv);
    if (rc >= 0)
        *ret_config = ((uint64_t)event & 0xff) | (uint64_t)umask << 8 | (uint64_t)edge << 18 |
                      (uint64_t)any << 21 | (uint64_t)inv << 23 | (uint64_t)cmask << 24 |
                      ((uint64_t)event >> 8) << 32;
    return rc;
}

static int load_type(struct slw_loader *l, const struct slw_json *at, uint32_t *ret_type)
{
    static const struct {
        const char *name;
        uint32_t type;
    } types[] = {{"raw", PERF_TYPE_RAW},
                 {"hardware", PERF_TYPE_HARDWARE},
                 {"hw_cache", PERF_TYPE_HW_CACHE},
                 {"simulated", SLW_MODEL_TYPE_SIMULATED}};
    const struct slw_json member = slw_json_member(at, "type");
    const char *name = "raw";
    const int rc = slw_json_string(l->doc, at, "type", false, &name);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0) {
            *ret_type = types[i].type;
            return 0;
        }
    }
    return slw_json_fail(l->doc, &member, SLW_E_FORMAT,
                         "'type' must be \"raw\", \"hardware\", \"hw_cache\" or \"simulated\"");
}

static int load_code(struct slw_loader *l, const struct slw_json *at, struct slw_model_event *e)
{
    const bool select = json_object_get(at->value, "event") != NULL;
    int rc = load_type(l, at, &e->type);

    if (rc < 0)
        return rc;
    if (select == (json_object_get(at->value, "config") != NULL))
        return slw_json_fail(l->doc, at, SLW_E_FORMAT,
                             "an event needs either 'event' (with 'umask') or 'config'");
    if (!select)
        rc = slw_json_u64(l->doc, at, "config", &e->config);
    else if (e->type != PERF_TYPE_RAW)
        rc = slw_json_fail(l->doc, at, SLW_E_FORMAT, "'event' is for \"raw\" events only");
    else
        rc = x86_config(l, at, &e->config);
    return rc < 0 ? rc : slw_json_u64(l->doc, at, "config1", &e->config1);
}

static int load_role(struct slw_loader *l, const struct slw_json *at, enum slw_event_role *ret_role)
{
    const struct slw_json member = slw_json_member(at, "role");
    const char *name = "plain";
    const int rc = slw_json_string(l->doc, at, "role", false, &name);

    if (rc < 0)
        return rc;
    if (strcmp(name, "plain") == 0)
        *ret_role = SLW_EVENT_PLAIN;
    else if (strcmp(name, "slots") == 0)
        *ret_role = SLW_EVENT_SLOTS;
    else if (strcmp(name, "perf_metric") == 0)
        *ret_role = SLW_EVENT_PERF_METRIC;
    else
        return slw_json_fail(l->doc, &member, SLW_E_FORMAT,
                             "'role' must be \"slots\" or \"perf_metric\"");
    return 0;
}

static bool take_number(const char **s, unsigned *ret_number)
{
    const char *start = *s;

    for (*ret_number = 0; **s >= '0' && **s <= '9' && *ret_number < 64; ++*s)
        *ret_number = *ret_number * 10 + (unsigned)(**s - '0');
    return *s > start && *ret_number < 64;
}

/* "3" or "0-3", and the comma after it. */
static bool take_span(const char **s, uint64_t *mask)
{
    unsigned first, last;

    if (!take_number(s, &first))
        return false;
    last = first;
    if (**s == '-' && (++*s, !take_number(s, &last)))
        return false;
    if (**s == ',' && (*s)[1])
        ++*s;
    else if (**s)
        return false;
    for (unsigned c = first; c <= last; c++)
        *mask |= UINT64_C(1) << c;
    return first <= last;
}

/* A set of counters: "0-3", "0,2", "0-3,8". */
static int load_counters(struct slw_loader *l, const struct slw_json *at, uint64_t *ret_mask)
{
    const struct slw_json member = slw_json_member(at, "counters");
    const char *s = NULL;
    uint64_t mask = 0;
    const int rc = slw_json_string(l->doc, at, "counters", false, &s);

    if (rc < 0 || !s)
        return rc;
    while (*s)
        if (!take_span(&s, &mask))
            return slw_json_fail(l->doc, &member, SLW_E_FORMAT,
                                 "'counters' must look like \"0-3\" or \"0,2\"");
    *ret_mask = mask;
    return 0;
}

static int load_event(struct slw_loader *l, const struct slw_json *at, struct slw_model_event *e)
{
    int rc = slw_json_keys(l->doc, at, event_keys);

    if (rc >= 0)
        rc = load_code(l, at, e);
    if (rc >= 0)
        rc = optional_int(l, at, "fixed", 63, &e->fixed);
    if (rc >= 0)
        rc = load_counters(l, at, &e->counters);
    if (rc >= 0)
        rc = load_role(l, at, &e->role);
    /* Inherited names are of the base's PMU; without one they name nothing. */
    if (rc >= 0 && l->model->libpfm_pmu)
        rc = slw_load_string(l, at, "libpfm", false, &e->libpfm);
    if (rc >= 0)
        rc = slw_load_string(l, at, "sysfs", false, &e->sysfs);
    if (rc >= 0)
        rc = slw_load_string(l, at, "errata", false, &e->errata);
    if (rc >= 0)
        rc = slw_load_string(l, at, "source", false, &e->source);
    return rc;
}

int slw_load_events(struct slw_loader *l, const struct slw_json *at)
{
    struct slw_model_event *events = NULL;
    const char *key;
    json_t *value;
    size_t i = 0;
    int rc = slw_json_object(l->doc, at, 1, SLW_MODEL_MAX_EVENTS);

    if (rc >= 0)
        rc = slw_load_array(l, json_object_size(at->value), sizeof(*events), &events);
    if (rc < 0)
        return rc;
    json_object_foreach(at->value, key, value)
    {
        const struct slw_json member = slw_json_member(at, key);

        rc = load_event(l, &member, &events[i]);
        if (rc < 0)
            return rc;
        events[i].name = slw_arena_strdup(l->arena, key);
        if (!events[i++].name)
            return slw_fail(l->err, SLW_E_NOMEM, "out of memory");
    }
    l->model->events = events;
    l->model->event_count = i;
    return 0;
}

int slw_load_lets(struct slw_loader *l, const struct slw_json *at)
{
    struct slw_model_let *lets = NULL;
    const char *key;
    json_t *value;
    size_t i = 0;
    int rc = slw_json_object(l->doc, at, 0, SLW_MODEL_MAX_LETS);

    if (rc >= 0)
        rc = slw_load_array(l, json_object_size(at->value), sizeof(*lets), &lets);
    if (rc < 0)
        return rc;
    json_object_foreach(at->value, key, value)
    {
        const struct slw_json member = slw_json_member(at, key);

        rc = slw_load_formula(l, &member, &lets[i].text, &lets[i].expr);
        if (rc < 0)
            return rc;
        lets[i].name = slw_arena_strdup(l->arena, key);
        if (!lets[i++].name)
            return slw_fail(l->err, SLW_E_NOMEM, "out of memory");
    }
    l->model->lets = lets;
    l->model->let_count = i;
    return 0;
}
