/* SPDX-License-Identifier: MIT */
/* The workload submit: switches change how a request is made, never what is sent; every row that
 * was asked for is sent and answered once, whatever the database says. The database is a fake. */
#include "tests/unit/cmocka_int.h"

#include "workloads/load.h"
#include "workloads/submit/loop.h"

#include <endian.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- what is sent ---- */

static void make(const struct slw_submit_how *how, uint64_t id, char **bytes, size_t *length)
{
    struct slw_submit_source s;

    assert_int_equal(slw_submit_source_init(&s, how, 5), 0);
    assert_int_equal(slw_submit_serialize(&s, id, bytes, length), 0);
    slw_submit_source_release(&s);
}

static void switches_do_not_change_what_is_sent(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 768};

    (void)state;
    for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        struct slw_submit_how how = {.dimensions = sizes[n]};
        char *first = NULL, *bytes = NULL;
        size_t first_length = 0, length = 0;

        make(&how, 77, &first, &first_length);
        assert_int_equal(first_length, 4 + 8 + 4 + 40 + 4 + 4 * sizes[n]);
        for (unsigned i = 0; i < 6; i++) {
            how.joined = i % 2;
            how.vector = (enum slw_submit_vector)(i / 2);
            make(&how, 77, &bytes, &length);
            assert_int_equal(length, first_length);
            assert_memory_equal(bytes, first, length);
            free(bytes);
        }
        free(first);
    }
}

static void compression_can_be_undone(void **state)
{
    struct slw_submit_how how = {.dimensions = 768, .joined = true};
    char *plain = NULL, *packed = NULL, *back;
    size_t plain_length = 0, packed_length = 0;
    uint32_t length;

    (void)state;
    make(&how, 9, &plain, &plain_length);
    how.compressed = true;
    make(&how, 9, &packed, &packed_length);
    memcpy(&length, packed, sizeof(length));
    assert_int_equal(be32toh(length), plain_length);
    back = malloc(plain_length);
    assert_non_null(back);
    assert_int_equal(
        LZ4_decompress_safe(packed + 4, back, (int)packed_length - 4, (int)plain_length),
        (int)plain_length);
    assert_memory_equal(back, plain, plain_length);
    free(plain);
    free(packed);
    free(back);
}

/* ---- a database that keeps what was open, and fails as it is told to ---- */

enum { MOST_OPEN = 64, ROWS = 3000 };

struct fake {
    struct slw_random random;
    struct slw_completion open[MOST_OPEN];
    uint64_t ids[MOST_OPEN];
    size_t count;
    unsigned transient_of_100; /* answers that are TRANSIENT */
    size_t break_after;        /* rows; 0: never */
    size_t stored;
    unsigned char times[ROWS + 1]; /* each id was stored */
    size_t most_open;
};

static int fake_submit(void *connection, const struct slw_request *r, uint64_t token,
                       struct slw_error *err)
{
    struct fake *f = connection;

    (void)err;
    assert_true(f->count < MOST_OPEN);
    assert_true(r->op == SLW_OP_INSERT && r->id >= 1 && r->id <= ROWS && r->length > 0);
    f->ids[f->count] = r->id;
    f->open[f->count++] = (struct slw_completion){.token = token};
    f->most_open = f->count > f->most_open ? f->count : f->most_open;
    return 0;
}

static int fake_flush(void *connection, struct slw_error *err)
{
    (void)connection;
    (void)err;
    return 0;
}

static void answer(struct fake *f, size_t i, struct slw_completion *c)
{
    *c = f->open[i];
    if (slw_random_below(&f->random, 100) < f->transient_of_100) {
        c->answer.outcome = SLW_OUTCOME_TRANSIENT;
        return;
    }
    f->times[f->ids[i]]++;
    f->stored++;
}

static int fake_poll(void *connection, int timeout_ms, struct slw_completion *c, size_t count,
                     struct slw_error *err)
{
    struct fake *f = connection;
    size_t n = f->count < count ? f->count : count;

    (void)timeout_ms;
    if (f->break_after && f->stored >= f->break_after) {
        if (f->count == 0)
            return slw_fail(err, SLW_E_GONE, "gone");
        for (size_t i = 0; i < n; i++) {
            c[i] = f->open[i];
            c[i].answer.outcome = SLW_OUTCOME_LOST;
        }
    } else {
        n = n ? slw_random_below(&f->random, n) + 1 : 0;
        for (size_t i = 0; i < n; i++)
            answer(f, i, &c[i]);
    }
    f->count -= n;
    memmove(f->open, f->open + n, f->count * sizeof(f->open[0]));
    memmove(f->ids, f->ids + n, f->count * sizeof(f->ids[0]));
    return (int)n;
}

