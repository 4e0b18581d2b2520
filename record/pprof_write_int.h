/* SPDX-License-Identifier: MIT */
/* The state of writing one profile, shared by pprof_write.c (bytes, samples, header) and
 * pprof_locations.c (frames as locations and functions). */
#ifndef SLW_RECORD_PPROF_WRITE_INT_H
#define SLW_RECORD_PPROF_WRITE_INT_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/strtab.h"
#include "record/gzip_int.h"
#include "record/pprof_int.h"

/* One location: a frame and the frames inlined into it. */
struct slw_pprof_chain {
    size_t first; /* index into chain_frames */
    uint32_t count;
};
struct slw_pprof_function {
    uint32_t name, system_name, file; /* strings */
};

struct json_t;

struct slw_pprof_writer {
    const struct slw_stacks *s;
    struct slw_arena *arena;
    struct slw_strtab strings;
    ProtobufCBuffer buffer; /* feeds gzip */
    struct slw_gzip gzip;
    uint8_t *scratch; /* one packed message */
    size_t scratch_bytes;

    uint8_t *inlined;      /* per frame */
    uint64_t *location_of; /* per frame: the location that is this frame alone, 0: none yet */
    struct slw_pprof_chain *chains; /* location id - 1 */
    uint32_t *chain_frames;
    size_t chain_count, chain_capacity, chain_frame_count, chain_frame_capacity;
    struct slw_index chain_index;         /* of chains of several frames */
    struct slw_pprof_function *functions; /* function id - 1 */
    uint32_t function_count;
    struct slw_index function_index;
    uint64_t fingerprint;
    struct json_t *exceptions[SLW_PPROF_EXCEPTION_COUNT];
};

/* All: 0, -SLW_E_NOMEM or -SLW_E_LIMIT. */

/* One element of the repeated message field `number` of Profile. */
int slw_pprof_emit(struct slw_pprof_writer *w, unsigned number, const ProtobufCMessage *m);

/* Index of s, escaped, in the string table. */
int slw_pprof_string(struct slw_pprof_writer *w, const char *s, int64_t *ret_id);

int slw_pprof_locations_init(struct slw_pprof_writer *w);
void slw_pprof_locations_release(struct slw_pprof_writer *w);

/* Ids of the locations of a stack; ret_ids has room for one per frame. */
int slw_pprof_stack_locations(struct slw_pprof_writer *w, const struct slw_stack *stack,
                              uint64_t *ret_ids, size_t *ret_count);

/* Every location handed out so far, and their functions. */
int slw_pprof_emit_locations(struct slw_pprof_writer *w);

#endif
