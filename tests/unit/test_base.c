/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parse.h"
#include "base/strtab.h"
#include "tests/unit/cmocka_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void first_failure_wins(void **state)
{
    (void)state;
    struct slw_error err = {0};
    assert_int_equal(slw_fail(&err, SLW_E_FORMAT, "first %d", 1), -SLW_E_FORMAT);
    assert_int_equal(slw_fail(&err, SLW_E_IO, "second"), -SLW_E_IO);
    assert_int_equal(err.code, SLW_E_FORMAT);
    assert_string_equal(err.text, "first 1");
}

static void system_failures_carry_the_cause(void **state)
{
    (void)state;
    struct slw_error err = {0};
    assert_int_equal(slw_fail_sys(&err, SLW_E_IO, ENOSPC, "cannot write"), -SLW_E_FULL);
    assert_int_equal(err.sys, ENOSPC);
    assert_string_equal(err.text, "cannot write: No space left on device");
}

static void every_code_has_text_and_a_documented_status(void **state)
{
    (void)state;
    for (int c = 1; c < SLW_E_COUNT; c++) {
        int status = slw_code_exit_status((enum slw_code)c);
        assert_true(status == 64 || status == 65 || status == 69 || status == 70);
        assert_true(strlen(slw_code_text((enum slw_code)c)) > 0);
    }
}

static void arena_memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct slw_arena *a = slw_arena_new();
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        unsigned char *p = slw_arena_alloc(a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    assert_null(slw_arena_array(a, SIZE_MAX / 2, 4));
    assert_string_equal(slw_arena_printf(a, "%s-%d", "x", 7), "x-7");
    slw_arena_free(a);
}

static void buffer_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct slw_buf b = {0};
    for (int i = 0; i < 1000; i++)
        slw_buf_printf(&b, "%03d,", i);
    assert_int_equal(b.length, 4000);
    assert_int_equal(strlen(b.data), 4000);
    assert_memory_equal(b.data + 3996, "999,", 5);
    slw_buf_release(&b);
}

static void strings_are_interned_once(void **state)
{
    (void)state;
    struct slw_arena *a = slw_arena_new();
    struct slw_strtab t;
    uint32_t id, again, nul, other;
    assert_int_equal(slw_strtab_init(&t, a), 0);
    for (int i = 0; i < 10000; i++) {
        char text[16];
        int n = snprintf(text, sizeof(text), "s%d", i % 500);
        assert_int_equal(slw_strtab_intern(&t, text, (size_t)n, &id), 0);
    }
    assert_int_equal(t.count, 501); /* and the empty one */
    assert_int_equal(slw_strtab_intern(&t, "", 0, &again), 0);
    assert_int_equal(again, 0);
    assert_int_equal(slw_strtab_intern(&t, "a\0b", 3, &nul), 0);
    assert_int_equal(slw_strtab_intern(&t, "a", 1, &other), 0);
    assert_int_not_equal(nul, other);
    slw_strtab_release(&t);
    slw_arena_free(a);
}

static void keys_hash_by_all_their_bytes(void **state)
{
    (void)state;
    char bytes[20] = "0123456789abcdefghi";
    for (size_t length = 1; length < sizeof(bytes); length++) {
        uint64_t before = slw_hash_key(bytes, length, 3);
        assert_true(before == slw_hash_key(bytes, length, 3));
        assert_true(before != slw_hash_key(bytes, length - 1, 3));
        assert_true(before != slw_hash_key(bytes, length, 4));
        for (size_t i = 0; i < length; i++) {
            bytes[i] ^= 1;
            assert_true(before != slw_hash_key(bytes, length, 3));
            bytes[i] ^= 1;
        }
    }
}

static void numbers_are_whole_or_an_error(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-1", "+1", " 1",  "1 ",
                                      "abc", "1k", "0x", "1e3", "99999999999999999999"};
    uint64_t v = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slw_error err = {0};
        assert_int_equal(slw_parse_u64(bad[i], "count", 0, UINT64_MAX, &v, &err), -SLW_E_INVAL);
        assert_non_null(strstr(err.text, "count"));
    }
    assert_int_equal(v, 7);
    assert_int_equal(slw_parse_u64("0x10", "n", 0, 100, &v, NULL), 0);
    assert_int_equal(v, 16);
    assert_int_equal(slw_parse_u64("101", "n", 0, 100, &v, NULL), -SLW_E_INVAL);
}

static void durations_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"250", 250}, {"250ms", 250}, {"1.5s", 1500}, {"2m", 120000}, {"1h", 3600000}};
    uint64_t ms = 0;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(slw_parse_duration_ms(good[i].text, "t", &ms, NULL), 0);
        assert_int_equal(ms, good[i].ms);
    }
    assert_int_equal(slw_parse_duration_ms("5 parsecs", "t", &ms, NULL), -SLW_E_INVAL);
    assert_int_equal(slw_parse_duration_ms("1.2.3s", "t", &ms, NULL), -SLW_E_INVAL);
    assert_int_equal(slw_parse_duration_ms("-1s", "t", &ms, NULL), -SLW_E_INVAL);
    assert_int_equal(slw_parse_duration_ms("9999999h", "t", &ms, NULL), -SLW_E_INVAL);
}

static void files_are_read_whole_and_written_atomically(void **state)
{
    (void)state;
    char dir[] = "/tmp/slw-base-XXXXXX";
    char path[64];
    char *data = NULL;
    size_t length = 0;
    struct slw_error err = {0};

    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/f", dir);
    assert_int_equal(slw_file_write(path, "one", 3, NULL), 0);
    assert_int_equal(slw_file_write(path, "three", 5, NULL), 0);
    assert_int_equal(slw_file_read(path, 100, &data, &length, NULL), 0);
    assert_int_equal(length, 5);
    assert_string_equal(data, "three");
    free(data);
    data = NULL;
    assert_int_equal(slw_file_read(path, 4, &data, &length, &err), -SLW_E_LIMIT);
    assert_null(data);
    assert_int_equal(slw_file_read("/proc/self/status", 1 << 20, &data, &length, NULL), 0);
    assert_true(length > 100);
    free(data);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(slw_file_read(path, 4, &data, &length, NULL), -SLW_E_NOTFOUND);
    assert_int_equal(rmdir(dir), 0);
}

static void time_stamps_are_iso(void **state)
{
    (void)state;
    char text[SLW_CLOCK_ISO_BYTES];
    slw_clock_iso(UINT64_C(1700000000) * 1000000000, text);
    assert_string_equal(text, "2023-11-14T22:13:20Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_failure_wins),
        cmocka_unit_test(system_failures_carry_the_cause),
        cmocka_unit_test(every_code_has_text_and_a_documented_status),
        cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
        cmocka_unit_test(buffer_grows_and_stays_terminated),
        cmocka_unit_test(strings_are_interned_once),
        cmocka_unit_test(keys_hash_by_all_their_bytes),
        cmocka_unit_test(numbers_are_whole_or_an_error),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(files_are_read_whole_and_written_atomically),
        cmocka_unit_test(time_stamps_are_iso),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
