/* SPDX-License-Identifier: MIT */
#include "analyzer/verdict.h"

#include "analyzer/cores.h"
#include "analyzer/facts.h"
#include "analyzer/format.h"
#include "analyzer/rounds.h"
#include "analyzer/side.h"
#include "analyzer/simulated.h"
#include "analyzer/text.h"
#include "base/arena.h"

#include <string.h>

#define NAME_COLUMNS 60 /* of a function name inside a sentence */

static const char *subject(const struct slw_run *run)
{
    switch (run->command.kind) {
    case SLW_TARGET_ALL:
        return "this machine";
    case SLW_TARGET_CGROUP:
        return "this cgroup";
    case SLW_TARGET_IMPORT:
        return "the profiled program";
    case SLW_TARGET_COMMAND:
    case SLW_TARGET_PID:
        break;
    }
    return "this client";
}

static bool one_client(const struct slw_run *run)
{
    return run->command.kind == SLW_TARGET_COMMAND || run->command.kind == SLW_TARGET_PID;
}

/* Capitals start the sentence; clauses after the first are joined by "; ". */
static void clause(struct slw_buf *b, const char *text)
{
    if (b->length > 0) {
        slw_buf_puts(b, "; ");
        slw_buf_puts(b, text);
    } else if (text[0]) {
        slw_buf_putc(b, (char)(text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0]));
        slw_buf_puts(b, text + 1);
    }
}

/* ---- the pipeline ---- */

static void put_node(struct slw_buf *b, const struct slw_report_node *n)
{
    slw_text_fit(b, n->title ? n->title : n->name, NAME_COLUMNS);
    slw_buf_puts(b, " (");
    if (slw_format_is_share(n->value.unit)) {
        slw_format_percent(b, n->value.value);
        slw_buf_printf(b, " of %s", n->value.unit);
    } else {
        slw_format_figure(b, &n->value);
    }
    if (n->value.from.source == SLW_SOURCE_SIMULATED)
        slw_buf_puts(b, ", simulated");
    slw_buf_putc(b, ')');
}

static int root_of(const struct slw_report *r, int node)
{
    for (size_t i = 0; i < r->node_count && r->nodes[node].level > 1; i++)
        if (r->nodes[node].parent >= 0)
            node = r->nodes[node].parent;
    return node;
}

/* `lead` says of which cores this holds, where there are several kinds; else it is "". */
static void led_clause(struct slw_buf *b, const char *lead, const char *text)
{
    clause(b, lead[0] ? lead : text);
    if (lead[0])
        slw_buf_puts(b, text);
}

static void found_clause(struct slw_buf *b, const struct slw_report *r, const char *lead)
{
    const struct slw_report_node *deepest = &r->nodes[r->topdown.bottleneck];
    const struct slw_report_node *root = &r->nodes[root_of(r, r->topdown.bottleneck)];

    if (strcmp(root->name, "retiring") == 0)
        led_clause(b, lead, "the pipeline mostly does useful work: ");
    else
        led_clause(b, lead, "the pipeline's bottleneck is ");
    put_node(b, root);
    if (deepest != root) {
        slw_buf_puts(b, ", in it ");
        put_node(b, deepest);
    }
}

static void undecided_clause(struct slw_buf *b, const struct slw_report *r, const char *lead)
{
    const struct slw_topdown *t = &r->topdown;

    led_clause(b, lead, "the pipeline's bottleneck is undecided (");
    if (t->bottleneck >= 0 && t->rival >= 0) {
        put_node(b, &r->nodes[t->bottleneck]);
        slw_buf_puts(b, " and ");
        put_node(b, &r->nodes[t->rival]);
        slw_buf_puts(b, " are too close to tell apart)");
        return;
    }
    slw_text_clean(b, t->reason);
    slw_buf_putc(b, ')');
}

static void tree_clause(struct slw_buf *b, const struct slw_report *r, const char *lead)
{
    switch (r->topdown.status) {
    case SLW_TOPDOWN_NONE:
        if (lead[0]) {
            led_clause(b, lead, "the pipeline was not seen (");
            slw_text_clean(b, r->topdown.reason);
            slw_buf_putc(b, ')');
        }
        return;
    case SLW_TOPDOWN_BALANCED:
        led_clause(b, lead, "no part of the pipeline is above its top-down threshold");
        return;
    case SLW_TOPDOWN_FOUND:
        found_clause(b, r, lead);
        return;
    case SLW_TOPDOWN_UNDECIDED:
        undecided_clause(b, r, lead);
    }
}

