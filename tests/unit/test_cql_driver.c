/* SPDX-License-Identifier: MIT */
/* The CQL driver against the endpoint, on a thread of this program: what is its own. What it has in
 * common with other drivers is in tests/conformance. */
#include "tests/fuzz/wire_turns.h"
#include "tests/unit/cmocka_int.h"
#include "workloads/cql/compress.h"
#include "workloads/cql/endpoint.h"
#include "workloads/driver.h"
#include "workloads/load.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY         500
#define MAX_SETTINGS 16

static const struct slw_driver *d;
static struct slw_request requests[MANY];
static struct slw_answer answers[MANY];
static char payloads[MANY][64];

static void good(int rc, const struct slw_error *err)
{
    if (rc < 0)
        fail_msg("%s: %s (%s)", slw_code_name(err->code), err->text, err->where);
}

/* ---- endpoints and connections ---- */

static struct slw_cql_endpoint *begin(struct slw_cql_endpoint_options options)
{
    struct slw_cql_endpoint *e = NULL;
    struct slw_error err = {0};

    good(slw_cql_endpoint_open(&options, &e, &err), &err);
    good(slw_cql_endpoint_start(e, &err), &err);
    return e;
}

static void give(struct slw_chosen *row, const char *text)
{
    row->given = true;
    row->text = text;
    for (size_t i = 0; row->setting->choices && row->setting->choices[i]; i++)
        if (strcmp(row->setting->choices[i], text) == 0)
            row->choice = i;
}

/* "name value name value": settings besides the defaults. */
static int open_at(uint16_t port, const char *const *given, void **ret, struct slw_error *err)
{
    struct slw_chosen rows[MAX_SETTINGS] = {0};
    struct slw_choices choices = {rows, 0};
    char where[32];

    for (const struct slw_setting *s = d->settings; s->name; s++) {
        struct slw_chosen *row = &rows[choices.count++];

        row->setting = s;
        if (s->otherwise)
            give(row, s->otherwise);
        row->given = false;
        row->number = 1;
        for (size_t i = 0; given && given[i]; i += 2)
            if (strcmp(given[i], s->name) == 0)
                give(row, given[i + 1]);
    }
    (void)snprintf(where, sizeof(where), "127.0.0.1:%u", port);
    return d->open(where, "bench", &choices, ret, err);
}

static void *connect_to(const struct slw_cql_endpoint *e, const char *const *given)
{
    struct slw_error err = {0};
    void *c = NULL;

    good(open_at(slw_cql_endpoint_port(e), given, &c, &err), &err);
    return c;
}

static void *table_at(const struct slw_cql_endpoint *e, const char *const *given)
{
    struct slw_error err = {0};
    void *c = connect_to(e, given);

    good(d->create(c, &err), &err);
    return c;
}

static void fill(size_t count, enum slw_op op, uint64_t first, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        slw_payload_fill(seed, first + i, payloads[i], sizeof(payloads[i]));
        requests[i] = (struct slw_request){
            .op = op, .id = first + i, .payload = payloads[i], .length = sizeof(payloads[i])};
    }
}

static void run(void *c, enum slw_batching how, size_t count)
{
    struct slw_error err = {0};

    good(d->run(c, how, requests, count, answers, &err), &err);
}

static size_t outcomes(size_t count, enum slw_outcome outcome)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += answers[i].outcome == outcome;
    return found;
}

static int count_one(void *ctx, uint64_t id)
{
    size_t *count = ctx;

    assert_true(id > 0);
    ++*count;
    return 0;
}

static size_t stored(void *c)
{
    struct slw_error err = {0};
    size_t count = 0;

    good(d->visit(c, count_one, &count, &err), &err);
    return count;
}

/* ---- versions and compression ---- */

static void works(const struct slw_cql_endpoint *e, const char *const *given)
{
    void *c = table_at(e, given);

    for (int how = SLW_BATCHING_NONE; how <= SLW_BATCHING_STATEMENT; how++) {
        fill(100, SLW_OP_INSERT, 1 + 1000 * (uint64_t)how, 1);
        run(c, (enum slw_batching)how, 100);
        assert_int_equal(outcomes(100, SLW_OUTCOME_DONE), 100);
        fill(100, SLW_OP_READ, 1 + 1000 * (uint64_t)how, 1);
        run(c, (enum slw_batching)how, 100);
        for (size_t i = 0; i < 100; i++)
            assert_true(slw_payload_is(1, requests[i].id, answers[i].payload, answers[i].length));
    }
    assert_int_equal(stored(c), 300);
    d->close(c);
}

