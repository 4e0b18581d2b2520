/* SPDX-License-Identifier: MIT */
/* Carriers: what every one of the table has to hold, and asking a launcher that answers anything.
 */
#include "collector/carriers/carrier.h"

#include "base/arena.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void every_carrier_makes_a_command(void **state)
{
    struct slw_arena *arena = slw_arena_new();
    const struct slw_carrier_job job = {.launcher = "/x/launch %p",
                                        .core_file = "/a b/core",
                                        .core_name = "haswell",
                                        .output = "/100%p/out",
                                        .period = 10,
                                        .detail = 1};

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < slw_carrier_count; i++) {
        const struct slw_carrier *c = slw_carriers[i];
        const char **words = NULL;
        size_t count = 0;
        bool core = false;

        assert_ptr_equal(slw_carrier_find(c->name), c);
        assert_true(c->summary[0] && c->launcher[0]);
        assert_int_equal(c->command(&job, arena, &words, &count, NULL), 0);
        assert_true(count > 1);
        assert_string_equal(words[0], job.launcher);
        for (size_t w = 0; w < count; w++)
            core = core || strstr(words[w], job.core_file);
        assert_true(core);
    }
    assert_null(slw_carrier_find("no such"));
    slw_arena_free(arena);
}

static void valgrind_is_not_given_percent_signs_of_a_path(void **state)
{
    struct slw_arena *arena = slw_arena_new();
    const struct slw_carrier_job job = {
        .launcher = "x", .core_file = "c", .core_name = "n", .output = "/100%p/out"};
    const char **words = NULL;
    size_t count = 0;
    bool found = false;

    (void)state;
    assert_int_equal(slw_carrier_find("valgrind")->command(&job, arena, &words, &count, NULL), 0);
    for (size_t w = 0; w < count; w++)
        found = found || strcmp(words[w], "--out=/100%%p/out.%p") == 0;
    assert_true(found);
    slw_arena_free(arena);
}

static struct slw_probe ask(const char *script)
{
    char path[] = "/tmp/slw-carrier-XXXXXX";
    char *const envp[] = {NULL};
    struct slw_probe probe;
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_true(write(fd, script, strlen(script)) == (ssize_t)strlen(script));
    assert_int_equal(fchmod(fd, 0700), 0);
    assert_int_equal(close(fd), 0);
    slw_carrier_probe(path, envp, &probe);
    (void)unlink(path);
    return probe;
}

static void a_launcher_says_why_and_what_to_do(void **state)
{
    struct slw_probe p = ask("#!/bin/sh\n[ \"$1\" = --check ]\n");

    (void)state;
    assert_true(p.works);
    p = ask("#!/bin/sh\necho 'me: it is too old' >&2; echo 'get a new one' >&2; exit 69\n");
    assert_false(p.works);
    assert_string_equal(p.why_not, "it is too old");
    assert_string_equal(p.fix, "get a new one");
    p = ask("#!/bin/sh\nexit 3\n");
    assert_false(p.works);
    assert_string_equal(p.why_not, "it does not say why");
    p = ask("#!/bin/sh\nkill -9 $$\n");
    assert_false(p.works);
    p = ask("#!/bin/sh\nwhile [ ${i:-0} -lt 200 ]; do i=$((${i:-0}+1)); echo "
            "0123456789012345678901234567890 >&2; done; exit 1\n");
    assert_false(p.works); /* more than there is room for */
    slw_carrier_probe("/no/such/launcher", (char *const[]){NULL}, &p);
    assert_false(p.works);
    assert_non_null(strstr(p.why_not, "cannot be started"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_carrier_makes_a_command),
        cmocka_unit_test(valgrind_is_not_given_percent_signs_of_a_path),
        cmocka_unit_test(a_launcher_says_why_and_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
