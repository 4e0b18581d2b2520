/* SPDX-License-Identifier: MIT */
/* Requests and their answers on one connection: who waits, since when, how many. Pure: the caller
 * gives the time, the counts and the histogram. Protocols that answer in order use the queue; those
 * that number their requests use the streams. Not for: bytes (proto.h). */
#ifndef SLW_COLLECTOR_TAPS_WIRE_EXCHANGE_H
#define SLW_COLLECTOR_TAPS_WIRE_EXCHANGE_H

#include "collector/taps/wire/map.h"

#include <stdbool.h>
#include <stddef.h>

/* A run is the requests of one kind in one flush, so that this is the number of flushes in flight;
 * more are merged into the youngest. */
#define SLW_EXCHANGE_RUNS    1024u
#define SLW_EXCHANGE_STREAMS 2048u /* stream ids whose latency is followed; the others count */

/* A kind with this bit is waited for, but is no request: a Sync, a fence. */
#define SLW_ASK_SILENT 0x100u
#define SLW_ASK_NONE   0xffffu /* nobody waits */

struct slw_ask_run {
    uint64_t sent_ns;
    uint32_t count;
    uint16_t kind;
    bool ends_flush;
};

struct slw_exchange {
    struct slw_wire_counts *counts;       /* lent */
    struct slw_wire_histogram *histogram; /* lent; NULL: none */
    uint64_t now_ns;                      /* of the call being decoded */
    uint64_t in_flight;                   /* requests asked and not answered */
    uint64_t flush_requests;              /* asked in this flush so far */
    uint32_t head, tail;                  /* runs[head % RUNS] is the oldest */
    bool racing;           /* another thread sends: an answer may be decoded before its request */
    uint64_t owed;         /* requests that were answered like that and are still to come */
    bool unordered;        /* answers cannot be told apart: no latency any more */
    bool streams;          /* `sent_ns` is used instead of `runs` */
    uint32_t last_request; /* run of the youngest request of this flush */
    bool have_last;
    union {
        struct slw_ask_run runs[SLW_EXCHANGE_RUNS];
        uint64_t sent_ns[SLW_EXCHANGE_STREAMS];
    };
};

/* Bucket of a latency, and the lowest and the first too high latency of a bucket. */
size_t slw_latency_bucket(uint64_t ns);
uint64_t slw_latency_low_ns(size_t bucket);

/* `count` requests of one kind were sent now. */
void slw_ask(struct slw_exchange *x, uint32_t kind, uint32_t count);

/* The same of requests that nobody answers. */
void slw_ask_unanswered(struct slw_exchange *x, uint32_t count);

/* Kind of the request whose answer is next, or SLW_ASK_NONE. */
uint32_t slw_ask_head(const struct slw_exchange *x);

/* The oldest `count` of those waiting were answered now. With `skipped`, they were passed over
 * after an error: answered, but their latency tells nothing. */
void slw_answer(struct slw_exchange *x, uint32_t count, bool skipped);

/* The same by stream id. */
void slw_ask_stream(struct slw_exchange *x, uint32_t stream);
void slw_answer_stream(struct slw_exchange *x, uint32_t stream);
bool slw_stream_asked(const struct slw_exchange *x, uint32_t stream);

/* From here on answers cannot be matched: only count. */
void slw_exchange_unorder(struct slw_exchange *x);

/* Work that is done inside of the client, one piece at a time: no queue. `spent_ns` of one whose
 * time is not known: UINT64_MAX. */
void slw_execution_begin(struct slw_exchange *x);
void slw_execution_end(struct slw_exchange *x, uint64_t spent_ns);
/* All that was begun since the last one is a batch, or was for nothing. */
void slw_transaction_end(struct slw_exchange *x, uint64_t took_ns, bool committed);

/* A write of so many bytes went out; what was asked since the last one is its batch. */
void slw_exchange_flush(struct slw_exchange *x, uint64_t bytes);

#endif
