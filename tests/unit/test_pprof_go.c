/* SPDX-License-Identifier: MIT */
/* The reference reader of pprof's format opens what we write, and writes it again for us. */
#include "base/file.h"
#include "tests/unit/run_fixture_int.h"
#include "tests/unit/tool_int.h"

#include <unistd.h>

struct place {
    char dir[32], ours[64], theirs[64];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    struct slw_stacks *s = rich_stacks();
    struct slw_buf bytes = {0};

    strcpy(p->dir, "/tmp/slw-go-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->ours, sizeof(p->ours), "%s/ours", p->dir);
    (void)snprintf(p->theirs, sizeof(p->theirs), "%s/theirs", p->dir);
    assert_int_equal(slw_stacks_to_pprof(s, NULL, &bytes, NULL), 0);
    assert_int_equal(slw_file_write(p->ours, bytes.data, bytes.length, NULL), 0);
    slw_buf_release(&bytes);
    slw_stacks_free(s);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    (void)unlink(p->ours);
    (void)unlink(p->theirs);
    int rc = rmdir(p->dir);
    free(p);
    return rc;
}

static char *pprof(const struct place *p, const char *options)
{
    char command[512];
    struct slw_buf text = {0};

    (void)snprintf(command, sizeof(command),
                   "PPROF_TMPDIR=%s PPROF_BINARY_PATH=%s go tool pprof -symbolize=none %s %s 2>&1",
                   p->dir, p->dir, options, p->ours);
    if (run_tool(command, &text) != 0)
        fail_msg("%s: %s", command, text.data);
    return slw_buf_take(&text);
}

static void top_names_the_functions(void **state)
{
    const struct place *p = *state;
    char *text = pprof(p, "-top -unit=ns");

    assert_non_null(strstr(text, "Type: cpu-clock"));
    assert_non_null(strstr(text, "4000ns total"));
    assert_non_null(strstr(text, "inner (inline)"));
    assert_non_null(strstr(text, "sys_write"));
    free(text);
}

static void a_column_is_chosen_by_name(void **state)
{
    const struct place *p = *state;
    char *text = pprof(p, "-top -sample_index=cpu-clock-samples");

    assert_non_null(strstr(text, "Type: cpu-clock-samples"));
    assert_non_null(strstr(text, "of 8 total"));
    free(text);
}

static void what_it_writes_we_read(void **state)
{
    const struct place *p = *state;
    struct slw_stacks *s = rich_stacks(), *again = NULL;
    char options[128], *bytes = NULL;
    size_t length;
    struct slw_error err = {0};
    /* The one stack without frames, which the tool of Go 1.19 leaves out. */
    static const uint64_t frameless[] = {1, 1000, 0, 0};

    (void)snprintf(options, sizeof(options), "-proto -output=%s", p->theirs);
    free(pprof(p, options));
    assert_int_equal(slw_file_read(p->theirs, 1 << 20, &bytes, &length, NULL), 0);
    if (slw_stacks_from_pprof(bytes, length, &again, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(slw_stacks_column_count(again), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_provenance(&slw_stacks_column(again, i)->from, &slw_stacks_column(s, i)->from);
        assert_string_equal(slw_stacks_column(again, i)->event, slw_stacks_column(s, i)->event);
        const uint64_t left_out = slw_stacks_total(s, i) - slw_stacks_total(again, i);
        assert_true(left_out == 0 || left_out == frameless[i]);
    }
    free(bytes);
    slw_stacks_free(s);
    slw_stacks_free(again);
}

/* Labels are filters of pprof's tools. */
static void moments_are_cut_by_time_and_round(void **state)
{
    const struct place *p = *state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *m = NULL;
    struct slw_buf bytes = {0};

    assert_int_equal(slw_moments_new(s, SLW_MOMENT_NS, &m, NULL), 0);
    for (uint32_t second = 0; second < 4; second++)
        assert_int_equal(slw_moments_add(m, 1 + second / 2, second * UINT64_C(1000000000),
                                         slw_stacks_leaf(s, 0), 1, 1U << second),
                         0);
    assert_int_equal(slw_moments_to_pprof(m, &bytes, NULL), 0);
    assert_int_equal(slw_file_write(p->ours, bytes.data, bytes.length, NULL), 0);
    char *text = pprof(p, "-top -unit=ns -tagfocus=time=1000ms:2500ms");
    assert_non_null(strstr(text, "6ns, 40.00% of 15ns total"));
    free(text);
    text = pprof(p, "-top -unit=ns -tagfocus=round=2");
    assert_non_null(strstr(text, "12ns, 80.00% of 15ns total"));
    free(text);
    slw_buf_release(&bytes);
    slw_moments_free(m);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(top_names_the_functions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_column_is_chosen_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(what_it_writes_we_read, setup, teardown),
        cmocka_unit_test_setup_teardown(moments_are_cut_by_time_and_round, setup, teardown),
    };

    if (!tool_works("go tool pprof -h >/dev/null 2>&1; test $? -le 2 && go version 2>/dev/null")) {
        printf("skipped: no go\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
