/* SPDX-License-Identifier: MIT */
/* Send one request until it is taken, refused, or patience is over. */
#ifndef SLW_PUSH_SEND_H
#define SLW_PUSH_SEND_H

#include "push/http.h"

enum slw_send_fate {
    SLW_SEND_TAKEN,
    SLW_SEND_LATER,  /* unreachable, too slow, overloaded, or our credentials are not good: the
                        same request may be taken another day */
    SLW_SEND_REFUSED /* never: redirected elsewhere, or the server finds fault with it */
};

struct slw_send_patience {
    unsigned tries;          /* at least 1 */
    uint64_t first_pause_ms; /* doubled each time, and never all hosts at once: half to one and a
                                half of it is waited; what a server asks for is waited at least */
};
#define SLW_SEND_MAX_PAUSE_MS 30000 /* of what a server asks; beyond it the next run asks */

struct slw_send_result {
    enum slw_send_fate fate;
    unsigned tries;
    char why[SLW_HTTP_TEXT + 128]; /* one line, clean; empty when taken */
};

/* As slw_http_send; ret_result says the rest. */
int slw_send(const struct slw_http_request *request, const struct slw_send_patience *patience,
             struct slw_send_result *ret_result, struct slw_error *err);

/* What an answer means. again: is it worth another try right now? Pure. */
enum slw_send_fate slw_send_judge(const struct slw_http_answer *answer, bool grpc, bool *ret_again);

#endif
