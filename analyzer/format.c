/* SPDX-License-Identifier: MIT */
#include "analyzer/format.h"

#include "analyzer/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void slw_format_integer(struct slw_buf *out, uint64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);

    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            slw_buf_putc(out, ',');
        slw_buf_putc(out, digits[i]);
    }
}

/* Three significant digits without an exponent. */
static void put_3_digits(struct slw_buf *out, double value)
{
    double size = fabs(value);
    int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;

    slw_buf_printf(out, "%.*f", decimals, value);
}

void slw_format_ns(struct slw_buf *out, uint64_t ns)
{
    static const struct {
        uint64_t least;
        double per;
        const char *unit;
    } units[] = {{UINT64_C(999500000), 1e9, "s"}, {999500, 1e6, "ms"}, {1000, 1e3, "us"}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (ns >= units[i].least) {
            put_3_digits(out, (double)ns / units[i].per);
            slw_buf_printf(out, " %s", units[i].unit);
            return;
        }
    slw_buf_printf(out, "%" PRIu64 " ns", ns);
}

void slw_format_percent(struct slw_buf *out, double value)
{
    double percent = value * 100;

    if (percent > 0 && percent < 0.05)
        slw_buf_puts(out, "<0.1 %");
    else if (fabs(percent) < 9.95 && percent != 0)
        slw_buf_printf(out, "%.1f %%", percent);
    else
        slw_buf_printf(out, "%.0f %%", percent);
}

void slw_format_share(struct slw_buf *out, const struct slw_share *share)
{
    if (!share->have) {
        slw_buf_puts(out, "unknown");
        return;
    }
    slw_buf_printf(out, "%.1f %%", share->value * 100);
    if (share->have_interval)
        slw_buf_printf(out, " (%.1f-%.1f %%)", share->low * 100, share->high * 100);
}

void slw_format_number(struct slw_buf *out, double value)
{
    if (value >= 0 && value < 0x1p53 && value == floor(value))
        slw_format_integer(out, (uint64_t)value);
    else if (value >= 1000 && value < 0x1p53)
        slw_format_integer(out, (uint64_t)llround(value));
    else if (fabs(value) >= 0x1p53 || (value != 0 && fabs(value) < 0.01))
        slw_buf_printf(out, "%.3g", value);
    else
        put_3_digits(out, value);
}

const char *slw_format_implausible(const struct slw_report_node *node)
{
    const struct slw_model_node *m = node->node;
    const double slack = SLW_MODEL_ROUNDING * (m ? m->high - m->low : 0);

    if (!m || node->value.absent || !node->mismeasured)
        return NULL;
    if (node->value.value > m->high + slack)
        return "too high";
    return node->value.value < m->low - slack ? "too low" : NULL;
}

bool slw_format_is_share(const char *unit)
{
    static const char *const shares[] = {"slots", "clocks", "share", "metric"};

    for (size_t i = 0; unit && i < sizeof(shares) / sizeof(shares[0]); i++)
        if (strncmp(unit, shares[i], strlen(shares[i])) == 0)
            return true;
    return false;
}

void slw_format_figure(struct slw_buf *out, const struct slw_figure *figure)
{
    if (figure->absent || !isfinite(figure->value)) {
        slw_buf_puts(out, figure->absent ? figure->absent : "not a number");
        return;
    }
    const char *unit = figure->unit ? figure->unit : "";
    if (strcmp(unit, "ns") == 0 && figure->value >= 0 && figure->value < 0x1p63) {
        slw_format_ns(out, (uint64_t)llround(figure->value));
        return;
    }
    slw_format_number(out, figure->value);
    if (unit[0] && strcmp(unit, "events") != 0 && strcmp(unit, "count") != 0)
        slw_buf_printf(out, " %s", unit);
}

/* A bound or a distance in the unit of the figure, without naming it. */
static void put_bare(struct slw_buf *out, const struct slw_figure *figure, double value)
{
    if (slw_format_is_share(figure->unit))
        slw_buf_printf(out, "%.1f", value * 100);
    else if (figure->unit && strcmp(figure->unit, "ns") == 0 && value >= 0 && value < 0x1p63)
        slw_format_ns(out, (uint64_t)llround(value));
    else
        slw_format_number(out, value);
}

void slw_format_half(struct slw_buf *out, const struct slw_figure *figure)
{
    if (figure->absent || !figure->interval.have)
        return;
    const double half = slw_interval_half(&figure->interval, figure->value);
    slw_buf_puts(out, "±");
    if (half > 0 && half < 0.005 && half < fabs(figure->value) / 1000)
        slw_buf_puts(out, "0.00"); /* the value is not printed to more digits */
    else
        put_bare(out, figure, half);
}

void slw_format_interval(struct slw_buf *out, const struct slw_figure *figure)
{
    if (figure->absent || !figure->interval.have)
        return;
    slw_buf_puts(out, " (");
    put_bare(out, figure, figure->interval.low);
    slw_buf_putc(out, '-');
    put_bare(out, figure, figure->interval.high);
    slw_buf_puts(out, slw_format_is_share(figure->unit) ? " %)" : ")");
}

const char *slw_format_mark(const struct slw_provenance *from)
{
    static const char *const marks[3][2] = {{"", "i"}, {"m", "mi"}, {"s", "si"}};

    return marks[from->source][from->imported];
}

const char *slw_format_mark_meaning(char letter)
{
    switch (letter) {
    case 's':
        return "software: counted or sampled by the kernel, not by the CPU";
    case 'm':
        return "simulated: computed by a model of a core, not measured";
    case 'i':
        return "imported: measured elsewhere or by another tool";
    default:
        return "hardware, measured here";
    }
}

const char *slw_format_source(enum slw_source source)
{
    static const char *const names[] = {"hardware", "simulated", "software"};

    return names[source];
}

const char *slw_format_mode(enum slw_mode mode)
{
    static const char *const names[] = {"all", "user", "kernel"};

    return names[mode];
}

void slw_format_printed(struct slw_buf *out, const struct slw_printed *p)
{
    slw_buf_puts(out, "  ");
    slw_text_cell(out, p->name, 25);
    slw_buf_putc(out, ' ');
    slw_text_clean(out, p->value);
    slw_buf_puts(out, p->unit ? " " : "");
    slw_text_clean(out, p->unit ? p->unit : "");
    slw_buf_putc(out, '\n');
}

void slw_format_losses(struct slw_buf *out, const struct slw_losses *l)
{
    const struct {
        uint64_t n;
        const char *what;
    } lines[] = {{l->lost_samples, "samples lost"},
                 {l->lost_records, "records dropped, ring full"},
                 {l->throttled, "times throttled"},
                 {l->unreadable_bytes, "bytes of perf.data unreadable"},
                 {l->no_user_stack, "samples without a user stack"}};
    const char *lead = "losses: ";

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (lines[i].n == 0)
            continue;
        slw_buf_puts(out, lead);
        slw_format_integer(out, lines[i].n);
        slw_buf_printf(out, " %s\n", lines[i].what);
        lead = "        ";
    }
}

