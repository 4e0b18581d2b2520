/* SPDX-License-Identifier: MIT */
/* The lines of a perf stat output, and what its first columns say about where a row was counted. */
#include "collector/perf_stat_int.h"

#include <string.h>

/* ---- lines ---- */

int slw_perf_lines_next(struct slw_perf_lines *l, struct slw_span *ret_line, struct slw_error *err)
{
    if (l->next >= l->end)
        return 0;
    const size_t left = (size_t)(l->end - l->next);
    const size_t looked_at = left < SLW_MAX_PERF_LINE + 1 ? left : SLW_MAX_PERF_LINE + 1;
    const char *newline = memchr(l->next, '\n', looked_at);
    const size_t length = newline ? (size_t)(newline - l->next) : looked_at;
    const char *nul = memchr(l->next, '\0', length);

    l->number++;
    if (length > SLW_MAX_PERF_LINE)
        return slw_perf_stat_fail(l->path, l->number, SLW_MAX_PERF_LINE + 1, SLW_E_LIMIT, err,
                                  "a line longer than %d bytes: perf stat writes none",
                                  SLW_MAX_PERF_LINE);
    if (nul)
        return slw_perf_stat_fail(l->path, l->number, (size_t)(nul - l->next) + 1, SLW_E_FORMAT,
                                  err, "a NUL byte: this is not text");
    *ret_line = (struct slw_span){l->next, length};
    if (length > 0 && l->next[length - 1] == '\r')
        ret_line->length--;
    l->next += length + (newline != NULL);
    return 1;
}

/* ---- places ---- */

static bool number_after(struct slw_span s, size_t from, int32_t *ret_number)
{
    int64_t n = 0;

    if (from >= s.length || s.length - from > 9)
        return false;
    for (size_t i = from; i < s.length; i++) {
        if (s.text[i] < '0' || s.text[i] > '9')
            return false;
        n = n * 10 + (s.text[i] - '0');
    }
    *ret_number = (int32_t)n;
    return true;
}

/* "S0-D0-C0", "N1", "S0-D0-L3-ID0", "S0-D0-CLS0" */
static bool is_topology(struct slw_span s)
{
    static const char letters[] = "0123456789-DCLSIN";

    if (s.length < 2 || (s.text[0] != 'S' && s.text[0] != 'N' && s.text[0] != 'D'))
        return false;
    for (size_t i = 1; i < s.length; i++)
        if (!memchr(letters, s.text[i], sizeof(letters) - 1))
            return false;
    return s.text[1] >= '0' && s.text[1] <= '9';
}

/* comm-TID: the last '-' counts, command names hold others. */
static bool is_thread(struct slw_span s, int32_t *ret_tid)
{
    const char *dash = s.length > 0 ? memrchr(s.text, '-', s.length) : NULL;

    return dash && number_after(s, (size_t)(dash - s.text) + 1, ret_tid);
}

bool slw_perf_place_read(const struct slw_perf_row *row, struct slw_perf_place *ret)
{
    struct slw_perf_place p = {.cpu = -1, .tid = -1};
    const struct slw_span s = row->place;

    if (s.length == 0) {
        *ret = p;
        return true;
    }
    const bool cpu = s.length > 3 && memcmp(s.text, "CPU", 3) == 0;
    if (row->place_is_thread ? !is_thread(s, &p.tid)
                             : !(cpu && number_after(s, 3, &p.cpu)) &&
                                   !(p.summed = is_topology(s)) && !is_thread(s, &p.tid))
        return false;
    *ret = p;
    return true;
}
