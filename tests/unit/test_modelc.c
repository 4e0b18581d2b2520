/* SPDX-License-Identifier: MIT */
/* The build tool itself: what stops the build, and how it says so. */
#include "base/buf.h"
#include "base/file.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODELC SLW_BUILD_DIR "/models/modelc"
#define MODELS SLW_TEST_DIR "/../models"

static char dir[] = "/tmp/slw-modelc-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[256];
    (void)state;
    (void)snprintf(command, sizeof(command), "rm -r '%s'", dir);
    return system(command);
}

/* Run modelc on generic.json with `from` changed to `to`, saved as `name`. */
static int run(const char *name, const char *from, const char *to, char **ret_output)
{
    struct slw_buf changed = {0};
    char path[256], command[1024], *text = NULL;
    size_t length = 0;

    assert_int_equal(slw_file_read(MODELS "/generic.json", 1 << 20, &text, &length, NULL), 0);
    char *at = strstr(text, from);
    assert_non_null(at);
    slw_buf_put(&changed, text, (size_t)(at - text));
    slw_buf_puts(&changed, to);
    slw_buf_puts(&changed, at + strlen(from));
    (void)snprintf(path, sizeof(path), "%s/%s.json", dir, name);
    assert_int_equal(slw_file_write(path, changed.data, changed.length, NULL), 0);
    (void)snprintf(command, sizeof(command), "cd '%s' && '%s' %s.json out.c >output 2>&1", dir,
                   MODELC, name);
    const int status = system(command);
    (void)snprintf(path, sizeof(path), "%s/output", dir);
    assert_int_equal(slw_file_read(path, 1 << 20, ret_output, &length, NULL), 0);
    slw_buf_release(&changed);
    free(text);
    return WEXITSTATUS(status);
}

static bool out_exists(void)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/out.c", dir);
    const bool exists = access(path, F_OK) == 0;
    (void)unlink(path);
    return exists;
}

static void expect_stop(const char *name, const char *from, const char *to, const char *output)
{
    char *got = NULL;

    assert_int_equal(run(name, from, to, &got), 65);
    if (strncmp(got, output, strlen(output)) != 0)
        fail_msg("%s, not %s", got, output);
    assert_false(out_exists());
    free(got);
}

static void a_good_file_is_written(void **state)
{
    char *output = NULL;
    (void)state;
    assert_int_equal(run("generic", "Any CPU", "Any CPU", &output), 0);
    assert_string_equal(output, "");
    assert_true(out_exists());
    free(output);
}

static void each_kind_of_mistake_stops_with_its_place(void **state)
{
    (void)state;
    expect_stop("generic", "\"formula\": \"instructions / cycles\"",
                "\"formula\": \"instructions / ipc\"", "generic.json:32:34: error: cycle");
    expect_stop("generic", "\"formula\": \"instructions / cycles\"",
                "\"formula\": \"instructions / sickles\"",
                "generic.json:32:34: error: 'sickles' is no event");
    expect_stop("generic", "\"document\"", "\"book\"", "generic.json:7:5: error: unknown key");
    expect_stop("generic", "\"source\": {", "\"sauce\": {",
                "generic.json:6:3: error: unknown key 'sauce'");
    expect_stop("generic", "\"version\":", "\"date\": \"never\", \"version\":", "generic.json:");
    expect_stop("generic", "\"ipc\": [1.71", "\"ipc\": [1.72",
                "generic.json:133:9: error: check fails: ipc is 1.70");
    expect_stop("generic", "\"arch\": \"any\",", "\"arch\": \"any\"", "generic.json:5:");
    expect_stop("other", "Any", "Any", "other.json:1:1: error: the model is called 'generic'");
}

static int compile_text(const char *name, const char *text, char **ret_output)
{
    char path[256], command[1024];
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "%s/%s.json", dir, name);
    assert_int_equal(slw_file_write(path, text, strlen(text), NULL), 0);
    (void)snprintf(command, sizeof(command), "cd '%s' && '%s' %s.json out.c >output 2>&1", dir,
                   MODELC, name);
    const int status = system(command);
    (void)snprintf(path, sizeof(path), "%s/output", dir);
    assert_int_equal(slw_file_read(path, 1 << 20, ret_output, &length, NULL), 0);
    return WEXITSTATUS(status);
}

#define CHILD                                                                                      \
    "{\n  \"name\": \"child\", \"title\": \"C\", \"based_on\": \"generic\",\n"                     \
    "  \"source\": {\"document\": \"d\", \"version\": \"1\", \"date\": \"x\"}"

static void a_model_finds_its_base_beside_it(void **state)
{
    static const struct {
        const char *text, *output;
        int status;
    } cases[] = {
        {CHILD "\n}\n", "", 0},
        {CHILD ",\n  \"remove\": [\"ipx\"]\n}\n", "child.json:4:14: error: 'ipx' is no event", 65},
        {CHILD ",\n  \"remove\": [\"cycles\"]\n}\n",
         "generic.json:32:34: error: 'cycles' is no event", 65},
    };
    char *output = NULL;
    (void)state;
    assert_int_equal(run("generic", "Any CPU", "Any CPU", &output), 0);
    free(output);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)out_exists();
        const int status = compile_text("child", cases[i].text, &output);
        if (status != cases[i].status ||
            strncmp(output, cases[i].output, strlen(cases[i].output)) != 0)
            fail_msg("%d %s, not %s", status, output, cases[i].output);
        assert_int_equal(out_exists(), status == 0);
        free(output);
    }
}

static void prose_is_checked_and_written(void **state)
{
    char *output = NULL;
    (void)state;
    assert_int_equal(compile_text("prose", "{\"ipc\": {\"what\": \"W.\"}}", &output), 0);
    assert_true(out_exists());
    free(output);
    assert_int_equal(compile_text("prose", "{\n\"ipc\": {\"wat\": \"W.\"}}", &output), 65);
    assert_int_equal(strncmp(output, "prose.json:2:9: error: unknown key", 34), 0);
    assert_false(out_exists());
    free(output);
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    assert_int_not_equal(system("'" MODELC "' /nonexistent/x.json /nonexistent/x.c 2>/dev/null"),
                         0);
    assert_int_equal(WEXITSTATUS(system("'" MODELC "' 2>/dev/null")), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_written),
        cmocka_unit_test(each_kind_of_mistake_stops_with_its_place),
        cmocka_unit_test(a_model_finds_its_base_beside_it),
        cmocka_unit_test(prose_is_checked_and_written),
        cmocka_unit_test(a_missing_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
