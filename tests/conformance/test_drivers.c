/* SPDX-License-Identifier: MIT */
/* What driver.h promises, of one driver: SLW_DRIVER, at SLW_DRIVER_WHERE, with SLW_DRIVER_SETTINGS
 * ("user=x,database=y"); without them SQLite, in a file of its own. The servers are started by
 * tests/system/test_drivers.py. */
#include "tests/conformance/driver_model_int.h"
#include "tests/conformance/driver_requests_int.h"
#include "tests/driver_fixture.h"
#include "tests/unit/cmocka_int.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define TABLE  "slotwise_test"
#define WAIT   30000 /* ms, for what comes at once */
#define LONGER (SLW_MAX_PAYLOAD)

static struct driver_fixture fixture;
static char folder[] = "/tmp/slotwise-drivers-XXXXXX";
static char file[64];
static const char *where;

/* ---- the cases: for each batching ---- */

static void what_is_inserted_is_read(enum slw_batching how)
{
    need(how);
    insert(how, 100, 1000, 1);
    expect_rows_differ(100);
    assert_int_equal(stored(), 100);
    expect_stored(how, 100, 1000, 1);
}

static void an_unknown_id_is_nothing(enum slw_batching how)
{
    need(how);
    insert(SLW_BATCHING_NONE, 1, 2, 1);
    fill(3, SLW_OP_READ, 1, 0);
    run(how, 3);
    expect(0, SLW_OUTCOME_NOTHING, 0);
    expect(1, SLW_OUTCOME_DONE, 0);
    expect(2, SLW_OUTCOME_NOTHING, 0);
}

static void a_second_row_of_an_id_is_rejected(enum slw_batching how)
{
    const bool alone = how == SLW_BATCHING_NONE || how == SLW_BATCHING_PIPELINE;

    need_refusals(how);
    insert(SLW_BATCHING_NONE, 1, 5, 1);
    fill(10, SLW_OP_INSERT, 1, 2);
    run(how, 10);
    for (size_t i = 0; i < 10; i++)
        expect(i, alone && i != 4 ? SLW_OUTCOME_DONE : SLW_OUTCOME_REJECTED, 1);
    assert_int_equal(stored(), alone ? 10 : 1);
    expect_stored(SLW_BATCHING_NONE, 1, 5, 1); /* as it was */
    insert(how, 3, 20, 3);                     /* the connection is as good as before */
}

static void again_stores_once(enum slw_batching how)
{
    uint64_t rows[10];

    need_refusals(how);
    insert(how, 5, 1, 1);
    for (size_t i = 0; i < 5; i++)
        rows[i] = answers[i].row;
    fill(10, SLW_OP_INSERT, 1, 2); /* five that are there, five that are not; one is new */
    for (size_t i = 0; i < 9; i++)
        requests[i].again = true;
    run(how, 10);
    expect_all(10, SLW_OUTCOME_DONE, 1);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(answers[i].row, rows[i]);
    for (size_t i = 5; d->generates_rows && i < 10; i++)
        assert_true(answers[i].row > rows[4]);
    assert_int_equal(stored(), 10);
    expect_stored(SLW_BATCHING_NONE, 5, 1, 1);
    expect_stored(SLW_BATCHING_NONE, 5, 6, 2);
}

static void again_does_not_excuse_others(enum slw_batching how)
{
    const bool alone = how == SLW_BATCHING_NONE || how == SLW_BATCHING_PIPELINE;

    need_refusals(how);
    insert(how, 2, 1, 1);
    fill(3, SLW_OP_INSERT, 1, 2);
    requests[0].again = requests[2].again = true; /* 2 is there, and not of this try */
    run(how, 3);
    expect(0, alone ? SLW_OUTCOME_DONE : SLW_OUTCOME_REJECTED, 1);
    expect(1, SLW_OUTCOME_REJECTED, 0);
    expect(2, alone ? SLW_OUTCOME_DONE : SLW_OUTCOME_REJECTED, 1);
    assert_int_equal(stored(), alone ? 3 : 2);
}

