/* SPDX-License-Identifier: MIT */
/* The parts of the pull-request comment (render/md.c), and the page they are written on. */
#ifndef SLW_ANALYZER_COMPARE_RENDER_MD_INT_H
#define SLW_ANALYZER_COMPARE_RENDER_MD_INT_H

#include "analyzer/compare/comparison.h"
#include "analyzer/renderer.h"
#include "base/buf.h"

#define SLW_MD_MAX_BYTES 65000

enum slw_md_item {
    SLW_MD_METRICS,
    SLW_MD_GATES,
    SLW_MD_CAUSES,
    SLW_MD_FUNCTIONS,
    SLW_MD_NOTES,
    SLW_MD_MISMATCHES,
    SLW_MD_LINES,
    SLW_MD_ITEMS
};

struct slw_md_page {
    struct slw_buf *out;
    size_t start; /* of the comment in out */
    size_t limit; /* of out->length, for the part that is being written */
    size_t left_out[SLW_MD_ITEMS];
};

/* Move the piece to the page if it and `reserve` more bytes fit; always empties it. */
bool slw_md_page_put(struct slw_md_page *page, struct slw_buf *piece, size_t reserve);

/* "0123456789abcdef" of the commands and labels of both arms, without labels that change with every
 * commit. */
void slw_md_marker_id(const struct slw_comparison *c, char ret_id[17]);

/* md_head.c, md_tables.c, md_foot.c */
#define SLW_MD_PART(name)                                                                          \
    void slw_md_put_##name(struct slw_md_page *page, const struct slw_comparison *c,               \
                           const struct slw_render_options *opts)
SLW_MD_PART(head);
SLW_MD_PART(metrics);
SLW_MD_PART(gates);
SLW_MD_PART(causes);
SLW_MD_PART(functions);
SLW_MD_PART(warnings);
SLW_MD_PART(all_metrics);
SLW_MD_PART(all_functions);
SLW_MD_PART(notes);
SLW_MD_PART(provenance);
SLW_MD_PART(reproduce);
SLW_MD_PART(left_out);

#endif
