/* SPDX-License-Identifier: MIT */
/* Client or server: which side limits throughput, or why that cannot be told. From how much CPU the
 * client's threads still had in reserve, and from what they waited for. Pure. */
#ifndef SLW_ANALYZER_SIDE_H
#define SLW_ANALYZER_SIDE_H

#include "analyzer/report.h"

struct slw_buf;
struct json_t;

/* A thread this busy has nothing left: what remains is the moments between two requests. */
#define SLW_SIDE_CLIENT_BUSY 0.90
/* With 30 % in reserve the client could do 1.4 times the work if answers came at once. */
#define SLW_SIDE_SERVER_BUSY 0.70
/* A thread that is runnable without a CPU for a quarter of the time is short of CPUs, not of time:
 * whoever has them, and on one machine that may be the server, is as much the limit. */
#define SLW_SIDE_STARVED 0.25
/* More than half of the time: no other cause can have as much. */
#define SLW_SIDE_WAIT 0.50
/* Less is mostly the start of a process. */
#define SLW_SIDE_MIN_WALL_NS  UINT64_C(100000000)
#define SLW_SIDE_MIN_REQUESTS 100

enum slw_side_kind { SLW_SIDE_UNKNOWN, SLW_SIDE_CLIENT, SLW_SIDE_SERVER };

/* Shares of time, 0..1. The waits are of the threads that work with the database. */
struct slw_side_shares {
    double busiest; /* of the window: thread that was on a CPU or wanted one the most; or of the
                       time of all working threads, if that is more */
    double starved; /* the part of `busiest` in which there was no CPU for it */
    double cpus;    /* of the CPUs online, used by all threads */
    double server;  /* waiting for answers, or for the network to take requests */
    double paced;   /* sleeping, or in the event loop with perhaps nothing asked for */
    double loop;    /* of that, in the event loop */
    double lock, other;
};

struct slw_side {
    enum slw_side_kind kind;
    const char *text; /* one clause with the numbers; UNKNOWN: why it cannot be told */
    bool have;        /* the shares are known */
    struct slw_side_shares shares;
};

/* The rule itself. UNKNOWN writes why into *ret_why, a clause without numbers. */
enum slw_side_kind slw_side_decide(const struct slw_side_shares *s, const char **ret_why);

/* Fill r->side; r->traffic is there. -SLW_E_NOMEM. */
int slw_side_fill(struct slw_report *r, struct slw_error *err);

/* Is there anybody to ask this of: a client, rather than a machine or an import? */
bool slw_side_asked(const struct slw_report *r);

/* "Client or server: cannot tell: ..." as one sentence. */
void slw_side_put(struct slw_buf *out, const struct slw_side *side);

/* New reference; NULL when out of memory. */
struct json_t *slw_side_json(const struct slw_side *side);

#endif