static void update_tells_what_was_there(enum slw_batching how)
{
    need_refusals(how);
    insert(SLW_BATCHING_NONE, 2, 1, 1);
    fill(3, SLW_OP_UPDATE, 1, 2);
    run(how, 3);
    expect(0, SLW_OUTCOME_DONE, 1);
    expect(1, SLW_OUTCOME_DONE, 1);
    expect(2, SLW_OUTCOME_DONE, 0);
    run(how, 3); /* the same bytes once more are an update too */
    expect(0, SLW_OUTCOME_DONE, 1);
    expect(1, SLW_OUTCOME_DONE, 1);
    expect(2, SLW_OUTCOME_DONE, 0);
    assert_int_equal(stored(), 2);
    expect_stored(how, 2, 1, 2);
}

static void many_in_one_call(enum slw_batching how)
{
    /* Each with a sync to disk of its own takes its time. */
    const size_t count = how == SLW_BATCHING_NONE ? MANY / 10 : MANY;

    need_refusals(how);
    insert(how, count, 1, 1);
    assert_int_equal(stored(), count);
    expect_stored(how, count, 1, 1);
    fill(count, SLW_OP_UPDATE, 1, 2);
    run(how, count);
    expect_all(count, SLW_OUTCOME_DONE, 1);
    expect_stored(how, count, 1, 2);
    fill(count, SLW_OP_INSERT, 1, 3); /* none is new */
    run(how, count);
    expect_all(count, SLW_OUTCOME_REJECTED, 0);
    expect_stored(how, count, 1, 2);
}

/* Of every length that may be special, and of every byte. */
static void payloads_come_back_as_they_are(enum slw_batching how)
{
    static unsigned char bytes[LONGER];
    static const size_t lengths[] = {0, 1, 255, 256, 65535, 65536, LONGER};
    const size_t count = sizeof(lengths) / sizeof(lengths[0]);

    need(how);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i ^ i >> 8 ^ i >> 16);
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct slw_request){
            .op = SLW_OP_INSERT, .id = i + 1, .payload = bytes, .length = lengths[i]};
    requests[0].payload = NULL;
    run(how, count);
    expect_all(count, SLW_OUTCOME_DONE, 1);
    fill(count, SLW_OP_READ, 1, 0);
    run(how, count);
    expect_all(count, SLW_OUTCOME_DONE, 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answers[i].length, lengths[i]);
        if (lengths[i])
            assert_memory_equal(answers[i].payload, bytes, lengths[i]);
    }
}

static void the_largest_id_is_one(enum slw_batching how)
{
    const uint64_t last = (1ULL << 63) - 1;

    need(how);
    insert(how, 2, last - 1, 1);
    assert_int_equal(stored(), 2);
    expect_stored(how, 2, last - 1, 1);
}

static void random_calls_do_what_a_model_does(enum slw_batching how)
{
    const char *seed = getenv("SLW_SEED");

    need(how);
    model_run(how, seed ? strtoull(seed, NULL, 10) : 5);
}

static void no_request_is_no_work(enum slw_batching how)
{
    struct slw_error err = {0};

    need(how);
    assert_int_equal(d->run(c, how, requests, 0, answers, &err), 0);
}

static void what_it_cannot_do_is_unsupported(enum slw_batching how)
{
    struct slw_error err = {0};

    if (can(how))
        skip();
    fill(1, SLW_OP_INSERT, 1, 1);
    assert_int_equal(d->run(c, how, requests, 1, answers, &err), -SLW_E_UNSUPPORTED);
    assert_int_equal(stored(), 0);
}

/* ---- without waiting ---- */

static void submit(size_t i, uint64_t token)
{
    struct slw_error err = {0};

    check_rc(d->submit(c, &requests[i], token, &err), &err);
}