/* "on the P-cores (71 % of the CPU time) " */
static void core_clause(struct slw_buf *b, const struct slw_report *r, size_t core)
{
    const struct slw_report_core *c = &r->cores[core];
    const struct slw_report view = slw_report_of_core(r, core);
    struct slw_buf lead = {0};

    slw_buf_puts(&lead, slw_core_unused(c) ? "the " : "on the ");
    slw_text_fit(&lead, c->title, NAME_COLUMNS);
    if (slw_core_unused(c)) {
        slw_buf_puts(&lead, " were not used");
        clause(b, lead.data ? lead.data : "");
    } else {
        const struct slw_figure *share = c->time.absent ? &c->cycles : &c->time;

        if (!share->absent) {
            slw_buf_puts(&lead, " (");
            slw_format_percent(&lead, share->value);
            slw_buf_printf(&lead, " of the %s)", share->unit);
        }
        slw_buf_putc(&lead, ' ');
        tree_clause(b, &view, lead.data ? lead.data : " ");
    }
    if (slw_buf_failed(&lead))
        b->failed = true;
    slw_buf_release(&lead);
}

static bool any_tree(const struct slw_report *r)
{
    bool any = r->topdown.status != SLW_TOPDOWN_NONE;

    for (size_t i = 0; i < r->core_count; i++)
        any = any || r->cores[i].topdown.status != SLW_TOPDOWN_NONE;
    return any;
}

static void pipeline_clause(struct slw_buf *b, const struct slw_report *r)
{
    if (r->core_count == 0)
        tree_clause(b, r, "");
    for (size_t i = 0; i < r->core_count && any_tree(r); i++)
        core_clause(b, r, i);
}

/* ---- waiting or computing ---- */

/* One thread at 100 % computes all the time; how much several threads wait, their sum cannot say.
 */
static bool cpu_bound(const struct slw_report *r, double cpus)
{
    bool one_thread = r->thread_count == 1 && r->threads[0].tid >= 0;

    return one_thread && cpus >= SLW_CPU_BOUND_ABOVE_CPUS && cpus <= 1.1;
}

static void busy_clause(struct slw_buf *b, const struct slw_report *r)
{
    double cpus;

    if (!one_client(r->run) || !slw_facts_busy(r->facts, &cpus))
        return;
    bool judged = cpus < SLW_WAITING_BELOW_CPUS || cpu_bound(r, cpus);
    clause(b, subject(r->run));
    if (judged)
        slw_buf_puts(b, cpus < SLW_WAITING_BELOW_CPUS ? " mostly waits (" : " is CPU bound (");
    else
        slw_buf_puts(b, " kept ");
    if (cpus < 0.005)
        slw_buf_puts(b, "fewer than 0.01 CPUs busy over ");
    else
        slw_buf_printf(b, "%.2f CPUs busy over ", cpus);
    slw_format_ns(b, r->facts->wall_ns.value);
    slw_buf_puts(b, judged ? ")" : "");
}

static void side_clause(struct slw_buf *b, const struct slw_report *r)
{
    if (r->side->kind == SLW_SIDE_CLIENT)
        clause(b, "the client, not the server, limits throughput");
    else if (r->side->kind == SLW_SIDE_SERVER)
        clause(b, "the server limits throughput");
}

/* ---- where the CPU time goes ---- */

const char *slw_verdict_whole(const struct slw_report *r)
{
    if (slw_simulated_is(r->run))
        return "simulated slots";
    if (r->sampling && r->sampling->mode == SLW_MODE_USER)
        return "user-mode CPU time";
    if (r->sampling && r->sampling->mode == SLW_MODE_KERNEL)
        return "kernel-mode CPU time";
    if (!r->column || strstr(r->column->event, "clock") || strstr(r->column->event, "cycles"))
        return "CPU time";
    return "sampled weight";
}

