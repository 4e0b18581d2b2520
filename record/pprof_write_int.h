/* SPDX-License-Identifier: MIT */
/* The state of writing one profile, shared by pprof_write.c (bytes, samples, header),
 * pprof_locations.c (frames as locations and functions) and moments_write.c (other samples). */
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

struct slw_run;

/* Labels of one sample; keys are interned once: pid, tid, comm. */
#define SLW_PPROF_LABELS 3
struct slw_pprof_labels {
    Perftools__Profiles__Label labels[SLW_PPROF_LABELS];
    Perftools__Profiles__Label *pointers[SLW_PPROF_LABELS];
    size_t count;
    int64_t keys[SLW_PPROF_LABELS];
};

struct slw_pprof_writer {
    const struct slw_stacks *s;
    const struct slw_column *columns; /* of the samples; lent */
    size_t column_count;
    const char *extra_key; /* NULL, or a number for the header comment */
    uint64_t extra;
    size_t written; /* bytes before compression */
    bool plain;     /* see slw_stacks_to_pprof_plain */
    struct slw_arena *arena;
    struct slw_strtab strings;
    ProtobufCBuffer buffer; /* feeds gzip */
    struct slw_gzip gzip;
    uint8_t *scratch; /* one packed message */
    size_t scratch_bytes;
    struct slw_pprof_labels labels;
    uint64_t *ids; /* locations of one sample */

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

/* Heap, with the columns of s; out is lent. A writer that could not be made is NULL. */
int slw_pprof_writer_new(const struct slw_stacks *s, struct slw_buf *out,
                         struct slw_pprof_writer **ret_writer);
void slw_pprof_writer_free(struct slw_pprof_writer *w);

/* Locations and thread of a sample, without its values. What it points to is good until the next
 * call. */
int slw_pprof_start_sample(struct slw_pprof_writer *w, const struct slw_stack *stack,
                           Perftools__Profiles__Sample *ret_sample);

/* What follows the samples. */
int slw_pprof_finish(struct slw_pprof_writer *w, const struct slw_run *run_or_null);

/* Bytes of an unsigned number, at most 10. */
size_t slw_pprof_varint(uint8_t *to, uint64_t value);
enum { SLW_PPROF_SAMPLE_FIELD = 2 }; /* number in profile.proto */
void slw_pprof_put(struct slw_pprof_writer *w, const void *bytes, size_t length);
/* Room for one packed message of so many bytes in w->scratch. */
int slw_pprof_reserve(struct slw_pprof_writer *w, size_t bytes);

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