/* `count` answers in the order of submission: tokens from first_token on. */
static void collect(size_t count, uint64_t first_token)
{
    struct slw_completion done[50];
    struct slw_error err = {0};
    size_t n = 0;

    while (n < count) {
        const int rc = d->poll(c, WAIT, done, 50, &err);
        check_rc(rc, &err);
        assert_in_range(rc, 1, 50);
        for (int i = 0; i < rc; i++, n++) {
            assert_true(n < count);
            assert_int_equal(done[i].token, first_token + n);
            answers[n] = done[i].answer;
            if (requests[n].op == SLW_OP_READ && answers[n].outcome == SLW_OUTCOME_DONE)
                assert_true(slw_payload_is(1, requests[n].id, answers[n].payload,
                                           answers[n].length)); /* valid until the next call */
        }
    }
    assert_int_equal(d->poll(c, 0, done, 50, &err), 0);
}

static void answers_come_in_order(void **state)
{
    struct slw_error err = {0};

    (void)state;
    fill(500, SLW_OP_INSERT, 1, 1);
    for (size_t i = 0; i < 500; i++)
        submit(i, 7000 + i);
    check_rc(d->flush(c, &err), &err);
    collect(500, 7000);
    expect_all(500, SLW_OUTCOME_DONE, 1);
    expect_rows_differ(500);
    assert_int_equal(stored(), 500);
}

static void submitted_requests_fail_alone(void **state)
{
    struct slw_error err = {0};

    (void)state;
    need_refusals(SLW_BATCHING_NONE);
    insert(SLW_BATCHING_NONE, 3, 10, 1);
    fill(20, SLW_OP_INSERT, 1, 1); /* 10 .. 12 are there */
    requests[10].again = true;
    for (size_t i = 0; i < 20; i++)
        submit(i, i);
    check_rc(d->flush(c, &err), &err);
    collect(20, 0);
    for (size_t i = 0; i < 20; i++)
        expect(i, i == 9 || i == 11 ? SLW_OUTCOME_REJECTED : SLW_OUTCOME_DONE, 1);
    assert_int_equal(stored(), 20);
}

static void kinds_are_mixed(void **state)
{
    struct slw_error err = {0};

    (void)state;
    insert(SLW_BATCHING_NONE, 30, 1, 1);
    fill(90, SLW_OP_READ, 1, 0);
    for (size_t i = 0; i < 90; i += 3) { /* read an old one, insert a new one, update it */
        requests[i].id = 1 + i / 3;
        slw_payload_fill(1, 100 + i, payloads[i], sizeof(payloads[i]));
        requests[i + 1] = (struct slw_request){.op = SLW_OP_INSERT,
                                               .id = 100 + i,
                                               .payload = payloads[i],
                                               .length = sizeof(payloads[i])};
        requests[i + 2] = requests[i + 1];
        requests[i + 2].op = SLW_OP_UPDATE;
    }
    for (size_t i = 0; i < 90; i++) {
        submit(i, i);
        if (i % 20 == 0)
            check_rc(d->flush(c, &err), &err);
    }
    check_rc(d->flush(c, &err), &err);
    collect(90, 0);
    expect_all(90, SLW_OUTCOME_DONE, 1);
    assert_int_equal(stored(), 60);
}

static void more_than_capacity_is_refused(void **state)
{
    struct slw_error err = {0};
    size_t answered = 0;

    (void)state;
    fill(1, SLW_OP_READ, 1, 0);
    for (size_t i = 0; i < d->capacity; i++)
        submit(0, i);
    assert_int_equal(d->submit(c, &requests[0], 0, &err), -SLW_E_LIMIT);
    err = (struct slw_error){0};
    check_rc(d->flush(c, &err), &err);
    while (answered < d->capacity) {
        struct slw_completion done[64];
        const int rc = d->poll(c, WAIT, done, 64, &err);
        check_rc(rc, &err);
        assert_in_range(rc, 1, 64);
        for (int i = 0; i < rc; i++) {
            assert_int_equal(done[i].token, answered++);
            assert_int_equal(done[i].answer.outcome, SLW_OUTCOME_NOTHING);
        }
    }
    submit(0, 1); /* there is room again */
    check_rc(d->flush(c, &err), &err);
    collect(1, 1);
}

static void nothing_open_is_nothing_to_poll(void **state)
{
    struct slw_completion done[1];
    struct slw_error err = {0};

    (void)state;
    check_rc(d->flush(c, &err), &err);
    assert_int_equal(d->poll(c, 0, done, 1, &err), 0);
    (void)d->descriptor(c);
}

