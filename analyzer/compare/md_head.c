/* SPDX-License-Identifier: MIT */
/* The comment's beginning: marker, verdict, gates, causes, warnings. */
#include "analyzer/compare/render_md_int.h"
#include "analyzer/compare/words.h"
#include "analyzer/md_text.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#define SENTENCE 300 /* columns; longer is no sentence */
#define WARNINGS 6
#define CAUSES   8

bool slw_md_page_put(struct slw_md_page *page, struct slw_buf *piece, size_t reserve)
{
    const bool fits =
        !slw_buf_failed(piece) && page->out->length + piece->length + reserve <= page->limit;

    if (fits)
        slw_buf_put(page->out, piece->data ? piece->data : "", piece->length);
    if (slw_buf_failed(piece))
        page->out->failed = true;
    slw_buf_release(piece);
    return fits;
}

/* ---- marker ---- */

/* A comment that is to be found again cannot depend on these. */
static bool changes_with_commits(const char *key)
{
    static const char *const keys[] = {"commit", "sha", "revision", "date", "time", "build", "run"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* With their ends, so that "a" "bc" is not "ab" "c". */
static uint64_t add(uint64_t hash, const char *text)
{
    return slw_hash_bytes(text ? text : "", strlen(text ? text : "") + 1, hash);
}

static uint64_t add_side(uint64_t hash, const struct slw_run *run)
{
    for (size_t i = 0; i < run->command.argc; i++)
        hash = add(hash, run->command.argv[i]);
    hash = add(hash, "labels");
    for (size_t i = 0; i < run->label_count; i++)
        if (!changes_with_commits(run->labels[i].key))
            hash = add(add(hash, run->labels[i].key), run->labels[i].value);
    return hash;
}

void slw_md_marker_id(const struct slw_comparison *c, char ret_id[17])
{
    const uint64_t hash = add_side(add_side(0, c->in.a.run), c->in.b.run);

    (void)snprintf(ret_id, 17, "%016llx", (unsigned long long)hash);
}

/* ---- verdict ---- */

static void put_sentence(struct slw_buf *out, const char *lead, const char *text, const char *tail)
{
    if (!text || text[strspn(text, " ")] == '\0')
        return;
    slw_buf_puts(out, lead);
    slw_md_prose_fit(out, text, SENTENCE);
    slw_buf_puts(out, tail);
}

static void put_forced(struct slw_buf *out, const struct slw_comparison *c)
{
    const char *lead = "**Compared although these differ:** ";
    size_t shown = 0;

    for (size_t i = 0; i < c->mismatch_count && shown < 4; i++)
        if (c->mismatches[i].severe) {
            slw_buf_puts(out, shown++ > 0 ? ", " : lead);
            slw_md_prose_fit(out, c->mismatches[i].what, 40);
        }
    slw_buf_puts(out, shown > 0 ? ". The numbers may differ because of that.\n\n" : "");
}

/* What A and B are: their commands; of saved runs also what the user called them. */
static void put_arm(struct slw_buf *out, const struct slw_comparison *c, const char *letter)
{
    const struct slw_side_of *side = letter[0] == 'A' ? &c->in.a : &c->in.b;
    struct slw_buf command = {0};

    slw_side_put_command(&command, c, letter);
    slw_buf_printf(out, "- **%s**", letter);
    if (side->name && strcmp(side->name, letter) != 0) {
        slw_buf_putc(out, ' ');
        slw_md_prose_fit(out, side->name, 60);
    }
    if (command.length > 0) {
        slw_buf_putc(out, ' ');
        slw_md_name_fit(out, command.data, 100);
    }
    slw_buf_putc(out, '\n');
    if (slw_buf_failed(&command))
        out->failed = true;
    slw_buf_release(&command);
}

SLW_MD_PART(head)
{
    char id[17];
    struct slw_buf piece = {0};

    (void)opts;
    slw_md_marker_id(c, id);
    slw_buf_printf(&piece, "<!-- slotwise:compare %s -->\n### slotwise: %s\n\n", id,
                   slw_gate_word(c->gate));
    (void)slw_md_page_put(page, &piece, 0);
    put_sentence(&piece, "**", c->verdict, "**\n\n");
    page->left_out[SLW_MD_LINES] += !slw_md_page_put(page, &piece, 0);
    put_sentence(&piece, "", c->verdict_basis, "\n\n");
    page->left_out[SLW_MD_LINES] += !slw_md_page_put(page, &piece, 0);
    put_arm(&piece, c, "A");
    put_arm(&piece, c, "B");
    slw_buf_putc(&piece, '\n');
    page->left_out[SLW_MD_LINES] += !slw_md_page_put(page, &piece, 0);
    put_forced(&piece, c);
    page->left_out[SLW_MD_LINES] += !slw_md_page_put(page, &piece, 0);
}

/* ---- gates ---- */

static void put_gate(struct slw_buf *out, const struct slw_metric_row *row)
{
    const bool failed = row->gate_word == SLW_JUDGED_REGRESSED;
    struct slw_buf text = {0};

    slw_buf_puts(out, "- ");
    slw_md_name(out, row->gate ? row->gate->text : row->metric);
    slw_buf_printf(out, ": %s%s%s, ", failed ? "**" : "", slw_row_gate_word(row),
                   failed ? "**" : "");
    slw_row_put_change(&text, row);
    slw_buf_puts(&text, row->absent ? "" : " ");
    slw_row_put_interval(&text, row);
    slw_md_prose_fit(out, text.data ? text.data : "", SENTENCE);
    out->failed |= slw_buf_failed(&text);
    slw_buf_release(&text);
    slw_row_put_remark(&text, row);
    if (text.length > 0 && !row->absent) {
        slw_buf_puts(out, "; ");
        slw_md_prose_fit(out, text.data, SENTENCE);
    }
    slw_buf_putc(out, '\n');
    if (slw_buf_failed(&text))
        out->failed = true;
    slw_buf_release(&text);
}

SLW_MD_PART(gates)
{
    struct slw_buf piece = {0};
    bool fits;

    (void)opts;
    put_sentence(&piece, "**Gate:** ", c->gate_reason, "\n\n");
    fits = slw_md_page_put(page, &piece, 1);
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].rank != SLW_METRIC_GATED)
            continue;
        if (fits) {
            put_gate(&piece, &c->rows[i]);
            fits = slw_md_page_put(page, &piece, 1);
        }
        page->left_out[SLW_MD_GATES] += !fits;
    }
    slw_buf_putc(page->out, '\n');
}

