/* SPDX-License-Identifier: MIT */
/* The comment's end: where the numbers come from, how to get them again, and what was left out. */
#include "analyzer/compare/render_md_int.h"
#include "analyzer/format.h"
#include "analyzer/md_text.h"
#include "analyzer/shell_text.h"

#include <inttypes.h>
#include <math.h>

#define LABELS  10
#define FIELD   120  /* columns of a field */
#define COMMAND 1200 /* of a command; what is longer is a generated one */

/* ---- provenance ---- */

static void put_field(struct slw_buf *out, const char *lead, const char *text)
{
    if (!text || !text[0])
        return;
    slw_buf_puts(out, lead);
    slw_md_prose_fit(out, text, FIELD);
}

static void put_machine(struct slw_buf *out, const struct slw_host *h)
{
    slw_buf_puts(out, "- machine: ");
    slw_md_prose_fit(out, h->cpu.name ? h->cpu.name : "CPU unknown", FIELD);
    if (h->cpu.online_count > 0)
        slw_buf_printf(out, ", %d CPUs", h->cpu.online_count);
    put_field(out, ", kernel ", h->kernel);
    put_field(out, ", ", h->os);
    put_field(out, ", in a virtual machine: ", h->hypervisor);
    slw_buf_putc(out, '\n');
}

static void put_sources(struct slw_buf *out, const struct slw_comparison *c)
{
    size_t counts[3] = {0}, imported = 0;
    const char *lead = "- numbers: ";

    for (size_t i = 0; i < c->row_count; i++) {
        counts[c->rows[i].from.source]++;
        imported += c->rows[i].from.imported;
    }
    for (int s = 0; s < 3; s++)
        if (counts[s] > 0) {
            slw_buf_printf(out, "%s%zu %s", lead, counts[s], slw_format_source((enum slw_source)s));
            lead = ", ";
        }
    if (imported > 0)
        slw_buf_printf(out, " (%zu imported)", imported);
    slw_buf_puts(out, c->row_count > 0 ? "\n" : "");
}

static void put_experiment(struct slw_buf *out, const struct slw_experiment *e)
{
    static const char *const why[] = {"as many as asked for", "every gated metric had its word",
                                      "the time was up", "interrupted",
                                      "a round could not be measured"};

    slw_buf_printf(out, "- order: a coin per pair of rounds, seed %" PRIu64 "\n", e->seed);
    slw_buf_printf(out, "- rounds: %zu of each arm (%s), %zu more to warm up\n", e->block_count,
                   why[e->stopped], e->warmup);
    if (e->floor_count > 0)
        slw_buf_printf(out, "- noise floor: from A/A tests of %s\n",
                       e->floor_reused ? "before" : "this experiment");
    else
        put_field(out, "- noise floor: not known, ",
                  e->floor_absent ? e->floor_absent : "no A/A test was made");
    slw_buf_puts(out, e->floor_count > 0 ? "" : "\n");
}

static void put_labels(struct slw_buf *out, const char *arm, const struct slw_run *run)
{
    for (size_t i = 0; i < run->label_count && i < LABELS; i++) {
        slw_buf_puts(out, i ? ", " : "- labels of ");
        slw_buf_puts(out, i ? "" : arm);
        slw_buf_puts(out, i ? "" : ": ");
        slw_md_prose_fit(out, run->labels[i].key, 40);
        slw_buf_puts(out, " = ");
        slw_md_prose_fit(out, run->labels[i].value, 60);
    }
    if (run->label_count > LABELS)
        slw_buf_printf(out, " and %zu more", run->label_count - LABELS);
    slw_buf_puts(out, run->label_count > 0 ? "\n" : "");
}

SLW_MD_PART(provenance)
{
    static const char close[] = "\n</details>\n\n";
    const struct slw_run *run = c->in.b.run;
    struct slw_buf piece = {0};
    bool fits;

    (void)opts;
    slw_buf_puts(&piece, "<details><summary>Where the numbers come from</summary>\n\n");
    put_machine(&piece, &run->host);
    fits = slw_md_page_put(page, &piece, sizeof(close));
    put_sources(&piece, c);
    put_field(&piece, "- tool: ", run->tool);
    slw_buf_puts(&piece, run->tool ? "\n" : "");
    if (c->in.experiment)
        put_experiment(&piece, c->in.experiment);
    else
        slw_buf_puts(&piece, "- the two runs were measured apart, not in turn\n");
    page->left_out[SLW_MD_LINES] += !slw_md_page_put(page, &piece, sizeof(close));
    put_labels(&piece, "A", c->in.a.run);
    put_labels(&piece, "B", run);
    page->left_out[SLW_MD_LINES] += !slw_md_page_put(page, &piece, sizeof(close));
    slw_buf_puts(page->out, fits ? close : "");
}

