/* SPDX-License-Identifier: MIT */
#include "tests/unit/cmocka_int.h"

#include "collector/spool.h"
#include "collector/sys.h"
#include "record/perf_layout.h"
#include "record/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/slw-spool-XXXXXX";
static struct slw_spool *spool;
static struct slw_run *run;
static size_t room_bytes; /* what the played disk still takes */
static int eintr_count;

/* Three bytes at a time, with interruptions, until the disk is full. */
static ssize_t stingy_writev(int fd, const struct iovec *parts, int part_count)
{
    size_t length = parts[0].iov_len < 3 ? parts[0].iov_len : 3;

    assert_true(part_count > 0 && parts[0].iov_len > 0);
    if (eintr_count-- > 0)
        return -EINTR;
    if (room_bytes == 0)
        return -ENOSPC;
    length = length < room_bytes ? length : room_bytes;
    room_bytes -= length;
    return write(fd, parts[0].iov_base, length);
}

static const struct slw_sys stingy = {.writev = stingy_writev};

static int begin(void **state)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr)};
    uint64_t ids[3] = {7, 8, 9};
    struct slw_spool_event event = {&attr, "cpu-clock", ids, 3};

    (void)state;
    room_bytes = SIZE_MAX;
    eintr_count = 2;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->host.hostname = "client-host";
    assert_int_equal(slw_spool_open(&stingy, path, &spool, NULL), 0);
    assert_false(slw_spool_begun(spool));
    assert_int_equal(slw_spool_begin(spool, &event, 1, run, NULL), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    slw_spool_close(spool);
    slw_run_free(run);
    return 0;
}

static uint8_t *load(struct slw_perf_header *ret_header, size_t *ret_length)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    uint8_t *bytes = NULL;

    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    bytes = malloc((size_t)st.st_size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
    (void)fclose(f);
    memcpy(ret_header, bytes, sizeof(*ret_header));
    *ret_length = (size_t)st.st_size;
    return bytes;
}

static int put(const char *first, const char *second, uint64_t *ret_written)
{
    char a[64], b[64];
    struct iovec parts[2] = {{a, strlen(first)}, {b, strlen(second)}};

    (void)snprintf(a, sizeof(a), "%s", first);
    (void)snprintf(b, sizeof(b), "%s", second);
    return slw_spool_write(spool, parts, 2, ret_written);
}

static void short_and_interrupted_writes_lose_nothing(void **state)
{
    struct slw_perf_header h;
    uint64_t written = 0;
    size_t length = 0;

    (void)state;
    assert_int_equal(put("abcdefgh", "ijkl", &written), 0);
    assert_int_equal(written, 12);
    assert_int_equal(put("", "mn", &written), 0);
    assert_int_equal(slw_spool_finish(spool, 1, 2, NULL), 0);
    uint8_t *bytes = load(&h, &length);
    assert_int_equal(h.data.size, 14);
    assert_memory_equal(bytes + h.data.offset, "abcdefghijklmn", 14);
    free(bytes);
}

static void the_file_is_laid_out_as_perf_expects(void **state)
{
    struct slw_perf_section ids, features[2];
    struct slw_perf_header h;
    uint64_t id = 0;
    size_t length = 0;

    (void)state;
    assert_int_equal(slw_spool_finish(spool, 11, 22, NULL), 0);
    uint8_t *bytes = load(&h, &length);
    assert_int_equal(h.magic, SLW_PERF_MAGIC2);
    assert_int_equal(h.header_bytes, 104);
    assert_int_equal(h.attrs.size, h.attr_bytes);
    memcpy(&ids, bytes + h.attrs.offset + sizeof(struct perf_event_attr), sizeof(ids));
    assert_int_equal(ids.size, 3 * sizeof(id));
    memcpy(&id, bytes + ids.offset + 8, sizeof(id));
    assert_int_equal(id, 8);
    assert_true(h.features[0] >> SLW_PERF_HOSTNAME & 1);
    assert_false(h.features[0] >> SLW_PERF_OSRELEASE & 1); /* the run does not know it */
    memcpy(features, bytes + h.data.offset + h.data.size, sizeof(features));
    assert_string_equal((char *)bytes + features[0].offset + 4, "client-host");
    assert_int_equal(features[0].offset + features[0].size, features[1].offset);
    size_t table = (size_t)(h.data.offset + h.data.size);
    uint64_t next = features[0].offset;
    for (int bit = 0; bit < 64; bit++) {
        struct slw_perf_section s;

        if (!(h.features[0] >> bit & 1))
            continue;
        memcpy(&s, bytes + table, sizeof(s));
        table += sizeof(s);
        assert_int_equal(s.offset, next); /* one behind the other, to the end of the file */
        next = s.offset + s.size;
    }
    assert_int_equal(table, features[0].offset);
    assert_int_equal(next, length);
    free(bytes);
}

static void a_checkpoint_makes_a_killed_run_readable(void **state)
{
    struct slw_perf_header h;
    uint64_t written = 0;
    size_t length = 0;

    (void)state;
    assert_int_equal(put("12345678", "", &written), 0);
    assert_int_equal(slw_spool_checkpoint(spool, NULL), 0);
    free(load(&h, &length));
    assert_int_equal(h.data.size, 8);
    assert_int_equal(h.features[0], 0);
    assert_int_equal(length, h.data.offset + 8);
}

static void a_full_disk_says_how_much_went_and_is_cut(void **state)
{
    struct slw_perf_header h;
    uint64_t written = 0;
    size_t length = 0;

    (void)state;
    room_bytes = 10;
    assert_int_equal(put("abcdefgh", "ijklmnop", &written), -SLW_E_FULL);
    assert_int_equal(written, 10);
    assert_int_equal(slw_spool_failure(spool)->code, SLW_E_FULL);
    slw_spool_cut(spool, 2);
    assert_true(slw_spool_full(spool));
    assert_int_equal(slw_spool_finish(spool, 1, 2, NULL), 0);
    uint8_t *bytes = load(&h, &length);
    assert_int_equal(h.data.size, 8);
    assert_memory_equal(bytes + h.data.offset, "abcdefgh", 8);
    free(bytes);
}

static void a_spool_never_begun_leaves_no_file(void **state)
{
    struct slw_spool *other = NULL;
    char name[128];

    (void)state;
    (void)snprintf(name, sizeof(name), "%s.other", path);
    assert_int_equal(slw_spool_open(&stingy, name, &other, NULL), 0);
    assert_int_equal(access(name, F_OK), 0);
    slw_spool_close(other);
    assert_int_equal(access(name, F_OK), -1);
    slw_spool_close(NULL);
}

static void a_place_that_is_not_there_is_not_found(void **state)
{
    struct slw_spool *other = NULL;
    struct slw_error err = {0};

    (void)state;
    assert_int_equal(slw_spool_open(&stingy, "/nonexistent/perf.data", &other, &err),
                     -SLW_E_NOTFOUND);
    assert_null(other);
    assert_int_equal(err.sys, ENOENT);
}

#define SPOOL_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(short_and_interrupted_writes_lose_nothing),
        SPOOL_TEST(the_file_is_laid_out_as_perf_expects),
        SPOOL_TEST(a_checkpoint_makes_a_killed_run_readable),
        SPOOL_TEST(a_full_disk_says_how_much_went_and_is_cut),
        SPOOL_TEST(a_spool_never_begun_leaves_no_file),
        SPOOL_TEST(a_place_that_is_not_there_is_not_found),
    };
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    (void)close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
