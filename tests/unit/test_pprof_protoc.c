/* SPDX-License-Identifier: MIT */
/* protoc decodes what we write, by record/profile.proto. */
#include "base/file.h"
#include "tests/unit/run_fixture_int.h"
#include "tests/unit/tool_int.h"

#include <unistd.h>

static const char decode[] = "gzip -dc %s | protoc --decode=perftools.profiles.Profile "
                             "--proto_path=%s/../record profile.proto 2>&1";

/* How often `word` starts a line, spaces aside. */
static size_t lines_with(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n ");
        count += strncmp(line, word, strlen(word)) == 0;
        if (!*line)
            break;
    }
    return count;
}

/* Sums of the values of the samples, which protoc prints one a line. */
static void add_values(const char *text, size_t columns, uint64_t *totals)
{
    size_t i = 0;

    for (const char *at = strstr(text, "\n  value: "); at; at = strstr(at + 1, "\n  value: "))
        totals[i++ % columns] += strtoull(at + strlen("\n  value: "), NULL, 10);
    assert_int_equal(i % columns, 0);
}

static char *decoded(const struct slw_stacks *s, const struct slw_run *run)
{
    char path[] = "/tmp/slw-protoc-XXXXXX", command[1024];
    struct slw_buf bytes = {0}, text = {0};

    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(slw_stacks_to_pprof(s, run, &bytes, NULL), 0);
    assert_int_equal(slw_write_all(fd, bytes.data, bytes.length), 0);
    assert_int_equal(close(fd), 0);
    (void)snprintf(command, sizeof(command), decode, path, SLW_TEST_DIR);
    if (run_tool(command, &text) != 0)
        fail_msg("protoc refuses the profile: %s", text.data);
    assert_int_equal(unlink(path), 0);
    slw_buf_release(&bytes);
    return slw_buf_take(&text);
}

static void totals_and_tables_agree(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_run *run = rich_run();
    char *text = decoded(s, run);
    uint64_t totals[4] = {0};

    add_values(text, 4, totals);
    for (size_t i = 0; i < 4; i++)
        assert_true(totals[i] == slw_stacks_total(s, i));
    assert_int_equal(lines_with(text, "sample {"), slw_stacks_count(s));
    assert_int_equal(lines_with(text, "sample_type {"), 4);
    assert_int_equal(lines_with(text, "mapping {"), slw_stacks_mapping_count(s));
    assert_int_equal(lines_with(text, "location {"), 6); /* inner and outer share one */
    assert_int_equal(lines_with(text, "function {"), 6); /* one frame has no symbol */
    assert_int_equal(lines_with(text, "time_nanos: 1700000000123456789"), 1);
    assert_int_equal(lines_with(text, "duration_nanos: 1234567890"), 1);
    assert_non_null(strstr(text, "string_table: \"\"\n"));
    assert_non_null(strstr(text, "string_table: \"_Z5innerv\"\n"));
    assert_non_null(strstr(text, "string_table: \"deadbeef\"\n"));
    /* A field by its number alone is one that profile.proto does not have. */
    for (char digit = '0'; digit <= '9'; digit++)
        assert_int_equal(lines_with(text, (char[]){digit, '\0'}), 0);
    free(text);
    slw_run_free(run);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(totals_and_tables_agree)};

    if (!tool_works("protoc --version")) {
        printf("skipped: no protoc (Debian package protobuf-compiler)\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
