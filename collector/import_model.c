/* SPDX-License-Identifier: MIT */
#include "collector/import_model.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "models/perf_name.h"

#include <stdlib.h>
#include <string.h>

struct models {
    struct slw_model **all;
    size_t count;
};

static void release(struct models *m)
{
    for (size_t i = 0; i < m->count; i++)
        slw_model_free(m->all[i]);
    free(m->all);
}

static int load(struct models *m, struct slw_error *err)
{
    m->all = calloc(slw_model_builtin_count() + 1, sizeof(struct slw_model *));
    if (!m->all)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the CPU models");
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        const int rc = slw_model_builtin(slw_model_builtin_name(i), &m->all[i], err);
        if (rc < 0)
            return rc;
        m->count++;
    }
    return 0;
}

/* ---- vendors ---- */

static unsigned vendor_bit(const struct slw_model *m)
{
    static const char *const vendors[] = {"GenuineIntel", "AuthenticAMD", "ARM", "Apple"};

    if (m->match_count == 0)
        return 0; /* by name only: it tells nothing */
    for (unsigned i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
        if (strcmp(vendors[i], m->matches[0].vendor) == 0)
            return 1u << i;
    return 1u << 8;
}

int slw_import_vendors(const char *const *names, size_t count, unsigned *ret_vendors,
                       struct slw_error *err)
{
    struct models models = {0};
    const int rc = load(&models, err);

    for (size_t i = 0; i < count; i++)
        ret_vendors[i] = 0;
    for (size_t m = 0; rc >= 0 && m < models.count; m++)
        for (size_t i = 0; i < count; i++)
            if (names[i] && !slw_perf_name_is_generic(names[i]) &&
                slw_model_find_perf_event(models.all[m], names[i]) >= 0)
                ret_vendors[i] |= vendor_bit(models.all[m]);
    release(&models);
    return rc;
}

/* ---- what a model makes of the counts ---- */

/* Which of the run's events a model can use, and what comes out of made-up counts for them. Two
 * models with the same answers read these events the same way: the counts hang on the names. */
struct reading {
    bool fits;                   /* knows every event of its PMU that is no generic one */
    size_t nodes;                /* tree nodes it can compute */
    struct slw_model_value *out; /* of every node, two sets of counts one after the other */
    bool smt_on;                 /* what it was computed for */
    bool smt_told;               /* the other way fewer nodes can be computed */
    bool smt_matters;            /* the other way the values differ */
};

static bool of_pmu(const struct slw_count *c, const struct slw_model *m)
{
    return !c->pmu ? strcmp(m->pmu, "cpu_atom") != 0 && strcmp(m->pmu, "cpu_core") != 0
                   : strcmp(c->pmu, m->pmu) == 0;
}

/* Large, different and always the same for one name. */
static double made_up(const char *event, uint64_t seed)
{
    return (double)(slw_hash_bytes(event, strlen(event), seed) % 900000 + 100000);
}

static bool fill(const struct slw_run *run, const struct slw_model *m, uint64_t seed,
                 struct slw_model_input *inputs)
{
    bool fits = true, any = false;

    for (size_t i = 0; i < m->event_count; i++)
        inputs[i].absent = "";
    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];
        if (c->from.source != SLW_SOURCE_HARDWARE || !of_pmu(c, m))
            continue;
        const int event = slw_model_find_perf_event(m, c->event);
        any = true;
        if (event < 0)
            fits = fits && slw_perf_name_is_generic(c->event);
        else if (!c->absent)
            inputs[event] = (struct slw_model_input){.value = made_up(m->events[event].name, seed)};
    }
    return fits && any;
}

static int read_with(const struct slw_run *run, const struct slw_model *m, bool smt_on,
                     struct reading *r, struct slw_error *err)
{
    const struct slw_model_vars vars = {.smt_on = smt_on};
    struct slw_model_input *SLW_AUTO(free) inputs = calloc(m->event_count + 1, sizeof(*inputs));

