/* SPDX-License-Identifier: MIT */
#include "analyzer/term_int.h"

#include "analyzer/format.h"
#include "analyzer/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void slw_term_style(const struct slw_term_page *t, const char *code)
{
    if (t->color)
        slw_buf_printf(t->out, "\033[%sm", code);
}

void slw_term_plain(const struct slw_term_page *t)
{
    slw_term_style(t, "0");
}

void slw_term_heading(const struct slw_term_page *t, const char *title, const char *explained)
{
    slw_buf_putc(t->out, '\n');
    slw_term_style(t, SLW_TERM_BOLD);
    slw_buf_puts(t->out, title);
    slw_term_plain(t);
    if (explained && slw_text_columns(title) + 2 + slw_text_columns(explained) <= t->width) {
        slw_term_style(t, SLW_TERM_DIM);
        slw_buf_printf(t->out, "  %s", explained);
        slw_term_plain(t);
    }
    slw_buf_putc(t->out, '\n');
}

void slw_term_styled(const struct slw_term_page *t, const char *code, size_t indent,
                     const char *lead, const char *text)
{
    struct slw_buf b = {0};

    slw_buf_puts(&b, lead);
    slw_buf_puts(&b, text);
    for (size_t i = 0; i < indent; i++)
        slw_buf_putc(t->out, ' ');
    if (code)
        slw_term_style(t, code);
    slw_text_wrap(t->out, b.data ? b.data : "", t->width, indent);
    if (code)
        slw_term_plain(t);
    slw_buf_putc(t->out, '\n');
    if (slw_buf_failed(&b))
        t->out->failed = true;
    slw_buf_release(&b);
}

void slw_term_paragraph(const struct slw_term_page *t, size_t indent, const char *lead,
                        const char *text)
{
    slw_term_styled(t, NULL, indent, lead, text);
}

void slw_term_bar(const struct slw_term_page *t, double share, size_t columns, const char *color,
                  bool pad)
{
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double clamped = fmin(fmax(share, 0), 1);
    size_t eighths = (size_t)(clamped * (double)columns * 8 + 0.5);

    if (color)
        slw_term_style(t, color);
    for (size_t i = 0; i < columns && (pad || i * 8 < eighths); i++) {
        size_t left = eighths > i * 8 ? eighths - i * 8 : 0;
        slw_buf_puts(t->out, left >= 8 ? "█" : parts[left]);
    }
    if (color)
        slw_term_plain(t);
}

void slw_term_right(const struct slw_term_page *t, const char *text, size_t columns)
{
    for (size_t used = slw_text_columns(text); used < columns; used++)
        slw_buf_putc(t->out, ' ');
    slw_buf_puts(t->out, text);
}

void slw_term_mark(struct slw_buf *out, const struct slw_provenance *from)
{
    for (const char *m = slw_format_mark(from); *m; m++)
        slw_buf_puts(out, *m == 's' ? "ˢ" : *m == 'm' ? "ᵐ" : "ⁱ");
}

void slw_term_marked_percent(const struct slw_term_page *t, double value,
                             const struct slw_provenance *from, bool erratum, size_t columns)
{
    const size_t marks = strlen(slw_format_mark(from)) + erratum;
    char text[48];

    (void)snprintf(text, sizeof(text), "%.1f%%", value * 100);
    slw_term_right(t, text, columns - 2);
    slw_term_mark(t->out, from);
    slw_buf_puts(t->out, erratum ? SLW_TERM_ERRATUM : "");
    slw_term_right(t, "", marks < 2 ? 2 - marks : 0);
}

void slw_term_percent(const struct slw_term_page *t, double value,
                      const struct slw_provenance *from, size_t columns)
{
    slw_term_marked_percent(t, value, from, false, columns);
}

void slw_term_half_width(const struct slw_term_page *t, const struct slw_share *s, size_t columns)
{
    char text[48] = "";

    if (s->have_interval)
        (void)snprintf(text, sizeof(text), "±%.1f",
                       100 * fmax(s->high - s->value, s->value - s->low));
    slw_term_right(t, text, columns);
}
