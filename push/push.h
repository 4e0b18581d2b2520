/* SPDX-License-Identifier: MIT */
/* Push one thing to one place: kept on the disk first, so that nothing is lost when this process
 * is, then sent; then what earlier runs could not send to the same place. The only entry point cli/
 * needs. */
#ifndef SLW_PUSH_PUSH_H
#define SLW_PUSH_PUSH_H

#include "push/send.h"
#include "push/spool.h"

struct slw_push_options {
    const struct slw_push_endpoint *endpoint;
    const struct slw_push_spool *spool; /* NULL: nothing is kept */
    struct slw_send_patience patience;
    uint64_t timeout_ms;       /* of a try */
    uint64_t backlog_limit_ms; /* after so long no more of what was kept before is begun */
};

enum slw_push_fate {
    SLW_PUSH_SENT,
    SLW_PUSH_KEPT,    /* not sent; a later run will */
    SLW_PUSH_REFUSED, /* not sent, and never will be */
    SLW_PUSH_LOST     /* not sent, and could not be kept */
};

struct slw_push_result {
    enum slw_push_fate fate;
    unsigned tries;
    size_t body_bytes;
    char why[sizeof(((struct slw_send_result *)0)->why)]; /* unless SENT */
    char not_kept[512]; /* why nothing could be kept; "": it was, or nothing was to be */
    /* Of what was kept before: for room, sent now, refused or unreadable now, still waiting. */
    size_t dropped, sent, refused, waiting;
};

/* 0, whatever became of it. SLW_E_USAGE: this kind of server cannot be told such labels.
 * SLW_E_UNSUPPORTED: no libcurl; what could be kept is kept. SLW_E_NOMEM, SLW_E_LIMIT. */
int slw_push(const struct slw_push_options *opts, const struct slw_push_item *item,
             struct slw_push_result *ret_result, struct slw_error *err);

#endif
