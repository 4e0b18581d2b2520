/* SPDX-License-Identifier: MIT */
/* The state of reading one profile, shared by pprof_read.c (the messages), pprof_read_header.c
 * (unpacking, columns and what slotwise added) and moments_read.c (other samples). Failures are
 * told in r->err. */
#ifndef SLW_RECORD_PPROF_READ_INT_H
#define SLW_RECORD_PPROF_READ_INT_H

#include "base/hash.h"
#include "record/pprof_int.h"

struct slw_arena;

struct slw_pprof_span {
    uint32_t first, count;
};

/* Positions by id: ids are unique but need not be dense or sorted. */
struct slw_pprof_ids {
    uint64_t *ids;
    uint32_t count;
    struct slw_index index;
};

struct slw_pprof_reader {
    Perftools__Profiles__Profile *p; /* in the arena */
    struct slw_arena *arena;
    struct slw_stacks *s;
    struct slw_error *err;
    bool ours;             /* has our header comment */
    struct json_t *header; /* NULL unless it describes this profile's columns */
    uint8_t *exceptions;   /* per location: a bit per enum slw_pprof_exception; NULL: none */
    struct slw_pprof_ids mappings, functions, locations;
    uint32_t *mapping_ids;        /* per mapping: id in s */
    struct slw_pprof_span *spans; /* per location: its frames in frame_ids */
    uint32_t *frame_ids;
};

__attribute__((format(printf, 2, 3))) int slw_pprof_bad(struct slw_pprof_reader *r, const char *fmt,
                                                        ...);
int slw_pprof_no_memory(struct slw_pprof_reader *r);

/* Lend string `index` of the table to message `i` of kind `what`. */
int slw_pprof_get_string(struct slw_pprof_reader *r, int64_t index, const char *what, size_t i,
                         const char **ret_text);

/* Fill r->p; r->ours and r->header; r->s with the columns; r->exceptions. In this order. */
int slw_pprof_unpack(struct slw_pprof_reader *r, const void *bytes, size_t length);
int slw_pprof_read_header(struct slw_pprof_reader *r);
int slw_pprof_read_columns(struct slw_pprof_reader *r);
int slw_pprof_read_exceptions(struct slw_pprof_reader *r);

/* All of a profile but its samples: columns, and frames in r->s. r is zero but for err; release it
 * in any case, and free r->s. */
int slw_pprof_read_tables(struct slw_pprof_reader *r, const void *bytes, size_t length);
void slw_pprof_reader_release(struct slw_pprof_reader *r);

/* Append the frames of the location with an id to frames[0..*depth-1], at most SLW_MAX_STACK_DEPTH.
 * `sample` is who asks. */
int slw_pprof_put_location(struct slw_pprof_reader *r, size_t sample, uint64_t id, uint32_t *frames,
                           size_t *depth);

#endif