/* "70 % of this client's CPU time"; "its" once the sentence has named it. */
static void put_percent_of(struct slw_buf *b, const struct slw_report *r, double value,
                           const char *whole)
{
    struct slw_buf text = {0};
    const char *who = subject(r->run);
    bool named = b->data && strcasestr(b->data, who);

    slw_format_percent(&text, value);
    clause(b, text.data ? text.data : "");
    slw_buf_printf(b, " of %s%s %s", named ? "its" : who, named ? "" : "'s", whole);
    if (slw_buf_failed(&text))
        b->failed = true;
    slw_buf_release(&text);
}

static void put_kernel_detail(struct slw_buf *b, const struct slw_facts *f)
{
    if (!f->syscall || !f->split_sampled || f->syscall_share.value < 0.1)
        return;
    slw_buf_puts(b, f->syscall_share.low > f->kernel.value / 2 ? ", most of it below the "
                                                               : ", the most below the ");
    slw_text_fit(b, f->syscall, NAME_COLUMNS);
    slw_buf_puts(b, " system call (");
    slw_format_percent(b, f->syscall_share.value);
    slw_buf_putc(b, ')');
}

static void put_module(struct slw_buf *b, const struct slw_report *r)
{
    if (r->module_count == 0 || r->modules[0].kind == SLW_FRAME_KERNEL)
        return;
    slw_buf_puts(b, ", ");
    slw_format_percent(b, r->modules[0].self_share.value);
    slw_buf_puts(b, " in ");
    slw_text_fit(b, r->modules[0].module_name, NAME_COLUMNS);
}

static void split_clause(struct slw_buf *b, const struct slw_report *r)
{
    const struct slw_facts *f = r->facts;
    const char *whole = f->split_sampled ? slw_verdict_whole(r) : "CPU time";

    if (f->split_absent) {
        if (r->module_count == 0)
            return;
        put_percent_of(b, r, r->modules[0].self_share.value, slw_verdict_whole(r));
        slw_buf_puts(b, " is in ");
        slw_text_fit(b, r->modules[0].module_name, NAME_COLUMNS);
    } else if (f->kernel.low > 0.5) {
        put_percent_of(b, r, f->kernel.value, whole);
        slw_buf_puts(b, " is in the kernel");
        put_kernel_detail(b, f);
    } else if (f->user.low > 0.5) {
        put_percent_of(b, r, f->user.value, whole);
        slw_buf_puts(b, " is in user space");
        if (f->split_sampled)
            put_module(b, r);
    } else {
        put_percent_of(b, r, f->user.value, whole);
        slw_buf_puts(b, " is in user space and ");
        slw_format_percent(b, f->kernel.value);
        slw_buf_puts(b, " in the kernel");
    }
}

/* A share of samples next to a split from counts is a share of something else, and says of what. */
static void put_function(struct slw_buf *b, const struct slw_report *r,
                         const struct slw_report_function *f)
{
    slw_text_fit(b, f->function, NAME_COLUMNS);
    slw_buf_puts(b, " (");
    slw_format_percent(b, f->self_share.value);
    if (!r->facts->split_absent && !r->facts->split_sampled)
        slw_buf_printf(b, " of %s", slw_verdict_whole(r));
    slw_buf_putc(b, ')');
}

/* Is the share of one certainly above that of the other? */
static bool ahead(const struct slw_report_function *a, const struct slw_report_function *b)
{
    if (!a->self_share.have_interval)
        return a->self > b->self;
    return a->self_share.low > b->self_share.high;
}

/* The hottest function, or the two that cannot be ranked. */
static void hot_clause(struct slw_buf *b, const struct slw_report *r)
{
    const struct slw_report_function *f = r->functions;

    if (r->function_count == 0)
        return;
    if (r->function_count == 1 || ahead(&f[0], &f[1])) {
        slw_buf_puts(b, f[0].function[0] == '[' ? ", the hottest code has no symbol: "
                                                : ", hottest function ");
        put_function(b, r, &f[0]);
        return;
    }
    bool flat = r->function_count > 2 && !ahead(&f[0], &f[2]);
    slw_buf_puts(b,
                 flat ? ", no function stands out: " : ", hottest functions (too close to rank) ");
    put_function(b, r, &f[0]);
    slw_buf_puts(b, " and ");
    put_function(b, r, &f[1]);
    slw_buf_puts(b, flat ? " lead" : "");
}

