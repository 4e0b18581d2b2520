/* SPDX-License-Identifier: MIT */
#include "tests/unit/cmocka_int.h"

#include "collector/ring.h"
#include "collector/sys.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *fake_base;
static int fake_mmap_rc;
static size_t page_bytes;

static int fake_mmap(size_t length, int fd, void **ret_base)
{
    (void)fd;
    if (fake_mmap_rc < 0)
        return fake_mmap_rc;
    if (posix_memalign(&fake_base, page_bytes, length) != 0)
        return -ENOMEM;
    memset(fake_base, 0, length);
    *ret_base = fake_base;
    return 0;
}

static void fake_munmap(void *base, size_t length)
{
    (void)length;
    free(base);
}

static const struct slw_sys fake = {.mmap = fake_mmap, .munmap = fake_munmap};

/* A ring of one page. */
static int open_ring(void **state)
{
    static struct slw_ring ring;

    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    fake_mmap_rc = 0;
    assert_int_equal(slw_ring_open(&fake, 3, page_bytes, &ring, NULL), 0);
    *state = &ring;
    return 0;
}

static int close_ring(void **state)
{
    slw_ring_close(*state);
    slw_ring_close(*state); /* allowed */
    return 0;
}

/* What the kernel does: bytes at head, then head moves. */
static void produce(struct slw_ring *r, const void *bytes, size_t length)
{
    uint8_t *data = (uint8_t *)fake_base + page_bytes;

    for (size_t i = 0; i < length; i++)
        data[(r->page->data_head + i) % r->size_bytes] = ((const uint8_t *)bytes)[i];
    r->page->data_head += length;
}

static void produce_record(struct slw_ring *r, uint16_t size, uint32_t type)
{
    uint8_t bytes[512];
    struct perf_event_header h = {.type = type, .misc = 0, .size = size};

    memset(bytes, (int)type, sizeof(bytes));
    memcpy(bytes, &h, sizeof(h));
    produce(r, bytes, size < sizeof(h) ? sizeof(h) : size);
}

/* Move both ends so that the next record starts `before_end` bytes before the end of the data. */
static void move_to(struct slw_ring *r, uint64_t before_end)
{
    r->page->data_head = r->size_bytes * 3 - before_end;
    slw_ring_release(r, r->page->data_head);
}

static void an_empty_ring_has_no_bytes(void **state)
{
    struct slw_ring_span span;

    assert_int_equal(slw_ring_peek(*state, &span, NULL), 0);
    assert_int_equal(span.lengths[0] + span.lengths[1], 0);
}

static void a_span_that_wraps_has_two_parts(void **state)
{
    struct slw_ring *r = *state;
    struct slw_ring_span span;

    move_to(r, 24);
    produce_record(r, 64, 9);
    assert_int_equal(slw_ring_peek(r, &span, NULL), 0);
    assert_int_equal(span.lengths[0], 24);
    assert_int_equal(span.lengths[1], 40);
    assert_ptr_equal(span.parts[1], r->data);
    slw_ring_release(r, span.head);
    assert_int_equal(r->page->data_tail, r->page->data_head);
}

static void a_full_ring_is_all_span(void **state)
{
    struct slw_ring *r = *state;
    struct slw_ring_span span;

    move_to(r, 8);
    r->page->data_head += r->size_bytes;
    assert_int_equal(slw_ring_peek(r, &span, NULL), 0);
    assert_int_equal(span.lengths[0] + span.lengths[1], r->size_bytes);
}

static void head_behind_tail_is_an_error_with_the_offset(void **state)
{
    struct slw_ring *r = *state;
    struct slw_ring_span span;
    struct slw_error err = {0};

    move_to(r, 8);
    r->page->data_head -= 8;
    assert_int_equal(slw_ring_peek(r, &span, &err), -SLW_E_FORMAT);
    assert_non_null(strstr(err.where, "offset 0x"));
}

static void head_too_far_ahead_is_an_error(void **state)
{
    struct slw_ring *r = *state;
    struct slw_ring_span span;

    r->page->data_head = r->size_bytes + 8;
    assert_int_equal(slw_ring_peek(r, &span, NULL), -SLW_E_FORMAT);
}

