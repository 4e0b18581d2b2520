/* SPDX-License-Identifier: MIT */
/* The models compiled in, and which of them names a CPU. Reads the match tables only; the chosen
 * model alone is parsed. */
#include "models/builtin.h"
#include "models/model_int.h"

#include "base/buf.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define SLW_MODEL(name) extern const struct slw_builtin slw_builtin_##name;
#include "models/models.def"
#undef SLW_MODEL
extern const struct slw_builtin slw_builtin_prose;
extern const struct slw_builtin slw_builtin_simulated; /* of no CPU, so that no list has it */

/* clang-format off */
static const struct slw_builtin *const builtins[] = {
#define SLW_MODEL(name) &slw_builtin_##name,
#include "models/models.def"
#undef SLW_MODEL
};
/* clang-format on */

#define BUILTIN_COUNT (sizeof(builtins) / sizeof(builtins[0]))

size_t slw_model_builtin_count(void)
{
    return BUILTIN_COUNT;
}

const char *slw_model_builtin_name(size_t index)
{
    assert(index < BUILTIN_COUNT);
    return builtins[index]->name;
}

const char *slw_model_builtin_node(size_t index, size_t node)
{
    assert(index < BUILTIN_COUNT);
    return node < builtins[index]->node_count ? builtins[index]->nodes[node] : NULL;
}

static const struct slw_builtin *find(const char *name)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtins[i]->name, name) == 0)
            return builtins[i];
    return strcmp(slw_builtin_simulated.name, name) == 0 ? &slw_builtin_simulated : NULL;
}

static int get_builtin(void *context, const char *name, struct slw_model_text *ret_text,
                       struct slw_error *err)
{
    const struct slw_builtin *b = strcmp(name, "prose") == 0 ? &slw_builtin_prose : find(name);

    (void)context;
    if (!b)
        return slw_fail(err, SLW_E_NOTFOUND, "no model is called '%.64s'", name);
    *ret_text = (struct slw_model_text){
        .text = (const char *)b->json, .length = b->json_length, .origin = b->name};
    return 0;
}

int slw_model_parse(const char *json, size_t length, const char *origin,
                    struct slw_model **ret_model, struct slw_error *err)
{
    static const struct slw_model_library compiled_in = {.get = get_builtin};

    return slw_model_parse_with(json, length, origin, &compiled_in, ret_model, err);
}

static int load(const struct slw_builtin *b, struct slw_model **ret_model, struct slw_error *err)
{
    return slw_model_parse((const char *)b->json, b->json_length, b->name, ret_model, err);
}

static void list_names(struct slw_buf *b)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        slw_buf_printf(b, "%s%s", i ? ", " : "", builtins[i]->name);
}

int slw_model_builtin(const char *name, struct slw_model **ret_model, struct slw_error *err)
{
    struct slw_buf names = {0};

    assert(name && ret_model);
    const struct slw_builtin *b = find(name);
    if (b)
        return load(b, ret_model, err);
    list_names(&names);
    (void)slw_fail(err, SLW_E_NOTFOUND, "no model is called '%.64s'", name);
    slw_error_hint(err, "the models are: %s", names.data ? names.data : "none");
    slw_buf_release(&names);
    return -SLW_E_NOTFOUND;
}

/* -1: does not match; else the number of things the match pins down. */
static int match_weight(const struct slw_model_match *m, const struct slw_model_cpu *cpu)
{
    int weight = 0;

    if (!cpu->vendor || strcmp(m->vendor, cpu->vendor) != 0)
        return -1;
    const bool in_range =
        m->model_high >= 0 && cpu->model >= m->model && cpu->model <= m->model_high;
    const int wanted[] = {m->family, in_range ? cpu->model : m->model, m->implementer, m->part};
    const int actual[] = {cpu->family, cpu->model, cpu->implementer, cpu->part};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (wanted[i] >= 0 && wanted[i] != actual[i])
            return -1;
        weight += wanted[i] >= 0;
    }
    if (m->stepping_low < 0)
        return weight;
    /* An unknown stepping (-1) is below every range: formulas may differ between steppings, so it
     * is not guessed. */
    if (cpu->stepping < m->stepping_low || cpu->stepping > m->stepping_high)
        return -1;
    return weight + 1;
}

