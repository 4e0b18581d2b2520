/* SPDX-License-Identifier: MIT */
#include "analyzer/asked.h"
#include "tests/unit/cmocka_int.h"

#define WORDS 8

static bool asked(const char *const words[WORDS], uint64_t *ret)
{
    const char *argv[WORDS];
    size_t argc = 0;

    for (; argc < WORDS && words[argc]; argc++)
        argv[argc] = words[argc];
    const struct slw_command c = {.argv = argv, .argc = argc};
    return slw_asked_pipeline(&c, ret);
}

static void known_clients_tell_their_pipeline(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS];
        uint64_t depth;
    } cases[] = {{{"redis-benchmark", "-P", "16"}, 16},
                 {{"/opt/bin/valkey-benchmark", "-q", "-P", "64", "-c", "1"}, 64},
                 {{"taskset", "-c", "1", "redis-benchmark", "-P", "8"}, 8},
                 {{"redis-benchmark", "-P", "16", "-P", "4"}, 4},
                 {{"memtier_benchmark", "--pipeline=32"}, 32},
                 {{"memtier_benchmark", "--pipeline", "5"}, 5}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t depth = 0;
        assert_true(asked(cases[i].words, &depth));
        assert_int_equal(depth, cases[i].depth);
    }
}

static void nothing_is_guessed(void **state)
{
    (void)state;
    static const char *const cases[][WORDS] = {
        {"redis-benchmark"},
        {"redis-benchmark", "-P"},
        {"redis-benchmark", "-P", "many"},
        {"redis-benchmark", "-P16"}, /* which it does not take either */
        {"-P", "16", "redis-benchmark"},
        {"some-benchmark", "-P", "16"},
        {"memtier_benchmark", "--pipelines=4"},
        {"memtier_benchmark", "-P", "redis"},
        {NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t depth = 77;
        assert_false(asked(cases[i], &depth));
        assert_int_equal(depth, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_clients_tell_their_pipeline),
        cmocka_unit_test(nothing_is_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
