/* SPDX-License-Identifier: MIT */
/* What the writer and the reader of profile.pb.gz agree on beyond pprof's published messages.
 * docs/run-format.md describes it. Only for record/ and its tests. */
#ifndef SLW_RECORD_PPROF_INT_H
#define SLW_RECORD_PPROF_INT_H

#include "record/stacks.h"

#include "profile.pb-c.h"

#include <stdint.h>

/* The comment that starts so goes on with a JSON object: version and columns. pprof tools print it,
 * so it is short and tells where the numbers come from. */
#define SLW_PPROF_HEADER         "slotwise profile "
#define SLW_PPROF_HEADER_VERSION 1

/* The last string of the table starts so and goes on with a JSON object: a fingerprint and lists of
 * locations. Nothing refers to it: tools do not show it, and drop it when they rewrite a profile,
 * which is when the ids in the lists stop to hold. */
#define SLW_PPROF_LOCATIONS "slotwise locations "

/* What pprof's messages cannot say about a location; keys of the lists. */
enum slw_pprof_exception {
    SLW_PPROF_USER,
    SLW_PPROF_KERNEL,
    SLW_PPROF_OTHER,
    SLW_PPROF_DANGLING, /* its outermost frame is inlined too, into a frame that is elsewhere */
    SLW_PPROF_EXCEPTION_COUNT
};
extern const char *const slw_pprof_exception_keys[SLW_PPROF_EXCEPTION_COUNT];

/* The kind of a frame as its module (NULL: none) and address tell it. The writer lists the
 * locations this gets wrong. */
enum slw_frame_kind slw_pprof_kind(const char *module, uint64_t address);

/* Continue a hash over the ids and addresses of locations, in their order. The lists of locations
 * in the header hold only while it is unchanged: a tool that rewrote the profile may have given
 * locations other ids. Start with 0. */
uint64_t slw_pprof_fingerprint(uint64_t so_far, const Perftools__Profiles__Location *l);

#endif