/* ---- how to reproduce ---- */

static void put_option(struct slw_buf *out, const char *option, const char *value)
{
    if (!value)
        return;
    slw_buf_printf(out, " %s ", option);
    slw_shell_word(out, value);
}

static const char *command_of(const struct slw_comparison *c, size_t arm, struct slw_buf *scratch)
{
    const struct slw_experiment *e = c->in.experiment;
    const struct slw_run *run = arm ? c->in.b.run : c->in.a.run;

    if (e && arm < e->arm_count && e->arms[arm].command)
        return e->arms[arm].command;
    slw_shell_command(scratch, &run->command);
    return scratch->data ? scratch->data : "";
}

static void put_measured(struct slw_buf *out, const struct slw_comparison *c)
{
    const struct slw_experiment *e = c->in.experiment;
    struct slw_buf a = {0}, b = {0};

    slw_buf_puts(out, "slotwise compare");
    put_option(out, "--a", command_of(c, 0, &a));
    put_option(out, "--b", command_of(c, 1, &b));
    slw_buf_printf(out, " --rounds %zu --warmup %zu --seed %" PRIu64, e->block_count, e->warmup,
                   e->seed);
    if (e->margin > 0)
        slw_buf_printf(out, " --margin %.6g", e->margin * 100);
    slw_buf_puts(out, e->equivalence_90 ? " --equivalence 90" : "");
    put_option(out, "--fail-on", e->gates);
    put_option(out, "--setup", e->setup);
    put_option(out, "--prepare", e->prepare);
    put_option(out, "--cleanup", e->cleanup);
    out->failed |= slw_buf_failed(&a) || slw_buf_failed(&b);
    slw_buf_release(&a);
    slw_buf_release(&b);
}

static void put_gates(struct slw_buf *out, const struct slw_gates *gates)
{
    struct slw_buf text = {0};

    for (size_t i = 0; gates && i < gates->count; i++) {
        slw_buf_puts(&text, i ? "," : "");
        slw_buf_puts(&text, gates->all[i].text);
    }
    put_option(out, "--fail-on", text.data);
    if (slw_buf_failed(&text))
        out->failed = true;
    slw_buf_release(&text);
}

static void put_saved(struct slw_buf *out, const struct slw_comparison *c)
{
    slw_buf_puts(out, "slotwise compare ");
    slw_shell_word(out, c->in.a.name ? c->in.a.name : "A");
    slw_buf_putc(out, ' ');
    slw_shell_word(out, c->in.b.name ? c->in.b.name : "B");
    put_gates(out, c->in.gates);
    if (c->in.margin > 0)
        slw_buf_printf(out, " --margin %.6g", c->in.margin * 100);
    slw_buf_puts(out, c->in.equivalence_90 ? " --equivalence 90" : "");
    slw_buf_puts(out, c->in.force ? " --force" : "");
}

SLW_MD_PART(reproduce)
{
    struct slw_buf piece = {0}, line = {0};

    (void)opts;
    if (c->in.experiment)
        put_measured(&line, c);
    else
        put_saved(&line, c);
    slw_buf_puts(&piece, "<details><summary>How to reproduce</summary>\n\n<pre><code>");
    slw_md_pre_line(&piece, line.data ? line.data : "", COMMAND);
    slw_buf_puts(&piece, "</code></pre>\n\n</details>\n\n");
    if (slw_buf_failed(&line))
        piece.failed = true;
    slw_buf_release(&line);
    page->left_out[SLW_MD_LINES] += !slw_md_page_put(page, &piece, 0);
}

/* ---- what was left out ---- */

SLW_MD_PART(left_out)
{
    static const char *const names[SLW_MD_ITEMS][2] = {
        {"metric", "metrics"},     {"gate", "gates"}, {"cause", "causes"},
        {"function", "functions"}, {"note", "notes"}, {"mismatch", "mismatches"},
        {"line", "lines"}};
    const char *lead = "Left out here, because a comment has to be short: ";
    struct slw_buf piece = {0};

    (void)c;
    (void)opts;
    for (int i = 0; i < SLW_MD_ITEMS; i++) {
        const size_t n = page->left_out[i];

        if (n == 0)
            continue;
        slw_buf_puts(&piece, lead);
        slw_format_integer(&piece, n);
        slw_buf_printf(&piece, " %s", names[i][n != 1]);
        lead = ", ";
    }
    slw_buf_puts(&piece, piece.length > 0 ? ". The JSON report has them.\n" : "");
    (void)slw_md_page_put(page, &piece, 0);
}