static void no_samples_clause(struct slw_buf *b, const struct slw_report *r)
{
    const struct slw_facts *f = r->facts;

    if (r->samples > 0)
        clause(b, r->samples == 1 ? "only 1 sample was taken" : "only ");
    else
        clause(b, "no samples were taken");
    if (r->samples > 1)
        slw_buf_printf(b, "%llu samples were taken", (unsigned long long)r->samples);
    if (!f->cpu_ns.absent) {
        slw_buf_puts(b, " in ");
        slw_format_ns(b, f->cpu_ns.value);
        slw_buf_puts(b, " of CPU time");
    }
    slw_buf_printf(b, "%s where it goes",
                   r->samples > 0 ? ", too few to say" : ", so nothing says");
    if (f->cpu_ns.absent)
        slw_buf_puts(b, ", nor was CPU time counted");
}

static void kernel_clause(struct slw_buf *b, const struct slw_report *r)
{
    struct slw_buf text = {0};

    slw_simulated_kernel(&text, r->run);
    if (text.data && text.length > 0)
        clause(b, text.data);
    if (slw_buf_failed(&text))
        b->failed = true;
    slw_buf_release(&text);
}

static void samples_clause(struct slw_buf *b, const struct slw_report *r)
{
    bool counted = r->samples_column >= 0;

    if (r->main_column < 0 || (counted && r->samples < SLW_MIN_VERDICT_SAMPLES)) {
        no_samples_clause(b, r);
        return;
    }
    split_clause(b, r);
    hot_clause(b, r);
    if (counted && r->samples < SLW_FEW_SAMPLES)
        slw_buf_printf(b, ", from only %llu samples", (unsigned long long)r->samples);
}

/* ---- what it rests on ---- */

static const struct slw_provenance *best_source(const struct slw_report *r)
{
    const struct slw_provenance *best = NULL;

    for (size_t i = 0; i < r->row_count; i++)
        if (!r->rows[i].total.absent && (!best || r->rows[i].total.from.source < best->source))
            best = &r->rows[i].total.from;
    if (r->column && (!best || r->column->from.source < best->source))
        best = &r->column->from;
    return best;
}

static void put_tier(struct slw_buf *b, const struct slw_report *r)
{
    const struct slw_provenance *from = best_source(r);

    if (!from) {
        slw_buf_puts(b, "nothing was measured");
        return;
    }
    slw_buf_printf(b, "%s tier%s", slw_format_source(from->source),
                   from->imported ? ", imported" : "");
}

/* ": reference core HASWELL, user mode: 37,453,293 cycles, 120,179,721 instructions" */
static void put_simulated(struct slw_buf *b, const struct slw_report *r)
{
    static const char *const events[] = {"cycles", "instructions"};

    slw_buf_puts(b, ": ");
    slw_text_clean(b, slw_simulated_where(r->run));
    for (size_t i = 0; i < 2; i++) {
        const struct slw_count *c = slw_run_find_count(r->run, events[i]);

        if (!c || c->absent)
            continue;
        slw_buf_puts(b, i == 0 ? ": " : ", ");
        slw_format_integer(b, c->raw);
        slw_buf_printf(b, " %s", events[i]);
    }
}

