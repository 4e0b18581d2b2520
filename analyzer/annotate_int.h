/* SPDX-License-Identifier: MIT */
/* Shared by the annotate*.c files. */
#ifndef SLW_ANALYZER_ANNOTATE_INT_H
#define SLW_ANALYZER_ANNOTATE_INT_H

#include "analyzer/annotate.h"

/* Weight of an address of the function's mapping. */
struct slw_annotate_weight {
    uint64_t address;
    uint64_t self, total;
};

struct slw_annotate_weights {
    struct slw_annotate_weight *weights; /* by address */
    size_t count, capacity;
};

/* annotate_code.c: fill in the instructions, sources and lines. */
int slw_annotate_code(struct slw_annotation *a, const struct slw_mapping *mapping,
                      const struct slw_annotate_weights *weights, const char *debug_dir,
                      struct slw_error *err);

struct stat;

/* annotate_source.c: lines out of instructions, and their text. 0 or -SLW_E_NOMEM. */
int slw_annotate_sources(struct slw_annotation *a, const struct stat *program);

#endif
