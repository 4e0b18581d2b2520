/* SPDX-License-Identifier: MIT */
/* The verdict, what it rests on, and what the gate says, each in one sentence that can be pasted
 * alone and not be read backwards. */
#include "analyzer/compare/comparison_int.h"
#include "analyzer/compare/words.h"
#include "analyzer/format.h"
#include "analyzer/text.h"

#include <math.h>
#include <string.h>

#define NAME_COLUMNS 40

/* "B", "B (driver 2.1)" */
static void put_side(struct slw_buf *out, const struct slw_side_of *side, const char *letter)
{
    slw_buf_puts(out, letter);
    if (strcmp(side->name, letter) == 0)
        return;
    slw_buf_puts(out, " (");
    slw_text_fit(out, side->name, NAME_COLUMNS);
    slw_buf_putc(out, ')');
}

static void put_title(struct slw_buf *out, const struct slw_metric_row *row)
{
    slw_text_fit(out, row->title, (size_t)2 * NAME_COLUMNS);
}

/* Clients use CPU time and instructions; latency and throughput they have. */
static bool is_used(const struct slw_metric_row *row)
{
    static const char *const used[] = {"cpu_",          "user_",   "system_",
                                       "instructions_", "cycles_", "simulated_"};

    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
        if (strncmp(row->metric, used[i], strlen(used[i])) == 0)
            return true;
    return false;
}

/* ---- verdict ---- */

static void put_direction(struct slw_buf *out, const struct slw_metric_row *row)
{
    const bool less = row->difference.estimate < 0;

    slw_buf_puts(out, is_used(row) ? less ? " less " : " more " : less ? " lower " : " higher ");
}

static void put_changed(struct slw_buf *out, const struct slw_comparison *c,
                        const struct slw_metric_row *row)
{
    const bool ratio = row->kind == SLW_PAIRS_RATIO;
    const bool times = ratio && expm1(row->difference.estimate) >= 1;

    put_side(out, &c->in.b, "B");
    slw_buf_puts(out, is_used(row) ? " uses " : " has ");
    slw_row_put_size(out, row);
    if (times) {
        slw_buf_puts(out, " the ");
        put_title(out, row);
        slw_buf_puts(out, " of ");
    } else if (ratio) {
        put_direction(out, row);
        put_title(out, row);
        slw_buf_puts(out, " than ");
    } else {
        slw_buf_putc(out, ' ');
        put_title(out, row);
        slw_buf_puts(out, " against ");
    }
    put_side(out, &c->in.a, "A");
}

static void put_same(struct slw_buf *out, const struct slw_comparison *c,
                     const struct slw_metric_row *row)
{
    put_side(out, &c->in.b, "B");
    slw_buf_puts(out, " and ");
    put_side(out, &c->in.a, "A");
    if (row->exact && row->difference.estimate == 0)
        slw_buf_puts(out, is_used(row) ? " use identical " : " have identical ");
    else
        slw_buf_puts(out, is_used(row) ? " use the same " : " have the same ");
    put_title(out, row);
    if (row->kind != SLW_PAIRS_RATIO || (row->exact && row->difference.estimate == 0))
        return;
    slw_buf_puts(out, " within ");
    slw_words_put_log_percent(out, row->judgement.margin.size);
}

static void put_untold(struct slw_buf *out, const struct slw_comparison *c,
                       const struct slw_metric_row *row)
{
    slw_buf_puts(out, "Whether ");
    put_side(out, &c->in.b, "B");
    slw_buf_puts(out, is_used(row) ? " uses more or less " : " has a higher or lower ");
    put_title(out, row);
    slw_buf_puts(out, " than ");
    put_side(out, &c->in.a, "A");
    slw_buf_puts(out, " is open");
}

