/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/nearest_int.h"

#include "analyzer/compare/metrics.h"
#include "analyzer/text.h"
#include "base/buf.h"
#include "base/edits.h"

#include <string.h>

#define SHOWN    3 /* names offered */
#define FARTHEST 8 /* edits; beyond it is another name */

struct offer {
    const char *name;
    size_t edits;
};

static void consider(struct offer *offers, const char *name, const char *wanted)
{
    struct offer fresh = {name, slw_edits_between(name, wanted)};

    if (strstr(name, wanted) || strstr(wanted, name))
        fresh.edits = fresh.edits < 2 ? fresh.edits : 2;
    for (size_t i = 0; i < SHOWN; i++) {
        if (offers[i].name && strcmp(offers[i].name, fresh.name) == 0)
            return;
        if (!offers[i].name || fresh.edits < offers[i].edits) {
            const struct offer pushed = offers[i];

            offers[i] = fresh;
            fresh = pushed;
            if (!fresh.name)
                return;
        }
    }
}

static void consider_run(struct offer *offers, const struct slw_run *run, const char *wanted)
{
    for (size_t i = 0; i < run->observation_count; i++)
        if (run->observations[i].gateable)
            consider(offers, run->observations[i].metric, wanted);
}

static void put_offers(struct slw_buf *out, const struct offer *offers)
{
    size_t shown = 0;

    for (size_t i = 0; i < SHOWN && offers[i].name && offers[i].edits <= FARTHEST; i++) {
        slw_buf_puts(out, shown++ == 0 ? "did you mean " : ", ");
        slw_text_fit(out, offers[i].name, SLW_MAX_EDITED);
    }
    slw_buf_puts(out, shown > 0 ? "?" : "--format json lists what was measured");
}

int slw_nearest_refuse(const struct slw_side_of *a, const struct slw_side_of *b,
                       const struct slw_gate_rule *rule, struct slw_error *err)
{
    struct offer offers[SHOWN] = {{0}};
    struct slw_buf hint = {0}, name = {0};
    const bool known = slw_metric_find(rule->metric) != NULL;

    consider_run(offers, a->run, rule->metric);
    consider_run(offers, b->run, rule->metric);
    put_offers(&hint, offers);
    slw_text_fit(&name, rule->metric, SLW_MAX_EDITED);
    const int rc = slw_fail(err, SLW_E_USAGE, "--fail-on: neither run has the metric '%s'%s; %s",
                            name.data ? name.data : "", known ? ", which was not measured" : "",
                            hint.data ? hint.data : "");
    slw_buf_release(&hint);
    slw_buf_release(&name);
    return rc;
}
