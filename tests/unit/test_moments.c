/* SPDX-License-Identifier: MIT */
#include "record/moments_int.h"
#include "tests/unit/run_fixture_int.h"

#define MS UINT64_C(1000000)

static struct slw_moments *empty(const struct slw_stacks *s)
{
    struct slw_moments *m = NULL;

    assert_int_equal(slw_moments_new(s, SLW_MOMENT_NS, &m, NULL), 0);
    return m;
}

static struct slw_moment find(const struct slw_moments *m, uint32_t round, uint32_t bucket,
                              uint32_t path)
{
    for (size_t i = 0; i < slw_moments_count(m); i++) {
        const struct slw_moment *row = slw_moments_get(m, i);
        if (row->round == round && row->bucket == bucket && row->path == path)
            return *row;
    }
    fail_msg("no moment of round %u, bucket %u, path %u", round, bucket, path);
    return (struct slw_moment){0};
}

static void assert_same_moments(const struct slw_moments *a, const struct slw_moments *b)
{
    assert_int_equal(slw_moments_bucket_ns(a), slw_moments_bucket_ns(b));
    assert_int_equal(slw_moments_count(a), slw_moments_count(b));
    for (size_t i = 0; i < slw_moments_count(a); i++) {
        const struct slw_moment *x = slw_moments_get(a, i),
                                y = find(b, x->round, x->bucket, x->path);
        assert_true(x->samples == y.samples && x->weight == y.weight);
    }
}

/* Every stack of rich_stacks in some rounds and buckets. */
static struct slw_moments *rich_moments(const struct slw_stacks *s)
{
    struct slw_moments *m = empty(s);

    for (uint32_t i = 0; i < slw_stacks_count(s); i++)
        for (uint32_t round = 0; round < 3; round++)
            assert_int_equal(slw_moments_add(m, round, (i + UINT64_C(7) * round) * 13 * MS,
                                             slw_stacks_leaf(s, i), 1 + i,
                                             UINT64_C(1000) * (round + 1)),
                             0);
    return m;
}

static void equal_moments_are_one(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *m = empty(s);

    assert_int_equal(slw_moments_add(m, 1, 0, 2, 1, 100), 0);
    assert_int_equal(slw_moments_add(m, 1, 9999999, 2, 1, 200), 0);
    assert_int_equal(slw_moments_add(m, 1, 10 * MS, 2, 1, 1), 0);
    assert_int_equal(slw_moments_add(m, 2, 0, 2, 1, 1), 0);
    assert_int_equal(slw_moments_add(m, 1, 0, 3, 1, 1), 0);
    assert_int_equal(slw_moments_add(m, 1, 0, 1, 0, 0), 0); /* nothing */
    assert_int_equal(slw_moments_count(m), 4);
    assert_int_equal(find(m, 1, 0, 2).samples, 2);
    assert_int_equal(find(m, 1, 0, 2).weight, 300);
    slw_moments_free(m);
    slw_stacks_free(s);
}

static void long_runs_have_longer_buckets(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *m = empty(s);

    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(slw_moments_add(m, 0, 10 * MS * i, 0, 1, i), 0);
    assert_int_equal(slw_moments_bucket_ns(m), 10 * MS);
    assert_int_equal(slw_moments_add(m, 0, 10 * MS * 65535, 0, 1, 1), 0);
    assert_int_equal(slw_moments_bucket_ns(m), 10 * MS);
    assert_int_equal(slw_moments_add(m, 0, 10 * MS * 65536, 0, 1, 1), 0);
    assert_int_equal(slw_moments_bucket_ns(m), 20 * MS);
    assert_int_equal(slw_moments_count(m), 52);
    assert_int_equal(find(m, 0, 49, 0).weight, 98 + 99);
    assert_int_equal(find(m, 0, 32768, 0).weight, 1);
    assert_int_equal(slw_moments_add(m, 0, UINT64_MAX, 0, 1, 1), 0);
    assert_true(UINT64_MAX / slw_moments_bucket_ns(m) < SLW_MAX_BUCKETS);
    uint64_t samples = 0;
    for (size_t i = 0; i < slw_moments_count(m); i++)
        samples += slw_moments_get(m, i)->samples;
    assert_int_equal(samples, 103);
    slw_moments_free(m);
    slw_stacks_free(s);
}

