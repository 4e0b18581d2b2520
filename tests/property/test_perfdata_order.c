/* SPDX-License-Identifier: MIT */
/* Recordings of random order: records come by time, equal times as they were written, none lost and
 * none twice, whatever stands between them. The seed is printed; give it as the first argument to
 * repeat a failure. */
#include "analyzer/perfdata.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS      40
#define MAX_RECORDS 6000 /* some blocks of the reader */

static uint64_t seed;

/* xorshift64*. Source: Vigna 2016. */
static uint32_t below(uint32_t limit)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static const struct image_attr clock_attr = {.type = PERF_TYPE_SOFTWARE,
                                             .config = PERF_COUNT_SW_CPU_CLOCK,
                                             .period = 997,
                                             .sample_type = IMAGE_SAMPLE_TYPE,
                                             .flags = IMAGE_ID_ALL | IMAGE_FREQ};

struct expected {
    uint64_t time;
    uint32_t tid; /* order of writing */
};

struct seen {
    const struct expected *expected;
    size_t count, at;
};

static int compare(const void *left, const void *right)
{
    const struct expected *a = left, *b = right;

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static int check(void *ctx, const struct slw_perf_record *r)
{
    struct seen *s = ctx;

    assert_true(s->at < s->count);
    assert_true(r->time == s->expected[s->at].time);
    assert_int_equal(r->tid, s->expected[s->at].tid);
    s->at++;
    return 0;
}

static void put_trace(struct image *i)
{
    const uint64_t payload = UINT64_C(8) * below(20);

    begin_record(i, SLW_PERF_RECORD_AUXTRACE, 0);
    put64(i, payload);
    put_zeros(i, 32);
    end_record(i);
    put_zeros(i, payload); /* would be records of size 0 */
}

/* Buffers of several CPUs one after the other, each nearly ascending. */
static size_t put_records(struct image *i, struct expected *expected)
{
    const size_t count = below(MAX_RECORDS);
    const uint32_t jump = 1 + below(2000), jitter = 1 + below(5);
    uint64_t clock = 10000;

    for (size_t k = 0; k < count; k++) {
        static const uint64_t chain[] = {PERF_CONTEXT_USER, 0x1000};

        if (below(jump) == 0)
            clock -= below(2) ? below(5000) : clock / 2;
        clock += below(3);
        if (below(50) == 0)
            put_trace(i);
        expected[k] = (struct expected){clock + below(jitter), (uint32_t)k};
        put_sample(i, PERF_RECORD_MISC_USER, 1, (uint32_t)k, expected[k].time, 1, chain, 2, 0x1000);
        clock = clock < 10000 ? 10000 : clock;
    }
    return count;
}

static void one_recording(struct expected *expected)
{
    struct image i = {.swap = below(2)};
    struct slw_perfdata *pd = NULL;

    pipe_header(&i);
    pipe_attr(&i, &clock_attr, 128, 1);
    struct seen s = {.expected = expected, .count = put_records(&i, expected)};
    qsort(expected, s.count, sizeof(*expected), compare);
    assert_int_equal(slw_perfdata_open_bytes(i.out.data, i.out.length, 1 << 20, &pd, NULL), 0);
    for (int again = 0; again < 2; again++) {
        s.at = 0;
        assert_int_equal(slw_perfdata_each(pd, check, &s), 0);
        assert_int_equal(s.at, s.count);
    }
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
}

static void records_come_by_time_then_as_written(void **state)
{
    struct expected *expected = calloc(MAX_RECORDS, sizeof(*expected));

    (void)state;
    assert_non_null(expected);
    for (int i = 0; i < ROUNDS; i++)
        one_recording(expected);
    free(expected);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_come_by_time_then_as_written)};

    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL) | 1;
    printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