    *r = (struct reading){.smt_on = smt_on};
    r->out = calloc(2 * m->node_count + 1, sizeof(*r->out));
    if (!inputs || !r->out)
        return slw_fail(err, SLW_E_NOMEM, "no memory to compare CPU models");
    for (uint64_t seed = 0; seed < 2; seed++) {
        r->fits = fill(run, m, seed, inputs);
        slw_model_evaluate(m, inputs, &vars, r->out + seed * m->node_count);
    }
    for (size_t i = 0; i < m->node_count; i++)
        r->nodes += m->nodes[i].level > 0 && r->out[i].have;
    return 0;
}

static bool same_value(const struct slw_model_value *a, const struct slw_model_value *b)
{
    /* The same formula gives the very same number, no tolerance needed. */
    return a->have == b->have && (!a->have || !(a->value < b->value || a->value > b->value)) &&
           a->flagged == b->flagged;
}

/* Does b say of every tree node what a says? Nodes neither can compute do not matter. */
static bool covers(const struct slw_model *a, const struct reading *ra, const struct slw_model *b,
                   const struct reading *rb)
{
    for (size_t i = 0; i < a->node_count; i++) {
        const int other = slw_model_find_node(b, a->nodes[i].name);
        if (a->nodes[i].level == 0 || !ra->out[i].have)
            continue;
        if (other < 0 || !same_value(&ra->out[i], &rb->out[other]) ||
            !same_value(&ra->out[a->node_count + i], &rb->out[b->node_count + (size_t)other]))
            return false;
    }
    return true;
}

/* Some formulas depend on hyper-threading, which the file does not tell either; but which events
 * were counted does, mostly. */
static int read_best(const struct slw_run *run, const struct slw_model *m, struct reading *ret,
                     struct slw_error *err)
{
    struct reading on = {0};
    int rc = read_with(run, m, false, ret, err);

    if (rc >= 0)
        rc = read_with(run, m, true, &on, err);
    if (rc >= 0 && on.nodes > ret->nodes) {
        free(ret->out);
        *ret = on;
        ret->smt_told = true;
        return 0;
    }
    if (rc >= 0) {
        ret->smt_told = ret->nodes > on.nodes;
        ret->smt_matters = !covers(m, ret, m, &on);
    }
    free(on.out);
    return rc;
}

/* ---- the choice ---- */

/* What the events of one PMU say. Hybrid CPUs have several: each is read by a model of its own. */
struct choice {
    const char *pmu;           /* NULL: the file names none */
    size_t first;              /* candidate; models.count: none */
    bool differ;               /* the candidates do not agree */
    struct slw_buf names;      /* of all */
    struct slw_model_ref *ref; /* what is decided */
};

static void consider(struct choice *c, const struct models *m, const struct reading *r, size_t i)
{
    const bool known = m->all[i]->match_count > 0; /* by name only: never offered unasked */

    if (!known || !r[i].fits || r[i].nodes == 0 || (c->pmu && strcmp(m->all[i]->pmu, c->pmu) != 0))
        return;
    slw_buf_printf(&c->names, "%s%s", c->names.length ? ", " : "", m->all[i]->name);
    if (c->first == m->count)
        c->first = i;
    else if (!covers(m->all[c->first], &r[c->first], m->all[i], &r[i]) ||
             !covers(m->all[i], &r[i], m->all[c->first], &r[c->first]))
        c->differ = true;
}

static int set_model(struct slw_run *run, const struct slw_model *m, const char *pmu,
                     struct slw_model_ref *ref)
{
    *ref = (struct slw_model_ref){.name = slw_run_str(run, m->name),
                                  .source = slw_run_str(run, m->source),
                                  .version = slw_run_str(run, m->version),
                                  .pmu = slw_run_str(run, pmu)};
    return ref->name ? 0 : -SLW_E_NOMEM;
}

#define CHOOSE "say which CPU it was: slotwise import --model NAME"

/* Why no model can be told: nothing was counted, only what every CPU counts, or events that none of
 * ours has. */
struct hardware {
    bool any, counted, generic_only;
    const char *unknown; /* the first event that no model has; NULL */
};

