/* SPDX-License-Identifier: MIT */
/* What we write passes docs/run.schema.json, and what breaks it does not. */
#include "base/file.h"
#include "tests/unit/run_fixture_int.h"
#include "tests/unit/tool_int.h"

#include <unistd.h>

/* The system's python first: a private one rarely has Debian's modules. */
static const char *const pythons[] = {"/usr/bin/python3", "python3"};
static const char *python;

static const char *find_python(void)
{
    for (size_t i = 0; i < sizeof(pythons) / sizeof(pythons[0]); i++) {
        char command[128];

        (void)snprintf(command, sizeof(command),
                       "%s -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null",
                       pythons[i]);
        if (tool_works(command))
            return pythons[i];
    }
    return NULL;
}

/* Exit status of the validation: 0 valid, 3 not. */
static int validate(const char *json, struct slw_buf *said)
{
    char path[] = "/tmp/slw-schema-XXXXXX", command[1024];
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(slw_write_all(fd, json, strlen(json)), 0);
    assert_int_equal(close(fd), 0);
    (void)snprintf(command, sizeof(command),
                   "%s -c 'import json, sys, jsonschema\n"
                   "s = json.load(open(sys.argv[1]))\n"
                   "v = jsonschema.Draft202012Validator(s)\n"
                   "v.check_schema(s)\n"
                   "bad = [e.json_path + \": \" + e.message for e in\n"
                   "       v.iter_errors(json.load(open(sys.argv[2])))]\n"
                   "print(*bad, sep=\"\\n\")\n"
                   "sys.exit(3 if bad else 0)' %s/../docs/run.schema.json %s 2>&1",
                   python, SLW_TEST_DIR, path);
    int status = run_tool(command, said);
    assert_int_equal(unlink(path), 0);
    return status;
}

static void expect_valid(struct slw_run *run)
{
    struct slw_buf json = {0}, said = {0};

    assert_int_equal(slw_run_to_json(run, &json, NULL), 0);
    if (validate(json.data, &said) != 0)
        fail_msg("%s", said.data);
    slw_buf_release(&json);
    slw_buf_release(&said);
    slw_run_free(run);
}

static void written_runs_are_valid(void **state)
{
    (void)state;
    struct slw_run *empty = NULL;

    assert_int_equal(slw_run_new(&empty, NULL), 0);
    expect_valid(empty);
    expect_valid(rich_run());
}

static void broken_runs_are_not(void **state)
{
    (void)state;
    static const char *const changes[][2] = {{"\"raw\": 9223372036854775807", "\"raw\": -1"},
                                             {"\"not supported\"", "\"no\", \"raw\": 1"},
                                             {"\"exit\": \"signal\"", "\"exit\": \"unknown\""},
                                             {"\"source\": \"simulated\"", "\"source\": \"x\""},
                                             {"\"wall_ns\": 1234567890", "\"wall_ns\": null"}};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct slw_run *run = rich_run();
        struct slw_buf json = {0}, changed = {0}, said = {0};

        assert_int_equal(slw_run_to_json(run, &json, NULL), 0);
        const char *at = strstr(json.data, changes[i][0]);
        assert_non_null(at);
        slw_buf_put(&changed, json.data, (size_t)(at - json.data));
        slw_buf_puts(&changed, changes[i][1]);
        slw_buf_puts(&changed, at + strlen(changes[i][0]));
        if (validate(changed.data, &said) != 3)
            fail_msg("%s passes: %s", changes[i][1], said.data);
        slw_buf_release(&json);
        slw_buf_release(&changed);
        slw_buf_release(&said);
        slw_run_free(run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(written_runs_are_valid),
                                       cmocka_unit_test(broken_runs_are_not)};

    python = find_python();
    if (!python) {
        printf("skipped: no JSON Schema validator (Debian package python3-jsonschema)\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