static int no_descriptor(void *connection)
{
    (void)connection;
    return -1;
}

static const struct slw_driver fake_driver = {
    .name = "fake",
    .capacity = MOST_OPEN,
    .submit = fake_submit,
    .flush = fake_flush,
    .poll = fake_poll,
    .descriptor = no_descriptor,
};

static size_t acknowledged_count;
static int acknowledged(void *ctx, uint64_t id)
{
    const struct fake *f = ctx;

    assert_int_equal(f->times[id], 1);
    acknowledged_count++;
    return 0;
}

static int run(struct fake *f, bool thread, double rate, struct slw_tally *tally)
{
    static const struct slw_submit_how defaults = {.dimensions = 4};
    struct slw_submit_how how = defaults;
    const struct slw_workload_options o = {.driver = &fake_driver,
                                           .requests = ROWS - 500,
                                           .warm_up = 500,
                                           .first_id = 1,
                                           .seed = 1,
                                           .rate = rate,
                                           .acknowledged = acknowledged,
                                           .acknowledged_ctx = f};
    struct slw_submit_source source;
    struct slw_submit_loop l = {.options = &o,
                                .how = &how,
                                .source = &source,
                                .connection = f,
                                .concurrency = MOST_OPEN / 2,
                                .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                .tally = tally};

    how.thread = thread;
    acknowledged_count = 0;
    memset(tally, 0, sizeof(*tally));
    assert_true(l.wake >= 0);
    assert_int_equal(slw_submit_source_init(&source, &how, 1), 0);
    assert_int_equal(slw_submit_queue_init(&l.leave, l.concurrency), 0);
    assert_int_equal(slw_submit_queue_init(&l.ready, l.concurrency), 0);
    int rc = slw_submit_loop_run(&l);
    slw_submit_queue_release(&l.leave);
    slw_submit_queue_release(&l.ready);
    slw_submit_source_release(&source);
    (void)close(l.wake);
    return rc;
}

static struct slw_tally tally;

static void every_row_is_stored_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        static struct fake f;

        memset(&f, 0, sizeof(f));
        f.random.state = i;
        f.transient_of_100 = i / 2 * 10;
        assert_true(run(&f, i % 2, i == 1 ? 1e6 : 0, &tally) >= 0);
        assert_int_equal(f.stored, ROWS);
        for (size_t id = 1; id <= ROWS; id++)
            assert_int_equal(f.times[id], 1);
        assert_int_equal(acknowledged_count, ROWS);
        assert_int_equal(tally.requests, ROWS - 500);
        assert_int_equal(tally.outcomes[SLW_OUTCOME_DONE], ROWS - 500);
        assert_int_equal(tally.latency_ns.count, ROWS - 500);
        assert_true(f.most_open <= MOST_OPEN / 2);
        assert_true(i < 2 ? tally.retries == 0 : tally.retries > 0);
    }
}

/* A row that never works is told after a bounded number of tries. */
static void tries_are_bounded(void **state)
{
    static struct fake f = {.transient_of_100 = 100};

    (void)state;
    assert_true(run(&f, true, 0, &tally) >= 0);
    assert_int_equal(f.stored, 0);
    assert_int_equal(tally.outcomes[SLW_OUTCOME_TRANSIENT], ROWS - 500);
    assert_int_equal(tally.retries, 10 * (ROWS - 500));
}

/* What was acknowledged before is stored, and nothing else is called done. */
static void a_lost_connection_ends_it(void **state)
{
    (void)state;
    for (int thread = 0; thread < 2; thread++) {
        static struct fake f;

        memset(&f, 0, sizeof(f));
        f.break_after = 1234;
        assert_int_equal(run(&f, thread, 0, &tally), -SLW_E_GONE);
        assert_true(f.stored >= 1234 && f.stored < ROWS);
        assert_int_equal(acknowledged_count, f.stored);
        assert_int_equal(f.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(switches_do_not_change_what_is_sent),
        cmocka_unit_test(compression_can_be_undone),
        cmocka_unit_test(every_row_is_stored_once),
        cmocka_unit_test(tries_are_bounded),
        cmocka_unit_test(a_lost_connection_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
