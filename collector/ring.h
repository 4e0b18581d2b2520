/* SPDX-License-Identifier: MIT */
/* The kernel's ring buffer, read side. On the hot path whole spans are handed over unparsed; the
 * record walker checks sizes and is only for the few places that must cut at a record.
 * Source: perf_event_open(2), include/uapi/linux/perf_event.h struct perf_event_mmap_page. */
#ifndef SLW_COLLECTOR_RING_H
#define SLW_COLLECTOR_RING_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct perf_event_header;
struct perf_event_mmap_page;
struct slw_sys;

#define SLW_RING_RECORD_BYTES 65536 /* perf_event_header.size has 16 bits */

struct slw_ring {
    const struct slw_sys *sys;
    struct perf_event_mmap_page *page; /* NULL: not mapped */
    const uint8_t *data;
    size_t map_bytes;
    uint64_t size_bytes; /* of data: a power of two */
    uint64_t tail;       /* position in the endless stream up to which we have read */
};

/* The bytes between tail and head: two parts where they wrap. */
struct slw_ring_span {
    const void *parts[2];
    size_t lengths[2];
    uint64_t head;
};

/* Map the ring of fd with size_bytes (a power of two pages) of data. -SLW_E_NOMEM or -SLW_E_PERM
 * when the kernel grants no ring of this size (err is left alone: the caller tries a smaller one),
 * -SLW_E_IO otherwise. */
int slw_ring_open(const struct slw_sys *sys, int fd, uint64_t size_bytes, struct slw_ring *ret_ring,
                  struct slw_error *err);
void slw_ring_close(struct slw_ring *r); /* a zeroed or closed ring is allowed */

/* What is there to read; lengths 0 when nothing. -SLW_E_FORMAT when head is behind tail or further
 * ahead than the ring is long. */
int slw_ring_peek(const struct slw_ring *r, struct slw_ring_span *ret_span, struct slw_error *err);

/* Give the bytes before `position` back to the kernel. */
void slw_ring_release(struct slw_ring *r, uint64_t position);

/* The record at *position, which must be below head; moves *position past it. A record that wraps
 * is put together in bounce (SLW_RING_RECORD_BYTES, aligned to 8). 1: a record, 0: at head,
 * -SLW_E_FORMAT: a size below that of a header or beyond head, with the offset in err->where. */
int slw_ring_next(const struct slw_ring *r, uint64_t head, uint64_t *position, void *bounce,
                  const struct perf_event_header **ret_record, struct slw_error *err);

/* How many of the first limit_bytes after tail are whole records; never fails: it stops at the
 * first that is not. */
uint64_t slw_ring_whole_bytes(const struct slw_ring *r, uint64_t head, uint64_t limit_bytes);

#endif
