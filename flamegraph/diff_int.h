/* SPDX-License-Identifier: MIT */
/* A difference of two call trees, open to the files of this room: diff.c makes it, diff_judge.c
 * says what is beyond the noise, diff_svg.c draws it. */
#ifndef SLW_FLAMEGRAPH_DIFF_INT_H
#define SLW_FLAMEGRAPH_DIFF_INT_H

#include "analyzer/compare/weighing.h"
#include "flamegraph/diff.h"
#include "flamegraph/tree.h"

/* What costs are divided by. */
enum slw_diff_per {
    SLW_DIFF_PER_REQUEST,
    SLW_DIFF_PER_CPU_SECOND, /* of a clock, where the requests of a run are not known */
    SLW_DIFF_PER_THOUSAND,   /* shares of all that was sampled, of any other event */
};

/* By what changes are judged. */
enum slw_diff_basis {
    SLW_DIFF_BY_ROUNDS,
    SLW_DIFF_BY_COUNTS, /* of samples: what differs from execution to execution is not known */
    SLW_DIFF_NOT_JUDGED,
};

enum slw_diff_state {
    SLW_DIFF_CHANGED, /* beyond the noise; or nothing is judged */
    SLW_DIFF_INSIDE,  /* the noise */
    SLW_DIFF_FEW,     /* samples: not judged */
};

/* Exact sums over the stacks of a side that hold the frame there. */
struct slw_diff_node {
    uint64_t weight[2], own[2], samples[2];
    enum slw_diff_state state;
    struct slw_difference difference; /* of B - A, divided; where has_interval */
    bool has_interval;
};

struct slw_diff {
    struct slw_diff_side sides[2];
    struct slw_diff_options opts;
    struct slw_tree *tree; /* of both; weights are widths, in units that mean nothing */
    struct slw_diff_node *nodes;
    enum slw_diff_per per;
    double divisor[2];      /* of weights of A, of B */
    const char *per_absent; /* why it is not per request; NULL: it is */
    enum slw_diff_basis basis;
    const char *basis_why;    /* why it is not by rounds; NULL: it is */
    size_t rounds;            /* pairs of them, BY_ROUNDS */
    struct slw_column column; /* what was sampled; strings are the tree's */
    bool has_samples;
};

/* What A (0) or B (1) pays for a frame. */
static inline double slw_diff_cost(const struct slw_diff *d, uint32_t node, size_t side)
{
    return (double)d->nodes[node].weight[side] / d->divisor[side];
}

/* Stacks of the sides as nodes. */
struct slw_diff_ends {
    uint32_t *of_path[2]; /* by path of A, of B: the node where its own weight is, or SLW_NO_NODE */
};

/* Fill states, differences, basis, basis_why and rounds. -SLW_E_NOMEM. */
int slw_diff_judge(struct slw_diff *d, const struct slw_diff_ends *ends, struct slw_error *err);

#endif