static void works_in_both_versions_packed_or_not(void **state)
{
    static const char *const ways[][5] = {
        {"protocol", "4"},
        {"protocol", "5"},
        {"protocol", "4", "lz4", ""},
        {"protocol", "5", "lz4", ""},
        {"unlogged", "", "consistency", "quorum"},
    };
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (!ways[i][2] || slw_cql_lz4_available() || strcmp(ways[i][2], "lz4") != 0)
            works(e, ways[i]);
    slw_cql_endpoint_close(e);
}

static void falls_back_to_version_4(void **state)
{
    static const char *const only_5[] = {"protocol", "5", NULL};
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){.newest = 4});
    struct slw_error err = {0};
    void *c = NULL;

    (void)state;
    works(e, NULL);
    assert_int_equal(open_at(slw_cql_endpoint_port(e), only_5, &c, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "unsupported protocol version"));
    slw_cql_endpoint_close(e);
}

/* ---- what servers say ---- */

static void overloaded_is_transient_and_not_done(void **state)
{
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){.overloaded_every = 7});
    void *c = table_at(e, NULL);

    (void)state;
    fill(MANY, SLW_OP_INSERT, 1, 1);
    run(c, SLW_BATCHING_PIPELINE, MANY);
    assert_int_equal(outcomes(MANY, SLW_OUTCOME_TRANSIENT), MANY / 7);
    assert_int_equal(outcomes(MANY, SLW_OUTCOME_DONE), MANY - MANY / 7);
    assert_non_null(strstr(answers[6].why, "overloaded"));
    assert_int_equal(stored(c), MANY - MANY / 7);
    d->close(c);
    slw_cql_endpoint_close(e);
}

static void a_write_timeout_is_lost_and_may_be_done(void **state)
{
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){.timeout_every = 5});
    void *c = table_at(e, NULL);

    (void)state;
    fill(100, SLW_OP_INSERT, 1, 1);
    run(c, SLW_BATCHING_PIPELINE, 100);
    assert_int_equal(outcomes(100, SLW_OUTCOME_LOST), 20);
    assert_int_equal(stored(c), 100);
    fill(10, SLW_OP_INSERT, 1000, 1); /* and the connection goes on */
    for (int i = 0; i < 5; i++)
        run(c, SLW_BATCHING_STATEMENT, 10);
    assert_int_equal(outcomes(10, SLW_OUTCOME_LOST), 10);
    assert_int_equal(stored(c), 110);
    d->close(c);
    slw_cql_endpoint_close(e);
}

static void a_table_that_is_missing_rejects(void **state)
{
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});
    void *c = connect_to(e, NULL);
    struct slw_error err = {0};
    size_t count = 0;

    (void)state;
    fill(3, SLW_OP_INSERT, 1, 1);
    run(c, SLW_BATCHING_NONE, 3);
    assert_int_equal(outcomes(3, SLW_OUTCOME_REJECTED), 3);
    assert_non_null(strstr(answers[0].why, "unconfigured table"));
    assert_int_equal(d->visit(c, count_one, &count, &err), -SLW_E_INVAL);
    err = (struct slw_error){0};
    good(d->create(c, &err), &err);
    run(c, SLW_BATCHING_NONE, 3);
    assert_int_equal(outcomes(3, SLW_OUTCOME_DONE), 3);
    d->close(c);
    slw_cql_endpoint_close(e);
}

static void what_is_no_longer_prepared_is_prepared_again(void **state)
{
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});
    void *a = table_at(e, NULL), *b = connect_to(e, NULL);
    struct slw_error err = {0};
    int tries = 0;

    (void)state;
    fill(10, SLW_OP_INSERT, 1, 1);
    run(a, SLW_BATCHING_PIPELINE, 10);
    good(d->create(b, &err), &err); /* a new table: what `a` prepared is void */
    do {
        run(a, SLW_BATCHING_PIPELINE, 10);
        assert_int_equal(outcomes(10, SLW_OUTCOME_DONE) + outcomes(10, SLW_OUTCOME_TRANSIENT), 10);
    } while (outcomes(10, SLW_OUTCOME_DONE) < 10 && ++tries < 5);
    assert_in_range(tries, 1, 2);
    good(d->create(b, &err), &err);
    run(a, SLW_BATCHING_STATEMENT, 10);
    assert_int_equal(outcomes(10, SLW_OUTCOME_TRANSIENT), 10);
    run(a, SLW_BATCHING_STATEMENT, 10);
    assert_int_equal(outcomes(10, SLW_OUTCOME_DONE), 10);
    assert_int_equal(stored(a), 10);
    d->close(a);
    d->close(b);
    slw_cql_endpoint_close(e);
}

/* ---- upserts and conditions ---- */

