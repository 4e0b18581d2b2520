/* SPDX-License-Identifier: MIT */
/* Which build of a file ran: as recorded, or read from the file where that is surely the one. */
#include "analyzer/perfdata.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#define MARKED_BUILD_ID (1 << 14) /* PERF_RECORD_MISC_MMAP_BUILD_ID */
#define ASKED           (SLW_PERF_ATTR_MMAP | SLW_PERF_ATTR_BUILD_ID)

/* ---- marks in mappings ---- */

static const struct image_attr plain = {.type = PERF_TYPE_SOFTWARE,
                                        .config = PERF_COUNT_SW_CPU_CLOCK,
                                        .period = 997,
                                        .sample_type = IMAGE_SAMPLE_TYPE | PERF_SAMPLE_IDENTIFIER,
                                        .flags = IMAGE_ID_ALL | SLW_PERF_ATTR_MMAP};

/* A mapping that is marked to carry a build id, written for an event. */
static void put_marked(struct image *i, uint64_t id)
{
    begin_record(i, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER | MARKED_BUILD_ID);
    put32(i, 7);
    put32(i, 7);
    put64(i, 0x1000);
    put64(i, 0x1000);
    put64(i, 0);
    put32(i, 8); /* major, or the length of the id in its first byte */
    put32(i, 0x03020100);
    put64(i, UINT64_C(0x0706050403020100));
    put64(i, 0);
    put64(i, 5); /* PROT_READ | PROT_EXEC; flags */
    put_text(i, "/bin/client", 8);
    put_trailer(i, 7, 7, 1);
    put64(i, id);
    end_record(i);
}

static int keep_mapping(void *ctx, const struct slw_perf_record *r)
{
    if (r->kind == SLW_PERF_MMAP)
        *(struct slw_perf_mmap *)ctx = r->mmap;
    return 0;
}

/* How that mapping is read of the first event's id, or of 0: the recorder's own. */
static struct slw_perf_mmap marked(uint64_t first_flags, uint64_t second_flags, uint64_t id,
                                   bool swap)
{
    struct image_attr first = plain, second = plain;
    struct slw_perf_mmap m = {0};
    struct slw_perfdata *pd = NULL;
    struct image i = {.swap = swap};

    first.flags = IMAGE_ID_ALL | first_flags;
    second.flags = IMAGE_ID_ALL | second_flags;
    pipe_header(&i);
    pipe_attr(&i, &first, 128, 100);
    pipe_attr(&i, &second, 128, 101);
    put_marked(&i, id);
    assert_int_equal(slw_perfdata_open_bytes(i.out.data, i.out.length, 0, &pd, NULL), 0);
    assert_int_equal(slw_perfdata_each(pd, keep_mapping, &m), 0);
    assert_int_equal(m.start, 0x1000);
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
    return m;
}

static void a_mark_that_nobody_asked_for_is_somebody_elses(void **state)
{
    (void)state;
    for (int swap = 0; swap < 2; swap++) {
        struct slw_perf_mmap m = marked(SLW_PERF_ATTR_MMAP, 0, 100, swap);
        assert_int_equal(m.build_id_bytes, 0);
        assert_int_equal(m.major, 8);
        assert_int_equal(m.inode, UINT64_C(0x0706050403020100));
        m = marked(SLW_PERF_ATTR_MMAP, ASKED, 100, swap); /* this one did not ask */
        assert_int_equal(m.build_id_bytes, 0);
        m = marked(0, SLW_PERF_ATTR_MMAP, 0, swap);
        assert_int_equal(m.build_id_bytes, 0);
    }
}

static void what_was_asked_for_is_a_build_id(void **state)
{
    (void)state;
    struct slw_perf_mmap m = marked(ASKED, 0, 100, false);
    assert_int_equal(m.build_id_bytes, 8);
    assert_int_equal(m.inode, 0);
    m = marked(0, ASKED, 101, false);
    assert_int_equal(m.build_id_bytes, 8);
    m = marked(0, ASKED, 0, false); /* made up by the recorder: of no event, so of the first */
    assert_int_equal(m.build_id_bytes, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_that_nobody_asked_for_is_somebody_elses),
        cmocka_unit_test(what_was_asked_for_is_a_build_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