/* "its cpu_atom events" where there are several kinds. */
static const char *gap(const struct choice *c)
{
    return c->pmu ? " " : "";
}

static const char *kind(const struct choice *c)
{
    return c->pmu ? c->pmu : "";
}

static int set_none(struct slw_run *run, const struct hardware *h, const struct choice *c)
{
    *c->ref = (struct slw_model_ref){.pmu = c->pmu,
                                     .absent = "the counted events allow no top-down tree"};
    if (!h->counted) {
        c->ref->absent = "none of the imported hardware events was counted";
        return slw_run_note(run, SLW_NOTE_WARNING, "import-model", NULL,
                            "none of the%s%s hardware events in the file was counted: there is no "
                            "top-down tree",
                            gap(c), kind(c));
    }
    if (h->unknown)
        return slw_run_note(run, SLW_NOTE_WARNING, "import-model", CHOOSE,
                            "the file does not name its CPU, and no CPU model here has the%s%s "
                            "event '%.100s': there is no top-down tree",
                            gap(c), kind(c), h->unknown);
    return slw_run_note(run, SLW_NOTE_WARNING, "import-model", CHOOSE,
                        "the file does not name its CPU, and its%s%s events are too few to compute "
                        "anything top-down from",
                        gap(c), kind(c));
}

static int set_several(struct slw_run *run, const char *names, const struct choice *c)
{
    *c->ref = (struct slw_model_ref){
        .pmu = c->pmu,
        .absent = slw_arena_printf(run->arena,
                                   "the file does not name its CPU; it may be one of: %s", names)};
    if (!c->ref->absent)
        return -SLW_E_NOMEM;
    return slw_run_note(run, SLW_NOTE_WARNING, "import-model", CHOOSE,
                        "the file does not name its CPU; its%s%s events fit models that compute "
                        "different values from them: %s",
                        gap(c), kind(c), names);
}

static int set_one(struct slw_run *run, const struct slw_model *m, const char *names,
                   const struct choice *c)
{
    static const char hint[] = "if it was another CPU, say so: slotwise import --model NAME";

    if (set_model(run, m, c->pmu, c->ref) < 0)
        return -SLW_E_NOMEM;
    if (strchr(names, ','))
        return slw_run_note(run, SLW_NOTE_INFO, "import-model", hint,
                            "the file does not name its CPU; its%s%s events fit %s, which compute "
                            "the same values from them; read as %s",
                            gap(c), kind(c), names, m->name);
    return slw_run_note(run, SLW_NOTE_INFO, "import-model", hint,
                        "the file does not name its CPU; its%s%s events fit the model %s alone",
                        gap(c), kind(c), names);
}

static int set_generic(struct slw_run *run, const struct models *m, const struct choice *c)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->all[i]->name, "generic") == 0 &&
            set_model(run, m->all[i], c->pmu, c->ref) < 0)
            return -SLW_E_NOMEM;
    return slw_run_note(run, SLW_NOTE_INFO, "import-model", NULL,
                        "only events that every CPU names were counted%s%s: ratios, but no "
                        "top-down tree",
                        c->pmu ? " on " : "", kind(c));
}

static bool is_hardware_of(const struct slw_count *c, const char *pmu)
{
    return c->from.source == SLW_SOURCE_HARDWARE && (!pmu || (c->pmu && strcmp(c->pmu, pmu) == 0));
}

static struct hardware look_at(const struct slw_run *run, const struct models *m, const char *pmu)
{
    struct hardware h = {.generic_only = true};

    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];
        bool known = slw_perf_name_is_generic(c->event);

        if (!is_hardware_of(c, pmu))
            continue;
        h.any = true;
        h.counted = h.counted || !c->absent;
        h.generic_only = h.generic_only && known;
        for (size_t k = 0; !known && !h.unknown && k < m->count; k++)
            known = slw_model_find_perf_event(m->all[k], c->event) >= 0;
        if (!known && !h.unknown)
            h.unknown = c->event;
    }
    return h;
}