static void sums_past_the_range_are_refused(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *m = empty(s);

    assert_int_equal(slw_moments_add(m, 0, 0, 0, 1, INT64_MAX), 0);
    assert_int_equal(slw_moments_add(m, 0, 0, 1, 1, 1), -SLW_E_RANGE);
    assert_int_equal(slw_moments_add(m, 0, 0, 1, UINT64_MAX, 0), -SLW_E_RANGE);
    assert_int_equal(slw_moments_count(m), 1);
    assert_int_equal(slw_moments_add(m, 0, 0, 1, 1, 0), 0);
    slw_moments_free(m);
    slw_stacks_free(s);
}

static void rounds_are_joined(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *all = empty(s), *one = empty(s), *coarse = NULL;
    const uint32_t map[] = {5, 6};

    assert_int_equal(slw_moments_add(one, 0, 25 * MS, 0, 1, 10), 0);
    assert_int_equal(slw_moments_add(one, 0, 45 * MS, 1, 1, 20), 0);
    assert_int_equal(slw_moments_merge(all, one, map, 1, NULL), 0);
    assert_int_equal(slw_moments_merge(all, one, NULL, 2, NULL), 0);
    assert_int_equal(slw_moments_count(all), 4);
    assert_int_equal(find(all, 1, 2, 5).weight, 10);
    assert_int_equal(find(all, 1, 4, 6).weight, 20);
    assert_int_equal(find(all, 2, 4, 1).weight, 20);
    assert_int_equal(slw_moments_new(s, 40 * MS, &coarse, NULL), 0);
    assert_int_equal(slw_moments_add(coarse, 7, 0, 3, 1, 1), 0);
    assert_int_equal(slw_moments_merge(all, coarse, NULL, SLW_KEEP_ROUNDS, NULL), 0);
    assert_int_equal(slw_moments_bucket_ns(all), 40 * MS);
    assert_int_equal(find(all, 7, 0, 3).weight, 1);
    assert_int_equal(find(all, 1, 1, 6).weight, 20);
    slw_moments_free(all);
    slw_moments_free(one);
    slw_moments_free(coarse);
    slw_stacks_free(s);
}

static struct slw_moments *read_back(const struct slw_buf *bytes, const struct slw_stacks *s)
{
    struct slw_moments *m = NULL;
    struct slw_error err = {0};

    if (slw_moments_from_pprof(bytes->data, bytes->length, s, &m, &err) < 0)
        fail_msg("%s", err.text);
    return m;
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks(), *loaded = NULL;
    struct slw_moments *m = rich_moments(s);
    struct slw_buf bytes = {0}, again = {0}, profile = {0};

    assert_int_equal(slw_moments_to_pprof(m, &bytes, NULL), 0);
    struct slw_moments *same = read_back(&bytes, s);
    assert_same_moments(m, same);
    assert_int_equal(slw_moments_to_pprof(same, &again, NULL), 0);
    assert_int_equal(bytes.length, again.length);
    assert_memory_equal(bytes.data, again.data, bytes.length);
    /* And with the profile as it comes from the disk. */
    assert_int_equal(slw_stacks_to_pprof(s, NULL, &profile, NULL), 0);
    assert_int_equal(slw_stacks_from_pprof(profile.data, profile.length, &loaded, NULL), 0);
    slw_moments_free(same);
    same = read_back(&bytes, loaded);
    assert_int_equal(slw_moments_count(same), slw_moments_count(m));
    slw_buf_release(&bytes);
    slw_buf_release(&again);
    slw_buf_release(&profile);
    slw_moments_free(m);
    slw_moments_free(same);
    slw_stacks_free(s);
    slw_stacks_free(loaded);
}

static void no_moments_are_written_and_read(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *m = empty(s);
    struct slw_buf bytes = {0};

    assert_int_equal(slw_moments_to_pprof(m, &bytes, NULL), 0);
    slw_moments_free(m);
    m = read_back(&bytes, s);
    assert_int_equal(slw_moments_count(m), 0);
    slw_moments_free(m);
    slw_buf_release(&bytes);
    slw_stacks_free(s);
}

static void odd_lengths_are_nanoseconds(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *m = NULL, *same;
    struct slw_buf bytes = {0};

    assert_int_equal(slw_moments_new(s, 1001, &m, NULL), 0);
    assert_int_equal(slw_moments_add(m, 1, 5005, 0, 1, 7), 0);
    assert_int_equal(slw_moments_to_pprof(m, &bytes, NULL), 0);
    same = read_back(&bytes, s);
    assert_same_moments(m, same);
    assert_int_equal(find(same, 1, 5, 0).weight, 7);
    slw_moments_free(m);
    slw_moments_free(same);
    slw_buf_release(&bytes);
    slw_stacks_free(s);
}