/* ---- causes ---- */

SLW_MD_PART(causes)
{
    struct slw_buf piece = {0};
    bool fits = true;

    (void)opts;
    if (c->cause_count == 0)
        return;
    slw_buf_puts(page->out, "#### Why\n\n");
    for (size_t i = 0; i < c->cause_count; i++) {
        if (fits && i < CAUSES) {
            slw_buf_puts(&piece, "- ");
            slw_md_prose_fit(&piece, c->causes[i].text, SENTENCE);
            slw_buf_putc(&piece, '\n');
            fits = slw_md_page_put(page, &piece, 1);
        }
        page->left_out[SLW_MD_CAUSES] += !fits || i >= CAUSES;
    }
    slw_buf_putc(page->out, '\n');
}

/* ---- warnings: what a reader has to know before believing the numbers ---- */

static void put_mismatch(struct slw_buf *out, const struct slw_mismatch *m)
{
    slw_buf_puts(out, "- not the same ");
    slw_md_prose_fit(out, m->what, 60);
    slw_buf_puts(out, ": A ");
    slw_md_prose_fit(out, m->a ? m->a : "unknown", 120);
    slw_buf_puts(out, ", B ");
    slw_md_prose_fit(out, m->b ? m->b : "unknown", 120);
    slw_buf_puts(out, m->severe       ? " (compared because it was forced)\n"
                      : m->downgrades ? " (words may be no more than inconclusive because of it)\n"
                                      : "\n");
}

static void put_note(struct slw_buf *out, const struct slw_note *n)
{
    slw_buf_puts(out, "- ");
    slw_md_prose_fit(out, n->text, SENTENCE);
    if (n->hint) {
        slw_buf_puts(out, " *Try:* ");
        slw_md_prose_fit(out, n->hint, SENTENCE);
    }
    slw_buf_putc(out, '\n');
}

/* A warning that finds no place here is told with the other notes. */
static bool is_told_above(const struct slw_comparison *c, size_t note)
{
    size_t warnings = 0;

    for (size_t i = 0; i <= note; i++)
        warnings += c->notes[i].level == SLW_NOTE_WARNING;
    return c->notes[note].level == SLW_NOTE_WARNING && warnings <= WARNINGS;
}

SLW_MD_PART(warnings)
{
    struct slw_buf piece = {0};
    bool fits = true, any = false;

    (void)opts;
    for (size_t i = 0; i < c->mismatch_count + c->note_count; i++) {
        const bool is_note = i >= c->mismatch_count;

        if (is_note && !is_told_above(c, i - c->mismatch_count))
            continue;
        if (fits) {
            slw_buf_puts(&piece, any ? "" : "#### Before believing this\n\n");
            if (is_note)
                put_note(&piece, &c->notes[i - c->mismatch_count]);
            else
                put_mismatch(&piece, &c->mismatches[i]);
            fits = slw_md_page_put(page, &piece, 1);
            any |= fits;
        }
        page->left_out[is_note ? SLW_MD_NOTES : SLW_MD_MISMATCHES] += !fits;
    }
    slw_buf_puts(page->out, any ? "\n" : "");
}

SLW_MD_PART(notes)
{
    static const char close[] = "\n</details>\n\n";
    struct slw_buf piece = {0};
    bool fits = true, any = false;

    (void)opts;
    for (size_t i = 0; i < c->note_count; i++) {
        if (is_told_above(c, i))
            continue;
        if (fits) {
            slw_buf_puts(&piece, any ? "" : "<details><summary>Notes</summary>\n\n");
            put_note(&piece, &c->notes[i]);
            fits = slw_md_page_put(page, &piece, sizeof(close));
            any |= fits;
        }
        page->left_out[SLW_MD_NOTES] += !fits;
    }
    slw_buf_puts(page->out, any ? close : "");
}
