/* SPDX-License-Identifier: MIT */
/* What kind of server takes what is pushed: how its URL ends, and how a profile or metrics become
 * one request to it. Pure: no I/O. To add one: write kinds/NAME.c that defines
 * `const struct slw_push_kind slw_push_kind_NAME`, add SLW_PUSH_KIND(NAME) to kinds.def. */
#ifndef SLW_PUSH_KIND_H
#define SLW_PUSH_KIND_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slw_push_what { SLW_PUSH_PROFILE, SLW_PUSH_METRICS };

/* name: [a-zA-Z_][a-zA-Z0-9_]*, none that begins with two underscores (those are the servers'
 * own); value: not empty, no control characters. slw_push_label_check says so. */
struct slw_push_label {
    const char *name, *value;
};

/* One thing to send; all of it is lent. */
struct slw_push_item {
    const char *service; /* what is profiled; not empty */
    const char *instance;
    const struct slw_push_label *labels;
    size_t label_count;
    uint64_t start_ns, length_ns; /* since the epoch; of the measured window */
    const void *data;             /* a gzip-compressed pprof profile, or Prometheus' text */
    size_t length;
};

/* What goes over the wire besides what the kind says. Release with slw_push_request_release. */
struct slw_push_request {
    struct slw_buf suffix; /* of the URL, behind the kind's own ending: "?name=..." */
    struct slw_buf body;
};

struct slw_push_kind {
    const char *name;
    enum slw_push_what what;
    const char *summary;
    const char *ending; /* of the URL; put behind one that does not end so */
    const char *method; /* "POST", "PUT" */
    const char *content_type;
    bool grpc;    /* over HTTP/2, with the status in the trailers */
    bool replace; /* a newer request to one URL makes an older one void */
    /* *ret_request is zeroed before. -SLW_E_USAGE: a label that this kind cannot carry.
     * -SLW_E_NOMEM, -SLW_E_LIMIT. */
    int (*request)(const struct slw_push_item *item, struct slw_push_request *ret_request,
                   struct slw_error *err);
};

extern const struct slw_push_kind *const slw_push_kinds[];
extern const size_t slw_push_kind_count;
const struct slw_push_kind *slw_push_kind_find(const char *name); /* NULL: none */

void slw_push_request_release(struct slw_push_request *r);

/* -SLW_E_USAGE and why, when no server would take such a label. */
#define SLW_PUSH_MAX_LABELS 30   /* Pyroscope's limit on those of a series, the first to complain */
#define SLW_PUSH_MAX_VALUE  2048 /* bytes; Pyroscope's limit */
int slw_push_label_check(const char *name, const char *value, struct slw_error *err);

#endif
