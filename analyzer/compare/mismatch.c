/* SPDX-License-Identifier: MIT */
/* What of the two runs is not the same and should be. Runs of one experiment had the same machine;
 * what is asked of them is only whether their numbers mean the same. */
#include "analyzer/compare/comparison_int.h"
#include "analyzer/simulated.h"
#include "analyzer/text.h"
#include "analyzer/traffic.h"
#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_MISMATCHES 32

enum weight { NOTED, DOWNGRADES, SEVERE };

static int add(struct slw_comparing *w, const char *what, const char *a, const char *b,
               enum weight weight)
{
    struct slw_comparison *c = w->c;
    struct slw_buf left = {0}, right = {0};

    if (c->mismatch_count == MAX_MISMATCHES)
        return 0;
    slw_text_clean(&left, a ? a : "none");
    slw_text_clean(&right, b ? b : "none");
    const char *kept_a = slw_comparison_text(c, &left), *kept_b = slw_comparison_text(c, &right);
    if (!kept_a || !kept_b)
        return slw_comparison_nomem(w->err);
    c->mismatches[c->mismatch_count++] = (struct slw_mismatch){.what = what,
                                                               .a = kept_a,
                                                               .b = kept_b,
                                                               .severe = weight == SEVERE,
                                                               .downgrades = weight == DOWNGRADES};
    return 0;
}

/* ---- one after the other; unknown on one side is told where it is known on the other ---- */

static int text(struct slw_comparing *w, const char *what, const char *a, const char *b,
                enum weight weight)
{
    if ((!a && !b) || (a && b && strcmp(a, b) == 0))
        return 0;
    return add(w, what, a, b, a && b ? weight : NOTED);
}

/* Below `least` is unknown. */
static int number(struct slw_comparing *w, const char *what, int a, int b, int least,
                  enum weight weight)
{
    char left[16], right[16];

