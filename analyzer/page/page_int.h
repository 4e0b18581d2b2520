/* SPDX-License-Identifier: MIT */
/* What the parts of a page share: its scripts, and the samples of its sides as the scripts read
 * them. */
#ifndef SLW_ANALYZER_PAGE_INT_H
#define SLW_ANALYZER_PAGE_INT_H

#include "analyzer/json_value.h"
#include "analyzer/page/page.h"
#include "analyzer/page/tree.h"

/* The files of assets/, put together at build time (embed.cmake); the policies are the sources that
 * the Content-Security-Policy allows: their digests. */
extern const char slw_page_script[];
extern const size_t slw_page_script_length;
extern const char slw_page_script_policy[];
extern const char slw_page_style[];
extern const size_t slw_page_style_length;
extern const char slw_page_style_policy[];

/* Numbers as bytes, seven bits at a time, the lowest first, the top bit set on all but the last
 * (LEB128); a reader in a browser takes them ten times faster than a list of digits. */
void slw_page_varint(struct slw_buf *out, uint64_t value);
/* RFC 4648, with padding. */
struct json_t *slw_page_base64(const struct slw_buf *bytes);

/* {"frames", "tree", "count"}: the call trees of all sides as one. NULL and j->failed. */
struct json_t *slw_page_tree_json(struct slw_json *j, const struct slw_page_tree *tree);
/* The moments of a side: {"absent"} or {"bucket_ns", "unit", "count", "data"}. */
struct json_t *slw_page_moments_json(struct slw_json *j, const struct slw_page_side *side,
                                     const struct slw_page_tree *tree, size_t side_index);
/* What the JSON report of a run does not say: its host, its latencies bucket by bucket, and what
 * its samples are to be divided by. */
struct json_t *slw_page_run_json(struct slw_json *j, const struct slw_report *report);

#endif
