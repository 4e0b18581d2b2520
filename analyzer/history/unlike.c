/* SPDX-License-Identifier: MIT */
/* What of the machine and the way of measuring differs between neighbours. Not its name: every
 * container has another one. */
#include "analyzer/history/history_int.h"
#include "base/arena.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 60 /* bytes of a name */

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Unknown on either side is no difference that anybody knows of; but it is said. */
static void put(struct slw_buf *out, const char *what, const char *before, const char *after)
{
    if (same(before, after))
        return;
    slw_buf_printf(out, "%s%s %.*s -> %.*s", out->length ? "; " : "", what, SHOWN,
                   before ? before : "unknown", SHOWN, after ? after : "unknown");
}

static void put_number(struct slw_buf *out, const char *what, int before, int after)
{
    char a[16] = "unknown", b[16] = "unknown";

    if (before >= 0)
        (void)snprintf(a, sizeof(a), "%d", before);
    if (after >= 0)
        (void)snprintf(b, sizeof(b), "%d", after);
    put(out, what, a, b);
}

/* Names of CPUs may be missing where the numbers are not, and the other way round. */
static bool same_cpu(const struct slw_cpu *a, const struct slw_cpu *b)
{
    return same(a->arch, b->arch) && same(a->vendor, b->vendor) && same(a->name, b->name) &&
           a->family == b->family && a->model == b->model && a->stepping == b->stepping &&
           a->implementer == b->implementer && a->part == b->part;
}

static const char *cpu_name(const struct slw_cpu *c)
{
    return c->name ? c->name : c->vendor ? c->vendor : c->arch;
}

static void put_cpu(struct slw_buf *out, const struct slw_cpu *a, const struct slw_cpu *b)
{
    if (same(cpu_name(a), cpu_name(b)))
        slw_buf_puts(out, "CPU of another model or stepping");
    else
        put(out, "CPU", cpu_name(a), cpu_name(b));
}

static const char *tier(const struct slw_observation *o)
{
    static const char *const names[][2] = {
        [SLW_SOURCE_HARDWARE] = {"hardware", "hardware (imported)"},
        [SLW_SOURCE_SIMULATED] = {"simulated", "simulated (imported)"},
        [SLW_SOURCE_SOFTWARE] = {"software", "software (imported)"}};

    return names[o->from.source][o->from.imported];
}

int slw_history_unlike(struct slw_history *h, const struct slw_run *before,
                       const struct slw_run *after, const char **ret_text, bool *ret_apart,
                       struct slw_error *err)
{
    const struct slw_host *a = &before->host, *b = &after->host;
    const bool cpus = same_cpu(&a->cpu, &b->cpu);
    const char *tier_a = tier(slw_run_find_observation(before, h->metric));
    const char *tier_b = tier(slw_run_find_observation(after, h->metric));
    struct slw_buf out = {0};

    if (!cpus)
        put_cpu(&out, &a->cpu, &b->cpu);
    put(&out, "measured by", tier_a, tier_b);
    put(&out, "kernel", a->kernel, b->kernel);
    put(&out, "hypervisor", a->hypervisor, b->hypervisor);
    put_number(&out, "CPUs", a->cpu.online_count, b->cpu.online_count);
    put_number(&out, "hyper-threading", a->cpu.smt, b->cpu.smt);
    put(&out, "governor", a->governor, b->governor);
    put(&out, "microcode", a->cpu.microcode, b->cpu.microcode);
    put(&out, "tool", before->tool, after->tool);
    *ret_apart = !cpus || strcmp(tier_a, tier_b) != 0;
    const char *text = out.length ? slw_arena_strdup(h->arena, out.data) : NULL;
    const bool failed = slw_buf_failed(&out) || (out.length && !text);
    slw_buf_release(&out);
    if (failed)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a history");
    *ret_text = text;
    return 0;
}
