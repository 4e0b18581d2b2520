/* SPDX-License-Identifier: MIT */
#include "cli/model_text.h"

/* "0-3,6" */
static void put_counters(struct slw_buf *out, uint64_t mask)
{
    bool first = true;

    for (unsigned i = 0; i < 64; i++) {
        unsigned last = i;

        if (!(mask >> i & 1))
            continue;
        while (last < 63 && mask >> (last + 1) & 1)
            last++;
        slw_buf_printf(out, last > i ? "%s%u-%u" : "%s%u", first ? "" : ",", i, last);
        first = false;
        i = last;
    }
}

void slw_model_event_text(struct slw_buf *out, const struct slw_model_event *e)
{
    slw_buf_printf(out, "type %u config 0x%llx", e->type, (unsigned long long)e->config);
    if (e->config1)
        slw_buf_printf(out, " config1 0x%llx", (unsigned long long)e->config1);
    if (e->role == SLW_EVENT_PERF_METRIC)
        slw_buf_puts(out, ", in the group of the slots event, no counter of its own");
    else if (e->counters) {
        slw_buf_puts(out, ", counters ");
        put_counters(out, e->counters);
    }
    if (e->fixed >= 0)
        slw_buf_printf(out, "%s fixed counter %d", e->counters ? " or" : ",", e->fixed);
}

void slw_model_source_text(struct slw_buf *out, const struct slw_model *m)
{
    slw_buf_printf(out, "%s%s%s%s%s", m->source, m->version ? ", " : "",
                   m->version ? m->version : "", m->date ? ", " : "", m->date ? m->date : "");
}

static void put_names(struct slw_buf *out, const struct slw_model *m, const int *nodes,
                      size_t count, const char *last)
{
    for (size_t i = 0; i < count; i++)
        slw_buf_printf(out, "%s%s",
                       i == 0          ? ""
                       : i + 1 < count ? ", "
                                       : last,
                       m->nodes[nodes[i]].name);
}

void slw_model_threshold_text(struct slw_buf *out, const struct slw_model *m,
                              const struct slw_model_node *n)
{
    if (!n->has_threshold)
        return;
    slw_buf_printf(out, "above %g %%", n->threshold * 100);
    if (n->threshold_need_count > 0) {
        slw_buf_puts(out, ", when ");
        put_names(out, m, n->threshold_needs, n->threshold_need_count, " and ");
        slw_buf_printf(out, " %s flagged too", n->threshold_need_count > 1 ? "are" : "is");
    }
    if (n->threshold_or_count > 0) {
        slw_buf_puts(out, "; or when ");
        put_names(out, m, n->threshold_or, n->threshold_or_count, " or ");
        slw_buf_puts(out, " is flagged");
    }
}
