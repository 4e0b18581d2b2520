/* SPDX-License-Identifier: MIT */
/* What stands beside the metrics in OpenMetrics text: differences, words, and what was run. Names
 * here never start like a metric's (slotwise_metric_), so that they cannot clash. */
#include "analyzer/compare/tracked_int.h"

#include "analyzer/shell_text.h"

#include <math.h>

static const char *const gate_words[] = {"passed", "regressed", "inconclusive"};

/* Rows of one metric are unique (their observations are), so that no series is there twice. */
static void put_bounds(struct slw_buf *out, const char *family, const struct slw_metric_row *row,
                       bool ratio)
{
    const struct {
        const char *name;
        double value;
    } bounds[] = {{"estimate", row->difference.estimate},
                  {"low", row->difference.low},
                  {"high", row->difference.high}};

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        const double value = ratio ? expm1(bounds[i].value) : bounds[i].value;

        if (!isfinite(value))
            continue;
        slw_buf_puts(out, family);
        slw_tracked_put_label(out, "{", "metric", row->metric);
        slw_tracked_put_label(out, ",", "bound", bounds[i].name);
        slw_buf_puts(out, "} ");
        slw_tracked_put_real(out, value);
        slw_buf_putc(out, '\n');
    }
}

static void put_differences(struct slw_buf *out, const struct slw_comparison *c,
                            enum slw_pairs_kind kind, const char *family, const char *unit,
                            const char *help)
{
    slw_tracked_put_family(out, family, unit, help);
    for (size_t i = 0; i < c->row_count; i++)
        if (!c->rows[i].absent && c->rows[i].kind == kind)
            put_bounds(out, family, &c->rows[i], kind == SLW_PAIRS_RATIO);
}

static void put_words(struct slw_buf *out, const struct slw_comparison *c)
{
    slw_tracked_put_family(out, "slotwise_judged", "",
                           "1 with the word for the metric: regressed, improved, no change beyond "
                           "the margin, inconclusive");
    for (size_t i = 0; i < c->row_count; i++) {
        const struct slw_metric_row *row = &c->rows[i];

        slw_tracked_put_label(out, "slotwise_judged{", "metric", row->metric);
        slw_tracked_put_label(out, ",", "word", slw_judged_text(row->judgement.word));
        slw_tracked_put_label(out, ",", "gated", row->rank == SLW_METRIC_GATED ? "yes" : "no");
        slw_buf_puts(out, "} 1\n");
    }
    slw_tracked_put_family(out, "slotwise_gate", "",
                           "1 with what the gate says: passed, regressed, inconclusive");
    slw_tracked_put_label(out, "slotwise_gate{", "word", gate_words[c->gate]);
    slw_buf_puts(out, "} 1\n");
}

void slw_tracked_put_changes(struct slw_buf *out, const struct slw_tracked *series)
{
    const struct slw_comparison *c = series->comparison;

    if (!c)
        return;
    put_differences(out, c, SLW_PAIRS_RATIO, "slotwise_change_ratio", "ratio",
                    "B / A - 1 and its interval");
    put_differences(out, c, SLW_PAIRS_DIFFERENCE, "slotwise_difference", "",
                    "B - A and its interval, in the metric's own unit, where there is no ratio");
    put_words(out, c);
}

static void put_run(struct slw_buf *out, const struct slw_tracked_arm *arm)
{
    const struct slw_run *run = arm->run;
    struct slw_buf command = {0};

    slw_shell_command(&command, &run->command);
    slw_tracked_put_label(out, "slotwise_run_info{", "arm", arm->name ? arm->name : "");
    slw_tracked_put_label(out, ",", "command", command.data ? command.data : "");
    slw_tracked_put_label(out, ",", "host", run->host.hostname);
    slw_tracked_put_label(out, ",", "cpu", run->host.cpu.name);
    slw_tracked_put_label(out, ",", "kernel", run->host.kernel);
    slw_tracked_put_label(out, ",", "tool", run->tool);
    slw_tracked_put_label(out, ",", "experiment", run->experiment.id);
    slw_buf_puts(out, "} 1\n");
    if (slw_buf_failed(&command))
        out->failed = true;
    slw_buf_release(&command);
}

void slw_tracked_put_runs(struct slw_buf *out, const struct slw_tracked *series)
{
    slw_tracked_put_family(out, "slotwise_run_info", "", "1 for each run; what was run and where");
    for (size_t i = 0; i < series->arm_count; i++)
        put_run(out, &series->arms[i]);
    slw_tracked_put_family(out, "slotwise_run_label", "", "1 for each label of a run");
    for (size_t i = 0; i < series->arm_count; i++) {
        const struct slw_run *run = series->arms[i].run;

        for (size_t k = 0; k < run->label_count; k++) {
            slw_tracked_put_label(out, "slotwise_run_label{", "arm",
                                  series->arms[i].name ? series->arms[i].name : "");
            slw_tracked_put_label(out, ",", "key", run->labels[k].key);
            slw_tracked_put_label(out, ",", "value", run->labels[k].value);
            slw_buf_printf(out, ",index=\"%zu\"} 1\n", k);
        }
    }
}