static void a_wrapped_record_is_put_together(void **state)
{
    struct slw_ring *r = *state;
    const struct perf_event_header *record = NULL;
    _Alignas(8) static uint8_t bounce[SLW_RING_RECORD_BYTES];

    move_to(r, 16);
    produce_record(r, 48, 7);
    produce_record(r, 16, 5);
    uint64_t head = r->page->data_head, position = r->tail;
    assert_int_equal(slw_ring_next(r, head, &position, bounce, &record, NULL), 1);
    assert_ptr_equal(record, bounce);
    assert_int_equal(record->size, 48);
    for (size_t i = sizeof(*record); i < 48; i++)
        assert_int_equal(bounce[i], 7);
    assert_int_equal(slw_ring_next(r, head, &position, bounce, &record, NULL), 1);
    assert_int_equal(record->type, 5);
    assert_ptr_not_equal(record, bounce);
    assert_int_equal(slw_ring_next(r, head, &position, bounce, &record, NULL), 0);
    assert_int_equal(position, head);
}

static void bad_sizes_are_errors_and_move_nothing(void **state)
{
    static const uint16_t sizes[] = {0, 7, 65535, 72};
    struct slw_ring *r = *state;
    _Alignas(8) static uint8_t bounce[SLW_RING_RECORD_BYTES];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct perf_event_header h = {.type = 1, .misc = 0, .size = sizes[i]};
        const struct perf_event_header *record = NULL;
        struct slw_error err = {0};
        uint8_t filler[64] = {0};

        move_to(r, 4096 / 2);
        produce(r, &h, sizeof(h));
        produce(r, filler, 56); /* 64 bytes in all, less than 72 */
        uint64_t position = r->tail;
        assert_int_equal(slw_ring_next(r, r->page->data_head, &position, bounce, &record, &err),
                         -SLW_E_FORMAT);
        assert_int_equal(position, r->tail);
        assert_null(record);
        assert_true(err.where[0] != '\0');
        assert_int_equal(slw_ring_whole_bytes(r, r->page->data_head, UINT64_MAX), 0);
    }
}

static void half_a_header_is_an_error(void **state)
{
    struct slw_ring *r = *state;
    const struct perf_event_header *record = NULL;
    _Alignas(8) static uint8_t bounce[SLW_RING_RECORD_BYTES];
    uint64_t position = r->tail;

    assert_int_equal(slw_ring_next(r, position + 4, &position, bounce, &record, NULL),
                     -SLW_E_FORMAT);
}

static void whole_bytes_stop_at_the_limit(void **state)
{
    struct slw_ring *r = *state;

    move_to(r, 20);
    produce_record(r, 32, 1);
    produce_record(r, 40, 2);
    uint64_t head = r->page->data_head;
    assert_int_equal(slw_ring_whole_bytes(r, head, 31), 0);
    assert_int_equal(slw_ring_whole_bytes(r, head, 32), 32);
    assert_int_equal(slw_ring_whole_bytes(r, head, 71), 32);
    assert_int_equal(slw_ring_whole_bytes(r, head, 72), 72);
    assert_int_equal(slw_ring_whole_bytes(r, head, UINT64_MAX), 72);
}

static void a_refused_ring_says_how(void **state)
{
    struct slw_ring ring = {0};
    struct slw_error err = {0};

    (void)state;
    fake_mmap_rc = -ENOMEM;
    assert_int_equal(slw_ring_open(&fake, 3, page_bytes, &ring, &err), -SLW_E_NOMEM);
    fake_mmap_rc = -EPERM;
    assert_int_equal(slw_ring_open(&fake, 3, page_bytes, &ring, &err), -SLW_E_PERM);
    assert_int_equal(err.code, SLW_E_OK); /* a smaller one may do */
    fake_mmap_rc = -EINVAL;
    assert_int_equal(slw_ring_open(&fake, 3, page_bytes, &ring, &err), -SLW_E_IO);
    assert_int_equal(err.sys, EINVAL);
    assert_null(ring.page);
}

#define RING_TEST(f) cmocka_unit_test_setup_teardown(f, open_ring, close_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(an_empty_ring_has_no_bytes),
        RING_TEST(a_span_that_wraps_has_two_parts),
        RING_TEST(a_full_ring_is_all_span),
        RING_TEST(head_behind_tail_is_an_error_with_the_offset),
        RING_TEST(head_too_far_ahead_is_an_error),
        RING_TEST(a_wrapped_record_is_put_together),
        RING_TEST(bad_sizes_are_errors_and_move_nothing),
        RING_TEST(half_a_header_is_an_error),
        RING_TEST(whole_bytes_stop_at_the_limit),
        RING_TEST(a_refused_ring_says_how),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
