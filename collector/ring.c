/* SPDX-License-Identifier: MIT */
#include "collector/ring.h"

#include "collector/sys.h"

#include <assert.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <unistd.h>

int slw_ring_open(const struct slw_sys *sys, int fd, uint64_t size_bytes, struct slw_ring *ret_ring,
                  struct slw_error *err)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    struct slw_ring r = {.sys = sys, .map_bytes = page_bytes + (size_t)size_bytes};
    void *base = NULL;

    assert(size_bytes >= page_bytes && (size_bytes & (size_bytes - 1)) == 0);
    int rc = sys->mmap(r.map_bytes, fd, &base);
    if (rc == -ENOMEM)
        return -SLW_E_NOMEM;
    if (rc == -EPERM || rc == -EAGAIN)
        return -SLW_E_PERM; /* perf_event_mlock_kb is used up */
    if (rc < 0)
        return slw_fail_sys(err, SLW_E_IO, -rc, "cannot map a ring buffer of %llu bytes",
                            (unsigned long long)size_bytes);
    r.page = base;
    r.data = (const uint8_t *)base + page_bytes;
    r.size_bytes = size_bytes;
    r.tail = r.page->data_tail;
    *ret_ring = r;
    return 0;
}

void slw_ring_close(struct slw_ring *r)
{
    if (!r->page)
        return;
    r->sys->munmap(r->page, r->map_bytes);
    *r = (struct slw_ring){0};
}

int slw_ring_peek(const struct slw_ring *r, struct slw_ring_span *ret_span, struct slw_error *err)
{
    /* Pairs with the kernel's barrier before it stores data_head. */
    uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
    uint64_t used = head - r->tail;
    uint64_t at = r->tail & (r->size_bytes - 1);

    if (used > r->size_bytes) {
        slw_error_at(err, "ring offset 0x%llx", (unsigned long long)r->tail);
        return slw_fail(err, SLW_E_FORMAT, "ring head 0x%llx does not follow tail 0x%llx",
                        (unsigned long long)head, (unsigned long long)r->tail);
    }
    uint64_t first = used < r->size_bytes - at ? used : r->size_bytes - at;
    *ret_span = (struct slw_ring_span){.parts = {r->data + at, r->data},
                                       .lengths = {(size_t)first, (size_t)(used - first)},
                                       .head = head};
    return 0;
}

void slw_ring_release(struct slw_ring *r, uint64_t position)
{
    r->tail = position;
    /* The kernel may overwrite as soon as it sees this, so our reads must be done. */
    __atomic_store_n(&r->page->data_tail, position, __ATOMIC_RELEASE);
}

static void copy_out(const struct slw_ring *r, uint64_t position, void *to, size_t length)
{
    uint64_t at = position & (r->size_bytes - 1);
    size_t first = (size_t)(r->size_bytes - at) < length ? (size_t)(r->size_bytes - at) : length;

    memcpy(to, r->data + at, first);
    memcpy((uint8_t *)to + first, r->data, length - first);
}

int slw_ring_next(const struct slw_ring *r, uint64_t head, uint64_t *position, void *bounce,
                  const struct perf_event_header **ret_record, struct slw_error *err)
{
    uint64_t left = head - *position;
    uint64_t at = *position & (r->size_bytes - 1);
    struct perf_event_header header;

    if (left == 0)
        return 0;
    if (left >= sizeof(header))
        copy_out(r, *position, &header, sizeof(header));
    if (left < sizeof(header) || header.size < sizeof(header) || header.size > left) {
        slw_error_at(err, "ring offset 0x%llx", (unsigned long long)*position);
        return slw_fail(err, SLW_E_FORMAT, "a record of impossible size, %llu bytes before head",
                        (unsigned long long)left);
    }
    if (at + header.size <= r->size_bytes) {
        *ret_record = (const void *)(r->data + at);
    } else {
        copy_out(r, *position, bounce, header.size);
        *ret_record = bounce;
    }
    *position += header.size;
    return 1;
}

uint64_t slw_ring_whole_bytes(const struct slw_ring *r, uint64_t head, uint64_t limit_bytes)
{
    uint64_t position = r->tail;

    while (head - position >= sizeof(struct perf_event_header)) {
        struct perf_event_header header;

        copy_out(r, position, &header, sizeof(header));
        if (header.size < sizeof(header) || header.size > head - position ||
            position - r->tail + header.size > limit_bytes)
            break;
        position += header.size;
    }
    return position - r->tail;
}
