/* SPDX-License-Identifier: MIT */
/* What a sample carries so that its callers can be told: a chain that the kernel follows by frame
 * pointers, branch records, or the registers and the top of the stack as memory, which the analyzer
 * unwinds later. Pure. Not for: unwinding. Source: perf_event_open(2), sample_type. */
#ifndef SLW_COLLECTOR_CALL_GRAPH_H
#define SLW_COLLECTOR_CALL_GRAPH_H

#include "collector/session.h"

#include <stddef.h>
#include <stdint.h>

struct perf_event_attr;
struct perf_event_header;

/* Registers of user mode in a sample, in the order of their bits: all general ones, where the
 * program stood, and its stack. Source: linux arch/{x86,arm64}/include/uapi/asm/perf_regs.h. */
#if defined(__x86_64__)
#define SLW_USER_REGS      UINT64_C(0xff0fff) /* all but ds, es, fs, gs */
#define SLW_USER_REG_COUNT 20
#else
#define SLW_USER_REGS      UINT64_C(0x1ffffffff) /* x0 to x30, sp, pc */
#define SLW_USER_REG_COUNT 33
#endif

/* Of memory that is copied with each sample. Some paths of pgbench need 12 KiB; hiredis and libuv
 * have 16 and 12 KiB of buffer on the stack, below which are all callers: with copies of 16 KiB 85
 * % of the stacks of redis-benchmark and 68 % of node's are whole, with 24 KiB over 99 %. A record
 * has 16 bits for its size. */
#define SLW_STACK_BYTES     24576
#define SLW_MAX_STACK_BYTES 65528

/* Ask for it in attr. stack_bytes 0: SLW_STACK_BYTES. */
void slw_call_graph_ask(enum slw_call_graph how, uint32_t stack_bytes,
                        struct perf_event_attr *attr);

/* Ask for frame pointers instead; false: that is what attr asks for already. */
bool slw_call_graph_fall_back(struct perf_event_attr *attr);

/* "dwarf", "lbr", "fp" or "none". */
const char *slw_call_graph_name(const struct perf_event_attr *attr);

/* Where a sample may be cut: the kernel makes room for as many bytes of stack as it was asked for
 * and says behind them how many it had. kept_bytes of the record, then `filled` as the last word,
 * are the same sample; words that say how long things are have to be set to it. */
struct slw_sample_cut {
    size_t stack_size_at; /* of the word that holds the room for the stack */
    size_t kept_bytes;    /* up to the last byte of stack, in whole words */
    uint64_t filled;      /* bytes of stack that are there */
};

/* False: nothing to cut, or not a sample of such an event. */
bool slw_sample_cut(const struct perf_event_attr *attr, const struct perf_event_header *record,
                    struct slw_sample_cut *ret_cut);

/* Where the period stands in a sample; 0: nowhere. */
size_t slw_sample_period_at(const struct perf_event_attr *attr);

#endif