static void put_statement(struct slw_buf *out, const struct slw_comparison *c,
                          const struct slw_metric_row *row)
{
    const enum slw_judged word = row->judgement.word;

    if (word == SLW_JUDGED_NO_CHANGE)
        put_same(out, c, row);
    else if (word == SLW_JUDGED_INCONCLUSIVE && !slw_metric_row_real(row))
        put_untold(out, c, row);
    else
        put_changed(out, c, row);
    slw_buf_puts(out, " (");
    slw_row_put_ratio(out, row);
    slw_buf_puts(out, "): ");
    if (row->exact && row->difference.estimate == 0)
        slw_buf_puts(out, "no change");
    else
        slw_buf_puts(out, word == SLW_JUDGED_NO_CHANGE ? slw_judged_text(word) : slw_row_word(row));
}

static void put_because(struct slw_buf *out, const struct slw_comparison *c,
                        const struct slw_metric_row *row)
{
    const enum slw_judged word = row->judgement.word;

    if (c->cause_count == 0 || (word != SLW_JUDGED_IMPROVED && word != SLW_JUDGED_REGRESSED))
        return;
    slw_buf_puts(out, ", because ");
    slw_text_clean(out, c->causes[0].text);
}

static const char *make_verdict(struct slw_comparison *c)
{
    const struct slw_metric_row *row = &c->rows[c->main_row];
    struct slw_buf b = {0}, remark = {0};

    put_statement(&b, c, row);
    if (row->judgement.word == SLW_JUDGED_INCONCLUSIVE) {
        slw_row_put_remark(&remark, row);
        slw_buf_puts(&b, remark.length > 0 ? " (" : "");
        slw_buf_puts(&b, remark.data ? remark.data : "");
        slw_buf_puts(&b, remark.length > 0 ? ")" : "");
    }
    put_because(&b, c, row);
    if (!c->interleaved && !row->exact && !row->sampled)
        slw_buf_puts(&b, "; the runs were measured apart, so the machine may be the reason");
    slw_buf_putc(&b, '.');
    b.failed |= slw_buf_failed(&remark);
    slw_buf_release(&remark);
    return slw_comparison_text(c, &b);
}

/* ---- basis ---- */

static void put_tier(struct slw_buf *out, const struct slw_provenance *from)
{
    slw_buf_printf(out, "%s tier%s", slw_format_source(from->source),
                   from->imported ? ", imported" : "");
    if (from->detail) {
        slw_buf_puts(out, " (");
        slw_text_fit(out, from->detail, (size_t)2 * NAME_COLUMNS);
        slw_buf_putc(out, ')');
    }
}

static void put_order(struct slw_buf *out, const struct slw_comparison *c,
                      const struct slw_metric_row *row)
{
    const struct slw_experiment *e = c->in.experiment;

    slw_buf_printf(out, "; %zu %s", row->pairs.used, row->pairs.used == 1 ? "pair" : "pairs");
    if (!c->interleaved) {
        slw_buf_puts(out, " of rounds measured apart");
        return;
    }
    slw_buf_puts(out, e && e->arm_count > 2 ? ", the arms in random order in each"
                                            : ", a coin decided the order in each");
    slw_buf_printf(out, " (seed %llu)",
                   (unsigned long long)(e ? e->seed : c->in.a.run->experiment.seed));
    if (e && e->warmup > 0)
        slw_buf_printf(out, ", %zu warm-up %s dropped", e->warmup,
                       e->warmup == 1 ? "round" : "rounds");
}

static void put_floor(struct slw_buf *out, const struct slw_comparison *c,
                      const struct slw_metric_row *row)
{
    const struct slw_floor *f = row->floor;

    slw_buf_puts(out, "; ");
    if (!f) {
        slw_buf_puts(out, "no A/A floor");
        if (c->in.experiment && c->in.experiment->floor_absent) {
            slw_buf_puts(out, " (");
            slw_text_fit(out, c->in.experiment->floor_absent, (size_t)2 * NAME_COLUMNS);
            slw_buf_putc(out, ')');
        }
        return;
    }
    slw_buf_puts(out, "A/A floor ");
    slw_words_put_log_percent(out, f->floor);
    slw_buf_printf(out, " (%zu A/A%s%s)", f->tests, f->tests == 1 ? "" : "s",
                   f->tests < SLW_FLOOR_RUNS ? ", weak" : "");
}