/* ---- the rest ---- */

static void visit_ends_when_it_is_told(void **state)
{
    static struct seen s;
    struct slw_error err = {0};

    (void)state;
    insert(SLW_BATCHING_NONE, 20, 1, 1);
    s.count = 0;
    s.most = 5;
    assert_int_equal(d->visit(c, see, &s, &err), 7);
    assert_int_equal(s.count, 5);
    assert_int_equal(s.ids[4], 5);
    assert_int_equal(stored(), 20); /* and can begin anew */
}

static void create_empties(void **state)
{
    struct slw_error err = {0};

    (void)state;
    insert(SLW_BATCHING_NONE, 20, 1, 1);
    check_rc(d->create(c, &err), &err);
    assert_int_equal(stored(), 0);
    insert(SLW_BATCHING_NONE, 20, 1, 1);
}

static void a_second_connection_sees_it(void **state)
{
    struct slw_error err = {0};
    void *first = c, *second = NULL;

    (void)state;
    insert(SLW_BATCHING_NONE, 20, 1, 1);
    check_rc(fixture_open(&fixture, where, TABLE, &second, &err), &err);
    c = second;
    assert_int_equal(stored(), 20);
    insert(SLW_BATCHING_NONE, 5, 21, 1);
    c = first;
    d->close(second);
    assert_int_equal(stored(), 25);
}

/* ---- two threads, each with a connection of its own ---- */

struct writer {
    uint64_t first;
    struct slw_error err;
    int rc;
    size_t done;
};

#define WRITES 200

/* SQLite may say that the other one is writing. */
static void write_some(void *connection, struct writer *w)
{
    char bytes[64];

    for (uint64_t id = w->first; w->rc >= 0 && id < w->first + WRITES;) {
        struct slw_request r = {
            .op = SLW_OP_INSERT, .id = id, .payload = bytes, .length = sizeof(bytes)};
        struct slw_answer a;

        slw_payload_fill(1, id, bytes, sizeof(bytes));
        w->rc = d->run(connection, SLW_BATCHING_NONE, &r, 1, &a, &w->err);
        if (w->rc < 0 || a.outcome == SLW_OUTCOME_TRANSIENT)
            continue;
        w->done += a.outcome == SLW_OUTCOME_DONE;
        id++;
    }
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    void *connection = NULL;

    w->rc = fixture_open(&fixture, where, TABLE, &connection, &w->err);
    if (w->rc == 0)
        write_some(connection, w);
    d->close(connection);
    return NULL;
}

static void threads_do_not_meet(void **state)
{
    struct writer writers[2] = {{.first = 1}, {.first = 1001}};
    pthread_t threads[2];

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, writer_main, &writers[i]), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        check_rc(writers[i].rc, &writers[i].err);
        assert_int_equal(writers[i].done, WRITES);
    }
    assert_int_equal(stored(), 2 * WRITES);
    expect_stored(SLW_BATCHING_NONE, WRITES, 1001, 1);
}

static void tells_what_is_on_disk(void **state)
{
    char text[200] = "", cut[8];

    (void)state;
    if (!d->durability) {
        skip();
        return;
    }
    assert_int_equal(d->durability(c, text, sizeof(text)), 0);
    assert_true(strlen(text) > 10 && strlen(text) < 160);
    print_message("durability: %s\n", text);
    assert_int_equal(d->durability(c, cut, sizeof(cut)), 0);
    assert_true(strlen(cut) < sizeof(cut));
}

/* In a table of its own: a server may go on with what it was sent. */
static void closing_ends_what_is_open(void **state)
{
    struct slw_error err = {0};
    void *first = c;

    (void)state;
    for (int flushed = 0; flushed < 2; flushed++) {
        check_rc(fixture_open(&fixture, where, TABLE "_closed", &c, &err), &err);
        check_rc(d->create(c, &err), &err);
        fill(100, SLW_OP_INSERT, 1, 1);
        for (size_t i = 0; i < 100; i++)
            submit(i, i);
        if (flushed)
            check_rc(d->flush(c, &err), &err);
        d->close(c);
        c = first;
    }
    insert(SLW_BATCHING_NONE, 1, 1, 1); /* the other connection has not noticed */
}

