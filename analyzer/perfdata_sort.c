/* SPDX-License-Identifier: MIT */
/* Stable natural merge sort of record positions by time. A perf.data is a sequence of ascending
 * runs (one per buffer and wakeup), so finding the runs and merging neighbours costs
 * n log(runs), and nothing when the file is in order already. */
#include "analyzer/perfdata_int.h"

#include <stdlib.h>

/* End of the ascending run that starts at `from`. */
static size_t run_end(const struct slw_perf_entry *e, size_t from, size_t count)
{
    size_t i = from + 1;

    while (i < count && e[i - 1].time <= e[i].time)
        i++;
    return i < count ? i : count;
}

static void merge(const struct slw_perf_entry *from, size_t a, size_t middle, size_t end,
                  struct slw_perf_entry *to)
{
    size_t b = middle, out = a, left = a;

    while (left < middle && b < end)
        to[out++] = from[b].time < from[left].time ? from[b++] : from[left++];
    memcpy(to + out, from + left, (middle - left) * sizeof(*to));
    out += middle - left;
    memcpy(to + out, from + b, (end - b) * sizeof(*to));
}

/* One pass: merge every two neighbouring runs. Returns how many runs there were. */
static size_t merge_pass(const struct slw_perf_entry *from, struct slw_perf_entry *to, size_t count)
{
    size_t runs = 0;

    for (size_t at = 0; at < count;) {
        size_t middle = run_end(from, at, count);
        size_t end = middle < count ? run_end(from, middle, count) : middle;
        merge(from, at, middle, end, to);
        runs += end > middle ? 2 : 1;
        at = end;
    }
    return runs;
}

int slw_perf_sort(struct slw_perf_entry *entries, size_t count)
{
    if (count < 2 || run_end(entries, 0, count) == count)
        return 0;
    struct slw_perf_entry *other = malloc(count * sizeof(*other));
    if (!other)
        return -SLW_E_NOMEM;
    struct slw_perf_entry *from = entries, *to = other;
    size_t runs;

    do {
        runs = merge_pass(from, to, count);
        struct slw_perf_entry *swap = from;
        from = to;
        to = swap;
    } while (runs > 2);
    if (from != entries)
        memcpy(entries, from, count * sizeof(*entries));
    free(other);
    return 0;
}