static int note_smt(struct slw_run *run, const struct reading *r)
{
    if (run->host.cpu.smt >= 0 || (!r->smt_told && !r->smt_matters))
        return 0;
    if (!r->smt_told)
        return slw_run_note(run, SLW_NOTE_WARNING, "import-smt", NULL,
                            "the file does not say whether hyper-threading was on; the formulas "
                            "for off were used");
    run->host.cpu.smt = r->smt_on;
    return slw_run_note(run, SLW_NOTE_INFO, "import-smt", NULL,
                        "the file does not say whether hyper-threading was on; the counted events "
                        "are those of the formulas for %s",
                        r->smt_on ? "on" : "off");
}

static int decide(struct slw_run *run, const struct models *m, const struct choice *c,
                  const struct reading *readings)
{
    const char *names = c->names.data ? c->names.data : "";
    const struct hardware h = look_at(run, m, c->pmu);

    if (slw_buf_failed(&c->names))
        return -SLW_E_NOMEM;
    if (c->first == m->count)
        return h.counted && h.generic_only ? set_generic(run, m, c) : set_none(run, &h, c);
    if (c->differ)
        return set_several(run, names, c);
    const int rc = set_one(run, m->all[c->first], names, c);
    return rc < 0 ? rc : note_smt(run, &readings[c->first]);
}

/* ---- one PMU after the other ---- */

struct inference {
    struct models models;
    struct reading *readings; /* of each model */
};

static int read_all(const struct slw_run *run, struct inference *f, struct slw_error *err)
{
    int rc = load(&f->models, err);

    f->readings = calloc(f->models.count + 1, sizeof(*f->readings));
    if (rc >= 0 && !f->readings)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory to compare CPU models");
    for (size_t i = 0; rc >= 0 && i < f->models.count; i++)
        rc = read_best(run, f->models.all[i], &f->readings[i], err);
    return rc;
}

static void forget(struct inference *f)
{
    for (size_t i = 0; f->readings && i < f->models.count; i++)
        free(f->readings[i].out);
    free(f->readings);
    release(&f->models);
}

static int infer(struct slw_run *run, const struct inference *f, const char *pmu,
                 struct slw_model_ref *ret_ref, struct slw_error *err)
{
    struct choice c = {.pmu = pmu, .first = f->models.count, .ref = ret_ref};

    for (size_t i = 0; i < f->models.count; i++)
        consider(&c, &f->models, f->readings, i);
    const int rc = decide(run, &f->models, &c, f->readings);
    slw_buf_release(&c.names);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for the CPU model of a run") : 0;
}

static int take_chosen(struct slw_run *run, const struct slw_model *m, const char *pmu,
                       struct slw_error *err)
{
    struct reading r = {0};
    int rc = read_best(run, m, &r, err);

    if (rc >= 0 && (set_model(run, m, pmu, &run->model) < 0 || note_smt(run, &r) < 0))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the CPU model of a run");
    free(r.out);
    return rc;
}

static bool has_hardware(const struct slw_run *run)
{
    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].from.imported && run->counts[i].from.source == SLW_SOURCE_HARDWARE)
            return true;
    return false;
}

/* PMUs the hardware counts name, cpu_core before cpu_atom; at most SLW_MAX_CORE_KINDS. */
static size_t list_pmus(const struct slw_run *run, const char **pmus)
{
    size_t count = 0;

    for (size_t i = 0; i < run->count_count; i++) {
        const char *pmu = run->counts[i].pmu;
        size_t at = 0;

        if (!pmu || run->counts[i].from.source != SLW_SOURCE_HARDWARE)
            continue;
        while (at < count && strcmp(pmus[at], pmu) > 0)
            at++;
        if ((at < count && strcmp(pmus[at], pmu) == 0) || count == SLW_MAX_CORE_KINDS)
            continue;
        memmove(&pmus[at + 1], &pmus[at], (count - at) * sizeof(pmus[0]));
        pmus[at] = pmu;
        count++;
    }
    return count;
}

