/* SPDX-License-Identifier: MIT */
/* The reader's side of the table of threads: each is found once, whoever puts it in. */
#include "collector/taps/offcpu/table.h"
#include "tests/unit/cmocka_int.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 2
#define PLACES  ((size_t)BUCKETS * SLW_OFF_WAYS)

static struct slw_off_bucket buckets[BUCKETS];
static struct slw_off_thread records[PLACES];

static struct slw_off_table fresh(size_t record_count)
{
    memset(buckets, 0, sizeof(buckets));
    memset(records, 0, sizeof(records));
    return (struct slw_off_table){buckets, BUCKETS, records, record_count};
}

static enum slw_off_put put(struct slw_off_table *table, uint32_t tid)
{
    return slw_off_table_put(table,
                             &(struct slw_off_thread){.tid = tid, .started = 1, .born_ns = tid});
}

static size_t found(const struct slw_off_table *table, uint32_t tid)
{
    struct slw_off_thread t;
    size_t count = 0;

    for (size_t i = 0; i < PLACES; i++)
        if (slw_off_table_get(table, i, &t) && t.tid == tid) {
            assert_int_equal(t.born_ns, tid);
            count++;
        }
    return count;
}

static void a_table_has_a_power_of_two_of_buckets_for_so_many_threads(void **state)
{
    (void)state;
    assert_int_equal(slw_off_bucket_count(1), 1);
    assert_int_equal(slw_off_bucket_count(PLACES - 1), 1);
    assert_int_equal(slw_off_bucket_count(PLACES), 2);
    assert_int_equal(slw_off_bucket_count(SLW_OFF_LIVE_THREADS), SLW_OFF_BUCKETS);
    assert_int_equal(slw_off_bucket_count(SIZE_MAX), SLW_OFF_BUCKETS);
}

static void a_thread_is_put_in_once_and_found_once(void **state)
{
    struct slw_off_table table = fresh(PLACES);

    (void)state;
    assert_int_equal(put(&table, 7), SLW_OFF_PUT);
    assert_int_equal(put(&table, 7), SLW_OFF_THERE);
    assert_int_equal(put(&table, 8), SLW_OFF_PUT);
    assert_int_equal(found(&table, 7), 1);
    assert_int_equal(found(&table, 8), 1);
    assert_int_equal(found(&table, 9), 0);
}

static void a_bucket_is_full_alone(void **state)
{
    struct slw_off_table table = fresh(PLACES);

    (void)state;
    for (uint32_t i = 1; i <= SLW_OFF_WAYS; i++)
        assert_int_equal(put(&table, i * BUCKETS), SLW_OFF_PUT);
    assert_int_equal(put(&table, 100 * BUCKETS), SLW_OFF_FULL);
    assert_int_equal(put(&table, 100 * BUCKETS + 1), SLW_OFF_PUT);
}

static void a_table_may_be_smaller_than_a_bucket(void **state)
{
    struct slw_off_table table = fresh(2);

    (void)state;
    assert_int_equal(put(&table, BUCKETS), SLW_OFF_PUT);
    assert_int_equal(put(&table, 2 * BUCKETS), SLW_OFF_PUT);
    assert_int_equal(put(&table, 3 * BUCKETS), SLW_OFF_FULL);
    assert_int_equal(put(&table, 1), SLW_OFF_FULL); /* of the other bucket, which has no records */
}

/* What the program does while it brings a child in. */
static void what_is_claimed_is_there_and_not_yet_found(void **state)
{
    struct slw_off_table table = fresh(PLACES);

    (void)state;
    buckets[1].tids[3] = 7 | SLW_OFF_CLAIMED;
    records[SLW_OFF_WAYS + 3] = (struct slw_off_thread){.tid = 7, .started = 1, .born_ns = 7};
    assert_int_equal(put(&table, 7), SLW_OFF_THERE);
    assert_int_equal(found(&table, 7), 0);
    buckets[1].tids[3] = 7;
    assert_int_equal(found(&table, 7), 1);
    records[SLW_OFF_WAYS + 3].started = 0; /* held before exec */
    assert_int_equal(found(&table, 7), 0);
}

static void *put_all(void *context)
{
    struct slw_off_table *table = context;
    size_t puts = 0;

    for (uint32_t tid = 1; tid <= PLACES / 2; tid++)
        puts += put(table, tid) == SLW_OFF_PUT;
    return (void *)(uintptr_t)puts;
}

static void two_who_put_the_same_threads_put_each_once(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct slw_off_table table = fresh(PLACES);
        pthread_t other;
        void *puts;

        assert_int_equal(pthread_create(&other, NULL, put_all, &table), 0);
        size_t ours = (size_t)(uintptr_t)put_all(&table);
        assert_int_equal(pthread_join(other, &puts), 0);
        size_t all = 0;
        for (uint32_t tid = 1; tid <= PLACES / 2; tid++) {
            assert_int_equal(found(&table, tid), 1);
            all += found(&table, tid);
        }
        assert_int_equal(all, ours + (size_t)(uintptr_t)puts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_a_power_of_two_of_buckets_for_so_many_threads),
        cmocka_unit_test(a_thread_is_put_in_once_and_found_once),
        cmocka_unit_test(a_bucket_is_full_alone),
        cmocka_unit_test(a_table_may_be_smaller_than_a_bucket),
        cmocka_unit_test(what_is_claimed_is_there_and_not_yet_found),
        cmocka_unit_test(two_who_put_the_same_threads_put_each_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
