/* SPDX-License-Identifier: MIT */
#include "analyzer/findings.h"

#include "analyzer/facts.h"
#include "analyzer/findings_int.h"
#include "analyzer/format.h"
#include "analyzer/verdict.h"
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

struct rule {
    const char *id;
    slw_finding_rule *rule;
    enum slw_sure sure;
    const char *title, *advice;
};

/* clang-format off */
static const struct rule rules[] = {
#define SLW_FINDING(id, rule, sure, title, advice) {id, slw_find_##rule, SLW_##sure, title, advice},
#include "analyzer/findings.def"
#undef SLW_FINDING
};
/* clang-format on */
#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

const char *slw_finding_sure(enum slw_sure sure)
{
    static const char *const words[] = {"certain", "likely", "hint"};

    return words[sure];
}

/* ---- what rules share ---- */

void slw_evidence_count(struct slw_buf *out, uint64_t n, const char *one, const char *many)
{
    slw_format_integer(out, n);
    slw_buf_printf(out, " %s", n == 1 ? one : many);
}

bool slw_evidence_heavy(const struct slw_report *r, const struct slw_share *s, double least,
                        const char *what, struct slw_evidence *e)
{
    /* The interval's lower end must say so too, or a handful of samples would give advice. */
    if (!s->have || s->value < least || s->low < least / 2)
        return false;
    e->weight = s->value;
    slw_format_share(e->out, s);
    slw_buf_printf(e->out, " of the %s %s", slw_verdict_whole(r), what);
    return true;
}

bool slw_evidence_family(const struct slw_report *r, enum slw_family which, double least,
                         const char *what, struct slw_evidence *e)
{
    return slw_evidence_heavy(r, &r->facts->family[which], least, what, e);
}

/* ---- all of them ---- */

/* Shares of CPU time count as much as the CPU time does, where that is known. */
static double part_of_time(const struct slw_report *r, const struct slw_evidence *e)
{
    const struct slw_waiting *all = r->run->waiting_count > 0 ? &r->run->waiting[0] : NULL;

    if (e->of_wall || !all || all->wall_ns == 0)
        return e->weight;
    return e->weight * (double)all->ns[SLW_WAIT_ON_CPU] / (double)all->wall_ns;
}

static int apply(struct slw_report *r, const struct rule *rule)
{
    struct slw_buf out = {0};
    struct slw_evidence e = {.out = &out};
    bool fired = rule->rule(r, &e);
    bool failed = slw_buf_failed(&out);

    if (fired && !failed) {
        const char *text = slw_arena_strdup(r->arena, out.data);
        failed = text == NULL;
        if (text)
            r->findings[r->finding_count++] = (struct slw_finding){.id = rule->id,
                                                                   .title = rule->title,
                                                                   .sure = rule->sure,
                                                                   .weight = part_of_time(r, &e),
                                                                   .order = (int)(rule - rules),
                                                                   .evidence = text,
                                                                   .advice = rule->advice};
    }
    slw_buf_release(&out);
    return failed ? -SLW_E_NOMEM : 0;
}

static int by_rank(const void *a, const void *b)
{
    const struct slw_finding *x = a, *y = b;

    if (x->sure != y->sure)
        return x->sure < y->sure ? -1 : 1;
    if (x->weight > y->weight)
        return -1;
    if (x->weight < y->weight)
        return 1;
    return x->order - y->order;
}

int slw_findings_fill(struct slw_report *r, struct slw_error *err)
{
    assert(r->facts && r->traffic && r->side);
    r->findings = slw_arena_array(r->arena, RULE_COUNT, sizeof(*r->findings));
    if (!r->findings)
        return slw_fail(err, SLW_E_NOMEM, "no memory for findings");
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (apply(r, &rules[i]) < 0)
            return slw_fail(err, SLW_E_NOMEM, "no memory for findings");
    qsort(r->findings, r->finding_count, sizeof(*r->findings), by_rank);
    return 0;
}