static void put_samples(struct slw_buf *b, const struct slw_report *r)
{
    const struct slw_losses *lost = &r->run->losses;

    if (slw_simulated_is(r->run)) {
        put_simulated(b, r);
        return;
    }
    slw_buf_puts(b, ": ");
    if (!r->column) {
        slw_buf_puts(b, "no samples");
    } else {
        if (r->samples_column >= 0)
            slw_format_integer(b, r->samples);
        else
            slw_buf_puts(b, "an unknown number of");
        slw_buf_putc(b, ' ');
        if (strcmp(r->column->event, "samples") != 0) { /* what folded files call theirs */
            slw_text_fit(b, r->column->event, NAME_COLUMNS);
            slw_buf_putc(b, ' ');
        }
        slw_buf_puts(b, r->samples == 1 ? "sample" : "samples");
        if (r->column->from.source != best_source(r)->source)
            slw_buf_printf(b, " (%s)", slw_format_source(r->column->from.source));
        if (r->sampling && r->sampling->mode != SLW_MODE_ALL)
            slw_buf_printf(b, " (%s mode only)", slw_format_mode(r->sampling->mode));
    }
    if (!r->run->wall_ns.absent) {
        slw_buf_puts(b, " over ");
        slw_format_ns(b, r->run->wall_ns.value);
    }
    if (slw_rounds_in(r->run))
        slw_buf_printf(b, ", %zu %s", slw_rounds_count(r->run),
                       slw_rounds_count(r->run) == 1 ? "round" : "rounds");
    if (lost->lost_samples > 0) {
        slw_buf_puts(b, ", ");
        slw_format_integer(b, lost->lost_samples);
        slw_buf_puts(b, " lost");
    }
}

static void put_tree_basis(struct slw_buf *b, const struct slw_report *r, const char *title)
{
    const struct slw_topdown *t = &r->topdown;

    slw_buf_printf(b, "; %s%s", title, title[0] ? ": " : "");
    if (t->status == SLW_TOPDOWN_NONE) {
        slw_buf_puts(b, "no pipeline slots: ");
        slw_text_clean(b, t->reason);
        return;
    }
    slw_buf_puts(b, slw_simulated_is(r->run) ? "top-down level 1" : "top-down level 1 counted ");
    if (!slw_simulated_is(r->run)) {
        slw_format_percent(b, t->min_coverage);
        slw_buf_puts(b, " of the time");
    }
    if (t->have_sum) {
        slw_buf_puts(b, ", sums to ");
        slw_format_percent(b, t->level1_sum);
    }
    if (slw_simulated_is(r->run)) {
        slw_buf_puts(b, ", described core ");
        slw_text_fit(b, r->run->model.source ? r->run->model.source : "", NAME_COLUMNS);
        return;
    }
    slw_buf_puts(b, ", model ");
    slw_text_fit(b, r->model->name, NAME_COLUMNS);
    slw_buf_puts(b, " (");
    slw_text_fit(b, r->model->version ? r->model->version : "no version", NAME_COLUMNS);
    slw_buf_putc(b, ')');
}

static void put_slots(struct slw_buf *b, const struct slw_report *r)
{
    if (r->core_count == 0)
        put_tree_basis(b, r, "");
    for (size_t i = 0; i < r->core_count; i++) {
        const struct slw_report view = slw_report_of_core(r, i);

        put_tree_basis(b, &view, r->cores[i].title);
    }
}

/* A verdict that is pasted alone must still say that no pipeline was seen, or of what core. */
static void tier_clause(struct slw_buf *b, const struct slw_report *r)
{
    const struct slw_provenance *from = best_source(r);

    if (slw_simulated_is(r->run)) {
        slw_buf_puts(b, " [simulated: ");
        slw_text_clean(b, slw_simulated_where(r->run));
        slw_buf_putc(b, ']');
        return;
    }
    if (!from || any_tree(r))
        return;
    slw_buf_printf(b, " [%s tier%s]", slw_format_source(from->source),
                   from->imported ? ", imported" : "");
}

int slw_verdict_fill(struct slw_report *r, struct slw_error *err)
{
    struct slw_buf verdict = {0}, basis = {0};

    kernel_clause(&verdict, r);
    pipeline_clause(&verdict, r);
    busy_clause(&verdict, r);
    side_clause(&verdict, r);
    samples_clause(&verdict, r);
    tier_clause(&verdict, r);
    slw_buf_putc(&verdict, '.');
    put_tier(&basis, r);
    put_samples(&basis, r);
    put_slots(&basis, r);
    bool failed = slw_buf_failed(&verdict) || slw_buf_failed(&basis);
    if (!failed) {
        r->verdict = slw_arena_strdup(r->arena, verdict.data);
        r->verdict_basis = slw_arena_strdup(r->arena, basis.data);
    }
    slw_buf_release(&verdict);
    slw_buf_release(&basis);
    if (failed || !r->verdict || !r->verdict_basis)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the verdict");
    return 0;
}