static bool usable(const struct slw_builtin *b, const struct slw_model_cpu *cpu, const char *pmu)
{
    return (!cpu->arch || strcmp(b->arch, cpu->arch) == 0) && (!pmu || strcmp(b->pmu, pmu) == 0);
}

static const struct slw_builtin *best_match(const struct slw_model_cpu *cpu, const char *pmu)
{
    const struct slw_builtin *best = NULL;
    int best_weight = -1;

    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        const struct slw_builtin *b = builtins[i];

        for (size_t k = 0; usable(b, cpu, pmu) && k < b->match_count; k++) {
            const int weight = match_weight(&b->matches[k], cpu);
            if (weight > best_weight) {
                best = b;
                best_weight = weight;
            }
        }
    }
    return best;
}

struct offer {
    const char *name, *why;
    int weight;
};

static void consider(struct offer *o, const struct slw_builtin *b, const struct slw_model_match *m,
                     const struct slw_model_cpu *cpu, const char *why)
{
    const int weight = match_weight(m, cpu);

    if (weight > o->weight)
        *o = (struct offer){.name = b->name, .why = why, .weight = weight};
}

/* A CPU some model names as its relative, or one that a model matches but for the stepping. */
static struct offer closest(const struct slw_model_cpu *cpu, const char *pmu)
{
    struct offer o = {.weight = -1};

    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        const struct slw_builtin *b = builtins[i];

        if (!usable(b, cpu, pmu))
            continue;
        for (size_t k = 0; k < b->relative_count; k++)
            consider(&o, b, &b->relatives[k].match, cpu, b->relatives[k].why);
        for (size_t k = 0; k < b->match_count; k++) {
            struct slw_model_match any = b->matches[k];
            any.stepping_low = any.stepping_high = -1;
            consider(&o, b, &any, cpu, "the same CPU at another stepping");
        }
    }
    return o;
}

static int not_found(const struct slw_model_cpu *cpu, const char *pmu, struct slw_error *err)
{
    const struct offer o = closest(cpu, pmu);

    if (cpu->part >= 0)
        (void)slw_fail(err, SLW_E_NOTFOUND,
                       "no model for %s implementer 0x%02x part 0x%03x stepping 0x%02x%s%s%s%s%s",
                       cpu->vendor ? cpu->vendor : "unknown vendor", (unsigned)cpu->implementer,
                       (unsigned)cpu->part, (unsigned)cpu->stepping & 0xff,
                       o.name ? "; the closest is " : "", o.name ? o.name : "", o.name ? " (" : "",
                       o.name ? o.why : "", o.name ? ")" : "");
    else
        (void)slw_fail(
            err, SLW_E_NOTFOUND, "no model for %s family 0x%x model 0x%x stepping %d%s%s%s%s%s",
            cpu->vendor ? cpu->vendor : "unknown vendor", (unsigned)cpu->family,
            (unsigned)cpu->model, cpu->stepping, o.name ? "; the closest is " : "",
            o.name ? o.name : "", o.name ? " (" : "", o.name ? o.why : "", o.name ? ")" : "");
    slw_error_hint(err,
                   "choose one yourself with --model %s; 'generic' counts what every CPU names",
                   o.name ? o.name : "generic");
    return -SLW_E_NOTFOUND;
}

const char *slw_model_offer(const struct slw_model_cpu *cpu, const char *pmu)
{
    assert(cpu);
    return closest(cpu, pmu).name;
}

int slw_model_select(const struct slw_model_cpu *cpu, const char *pmu, struct slw_model **ret_model,
                     struct slw_error *err)
{
    assert(cpu && ret_model);
    const struct slw_builtin *best = best_match(cpu, pmu);

    return best ? load(best, ret_model, err) : not_found(cpu, pmu, err);
}
