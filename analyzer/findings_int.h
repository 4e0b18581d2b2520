/* SPDX-License-Identifier: MIT */
/* What the rules of findings.def are made of. */
#ifndef SLW_ANALYZER_FINDINGS_INT_H
#define SLW_ANALYZER_FINDINGS_INT_H

#include "analyzer/families.h"
#include "analyzer/report.h"
#include "base/buf.h"

#include <stdbool.h>

struct slw_evidence {
    struct slw_buf *out; /* the numbers that made the rule fire, as a clause */
    double weight;       /* 0..1, part of the client's CPU time that it is about; 0: unknown */
    bool of_wall;        /* weight is a part of the wall time of its threads */
};

/* A rule writes its evidence and returns true, or stays silent and returns false. */
typedef bool slw_finding_rule(const struct slw_report *r, struct slw_evidence *e);

#define SLW_FINDING(id, rule, sure, title, advice) slw_finding_rule slw_find_##rule;
#include "analyzer/findings.def"
#undef SLW_FINDING

/* Of CPU time; a family of code below a tenth is not where to start. */
#define SLW_HEAVY_SHARE 0.10

/* "1 sample", "200 samples" */
void slw_evidence_count(struct slw_buf *out, uint64_t n, const char *one, const char *many);

/* Is a share at least `least`, certainly enough? Then "22 % (19-25 %) of the CPU time WHAT". */
bool slw_evidence_heavy(const struct slw_report *r, const struct slw_share *s, double least,
                        const char *what, struct slw_evidence *e);
bool slw_evidence_family(const struct slw_report *r, enum slw_family which, double least,
                         const char *what, struct slw_evidence *e);

#endif
