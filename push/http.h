/* SPDX-License-Identifier: MIT */
/* One request over HTTP, by libcurl, which is opened when first needed. Bounded in time and in what
 * is read of the answer; redirects are not followed. Not for: trying again (send.h). */
#ifndef SLW_PUSH_HTTP_H
#define SLW_PUSH_HTTP_H

#include "push/endpoint.h"

struct slw_http_request {
    const struct slw_push_endpoint *endpoint;
    const char *suffix; /* behind the endpoint's URL */
    const void *body;
    size_t length;
    uint64_t timeout_ms; /* for all of it; connecting may take half of it */
};

#define SLW_HTTP_TEXT 200 /* bytes of an answer that are worth a line */
struct slw_http_answer {
    int status;             /* of HTTP; 0: there was no answer */
    int grpc_status;        /* -1: none was told */
    uint64_t retry_after_s; /* 0: not told */
    bool broken;            /* no TLS, or not of whom it should be: trying again does not help */
    char
        text[SLW_HTTP_TEXT + 1]; /* what the server said, without secrets; or why it said nothing */
};

/* 0 also when there was no answer: that is ret_answer->status. SLW_E_UNSUPPORTED: no libcurl.
 * SLW_E_NOMEM. */
int slw_http_send(const struct slw_http_request *request, struct slw_http_answer *ret_answer,
                  struct slw_error *err);

#endif