static void too_many_for_a_file_are_written_coarser(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_moments *m = empty(s), *same;
    struct slw_buf bytes = {0};

    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(slw_moments_add(m, i % 3, 10 * MS * i, 0, 1, i), 0);
    assert_int_equal(slw_moments_write(m, 4000, &bytes, NULL), 0);
    same = read_back(&bytes, s);
    assert_true(slw_moments_bucket_ns(same) > 10 * MS);
    uint64_t weight = 0;
    for (size_t i = 0; i < slw_moments_count(same); i++)
        weight += slw_moments_get(same, i)->weight;
    assert_int_equal(weight, 999 * 500);
    assert_int_equal(slw_moments_write(m, 10, &bytes, NULL), -SLW_E_LIMIT);
    slw_moments_free(m);
    slw_moments_free(same);
    slw_buf_release(&bytes);
    slw_stacks_free(s);
}

static void refused(const struct slw_buf *bytes, const struct slw_stacks *s, const char *text)
{
    struct slw_moments *m = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_moments_from_pprof(bytes->data, bytes->length, s, &m, &err),
                     -SLW_E_FORMAT);
    assert_null(m);
    if (!strstr(err.text, text))
        fail_msg("'%s' does not say '%s'", err.text, text);
}

static void moments_of_another_profile_are_refused(void **state)
{
    (void)state;
    const struct slw_column columns[] = {{"cpu-clock", "count", {0}},
                                         {"cpu-clock", "nanoseconds", {0}}};
    struct slw_stacks *s = rich_stacks(), *other = NULL;
    struct slw_moments *m = rich_moments(s);
    struct slw_buf bytes = {0}, profile = {0};

    assert_int_equal(slw_stacks_new(columns, 2, &other, NULL), 0);
    assert_int_equal(slw_moments_to_pprof(m, &bytes, NULL), 0);
    refused(&bytes, other, "not in the profile");
    assert_int_equal(slw_stacks_to_pprof(s, NULL, &profile, NULL), 0);
    refused(&profile, s, "no times of samples");
    bytes.length /= 2;
    refused(&bytes, s, "");
    slw_buf_release(&bytes);
    slw_buf_release(&profile);
    slw_moments_free(m);
    slw_stacks_free(s);
    slw_stacks_free(other);
}

static void a_run_directory_keeps_them(void **state)
{
    (void)state;
    char root[] = "/tmp/slw-moments-XXXXXX";
    struct slw_stacks *s = rich_stacks(), *t = NULL;
    struct slw_moments *m = rich_moments(s), *again = NULL;
    struct slw_run *run = rich_run(), *loaded = NULL;

    assert_non_null(mkdtemp(root));
    assert_int_equal(slw_run_dir_save_all(root, run, s, m, NULL), 0);
    assert_int_equal(slw_run_dir_load_all(root, &loaded, &t, &again, NULL), 0);
    assert_non_null(again);
    assert_int_equal(slw_moments_count(again), slw_moments_count(m));
    slw_run_free(loaded);
    slw_stacks_free(t);
    slw_moments_free(again);
    /* A damaged file is an error, and a directory without one is not. */
    char *file = slw_run_dir_file(root, SLW_RUN_MOMENTS);
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fputs("nothing", f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
    struct slw_error err = {0};
    assert_int_equal(slw_run_dir_load_all(root, &loaded, &t, &again, &err), -SLW_E_FORMAT);
    assert_non_null(strstr(err.where, SLW_RUN_MOMENTS));
    assert_int_equal(slw_run_dir_load(root, &loaded, &t, NULL), 0); /* which does not look */
    slw_run_free(loaded);
    slw_stacks_free(t);
    assert_int_equal(remove(file), 0);
    assert_int_equal(slw_run_dir_load_all(root, &loaded, &t, &again, NULL), 0);
    assert_null(again);
    slw_run_free(loaded);
    slw_stacks_free(t);
    free(file);
    static const char *const files[] = {SLW_RUN_JSON, SLW_RUN_PROFILE};
    for (size_t i = 0; i < 2; i++) {
        file = slw_run_dir_file(root, files[i]);
        assert_int_equal(remove(file), 0);
        free(file);
    }
    assert_int_equal(remove(root), 0);
    slw_run_free(run);
    slw_moments_free(m);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_moments_are_one),
        cmocka_unit_test(long_runs_have_longer_buckets),
        cmocka_unit_test(sums_past_the_range_are_refused),
        cmocka_unit_test(rounds_are_joined),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(no_moments_are_written_and_read),
        cmocka_unit_test(odd_lengths_are_nanoseconds),
        cmocka_unit_test(too_many_for_a_file_are_written_coarser),
        cmocka_unit_test(moments_of_another_profile_are_refused),
        cmocka_unit_test(a_run_directory_keeps_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