    if (a == b || (a < least && b < least))
        return 0;
    (void)snprintf(left, sizeof(left), "%d", a);
    (void)snprintf(right, sizeof(right), "%d", b);
    return add(w, what, a < least ? "unknown" : left, b < least ? "unknown" : right,
               a < least || b < least ? NOTED : weight);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_cpu(const struct slw_cpu *a, const struct slw_cpu *b)
{
    return same_text(a->arch, b->arch) && same_text(a->vendor, b->vendor) &&
           same_text(a->name, b->name) && a->family == b->family && a->model == b->model &&
           a->stepping == b->stepping && a->implementer == b->implementer && a->part == b->part;
}

static void describe_cpu(char *out, size_t size, const struct slw_cpu *c)
{
    const char *name = c->name ? c->name : c->vendor ? c->vendor : c->arch ? c->arch : "unknown";

    if (c->family >= 0)
        (void)snprintf(out, size, "%.80s (family %d, model %d, stepping %d)", name, c->family,
                       c->model, c->stepping);
    else if (c->implementer >= 0)
        (void)snprintf(out, size, "%.80s (implementer 0x%x, part 0x%x)", name,
                       (unsigned)c->implementer, (unsigned)c->part);
    else
        (void)snprintf(out, size, "%.80s", name);
}

static bool unknown_cpu(const struct slw_cpu *c)
{
    return !c->arch && !c->vendor && !c->name && c->family < 0 && c->implementer < 0;
}

static int cpus(struct slw_comparing *w, const struct slw_cpu *a, const struct slw_cpu *b)
{
    char left[160], right[160];

    if (same_cpu(a, b))
        return 0;
    describe_cpu(left, sizeof(left), a);
    describe_cpu(right, sizeof(right), b);
    return add(w, "CPU", left, right, unknown_cpu(a) || unknown_cpu(b) ? DOWNGRADES : SEVERE);
}

/* On the same described core the machines do not matter, but for the libraries that are on them. */
static int described_cores(struct slw_comparing *w)
{
    const struct slw_run *a = w->c->in.a.run, *b = w->c->in.b.run;
    int rc = text(w, "described core", a->model.version, b->model.version, SEVERE);

    if (rc == 0)
        rc = text(w, "way of simulating", slw_simulated_where(a), slw_simulated_where(b),
                  DOWNGRADES);
    return rc == 0 ? text(w, "operating system", a->host.os, b->host.os, NOTED) : rc;
}

static int machines(struct slw_comparing *w)
{
    const struct slw_host *a = &w->c->in.a.run->host, *b = &w->c->in.b.run->host;

    if (slw_simulated_is(w->c->in.a.run) && slw_simulated_is(w->c->in.b.run))
        return described_cores(w);
    int rc = cpus(w, &a->cpu, &b->cpu);

    if (rc == 0)
        rc = text(w, "host", a->hostname, b->hostname, DOWNGRADES);
    if (rc == 0)
        rc = text(w, "kernel", a->kernel, b->kernel, DOWNGRADES);
    if (rc == 0)
        rc = text(w, "hypervisor", a->hypervisor, b->hypervisor, DOWNGRADES);
    if (rc == 0)
        rc = text(w, "microcode", a->cpu.microcode, b->cpu.microcode, DOWNGRADES);
    if (rc == 0)
        rc = number(w, "CPUs online", a->cpu.online_count, b->cpu.online_count, 1, DOWNGRADES);
    if (rc == 0)
        rc = number(w, "hyper-threading", a->cpu.smt, b->cpu.smt, 0, DOWNGRADES);
    if (rc == 0)
        rc = text(w, "governor", a->governor, b->governor, DOWNGRADES);
    if (rc == 0)
        rc = text(w, "operating system", a->os, b->os, NOTED);
    return rc;
}

/* ---- the client ---- */

static const char *program_of(const struct slw_run *run)
{
    const char *path = run->command.argc > 0 ? run->command.argv[0] : NULL;
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path;
}

static const char *command_line(struct slw_comparison *c, const struct slw_run *run)
{
    struct slw_buf b = {0};

    for (size_t i = 0; i < run->command.argc; i++)
        slw_buf_printf(&b, "%s%s", i > 0 ? " " : "", run->command.argv[i]);
    return slw_comparison_text(c, &b);
}

/* Of the first mapping with the program's name. */
static const char *build_id_of(const struct slw_side_of *side)
{
    const char *program = program_of(side->run);

    for (size_t i = 0; side->stacks && program && i < slw_stacks_mapping_count(side->stacks); i++) {
        const struct slw_mapping m = slw_stacks_mapping(side->stacks, (uint32_t)i);
        const char *slash = strrchr(m.path, '/');

        if (strcmp(slash ? slash + 1 : m.path, program) == 0 && m.build_id[0])
            return m.build_id;
    }
    return NULL;
}

static int clients(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    const char *a = command_line(c, c->in.a.run), *b = command_line(c, c->in.b.run);

    if (!a || !b)
        return slw_comparison_nomem(w->err);
    int rc = text(w, "client", program_of(c->in.a.run), program_of(c->in.b.run), DOWNGRADES);
    if (rc == 0 && same_text(program_of(c->in.a.run), program_of(c->in.b.run)))
        rc = text(w, "command", a, b, NOTED);
    if (rc == 0)
        rc = text(w, "build of the client", build_id_of(&c->in.a), build_id_of(&c->in.b), NOTED);
    return rc;
}

/* ---- what the numbers are ---- */

static const char *tier_of(const struct slw_run *run, const char *metric)
{
    static const char *const names[3][2] = {{"hardware", "hardware, imported"},
                                            {"simulated", "simulated, imported"},
                                            {"software", "software, imported"}};
    const struct slw_observation *o = slw_run_find_observation(run, metric);

    return o ? names[o->from.source][o->from.imported] : NULL;
}

/* Of any metric both have a value of. */
static int tiers(struct slw_comparing *w)
{
    const struct slw_run *a = w->c->in.a.run, *b = w->c->in.b.run;

    for (size_t i = 0; i < a->observation_count; i++) {
        const struct slw_observation *o = &a->observations[i];
        const struct slw_observation *other = slw_run_find_observation(b, o->metric);
        double median;

        if (!other ||
            !slw_row_median(o->values, o->length < w->room ? o->length : w->room, w->a, &median) ||
            !slw_row_median(other->values, other->length < w->room ? other->length : w->room, w->a,
                            &median))
            continue;
        if (!same_text(tier_of(a, o->metric), tier_of(b, o->metric)))
            return text(w, "tier", tier_of(a, o->metric), tier_of(b, o->metric), SEVERE);
    }
    return 0;
}

static const char *requests_from(const struct slw_side_of *side)
{
    const struct slw_observation *n = slw_run_find_observation(side->run, "requests");
    bool counted = false, wire = false;

    for (size_t i = 0; n && i < n->length; i++)
        counted = counted || isfinite(n->values[i]);
    for (size_t i = 0; i < side->run->connection_count; i++)
        wire = wire || side->run->connections[i].protocol;
    return !counted ? NULL : wire ? "counted on the wire" : "told by the client";
}

static int denominators(struct slw_comparing *w)
{
    const char *a = requests_from(&w->c->in.a), *b = requests_from(&w->c->in.b);

    return a && b ? text(w, "requests", a, b, SEVERE) : 0;
}

static int numbers(struct slw_comparing *w)
{
    const struct slw_run *a = w->c->in.a.run, *b = w->c->in.b.run;
    int rc = tiers(w);

    if (rc == 0)
        rc = denominators(w);
    if (rc == 0)
        rc = text(w, "CPU model", a->model.name, b->model.name, NOTED);
    if (rc == 0)
        rc = text(w, "version of the CPU model", a->model.version, b->model.version, NOTED);
    if (rc == 0)
        rc = text(w, "slotwise", a->tool, b->tool, NOTED);
    return rc;
}

/* ---- what follows ---- */

static int refuse(struct slw_comparing *w, const struct slw_mismatch *m)
{
    char a[100], b[100];

    (void)snprintf(a, sizeof(a), "%.90s", m->a);
    (void)snprintf(b, sizeof(b), "%.90s", m->b);
    const int rc =
        slw_fail(w->err, SLW_E_INVAL, "the runs cannot be compared: the %s of A is '%s', of B '%s'",
                 m->what, a, b);
    slw_error_hint(w->err,
                   "measure both in one experiment (compare --a --b), or --force, which the "
                   "report will say");
    return rc;
}

static int judge(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    const struct slw_mismatch *first = NULL;

    for (size_t i = 0; i < c->mismatch_count && !c->in.force; i++) {
        if (c->mismatches[i].severe)
            return refuse(w, &c->mismatches[i]);
        if (c->mismatches[i].downgrades && !first)
            first = &c->mismatches[i];
    }
    if (!first)
        return 0;
    w->downgrade = slw_arena_printf(
        c->arena, "not the same %s, which may be what differs; --force compares nevertheless",
        first->what);
    return w->downgrade ? 0 : slw_comparison_nomem(w->err);
}

int slw_comparison_mismatches(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    int rc;

    c->mismatches = slw_arena_array(c->arena, MAX_MISMATCHES, sizeof(c->mismatches[0]));
    if (!c->mismatches)
        return slw_comparison_nomem(w->err);
    rc = numbers(w);
    if (rc == 0 && !c->interleaved)
        rc = machines(w);
    if (rc == 0 && !c->interleaved)
        rc = clients(w);
    return rc == 0 ? judge(w) : rc;
}