static void an_insert_replaces_unless_conditional(void **state)
{
    static const char *const conditional[] = {"conditional", "", NULL};
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});
    struct slw_error err = {0};
    void *plain = table_at(e, NULL), *c = connect_to(e, conditional);

    (void)state;
    assert_true(d->upserts);
    fill(2, SLW_OP_INSERT, 1, 1);
    run(plain, SLW_BATCHING_NONE, 2);
    fill(3, SLW_OP_INSERT, 1, 2);
    requests[1].again = true;
    run(c, SLW_BATCHING_PIPELINE, 3);
    assert_int_equal(answers[0].outcome, SLW_OUTCOME_REJECTED);
    assert_int_equal(answers[1].outcome, SLW_OUTCOME_DONE);
    assert_int_equal(answers[2].outcome, SLW_OUTCOME_DONE);
    fill(4, SLW_OP_UPDATE, 1, 3);
    run(c, SLW_BATCHING_NONE, 4);
    assert_int_equal(answers[2].affected, 1);
    assert_int_equal(answers[3].affected, 0);
    assert_int_equal(stored(c), 3);
    assert_int_equal(d->run(c, SLW_BATCHING_STATEMENT, requests, 2, answers, &err),
                     -SLW_E_UNSUPPORTED);
    run(plain, SLW_BATCHING_NONE, 4);
    assert_int_equal(stored(c), 4);
    d->close(plain);
    d->close(c);
    slw_cql_endpoint_close(e);
}

/* Those that wait for one another have to get their turn, and the right answer. */
static void requests_of_one_id_keep_their_order(void **state)
{
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});
    void *c = table_at(e, NULL);
    static const enum slw_op ops[] = {SLW_OP_INSERT, SLW_OP_READ, SLW_OP_UPDATE, SLW_OP_READ};

    (void)state;
    fill(400, SLW_OP_READ, 1, 1);
    for (size_t i = 0; i < 400; i++) {
        requests[i].op = ops[i % 4];
        requests[i].id = 1 + i / 100;
        slw_payload_fill(1 + i % 4, 1, payloads[i], sizeof(payloads[i]));
    }
    run(c, SLW_BATCHING_PIPELINE, 400);
    assert_int_equal(outcomes(400, SLW_OUTCOME_DONE), 400);
    for (size_t i = 1; i < 400; i += 2)
        assert_memory_equal(answers[i].payload, payloads[i - 1], sizeof(payloads[i]));
    assert_int_equal(stored(c), 4);
    d->close(c);
    slw_cql_endpoint_close(e);
}

/* ---- bad days ---- */

static void nobody_there_is_gone(void **state)
{
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});
    const uint16_t port = slw_cql_endpoint_port(e);
    struct slw_error err = {0};
    void *c = NULL;

    (void)state;
    slw_cql_endpoint_close(e);
    assert_int_equal(open_at(port, NULL, &c, &err), -SLW_E_GONE);
    assert_true(err.hint[0] && err.where[0]);
    assert_null(c);
}

static void names_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = {"keyspace", "x; DROP KEYSPACE y", NULL};
    struct slw_error err = {0};
    void *c = NULL;

    (void)state;
    assert_int_equal(open_at(1, wrong, &c, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "name of a keyspace"));
}

static void a_server_that_goes_leaves_requests_lost(void **state)
{
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});
    void *c = table_at(e, NULL);
    struct slw_completion done[8];
    struct slw_error err = {0};

    (void)state;
    fill(5, SLW_OP_INSERT, 1, 1);
    run(c, SLW_BATCHING_NONE, 1); /* all is prepared */
    slw_cql_endpoint_close(e);
    for (size_t i = 0; i < 5; i++)
        good(d->submit(c, &requests[i], i, &err), &err);
    good(d->flush(c, &err), &err);
    size_t lost = 0;
    for (int rc = 0; rc >= 0 && lost < 5; lost += (size_t)rc) {
        rc = d->poll(c, 10000, done, 8, &err);
        assert_true(rc > 0);
        for (int i = 0; i < rc; i++)
            assert_int_equal(done[i].answer.outcome, SLW_OUTCOME_LOST);
    }
    assert_int_equal(d->poll(c, 0, done, 8, &err), -SLW_E_GONE);
    err = (struct slw_error){0};
    assert_int_equal(d->run(c, SLW_BATCHING_PIPELINE, requests, 5, answers, &err), -SLW_E_GONE);
    assert_int_equal(outcomes(5, SLW_OUTCOME_LOST), 5);
    d->close(c);
}

static void what_was_acknowledged_outlives_the_endpoint(void **state)
{
    char folder[] = "/tmp/slotwise-cql-XXXXXX", file[64], text[200] = "";
    struct slw_cql_endpoint_options options = {.durable = file};

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(file, sizeof(file), "%s/log", folder);
    for (size_t round = 0; round < 3; round++) {
        struct slw_cql_endpoint *e = begin(options);
        void *c = round == 0 ? table_at(e, NULL) : connect_to(e, NULL);

        assert_int_equal(stored(c), round * 100);
        fill(100, SLW_OP_INSERT, 1 + round * 100, 1);
        run(c, round == 1 ? SLW_BATCHING_STATEMENT : SLW_BATCHING_PIPELINE, 100);
        assert_int_equal(outcomes(100, SLW_OUTCOME_DONE), 100);
        assert_int_equal(d->durability(c, text, sizeof(text)), 0);
        assert_non_null(strstr(text, "synced commit log"));
        d->close(c);
        slw_cql_endpoint_close(e);
    }
    (void)unlink(file);
    (void)rmdir(folder);
}

