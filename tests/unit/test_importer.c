/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/file.h"
#include "collector/importer.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/slw-import-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static int import_bytes(const void *bytes, size_t length, const char *name,
                        struct slw_imported *ret_imported, struct slw_error *err)
{
    assert_int_equal(slw_file_write(path, bytes, length, NULL), 0);
    return slw_import(path, name, ret_imported, err);
}

static void release(struct slw_imported *imported)
{
    slw_stacks_free(imported->stacks);
    slw_run_free(imported->run);
    *imported = (struct slw_imported){0};
}

static void perf_data_of_every_kind_is_left_to_the_analyzer(void **state)
{
    (void)state;
    static const char *const magics[] = {"PERFILE2", "2ELIFREP", "PERFFILE"};

    for (size_t i = 0; i < 3; i++) {
        struct slw_imported imported = {0};

        assert_int_equal(import_bytes(magics[i], 8, NULL, &imported, NULL), 0);
        assert_true(imported.raw_samples);
        assert_null(imported.stacks);
        assert_int_equal(imported.run->command.kind, SLW_TARGET_IMPORT);
        release(&imported);
    }
}

static void folded_stacks_are_recognised(void **state)
{
    (void)state;
    struct slw_imported imported = {0};

    assert_int_equal(import_bytes("\n a;b 12\n", 9, NULL, &imported, NULL), 0);
    assert_int_equal(slw_stacks_total(imported.stacks, 0), 12);
    release(&imported);
    assert_int_equal(import_bytes("a;b 12", 6, "folded", &imported, NULL), 0);
    release(&imported);
}

static void a_first_line_longer_than_the_head_is_recognised(void **state)
{
    (void)state;
    struct slw_imported imported = {0};
    struct slw_buf text = {0};

    for (int i = 0; i < 1000; i++)
        slw_buf_printf(&text, "function_%d;", i);
    slw_buf_puts(&text, "leaf 3\n");
    assert_int_equal(import_bytes(text.data, text.length, NULL, &imported, NULL), 0);
    assert_int_equal(slw_stacks_get(imported.stacks, 0).depth, 1001);
    release(&imported);
    slw_buf_release(&text);
}

static void a_bad_folded_line_is_named_by_file_and_line(void **state)
{
    (void)state;
    struct slw_imported imported = {0};
    struct slw_error err = {0};
    char where[80];

    assert_int_equal(import_bytes("a;b 12.5\n", 9, NULL, &imported, &err), -SLW_E_FORMAT);
    (void)snprintf(where, sizeof(where), "%s:1", path);
    assert_string_equal(err.where, where);
}

static void a_foreign_file_is_told_what_is_understood(void **state)
{
    (void)state;
    static const char *const foreign[] = {"\177ELF", "{\"a\": 5", "hello world", "# header\na 1\n",
                                          "-"};

    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        struct slw_imported imported = {0};
        struct slw_error err = {0};

        assert_int_equal(import_bytes(foreign[i], strlen(foreign[i]), NULL, &imported, &err),
                         -SLW_E_FORMAT);
        assert_non_null(strstr(err.text, "perfdata"));
        assert_non_null(strstr(err.text, "folded"));
        assert_null(imported.run);
    }
}

static void what_is_missing_or_empty_says_so(void **state)
{
    (void)state;
    struct slw_imported imported = {0};

    assert_int_equal(import_bytes("", 0, NULL, &imported, NULL), -SLW_E_NODATA);
    assert_int_equal(slw_import("/nonexistent/x", NULL, &imported, NULL), -SLW_E_NOTFOUND);
    assert_int_equal(import_bytes("a 1\n", 4, "xyz", &imported, NULL), -SLW_E_INVAL);
    assert_int_equal(import_bytes("a 1\n", 4, "perfdata", &imported, NULL), -SLW_E_FORMAT);
    assert_int_equal(slw_import("/", NULL, &imported, NULL), -SLW_E_IO);
}

/* A pipe can be read once, so it must not be opened for a look first. */
static void a_pipe_is_read_whole(void **state)
{
    (void)state;
    struct slw_imported imported = {0};
    int ends[2];
    char name[64];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a;b 7\n", 6), 6);
    (void)close(ends[1]);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
    assert_int_equal(slw_import(name, NULL, &imported, NULL), 0);
    assert_int_equal(slw_stacks_total(imported.stacks, 0), 7);
    release(&imported);
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perf_data_of_every_kind_is_left_to_the_analyzer),
        cmocka_unit_test(folded_stacks_are_recognised),
        cmocka_unit_test(a_first_line_longer_than_the_head_is_recognised),
        cmocka_unit_test(a_bad_folded_line_is_named_by_file_and_line),
        cmocka_unit_test(a_foreign_file_is_told_what_is_understood),
        cmocka_unit_test(what_is_missing_or_empty_says_so),
        cmocka_unit_test(a_pipe_is_read_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