static const char *find_pmu(const char *const *pmus, size_t count, const char *pmu)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pmus[i], pmu) == 0)
            return pmus[i];
    return NULL;
}

/* Do both name one CPU? */
static bool share_cpu(const struct slw_model *a, const struct slw_model *b)
{
    for (size_t i = 0; i < a->match_count; i++)
        for (size_t k = 0; k < b->match_count; k++)
            if (strcmp(a->matches[i].vendor, b->matches[k].vendor) == 0 &&
                a->matches[i].family == b->matches[k].family &&
                a->matches[i].model == b->matches[k].model &&
                a->matches[i].part == b->matches[k].part)
                return true;
    return false;
}

/* The model of the cores with this PMU in the CPU that another model is of; NULL: none or several.
 */
static const struct slw_model *sibling(const struct models *all, const struct slw_model *of,
                                       const char *pmu)
{
    const struct slw_model *found = NULL;

    for (size_t i = 0; of && i < all->count; i++) {
        const struct slw_model *m = all->all[i];

        if (strcmp(m->pmu, pmu) != 0 || strcmp(m->pmu, of->pmu) == 0 || !share_cpu(of, m))
            continue;
        if (found)
            return NULL;
        found = m;
    }
    return found;
}

static const struct slw_model *by_name(const struct models *all, const char *name)
{
    for (size_t i = 0; name && i < all->count; i++)
        if (strcmp(all->all[i]->name, name) == 0)
            return all->all[i];
    return NULL;
}

/* What one kind of core is tells what the others are: events too few to say it themselves, or one
 * that no model has, do not matter then. */
static int take_sibling(struct slw_run *run, const struct slw_model *m, const char *pmu,
                        const struct slw_model *of, struct slw_model_ref *ret_ref,
                        struct slw_error *err)
{
    if (set_model(run, m, pmu, ret_ref) < 0 ||
        slw_run_note(run, SLW_NOTE_INFO, "import-model", NULL,
                     "the %s events are read as %s: the other kind of core of the CPU of %s", pmu,
                     m->name, of->name) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the CPU model of a run");
    return 0;
}

/* A model for each, in the order of pmus; what was chosen is in run->model already and the first
 * that was not is there otherwise. */
static int infer_each(struct slw_run *run, const struct inference *f, const char *const *pmus,
                      size_t count, const char *chosen, struct slw_error *err)
{
    const struct slw_model *sure = chosen ? by_name(&f->models, run->model.name) : NULL;
    bool first = !chosen;
    int rc = 0;

    for (size_t i = 0; i < count && rc >= 0; i++) {
        struct slw_model_ref ref = {0}, *to = first ? &run->model : &ref;

        if (chosen && strcmp(pmus[i], chosen) == 0)
            continue;
        const struct slw_model *m = sibling(&f->models, sure, pmus[i]);
        rc = m ? take_sibling(run, m, pmus[i], sure, to, err) : infer(run, f, pmus[i], to, err);
        sure = sure && sure->match_count > 0 ? sure : by_name(&f->models, to->name);
        if (rc >= 0 && !first)
            rc = slw_run_add_model(run, to, err);
        first = false;
    }
    return rc;
}

int slw_import_model(struct slw_run *run, const struct slw_model *chosen, struct slw_error *err)
{
    const char *pmus[SLW_MAX_CORE_KINDS + 1];
    struct inference f = {0};
    int rc = 0;

    if (!has_hardware(run))
        return 0;
    const size_t count = list_pmus(run, pmus);
    const char *own = chosen && count > 1 ? find_pmu(pmus, count, chosen->pmu) : NULL;
    if (chosen)
        rc = take_chosen(run, chosen, own, err);
    if (rc < 0 || (chosen && !own))
        return rc;
    rc = read_all(run, &f, err);
    if (rc >= 0 && count > 1)
        rc = infer_each(run, &f, pmus, count, own, err);
    else if (rc >= 0)
        rc = infer(run, &f, NULL, &run->model, err);
    forget(&f);
    return rc;
}
