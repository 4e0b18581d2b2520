/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/counted.h"

#include "analyzer/compare/tracked_int.h"
#include "analyzer/format.h"

#include <inttypes.h>

static void put_labels(struct slw_buf *out, const char *family, const struct slw_report_row *row)
{
    static const char *const modes[] = {"all", "user", "kernel"};
    const struct slw_count *c = row->count;

    slw_buf_puts(out, family);
    slw_tracked_put_label(out, "{", "event", c->event);
    slw_tracked_put_label(out, ",", "unit", c->unit);
    slw_tracked_put_label(out, ",", "mode", modes[c->mode]);
    if (c->pmu)
        slw_tracked_put_label(out, ",", "pmu", c->pmu);
    slw_tracked_put_label(out, ",", "source", slw_format_source(c->from.source));
    if (c->from.imported)
        slw_tracked_put_label(out, ",", "imported", "yes");
}

static void put_counts(struct slw_buf *out, const struct slw_report *r)
{
    slw_tracked_put_family(out, "slotwise_counted", "",
                           "Events counted in the run, scaled to all of its time");
    for (size_t i = 0; i < r->row_count; i++) {
        if (r->rows[i].total.absent)
            continue;
        put_labels(out, "slotwise_counted", &r->rows[i]);
        slw_buf_printf(out, "} %" PRIu64 "\n", r->rows[i].events);
    }
    slw_tracked_put_family(out, "slotwise_counted_absent", "",
                           "1 for an event that was not counted, and why");
    for (size_t i = 0; i < r->row_count; i++) {
        if (!r->rows[i].total.absent)
            continue;
        put_labels(out, "slotwise_counted_absent", &r->rows[i]);
        slw_tracked_put_label(out, ",", "reason", r->rows[i].total.absent);
        slw_buf_puts(out, "} 1\n");
    }
}

static void put_seconds(struct slw_buf *out, const char *family, const char *help, uint64_t ns)
{
    slw_tracked_put_family(out, family, "seconds", help);
    slw_buf_printf(out, "%s %" PRIu64 ".%09" PRIu64 "\n", family, ns / 1000000000, ns % 1000000000);
}

int slw_counted_openmetrics(const struct slw_report *report, struct slw_buf *out,
                            struct slw_error *err)
{
    const struct slw_run *run = report->run;

    put_counts(out, report);
    if (run->started_realtime_ns > 0)
        put_seconds(out, "slotwise_start_seconds", "When measuring began, since the epoch",
                    run->started_realtime_ns);
    if (!run->wall_ns.absent)
        put_seconds(out, "slotwise_window_seconds", "How long was measured", run->wall_ns.value);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for metrics") : 0;
}