/* ---- seen by the wire tap ---- */

/* Stands between driver and endpoint and keeps what both say. */
struct relay {
    int listener;
    uint16_t port, to;
    pthread_t thread;
    struct slw_buf turns; /* as wire_turns.h has them */
};

static void relay_bytes(struct relay *r, int from, int to, uint8_t mark, bool *over)
{
    char bytes[127];
    const ssize_t n = recv(from, bytes, sizeof(bytes), 0);

    *over = n <= 0 || send(to, bytes, (size_t)n, MSG_NOSIGNAL) != n;
    if (n > 0) {
        slw_buf_putc(&r->turns, (char)(mark | (uint8_t)n));
        slw_buf_put(&r->turns, bytes, (size_t)n);
    }
}

static void *relay(void *ctx)
{
    struct relay *r = ctx;
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(r->to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = accept(r->listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    bool over = connect(server, (const struct sockaddr *)&a, sizeof(a)) < 0;

    while (!over && poll(fds, 2, 10000) > 0) {
        if (fds[0].revents)
            relay_bytes(r, client, server, 0, &over);
        if (!over && fds[1].revents)
            relay_bytes(r, server, client, 0x80, &over);
    }
    (void)close(client);
    (void)close(server);
    return NULL;
}

static void relay_begin(struct relay *r, uint16_t to)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(a);

    *r = (struct relay){.listener = socket(AF_INET, SOCK_STREAM, 0), .to = to};
    assert_int_equal(bind(r->listener, (const struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(r->listener, 1), 0);
    assert_int_equal(getsockname(r->listener, (struct sockaddr *)&a, &length), 0);
    r->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&r->thread, NULL, relay, r), 0);
}

static void the_wire_tap_counts_it_right(void **state)
{
    static const char *const ways[][3] = {{"protocol", "4"}, {"protocol", "5"}};
    struct slw_cql_endpoint *e = begin((struct slw_cql_endpoint_options){0});
    struct slw_error err = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct relay r;
        struct replay seen;
        void *c = NULL;

        relay_begin(&r, slw_cql_endpoint_port(e));
        good(open_at(r.port, ways[i], &c, &err), &err);
        good(d->create(c, &err), &err); /* 3 */
        fill(50, SLW_OP_INSERT, 1, 1);
        run(c, SLW_BATCHING_PIPELINE, 50); /* 50, and 4 are prepared */
        run(c, SLW_BATCHING_STATEMENT, 50);
        assert_int_equal(stored(c), 50); /* 1 */
        d->close(c);
        assert_int_equal(pthread_join(r.thread, NULL), 0);
        (void)close(r.listener);
        replay_turns(&seen, NULL, (const uint8_t *)r.turns.data, r.turns.length, SIZE_MAX);
        assert_int_equal(seen.conn->reason, SLW_WIRE_NONE);
        assert_string_equal(seen.conn->proto->name, "CQL");
        assert_int_equal(seen.counts.requests, 3 + 4 + 50 + 1 + 1);
        assert_int_equal(seen.counts.responses, seen.counts.requests);
        assert_int_equal(seen.counts.statements, 3 + 50 + 50 + 1);
        assert_int_equal(seen.counts.prepares, 4);
        assert_int_equal(seen.counts.errors, 0);
        replay_end(&seen);
        slw_buf_release(&r.turns);
    }
    slw_cql_endpoint_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_in_both_versions_packed_or_not),
        cmocka_unit_test(falls_back_to_version_4),
        cmocka_unit_test(overloaded_is_transient_and_not_done),
        cmocka_unit_test(a_write_timeout_is_lost_and_may_be_done),
        cmocka_unit_test(a_table_that_is_missing_rejects),
        cmocka_unit_test(what_is_no_longer_prepared_is_prepared_again),
        cmocka_unit_test(an_insert_replaces_unless_conditional),
        cmocka_unit_test(requests_of_one_id_keep_their_order),
        cmocka_unit_test(nobody_there_is_gone),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(a_server_that_goes_leaves_requests_lost),
        cmocka_unit_test(what_was_acknowledged_outlives_the_endpoint),
        cmocka_unit_test(the_wire_tap_counts_it_right),
    };

    d = slw_driver_find("cql");
    if (!d || d->missing) {
        print_message("skipped: built without %s\n", d ? d->missing : "this driver");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
