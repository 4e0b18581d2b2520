/* SPDX-License-Identifier: MIT */
#include "analyzer/cache_file.h"
#include "analyzer/unwind/cfi_cache.h"
#include "base/file.h"
#include "tests/unit/cmocka_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID   "0123456789abcdef0123456789abcdef01234567"
#define ROWS 300

static struct slw_cfi_row rows[ROWS];
static const struct slw_cfi_rule rules[2] = {{.cfa = {SLW_CFI_REG_PLUS, 3, 0, 8}},
                                             {.cfa = {SLW_CFI_EXPR_IS, 0, 3, 0}, .signal = true}};
static const uint8_t expressions[] = {1, 2, 3};
static const struct slw_cfi_saves saves[3] = {{{1}}, {{2}}, {{3}}};
static uint16_t saves_of[ROWS];
static struct slw_cfi_table table = {.rows = rows,
                                     .rules = rules,
                                     .saves = saves,
                                     .saves_of = saves_of,
                                     .saves_count = 3,
                                     .expressions = expressions,
                                     .row_count = ROWS,
                                     .rule_count = 2,
                                     .expression_bytes = 3,
                                     .machine = SLW_CFI_AARCH64,
                                     .bad_entries = 7};
static char folder[] = "/tmp/slotwise-unwind-XXXXXX";
static char dir[64], file[160];

static int make(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "%s/a/b", mkdtemp(folder));
    (void)snprintf(file, sizeof(file), "%s/unwind/" ID, dir);
    for (uint32_t i = 0; i < ROWS; i++)
        saves_of[i] = (uint16_t)(i % 3);
    for (uint32_t i = 0; i < ROWS; i++)
        rows[i] = (struct slw_cfi_row){.offset = 16 * i, .cfa = (int16_t)i, .fp = -2, .kind = 1};
    return 0;
}

static int clear(void **state)
{
    char command[96];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static void store(void)
{
    assert_int_equal(slw_cfi_cache_store(dir, ID, &table, NULL), 0);
}

static void assert_loads(void)
{
    struct slw_cfi_table t;

    assert_true(slw_cfi_cache_load(dir, ID, &t));
    assert_int_equal(t.row_count, ROWS);
    assert_int_equal(t.rule_count, 2);
    assert_int_equal(t.machine, SLW_CFI_AARCH64);
    assert_int_equal(t.bad_entries, 7);
    assert_memory_equal(t.rows, rows, sizeof(rows));
    assert_memory_equal(t.rules, rules, sizeof(rules));
    assert_int_equal(t.saves_count, 3);
    assert_memory_equal(t.saves, saves, sizeof(saves));
    assert_memory_equal(t.saves_of, saves_of, sizeof(saves_of));
    assert_memory_equal(t.expressions, expressions, sizeof(expressions));
    slw_cfi_table_release(&t);
}

static void assert_absent(const char *id)
{
    struct slw_cfi_table t;

    assert_false(slw_cfi_cache_load(dir, id, &t));
}

static void what_was_stored_is_loaded(void **state)
{
    (void)state;
    assert_absent(ID);
    store();
    assert_loads();
    assert_absent("0123456789abcdef0123456789abcdef01234568");
}

static void only_hashes_are_names(void **state)
{
    static const char *const ids[] = {"", "../../../../etc/passwd", "abc", "0123456789ABCDEF",
                                      "0123456789abcdef/"};
    char longest[200];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_absent(longest);
    assert_int_equal(slw_cfi_cache_store(dir, longest, &table, NULL), -SLW_E_INVAL);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_absent(ids[i]);
        assert_int_equal(slw_cfi_cache_store(dir, ids[i], &table, NULL), -SLW_E_INVAL);
    }
}

static void small_tables_are_not_kept(void **state)
{
    struct slw_cfi_table small = table;

    (void)state;
    small.row_count = SLW_MIN_CFI_CACHE_ROWS - 1;
    assert_int_equal(slw_cfi_cache_store(dir, ID, &small, NULL), -SLW_E_INVAL);
}

static void damage_anywhere_is_found(void **state)
{
    struct slw_cfi_table t;
    size_t length;
    char *data;

    (void)state;
    store();
    assert_int_equal(slw_file_read(file, 1 << 20, &data, &length, NULL), 0);
    for (size_t i = 0; i < length; i++) {
        char *copy = malloc(length);
        assert_non_null(copy);
        memcpy(copy, data, length);
        copy[i] = (char)(copy[i] ^ 0x10);
        assert_false(slw_cfi_cache_take(copy, length, ID, &t));
    }
    for (size_t cut = 0; cut < length; cut += 1 + cut / 3) {
        char *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, data, cut);
        assert_false(slw_cfi_cache_take(copy, cut, ID, &t));
    }
    free(data);
}

static void a_file_that_others_may_write_is_not_believed(void **state)
{
    (void)state;
    store();
    assert_int_equal(chmod(file, 0620), 0);
    assert_absent(ID);
    assert_int_equal(chmod(file, 0600), 0);
    assert_loads();
    assert_int_equal(truncate(file, 100), 0);
    assert_absent(ID);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink("/etc/passwd", file), 0);
    assert_absent(ID);
    store(); /* in its place, not where it leads */
    assert_loads();
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    assert_true(slw_cfi_cache_store("/proc/nowhere/cache", ID, &table, NULL) < 0);
}

/* Readers see no table or a whole one while others write it. */
static void many_may_write_and_read_at_once(void **state)
{
    pid_t children[4];

    (void)state;
    store();
    for (size_t i = 0; i < 4; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct slw_cfi_table t;
            int wrong = 0;

            for (int turn = 0; turn < 100 && !wrong; turn++) {
                wrong = slw_cfi_cache_store(dir, ID, &table, NULL) < 0 ||
                        !slw_cfi_cache_load(dir, ID, &t) || t.row_count != ROWS;
                if (!wrong)
                    slw_cfi_table_release(&t);
            }
            _exit(wrong);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_loads();
}

static size_t files_in(const char *path)
{
    size_t count = 0;
    DIR *d = opendir(path);

    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        count += e->d_name[0] != '.';
    (void)closedir(d);
    return count;
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    char path[128];

    (void)state;
    for (int i = 0; i < 10; i++) {
        (void)snprintf(path, sizeof(path), "%s/%d", folder, i);
        assert_int_equal(slw_file_write_private(path, "1234567890", 10, NULL), 0);
        const struct timespec times[2] = {{1000 + i, 0}, {1000 + i, 0}};
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    size_t others = files_in(folder) - 10;
    slw_cache_trim(folder, 10, 100);
    assert_int_equal(files_in(folder), 10 + others);
    slw_cache_trim(folder, 9, 100);
    assert_int_equal(files_in(folder), 4 + others);
    assert_int_equal(access(path, F_OK), 0); /* the newest */
    slw_cache_trim(folder, 9, 39);
    assert_int_equal(files_in(folder), 1 + others);
    assert_int_equal(access(path, F_OK), 0);
    slw_cache_trim("/proc/nowhere", 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_is_loaded),
        cmocka_unit_test(only_hashes_are_names),
        cmocka_unit_test(small_tables_are_not_kept),
        cmocka_unit_test(damage_anywhere_is_found),
        cmocka_unit_test(a_file_that_others_may_write_is_not_believed),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error),
        cmocka_unit_test(many_may_write_and_read_at_once),
        cmocka_unit_test(the_oldest_go_when_there_are_too_many),
    };

    return cmocka_run_group_tests(tests, make, clear);
}