static void put_confidence(struct slw_buf *out, const struct slw_comparison *c)
{
    const struct slw_experiment *e = c->in.experiment;

    slw_buf_puts(out, "; 95 % intervals, exact (capped signed-rank)");
    if (c->gated_count > 1)
        slw_buf_printf(out, ", shared by %zu gated metrics", c->gated_count);
    if (e && e->automatic && c->interleaved)
        slw_buf_puts(out, ", over all looks");
    if (c->in.equivalence_90)
        slw_buf_puts(out, "; \"no change\" at 90 %");
}

static const char *make_basis(struct slw_comparison *c)
{
    const struct slw_metric_row *row = &c->rows[c->main_row];
    struct slw_buf b = {0};

    put_tier(&b, &row->from);
    if (row->exact || row->sampled) {
        slw_buf_puts(&b, row->deterministic ? "; identical in every round"
                                            : "; one execution of each, which repeats");
    } else {
        put_order(&b, c, row);
        put_floor(&b, c, row);
    }
    slw_buf_puts(&b, "; margin ");
    if (row->kind == SLW_PAIRS_RATIO)
        slw_words_put_log_percent(&b, row->judgement.margin.size);
    else
        slw_format_number(&b, row->judgement.margin.size);
    slw_buf_printf(&b, ", %s", slw_margin_from_text(row->judgement.margin.from));
    if (row->sampled)
        slw_buf_puts(&b, "; the interval is of which parts were timed");
    else if (!row->exact)
        put_confidence(&b, c);
    return slw_comparison_text(c, &b);
}

/* ---- gate ---- */

static const struct slw_metric_row *first_with(const struct slw_comparison *c, enum slw_gate gate)
{
    for (size_t i = 0; i < c->row_count; i++)
        if (c->rows[i].rank == SLW_METRIC_GATED &&
            strcmp(slw_row_gate_word(&c->rows[i]), slw_gate_word(gate)) == 0)
            return &c->rows[i];
    return NULL;
}

static void put_bound(struct slw_buf *out, const struct slw_metric_row *row)
{
    if (row->gate) {
        slw_buf_puts(out, row->gate->above ? "+" : "-");
        slw_words_put_log_percent(out, log1p(row->gate->bound));
        return;
    }
    slw_buf_puts(out, "the margin of ");
    slw_words_put_log_percent(out, row->judgement.margin.size);
}

static void put_gate_row(struct slw_buf *out, const struct slw_metric_row *row, const char *verb)
{
    slw_text_fit(out, row->metric, (size_t)2 * NAME_COLUMNS);
    slw_buf_puts(out, ": ");
    slw_row_put_change(out, row);
    if (row->absent)
        return;
    slw_buf_putc(out, ' ');
    slw_row_put_interval(out, row);
    slw_buf_printf(out, "%s%s ", row->difference.enough && !row->exact ? " " : "", verb);
    put_bound(out, row);
}

static const char *make_gate_reason(struct slw_comparison *c)
{
    const struct slw_metric_row *row = first_with(c, c->gate);
    struct slw_buf b = {0}, remark = {0};

    if (!row) {
        slw_buf_puts(&b, "no metric that is gated was measured on both sides");
    } else if (c->gate == SLW_GATE_REGRESSED) {
        put_gate_row(&b, row, "is a regression beyond");
    } else if (c->gate == SLW_GATE_INCONCLUSIVE) {
        put_gate_row(&b, row, "may be a regression beyond");
        slw_row_put_reason(&remark, row);
        if (remark.length > 0 && !row->absent)
            slw_buf_printf(&b, "; %s", remark.data);
    } else if (c->gated_count > 1) {
        slw_buf_printf(&b, "all %zu gates hold", c->gated_count);
    } else {
        put_gate_row(&b, row, "is no regression beyond");
    }
    b.failed |= slw_buf_failed(&remark);
    slw_buf_release(&remark);
    return slw_comparison_text(c, &b);
}

int slw_comparison_sentences(struct slw_comparison *c, struct slw_error *err)
{
    c->verdict = make_verdict(c);
    c->verdict_basis = make_basis(c);
    c->gate_reason = make_gate_reason(c);
    return c->verdict && c->verdict_basis && c->gate_reason ? 0 : slw_comparison_nomem(err);
}
