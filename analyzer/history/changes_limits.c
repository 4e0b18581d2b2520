/* SPDX-License-Identifier: MIT */
/* The two limits of a change, by the number of values. Printed by bench_changes. */
#include "analyzer/history/changes.h"

#include <math.h>

static const struct limits {
    size_t n;
    double score, strength;
} table[] = {
    {8, 2.02, 5.12},   {10, 2.35, 5.47},  {12, 2.55, 5.81},  {14, 2.70, 5.78},   {16, 2.81, 5.76},
    {20, 2.97, 5.58},  {25, 3.09, 5.42},  {30, 3.18, 5.06},  {40, 3.33, 4.81},   {60, 3.54, 4.29},
    {100, 3.76, 3.89}, {200, 3.98, 3.70}, {500, 4.25, 3.67}, {1000, 4.46, 3.75},
};
#define ROWS (sizeof(table) / sizeof(table[0]))

/* Between the rows by the logarithm of n; beyond the last as the last two go on. */
static double limit(size_t n, double (*column)(const struct limits *row))
{
    size_t i = 1;

    while (i + 1 < ROWS && n > table[i].n)
        i++;
    const double from = log((double)table[i - 1].n), to = log((double)table[i].n);
    const double part = (log((double)n) - from) / (to - from);
    const double low = column(&table[i - 1]), high = column(&table[i]);
    return low + (part > 0 ? part : 0) * (high - low);
}

static double score(const struct limits *row)
{
    return row->score;
}

static double strength(const struct limits *row)
{
    return row->strength;
}

double slw_changes_score_limit(size_t n)
{
    return limit(n, score);
}

double slw_changes_strength_limit(size_t n)
{
    const size_t last = table[ROWS - 1].n;

    return limit(n < last ? n : last, strength); /* it does not go below that of long series */
}
