/* SPDX-License-Identifier: MIT */
/* What a server sends back, a piece at a time, kept within bounds. Pure: no I/O. Private to http.c
 * and its tests. */
#ifndef SLW_PUSH_REPLY_H
#define SLW_PUSH_REPLY_H

#include "push/http.h"

/* Before secrets are taken out: cutting earlier could leave half of one. */
#define SLW_REPLY_RAW 8192

struct slw_reply {
    struct slw_http_answer answer; /* grpc_status starts as -1 */
    char raw[SLW_REPLY_RAW + 1];
    size_t raw_length, body_bytes, header_bytes;
};

/* A line of the header or of the trailers, where gRPC tells its status; a piece of the body. False:
 * that is enough, the rest need not come. */
bool slw_reply_header(struct slw_reply *r, const char *line, size_t length);
bool slw_reply_body(struct slw_reply *r, const char *data, size_t length);

/* answer.text from what came; from `why` (NULL: nothing went wrong) where nothing did, or no
 * status.
 */
void slw_reply_finish(struct slw_reply *r, const struct slw_push_endpoint *e, const char *why);

#endif
