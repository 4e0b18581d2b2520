/* SPDX-License-Identifier: MIT */
/* Whatever stacks there are, profile.pb.gz gives them back: columns, frames, threads, weights. */
#include "tests/unit/run_fixture_int.h"

#define PROFILES 300

static uint64_t last_seed; /* printed at the end: of the failure, if there was one */

static uint64_t next(uint64_t *seed)
{
    /* splitmix64 */
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(uint64_t *seed, size_t n)
{
    return (size_t)(next(seed) % n);
}

/* Up to 11 bytes of anything but NUL, often of a small alphabet so that names repeat. */
static void random_text(uint64_t *seed, char text[12])
{
    size_t length = below(seed, 12);
    bool any = below(seed, 3) == 0;

    for (size_t i = 0; i < length; i++)
        text[i] = any ? (char)(1 + below(seed, 255))
                      : "ab;\xef\xbf\xbd"
                        "0f["[below(seed, 9)];
    text[length] = '\0';
}

static struct slw_stacks *random_columns(uint64_t *seed)
{
    static const char *const units[] = {"count", "nanoseconds", "events"};
    struct slw_column columns[6];
    char text[6][2][12];
    struct slw_stacks *s = NULL;
    size_t count = 1 + below(seed, 6);

    for (size_t i = 0; i < count; i++) {
        random_text(seed, text[i][0]);
        random_text(seed, text[i][1]);
        columns[i] = (struct slw_column){text[i][0],
                                         units[below(seed, 3)],
                                         {(enum slw_source)below(seed, 3), below(seed, 2) == 1,
                                          below(seed, 2) ? text[i][1] : NULL}};
        if (i > 0 && below(seed, 2))
            columns[i].event = columns[i - 1].event;
    }
    assert_int_equal(slw_stacks_new(columns, count, &s, NULL), 0);
    return s;
}

static void add_random_mapping(uint64_t *seed, struct slw_stacks *s)
{
    static const char *const paths[] = {"[kernel.kallsyms]", "[nf_tables]", "[vdso]", "/bin/x", ""};
    char path[12], build_id[12];
    uint32_t id;

    random_text(seed, path);
    random_text(seed, build_id);
    const struct slw_mapping m = {.path = below(seed, 2) ? paths[below(seed, 5)] : path,
                                  .build_id = build_id,
                                  .start = below(seed, 2) ? next(seed) : 0,
                                  .limit = below(seed, 2) ? next(seed) : 0,
                                  .offset = below(seed, 2) ? next(seed) : 0};
    assert_int_equal(slw_stacks_add_mapping(s, &m, &id), 0);
}

static void add_random_frame(uint64_t *seed, struct slw_stacks *s)
{
    char function[12], linkage[12], file[12];
    size_t mapping = below(seed, slw_stacks_mapping_count(s) + 1);
    uint32_t id;

    random_text(seed, function);
    random_text(seed, linkage);
    random_text(seed, file);
    if (strcmp(function, linkage) == 0)
        linkage[0] = '\0';
    const struct slw_frame f = {.function = function,
                                .linkage = below(seed, 2) ? linkage : "",
                                .file = below(seed, 2) ? file : "",
                                .line = below(seed, 2) ? (uint32_t)next(seed) : 0,
                                .mapping = mapping < slw_stacks_mapping_count(s) ? (uint32_t)mapping
                                                                                 : SLW_NO_MAPPING,
                                .address = below(seed, 4) ? below(seed, 3) : next(seed),
                                .kind = (enum slw_frame_kind)below(seed, 3),
                                .inlined = below(seed, 3) == 0};
    assert_int_equal(slw_stacks_add_frame(s, &f, &id), 0);
}

static void add_random_thread(uint64_t *seed, struct slw_stacks *s)
{
    char comm[12];
    uint32_t id;

    random_text(seed, comm);
    /* A thread of which nothing is known is no thread: tid 0 is the least it has. */
    const struct slw_thread t = {comm, (int32_t)below(seed, 3) - 1, (int32_t)below(seed, 3)};
    assert_int_equal(slw_stacks_add_thread(s, &t, &id), 0);
}

static void add_random_sample(uint64_t *seed, struct slw_stacks *s)
{
    uint32_t frames[12];
    uint64_t weights[6];
    size_t depth = below(seed, 13), thread = below(seed, slw_stacks_thread_count(s) + 1);

    for (size_t i = 0; i < depth; i++)
        frames[i] = (uint32_t)below(seed, slw_stacks_frame_count(s));
    for (size_t i = 0; i < 6; i++)
        weights[i] = next(seed) >> (16 + below(seed, 48));
    assert_int_equal(
        slw_stacks_add(s, frames, depth,
                       thread < slw_stacks_thread_count(s) ? (uint32_t)thread : SLW_NO_THREAD,
                       weights),
        0);
}

static struct slw_stacks *random_stacks(uint64_t *seed)
{
    struct slw_stacks *s = random_columns(seed);

    for (size_t i = below(seed, 5); i > 0; i--)
        add_random_mapping(seed, s);
    for (size_t i = 1 + below(seed, 30); i > 0; i--)
        add_random_frame(seed, s);
    for (size_t i = below(seed, 5); i > 0; i--)
        add_random_thread(seed, s);
    for (size_t i = below(seed, 200); i > 0; i--)
        add_random_sample(seed, s);
    return s;
}

static void any_stacks_come_back(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= PROFILES; i++) {
        uint64_t seed = i;
        struct slw_stacks *s = random_stacks(&seed), *again = NULL;
        struct slw_buf bytes = {0};
        struct slw_error err = {0};

        last_seed = i;
        assert_int_equal(slw_stacks_to_pprof(s, NULL, &bytes, &err), 0);
        if (slw_stacks_from_pprof(bytes.data, bytes.length, &again, &err) < 0)
            fail_msg("%s", err.text);
        assert_same_stacks(s, again);
        for (size_t k = 0; k < slw_stacks_column_count(s); k++)
            assert_true(slw_stacks_total(s, k) == slw_stacks_total(again, k));
        slw_stacks_free(s);
        slw_stacks_free(again);
        slw_buf_release(&bytes);
    }
}

static int print_seed(void **state)
{
    (void)state;
    print_message("last seed: %d\n", (int)last_seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(any_stacks_come_back, print_seed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
