/* SPDX-License-Identifier: MIT */
/* Which build of a file ran: as recorded, or read from the file where that is surely the one. */
#include "analyzer/elf_file.h"
#include "analyzer/perfdata.h"
#include "analyzer/samples.h"
#include "base/file.h"
#include "collector/spool_build_ids.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/own_mapping_int.h"
#include "tests/unit/perf_image_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ASKED (SLW_PERF_ATTR_MMAP | SLW_PERF_ATTR_BUILD_ID)

static char path[] = "/tmp/slw-build-ids-XXXXXX";

/* ---- marks in mappings ---- */

static const struct image_attr plain = {.type = PERF_TYPE_SOFTWARE,
                                        .config = PERF_COUNT_SW_CPU_CLOCK,
                                        .period = 997,
                                        .sample_type = IMAGE_SAMPLE_TYPE | PERF_SAMPLE_IDENTIFIER,
                                        .flags = IMAGE_ID_ALL | SLW_PERF_ATTR_MMAP};

/* A mapping that is marked to carry a build id, written for an event. */
static void put_marked(struct image *i, uint64_t id)
{
    begin_record(i, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER | SLW_PERF_MISC_MMAP_BUILD_ID);
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

/* ---- read from the file ---- */

static const struct image_attr monotonic = {.type = PERF_TYPE_SOFTWARE,
                                            .config = PERF_COUNT_SW_CPU_CLOCK,
                                            .period = 997,
                                            .sample_type = IMAGE_SAMPLE_TYPE,
                                            .flags = IMAGE_ID_ALL};

struct own {
    struct own_mapping at;
    uint64_t address;
    char build_id[SLW_BUILD_ID_HEX_BYTES];
};

static struct own own_program(void)
{
    struct own o = {.address = (uint64_t)(uintptr_t)own_program};
    struct slw_elf elf;

    o.at = own_mapping(o.address);
    assert_int_equal(slw_elf_open(o.at.path, &elf), 0);
    slw_elf_build_id(&elf, o.build_id);
    slw_elf_close(&elf);
    return o;
}

static void put_own(struct image *i, const struct own *o)
{
    const uint64_t chain[] = {(uint64_t)PERF_CONTEXT_USER, o->address};

    pipe_header(i);
    pipe_attr(i, &monotonic, 128, 100);
    begin_record(i, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
    put32(i, 7);
    put32(i, 7);
    put64(i, o->at.start);
    put64(i, o->at.length);
    put64(i, o->at.offset);
    put32(i, o->at.major);
    put32(i, o->at.minor);
    put64(i, o->at.inode);
    put64(i, 0);
    put64(i, 5);
    put_text(i, o->at.path, 8);
    put_trailer(i, 7, 7, 1);
    end_record(i);
    put_sample(i, PERF_RECORD_MISC_USER, 7, 7, 2, 10, chain, 2, o->address);
}

/* The build id that the stacks tell of it. */
static void expect_build_id(const struct own *o, bool imported, const char *build_id)
{
    const struct slw_samples_options opts = {.symbols = true, .imported = imported};
    struct slw_stacks *stacks = NULL;
    struct slw_run *run = NULL;
    struct image i = {0};

    put_own(&i, o);
    assert_int_equal(slw_file_write(path, i.out.data, i.out.length, NULL), 0);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_samples_load(path, &opts, run, &stacks, NULL), 0);
    assert_int_equal(slw_stacks_mapping_count(stacks), 1);
    assert_string_equal(slw_stacks_mapping(stacks, 0).path, o->at.path);
    assert_string_equal(slw_stacks_mapping(stacks, 0).build_id, build_id);
    slw_stacks_free(stacks);
    slw_run_free(run);
    slw_buf_release(&i.out);
}

static void the_file_that_ran_tells_its_build_id(void **state)
{
    struct own o = own_program();

    (void)state;
    assert_true(o.build_id[0]);
    expect_build_id(&o, false, o.build_id);
    expect_build_id(&o, true, "");
}

static void a_file_that_may_be_another_tells_none(void **state)
{
    struct own o = own_program();

    (void)state;
    o.at.inode++;
    expect_build_id(&o, false, "");
    o.at.inode = 0;
    expect_build_id(&o, false, "");
}

/* ---- into perf.data ---- */

static struct slw_stacks *stacks_of(const struct slw_mapping *mappings, size_t count)
{
    struct slw_stacks *s = NULL;
    uint32_t id;
    const struct slw_column column = {.event = "cpu-clock", .unit = "ns"};

    assert_int_equal(slw_stacks_new(&column, 1, &s, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(slw_stacks_add_mapping(s, &mappings[i], &id), 0);
    return s;
}

/* A file with two feature sections: build ids, empty, and the name of the host. */
static void write_file(const char *host)
{
    struct image i = {0};

    file_header(&i, &plain, 1, 128, 100);
    put_marked(&i, 100);
    put_comm(&i, 7, 7, "client", 1, true);
    file_end(&i);
    const uint64_t table = i.out.length, sections = table + 32;
    put64(&i, sections);
    put64(&i, 0);
    put64(&i, sections);
    put64(&i, 4 + 64);
    put32(&i, 64);
    i.record = i.out.length;
    put_text(&i, host, 64);
    patch64(&i, 72, UINT64_C(1) << SLW_PERF_BUILD_ID | UINT64_C(1) << SLW_PERF_HOSTNAME);
    assert_int_equal(slw_file_write(path, i.out.data, i.out.length, NULL), 0);
    slw_buf_release(&i.out);
}

/* The first record is a mapping, and carries device and inode. */
static void expect_no_mark(void)
{
    struct perf_event_header h;
    struct slw_perf_header file;
    char *bytes = NULL;
    size_t length = 0;

    assert_int_equal(slw_file_read(path, 1 << 20, &bytes, &length, NULL), 0);
    memcpy(&file, bytes, sizeof(file));
    memcpy(&h, bytes + file.data.offset, sizeof(h));
    assert_int_equal(h.type, PERF_RECORD_MMAP2);
    assert_int_equal(h.misc, PERF_RECORD_MISC_USER);
    free(bytes);
}

static void builds_are_found_where_perf_keeps_them(void **state)
{
    static const struct slw_mapping mappings[] = {
        {.path = "/bin/client", .build_id = "000102030405060708090a0b0c0d0e0f10111213"},
        {.path = "[kernel.kallsyms]", .build_id = ""},
        {.path = "/bin/two", .build_id = "0011223344556677"},
        {.path = "/lib/short.so", .build_id = "0123456789abcdef"},
        {.path = "/bin/two", .build_id = "8899aabbccddeeff"},
        {.path = "/bin/half", .build_id = ""},
        {.path = "/bin/half", .build_id = "0011223344556677"},
        {.path = "/bin/odd", .build_id = "not hex"}};
    struct slw_stacks *s = stacks_of(mappings, sizeof(mappings) / sizeof(mappings[0]));
    struct slw_perfdata *pd = NULL;

    (void)state;
    write_file("here");
    assert_int_equal(slw_spool_add_build_ids(path, s, NULL), 0);
    expect_no_mark();
    assert_int_equal(slw_perfdata_open(path, &pd, NULL), 0);
    assert_string_equal(slw_perfdata_meta(pd)->hostname, "here");
    assert_int_equal(slw_perfdata_build_id_count(pd), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(slw_perfdata_build_id(pd, i)->path, mappings[i ? 3 : 0].path);
        assert_string_equal(slw_perfdata_build_id(pd, i)->build_id, mappings[i ? 3 : 0].build_id);
    }
    slw_perfdata_close(pd);
    slw_stacks_free(s);
}

static void what_is_no_file_of_ours_is_left_alone(void **state)
{
    struct slw_stacks *s = stacks_of(NULL, 0);
    struct slw_error err = {0};

    (void)state;
    assert_int_equal(slw_file_write(path, "text", 4, NULL), 0);
    assert_int_equal(slw_spool_add_build_ids(path, s, &err), -SLW_E_FORMAT);
    assert_int_equal(slw_spool_add_build_ids("/nonexistent/perf.data", s, NULL), -SLW_E_IO);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_that_nobody_asked_for_is_somebody_elses),
        cmocka_unit_test(what_was_asked_for_is_a_build_id),
        cmocka_unit_test(the_file_that_ran_tells_its_build_id),
        cmocka_unit_test(a_file_that_may_be_another_tells_none),
        cmocka_unit_test(builds_are_found_where_perf_keeps_them),
        cmocka_unit_test(what_is_no_file_of_ours_is_left_alone),
    };
    const int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    (void)close(fd);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
