/* SPDX-License-Identifier: MIT */
#include "cmocka_int.h"

#include "collector/taps/wire/exchange.h"

#include <stdlib.h>

#define KIND 1u

struct fixture {
    struct slw_exchange x;
    struct slw_wire_counts counts;
    struct slw_wire_histogram histogram;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    f->x.counts = &f->counts;
    f->x.histogram = &f->histogram;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void flush_of(struct fixture *f, uint64_t now_ns, uint32_t requests)
{
    f->x.now_ns = now_ns;
    slw_ask(&f->x, KIND, requests);
    slw_exchange_flush(&f->x, 10);
}

static void answers(struct fixture *f, uint64_t now_ns, uint32_t count)
{
    f->x.now_ns = now_ns;
    slw_answer(&f->x, count, false);
}

static void buckets_cover_all_latencies_without_gaps(void **state)
{
    (void)state;
    for (size_t b = 0; b < SLW_WIRE_BUCKETS; b++) {
        uint64_t low = slw_latency_low_ns(b), next = slw_latency_low_ns(b + 1);

        assert_true(low < next);
        assert_int_equal(slw_latency_bucket(low), b);
        assert_int_equal(slw_latency_bucket(next - 1), b);
        if (low > 2048)
            assert_true((double)(next - low) / (double)low <= 0.0313);
    }
    assert_int_equal(slw_latency_bucket(UINT64_MAX), SLW_WIRE_BUCKETS - 1);
}

static void answers_are_matched_in_order(void **state)
{
    struct fixture *f = *state;

    flush_of(f, 1000, 1);
    flush_of(f, 2000, 1);
    answers(f, 5000, 1);
    assert_int_equal(f->counts.latency_sum_ns, 4000);
    answers(f, 5000, 1);
    assert_int_equal(f->counts.latency_sum_ns, 7000);
    assert_int_equal(f->counts.latency_count, 2);
    assert_int_equal(f->counts.latency_max_ns, 4000);
    assert_int_equal(f->counts.batch_count, 2);
    assert_int_equal(f->x.in_flight, 0);
}

static void a_batch_ends_with_its_last_answer(void **state)
{
    struct fixture *f = *state;

    flush_of(f, 1000, 64);
    assert_int_equal(f->counts.max_batch, 64);
    assert_int_equal(f->counts.depth_sum, 64);
    answers(f, 2000, 63);
    assert_int_equal(f->counts.batch_count, 0);
    answers(f, 4000, 1);
    assert_int_equal(f->counts.batch_count, 1);
    assert_int_equal(f->counts.batch_sum_ns, 3000);
    assert_int_equal(f->counts.latency_sum_ns, 63 * 1000 + 3000);
}

/* Kinds alternate inside a flush (Execute, Sync, Execute, Sync): still one batch. */
static void a_batch_may_be_of_several_kinds(void **state)
{
    struct fixture *f = *state;

    f->x.now_ns = 1000;
    for (int i = 0; i < 5; i++) {
        slw_ask(&f->x, KIND, 1);
        slw_ask(&f->x, 2u | SLW_ASK_SILENT, 1);
    }
    slw_exchange_flush(&f->x, 99);
    assert_int_equal(f->counts.requests, 5);
    assert_int_equal(f->counts.flushes, 1);
    assert_int_equal(f->counts.flush_bytes, 99);
    answers(f, 2000, 8);
    assert_int_equal(f->counts.batch_count, 0);
    answers(f, 3000, 2);
    assert_int_equal(f->counts.batch_count, 1);
    assert_int_equal(f->counts.responses, 5);
}

static void a_write_without_a_request_is_no_flush(void **state)
{
    struct fixture *f = *state;

    slw_exchange_flush(&f->x, 10);
    assert_int_equal(f->counts.flushes, 0);
}

static void an_answer_nobody_waits_for_is_counted_as_such(void **state)
{
    struct fixture *f = *state;

    answers(f, 1000, 2);
    assert_int_equal(f->counts.responses, 2);
    assert_int_equal(f->counts.unmatched, 2);
    assert_int_equal(f->counts.latency_count, 0);
}

/* With a sender and a receiver, the answer may be decoded first: what follows is matched as ever.
 */
static void an_answer_may_overtake_its_request(void **state)
{
    struct fixture *f = *state;

    f->x.racing = true;
    answers(f, 1000, 1);
    flush_of(f, 900, 1);
    assert_int_equal(f->x.in_flight, 0);
    flush_of(f, 2000, 1);
    answers(f, 5000, 1);
    assert_int_equal(f->counts.requests, 2);
    assert_int_equal(f->counts.responses, 2);
    assert_int_equal(f->counts.unmatched, 1);
    assert_int_equal(f->counts.latency_count, 1);
    assert_int_equal(f->counts.latency_sum_ns, 3000);
}

static void a_full_queue_merges_into_the_youngest(void **state)
{
    struct fixture *f = *state;
    const uint32_t more = SLW_EXCHANGE_RUNS + 100;

    for (uint32_t i = 0; i < more; i++)
        flush_of(f, 1000 + i, 1);
    assert_int_equal(f->counts.merged, 100);
    answers(f, 1000000, more);
    assert_int_equal(f->counts.responses, more);
    assert_int_equal(f->counts.latency_count, more);
    assert_int_equal(f->counts.unmatched, 0);
}

static void a_full_queue_of_mixed_kinds_only_counts(void **state)
{
    struct fixture *f = *state;
    const uint32_t more = SLW_EXCHANGE_RUNS + 100;

    for (uint32_t i = 0; i < more; i++) {
        f->x.now_ns = 1000 + i;
        slw_ask(&f->x, KIND + i % 2, 1);
        slw_exchange_flush(&f->x, 1);
    }
    assert_true(f->x.unordered);
    answers(f, 1000000, more);
    assert_int_equal(f->counts.requests, more);
    assert_int_equal(f->counts.responses, more);
    assert_int_equal(f->counts.latency_count, 0);
}

static void skipped_requests_have_no_latency(void **state)
{
    struct fixture *f = *state;

    flush_of(f, 1000, 3);
    f->x.now_ns = 2000;
    slw_answer(&f->x, 3, true);
    assert_int_equal(f->counts.responses, 3);
    assert_int_equal(f->counts.latency_count, 0);
    assert_int_equal(f->counts.batch_count, 0);
}

static void streams_are_matched_by_number(void **state)
{
    struct fixture *f = *state;

    f->x.now_ns = 1000;
    slw_ask_stream(&f->x, 7);
    f->x.now_ns = 3000;
    slw_ask_stream(&f->x, 9);
    f->x.now_ns = 4000;
    slw_answer_stream(&f->x, 9);
    assert_int_equal(f->counts.latency_sum_ns, 1000);
    slw_answer_stream(&f->x, 7);
    assert_int_equal(f->counts.latency_sum_ns, 4000);
    slw_answer_stream(&f->x, 7);
    assert_int_equal(f->counts.unmatched, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void execution(struct fixture *f, uint64_t spent_ns)
{
    slw_execution_begin(&f->x);
    slw_execution_end(&f->x, spent_ns);
}

static void executions_of_a_transaction_are_a_batch(void **state)
{
    struct fixture *f = *state;

    execution(f, 100);
    execution(f, UINT64_MAX); /* its time is not known */
    slw_execution_begin(&f->x);
    slw_transaction_end(&f->x, 5000, true);
    slw_execution_end(&f->x, 300);
    assert_int_equal(f->counts.requests, 3);
    assert_int_equal(f->counts.responses, 3);
    assert_int_equal(f->counts.flushes, 1);
    assert_int_equal(f->counts.max_batch, 3);
    assert_int_equal(f->counts.max_depth, 1);
    assert_int_equal(f->counts.latency_count, 2);
    assert_int_equal(f->counts.latency_sum_ns, 400);
    assert_int_equal(f->counts.batch_count, 1);
    assert_int_equal(f->counts.batch_sum_ns, 5000);
}

static void a_transaction_that_is_rolled_back_is_no_batch(void **state)
{
    struct fixture *f = *state;

    execution(f, 100);
    slw_transaction_end(&f->x, 200, false);
    slw_transaction_end(&f->x, 200, true); /* of nothing */
    execution(f, 100);
    slw_transaction_end(&f->x, 300, true);
    assert_int_equal(f->counts.requests, 2);
    assert_int_equal(f->counts.flushes, 1);
    assert_int_equal(f->counts.max_batch, 1);
    assert_int_equal(f->counts.batch_sum_ns, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_cover_all_latencies_without_gaps),
        TEST(answers_are_matched_in_order),
        TEST(a_batch_ends_with_its_last_answer),
        TEST(a_batch_may_be_of_several_kinds),
        TEST(a_write_without_a_request_is_no_flush),
        TEST(an_answer_nobody_waits_for_is_counted_as_such),
        TEST(an_answer_may_overtake_its_request),
        TEST(a_full_queue_merges_into_the_youngest),
        TEST(a_full_queue_of_mixed_kinds_only_counts),
        TEST(skipped_requests_have_no_latency),
        TEST(streams_are_matched_by_number),
        TEST(executions_of_a_transaction_are_a_batch),
        TEST(a_transaction_that_is_rolled_back_is_no_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
