/* SPDX-License-Identifier: MIT */
/* Reads the description of a core as the carrier gets it: one "NAME VALUE" line per parameter. */
#include "sim/core.h"

struct parameter {
    const char *name;
    uint32_t least, most;
    size_t offset;
};

static const struct parameter parameters[] = {
#define SLW_SIM_PARAMETER(name, least, most, unit)                                                 \
    {#name, least, most, offsetof(struct slw_sim_config, name)},
#include "sim/parameters.def"
#undef SLW_SIM_PARAMETER
};

enum { PARAMETER_COUNT = sizeof(parameters) / sizeof(parameters[0]) };

struct line {
    const char *at, *end;
};

static bool is_power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

static bool divides_well(uint32_t entries, uint32_t ways)
{
    return entries % ways == 0 && is_power_of_two(entries / ways);
}

const char *slw_sim_config_fault(const struct slw_sim_config *c)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        const uint32_t value = ((const uint32_t *)c)[parameters[i].offset / sizeof(uint32_t)];

        if (value < parameters[i].least || value > parameters[i].most)
            return "a value is out of range";
    }
    if (!divides_well(c->l1i_kib * 16, c->l1i_ways) ||
        !divides_well(c->l1d_kib * 16, c->l1d_ways) || !divides_well(c->l2_kib * 16, c->l2_ways) ||
        !divides_well(c->l3_kib * 16, c->l3_ways))
        return "the sets of a cache have to be a power of two";
    if (!divides_well(c->itlb_entries, c->itlb_ways) ||
        !divides_well(c->dtlb_entries, c->dtlb_ways) ||
        !divides_well(c->stlb_entries, c->stlb_ways))
        return "the sets of a TLB have to be a power of two";
    if (!divides_well(c->btb_entries, c->btb_ways) ||
        !divides_well(c->btb_first_entries, c->btb_first_ways) ||
        !is_power_of_two(c->uop_cache_sets))
        return "the sets of the BTB and of the micro-op cache have to be a power of two";
    if (!is_power_of_two(c->fetch_window_bytes))
        return "fetch_window_bytes has to be a power of two";
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The parameter the line starts with, and the line moved past it and one space. */
static const struct parameter *take_name(struct line *l)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        const char *at = l->at;
        const char *name = parameters[i].name;

        while (at < l->end && *name && *at == *name) {
            at++;
            name++;
        }
        if (*name || at >= l->end || *at != ' ')
            continue;
        l->at = at + 1;
        return &parameters[i];
    }
    return NULL;
}

static bool take_number(struct line *l, uint32_t *ret_value)
{
    uint64_t value = 0;

    if (l->at >= l->end || l->end - l->at > 10)
        return false;
    for (; l->at < l->end; l->at++) {
        if (!is_digit(*l->at))
            return false;
        value = value * 10 + (uint64_t)(*l->at - '0');
    }
    if (value > UINT32_MAX)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

static const char *parse_line(struct line l, struct slw_sim_config *config, bool *seen)
{
    if (l.at == l.end || *l.at == '#')
        return NULL;
    const struct parameter *p = take_name(&l);
    uint32_t value = 0;

    if (!p)
        return "no parameter of that name";
    if (seen[p - parameters])
        return "a parameter is given twice";
    seen[p - parameters] = true;
    if (!take_number(&l, &value))
        return "not a whole number";
    if (value < p->least || value > p->most)
        return "the value is out of range";
    ((uint32_t *)config)[p->offset / sizeof(uint32_t)] = value;
    return NULL;
}

static const char *check_all(const struct slw_sim_config *config, const bool *seen)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        if (!seen[i])
            return parameters[i].name; /* the one that is missing */
    return slw_sim_config_fault(config);
}

size_t slw_sim_config_parse(const char *text, size_t length, struct slw_sim_config *ret_config,
                            const char **ret_why)
{
    struct slw_sim_config config = {0};
    bool seen[PARAMETER_COUNT] = {false};
    struct line l = {.at = text};
    size_t number = 1;

    for (; l.at < text + length; number++) {
        for (l.end = l.at; l.end < text + length && *l.end != '\n';)
            l.end++;
        *ret_why = parse_line(l, &config, seen);
        if (*ret_why)
            return number;
        l.at = l.end < text + length ? l.end + 1 : l.end;
    }
    *ret_why = check_all(&config, seen);
    if (*ret_why)
        return number;
    *ret_config = config;
    return 0;
}
