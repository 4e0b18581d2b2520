#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How well could functions be told apart that are left and entered again several times between two
samples? Two estimators are tried on simulated threads whose truth is known; docs/per-function.md has
the result. Not part of the product.

    bench/short_stays.py [SEEDS]

regression: each difference between two group reads is explained by how long each function was in it,
as the two ends of the interval make it likely. The chain of stays is given exactly, which no
profiler knows: what is shown is the best such an estimator can do.
events: each category is sampled by an event of its own; a function's share is the ratio of its
samples of that event to its samples of slots."""
import math
import random
import sys

# Shares of slots (front end, bad speculation, back end, retiring) and of the time.
MIXES = [(.45, .10, .20, .25), (.05, .02, .78, .15), (.12, .38, .15, .35),
         (.06, .01, .08, .85), (.27, .22, .26, .25), (.18, .04, .55, .23)]
PARTS = [.25, .20, .15, .20, .12, .08]
FUNCTIONS, CATEGORIES = range(6), range(4)


def differences(rng, stay_ms, count):
    """-> (function at the start, at the end, ms, counts) of intervals of 1 ms, 10 % jitter."""
    function, left = rng.choices(FUNCTIONS, PARTS)[0], rng.expovariate(1 / stay_ms)
    before = function
    for _ in range(count):
        length = need = 1 + 0.1 * (2 * rng.random() - 1)
        inside = [0.0] * 6
        while need > 0:
            step = min(need, left)
            inside[function] += step
            need -= step
            left -= step
            if left <= 0:
                function, left = rng.choices(FUNCTIONS, PARTS)[0], rng.expovariate(1 / stay_ms)
        yield before, function, length, [sum(t * MIXES[f][c] for f, t in enumerate(inside))
                                         for c in CATEGORIES]
        before = function


def expected_inside(start, end, length, stay_ms):
    """Time in each function between two known ends, for stays that end at random."""
    kept = math.exp(-length / stay_ms)
    edge = (1 - kept) * stay_ms - kept * length
    middle = length - 2 * (1 - kept) * stay_ms + kept * length
    likely = (kept if start == end else 0) + (1 - kept) * PARTS[end]
    return [((kept * length if start == f == end else 0) + (edge * PARTS[end] if start == f else 0)
             + (PARTS[f] * edge if f == end else 0) + PARTS[f] * PARTS[end] * middle) / likely
            for f in FUNCTIONS]


def least_squares(rows, values):
    left = [[sum(r[i] * r[j] for r in rows) for j in FUNCTIONS] for i in FUNCTIONS]
    right = [[sum(r[i] * v[c] for r, v in zip(rows, values)) for c in CATEGORIES]
             for i in FUNCTIONS]
    for i in FUNCTIONS:
        pivot = max(range(i, 6), key=lambda r: abs(left[r][i]))
        left[i], left[pivot], right[i], right[pivot] = left[pivot], left[i], right[pivot], right[i]
        for r in FUNCTIONS:
            if r != i:
                m = left[r][i] / left[i][i]
                left[r] = [a - m * b for a, b in zip(left[r], left[i])]
                right[r] = [a - m * b for a, b in zip(right[r], right[i])]
    return [[right[i][c] / left[i][i] for c in CATEGORIES] for i in FUNCTIONS]


def worst(estimates):
    return 100 * max(abs(estimates[f][c] - MIXES[f][c]) for f in FUNCTIONS for c in CATEGORIES)


def regression(seed, stay_ms, count):
    found = list(differences(random.Random(seed), stay_ms, count))
    rows = [expected_inside(start, end, ms, stay_ms) for start, end, ms, _ in found]
    return worst(least_squares(rows, [v for _, _, _, v in found]))


def events(seed, count):
    rng = random.Random(seed)

    def shares(weights):
        drawn = rng.choices(FUNCTIONS, weights, k=count)
        return [drawn.count(f) / count * sum(weights) for f in FUNCTIONS]

    slots = shares(PARTS)
    by_category = [shares([p * m[c] for p, m in zip(PARTS, MIXES)]) for c in CATEGORIES]
    return worst([[by_category[c][f] / slots[f] for c in CATEGORIES] for f in FUNCTIONS])


def show(what, errors):
    print(f"{what}: worst error of any share {min(errors):.1f} to {max(errors):.1f} points")


def main():
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
    for stay_ms in (1.0, 0.2, 0.05, 0.02):
        for count in (1000, 6000):
            show(f"regression, stays of {stay_ms} ms, {count} samples",
                 [regression(s, stay_ms, count) for s in seeds])
    for count in (1000, 6000, 50_000, 200_000):
        show(f"an event for each category, {count} samples of each",
             [events(s, count) for s in seeds])


if __name__ == "__main__":
    main()