static void closing_nothing_is_allowed(void **state)
{
    (void)state;
    d->close(NULL);
}

#define EACH(name)                                                                                 \
    static void name##_none(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        name(SLW_BATCHING_NONE);                                                                   \
    }                                                                                              \
    static void name##_pipeline(void **state)                                                      \
    {                                                                                              \
        (void)state;                                                                               \
        name(SLW_BATCHING_PIPELINE);                                                               \
    }                                                                                              \
    static void name##_statement(void **state)                                                     \
    {                                                                                              \
        (void)state;                                                                               \
        name(SLW_BATCHING_STATEMENT);                                                              \
    }                                                                                              \
    static void name##_transaction(void **state)                                                   \
    {                                                                                              \
        (void)state;                                                                               \
        name(SLW_BATCHING_TRANSACTION);                                                            \
    }
EACH(what_is_inserted_is_read)
EACH(an_unknown_id_is_nothing)
EACH(a_second_row_of_an_id_is_rejected)
EACH(again_stores_once)
EACH(again_does_not_excuse_others)
EACH(update_tells_what_was_there)
EACH(many_in_one_call)
EACH(payloads_come_back_as_they_are)
EACH(the_largest_id_is_one)
EACH(random_calls_do_what_a_model_does)
EACH(no_request_is_no_work)
EACH(what_it_cannot_do_is_unsupported)

static int start_empty(void **state)
{
    struct slw_error err = {0};

    (void)state;
    check_rc(d->create(c, &err), &err);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup(name, start_empty)
#define CASES(name)                                                                                \
    CASE(name##_none), CASE(name##_pipeline), CASE(name##_statement), CASE(name##_transaction)

static int open_driver(void **state)
{
    struct slw_error err = {0};
    const int rc = fixture_open(&fixture, where, TABLE, &c, &err);

    (void)state;
    if (rc < 0)
        print_error("%s: %s\n", slw_code_name(err.code), err.text);
    return rc < 0;
}

static int close_driver(void **state)
{
    (void)state;
    d->close(c);
    return 0;
}

static void remove_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "%s%s", file, suffixes[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(what_is_inserted_is_read),
        CASES(an_unknown_id_is_nothing),
        CASES(a_second_row_of_an_id_is_rejected),
        CASES(again_stores_once),
        CASES(again_does_not_excuse_others),
        CASES(update_tells_what_was_there),
        CASES(many_in_one_call),
        CASES(payloads_come_back_as_they_are),
        CASES(the_largest_id_is_one),
        CASES(random_calls_do_what_a_model_does),
        CASES(no_request_is_no_work),
        CASES(what_it_cannot_do_is_unsupported),
        CASE(answers_come_in_order),
        CASE(submitted_requests_fail_alone),
        CASE(kinds_are_mixed),
        CASE(more_than_capacity_is_refused),
        CASE(nothing_open_is_nothing_to_poll),
        CASE(visit_ends_when_it_is_told),
        CASE(create_empties),
        CASE(a_second_connection_sees_it),
        CASE(threads_do_not_meet),
        CASE(tells_what_is_on_disk),
        CASE(closing_ends_what_is_open),
        CASE(closing_nothing_is_allowed),
    };
    const char *name = getenv("SLW_DRIVER");

    d = slw_driver_find(name ? name : "sqlite");
    if (!d || d->missing || !d->open) {
        print_message("skipped: built without %s\n", d && d->missing ? d->missing : "this driver");
        return 77;
    }
    where = getenv("SLW_DRIVER_WHERE");
    if (!name) {
        if (!mkdtemp(folder))
            return 1;
        (void)snprintf(file, sizeof(file), "%s/db", folder);
        where = file;
    }
    fixture_init(&fixture, d, getenv("SLW_DRIVER_SETTINGS"));
    const int failed = cmocka_run_group_tests_name(d->name, tests, open_driver, close_driver);
    if (!name)
        remove_files();
    return failed != 0;
}