/* Connections that BPF counted say so. */
static bool was_preloaded(const struct slw_run *run)
{
    for (size_t i = 0; i < run->connection_count; i++)
        if (!run->connections[i].from.detail)
            return true;
    return false;
}

static uint64_t samples_in_tap(const struct slw_report *r)
{
    for (size_t i = 0; i < r->module_count; i++)
        if (strcmp(r->modules[i].module_name, "libslotwise-wire.so") == 0)
            return r->modules[i].self_samples;
    return 0;
}

/* The preloaded library runs in the client's own time; how much of it, the samples tell. */
static void put_wire_tap(struct slw_buf *out, const struct slw_report *r)
{
    if (!r->column || r->samples_column < 0 || r->samples == 0) {
        slw_buf_puts(out, "; not in this: the wire tap, which runs in the client's own CPU time");
        return;
    }
    const uint64_t inside = samples_in_tap(r);
    slw_buf_puts(out, "; not in this: the wire tap, in the client's own CPU time: ");
    slw_format_integer(out, inside);
    slw_buf_puts(out, " of ");
    slw_format_integer(out, r->samples);
    slw_buf_printf(out, " samples (%.1f %%)", 100.0 * (double)inside / (double)r->samples);
}

/* What runs inside the client, or inside whatever the kernel interrupts, is in no CPU time of ours.
 */
static void put_taps(struct slw_buf *out, const struct slw_report *r)
{
    const struct slw_run *run = r->run;
    const struct slw_self_cost *s = &run->self;

    if (s->bpf_ns > 0) {
        slw_buf_puts(out, "; ");
        slw_format_ns(out, s->bpf_ns);
        slw_buf_puts(out, " in BPF programs, on all CPUs");
    } else if (s->bpf_absent) {
        slw_buf_printf(out, "; not in this: the time of its BPF programs (%s)", s->bpf_absent);
    }
    if (was_preloaded(run))
        put_wire_tap(out, r);
}

void slw_format_self(struct slw_buf *out, const struct slw_report *r)
{
    const struct slw_run *run = r->run;
    const struct slw_self_cost *s = &run->self;

    slw_buf_puts(out, "slotwise itself: ");
    if (s->user_ns.absent || s->system_ns.absent) {
        slw_buf_puts(out, s->user_ns.absent ? s->user_ns.absent : s->system_ns.absent);
    } else {
        slw_format_ns(out, s->user_ns.value);
        slw_buf_puts(out, " user, ");
        slw_format_ns(out, s->system_ns.value);
        slw_buf_puts(out, " system CPU time; ");
        slw_format_integer(out, s->ring_bytes / 1024);
        slw_buf_puts(out, " KiB of rings, ");
        slw_format_integer(out, s->spool_bytes / 1024);
        slw_buf_puts(out, " KiB spooled, ");
        slw_format_integer(out, s->wakeups);
        slw_buf_puts(out, " wake-ups");
    }
    put_taps(out, r);
}

bool slw_format_has_intervals(const struct slw_report *r)
{
    for (size_t i = 0; i < r->node_count; i++)
        if (!r->nodes[i].value.absent && r->nodes[i].value.interval.have)
            return true;
    return false;
}
