/* SPDX-License-Identifier: MIT */
/* Every wire protocol of the table: recognised by its first bytes, counts what was said, and counts
 * the same however the bytes arrive. */
#include "tests/unit/cmocka_int.h"
#include "tests/wire_streams.h"

#define LARGEST_PIECE 40

static void same_count(const struct conversation *c, const char *name, uint64_t have, uint64_t want)
{
    if (have != want)
        fail_msg("%s, %s: %llu %s, expected %llu", c->protocol, c->what, (unsigned long long)have,
                 name, (unsigned long long)want);
}

static void check(const struct conversation *c, const struct replay *r)
{
    same_count(c, "requests", r->counts.requests, c->expected.requests);
    same_count(c, "responses", r->counts.responses, c->expected.responses);
    same_count(c, "errors", r->counts.errors, c->expected.errors);
    same_count(c, "pushes", r->counts.pushes, c->expected.pushes);
    same_count(c, "statements", r->counts.statements, c->expected.statements);
    same_count(c, "rows", r->counts.rows, c->expected.rows);
    same_count(c, "prepares", r->counts.prepares, c->expected.prepares);
    same_count(c, "reason", r->conn->reason, c->reason);
    assert_non_null(r->conn->proto);
    assert_string_equal(r->conn->proto->name, c->protocol);
}

static void replay_whole(const struct conversation *c, struct replay *r)
{
    for (const struct turn *t = c->turns; t->bytes; t++)
        replay_bytes(r, t->by, t->bytes, t->count);
}

static void every_conversation_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONVERSATIONS; i++) {
        struct replay r;

        replay_start(&r);
        replay_whole(&conversations[i], &r);
        check(&conversations[i], &r);
        replay_end(&r);
    }
}

static void every_protocol_has_a_conversation(void **state)
{
    (void)state;
    for (size_t p = 0; p < slw_proto_count; p++) {
        size_t found = 0;

        for (size_t i = 0; i < CONVERSATIONS; i++)
            found += strcmp(conversations[i].protocol, slw_protos[p]->name) == 0;
        if (found == 0)
            fail_msg("no conversation for %s", slw_protos[p]->name);
        assert_in_range(slw_protos[p]->state_bytes, 1, SLW_PROTO_STATE_BYTES);
    }
}

static void pieces(const struct conversation *c, size_t size, size_t offset)
{
    struct replay r;

    replay_start(&r);
    for (const struct turn *t = c->turns; t->bytes; t++)
        for (size_t at = 0, n = offset < size ? size - offset : size; at < t->count;
             at += n, n = size)
            replay_bytes(&r, t->by, t->bytes + at, at + n < t->count ? n : t->count - at);
    check(c, &r);
    replay_end(&r);
}

static void pieces_of_any_size_count_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONVERSATIONS; i++)
        for (size_t size = 1; size <= LARGEST_PIECE; size++)
            pieces(&conversations[i], size, size / 2);
}

static void cut_turn(const struct conversation *c, const struct turn *cut, size_t at)
{
    struct replay r;

    replay_start(&r);
    for (const struct turn *t = c->turns; t->bytes; t++) {
        size_t first = t == cut ? at : t->count;

        replay_bytes(&r, t->by, t->bytes, first);
        if (first < t->count)
            replay_bytes(&r, t->by, t->bytes + first, t->count - first);
    }
    check(c, &r);
    replay_end(&r);
}

static void a_cut_at_any_byte_counts_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONVERSATIONS; i++)
        for (const struct turn *t = conversations[i].turns; t->bytes; t++)
            for (size_t at = 1; at < t->count; at++)
                cut_turn(&conversations[i], t, at);
}

/* The pieces of one call, in several buffers. */
static void several_buffers_are_one_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONVERSATIONS; i++) {
        struct replay r;

        replay_start(&r);
        for (const struct turn *t = conversations[i].turns; t->bytes; t++) {
            char copy[1024];
            size_t half = t->count / 2;

            assert_in_range(t->count, 0, sizeof(copy));
            memcpy(copy, t->bytes, t->count);
            const struct iovec iov[] = {
                {copy, half}, {copy + half, 0}, {copy + half, t->count - half}};
            if (t->by == SLW_WIRE_SENT)
                slw_conn_sent(r.conn, iov, 3, t->count, ++r.now_ns);
            else
                slw_conn_received(r.conn, iov, 3, t->count, ++r.now_ns);
        }
        check(&conversations[i], &r);
        replay_end(&r);
    }
}

static void replay_plain(struct replay *r, enum slw_wire_direction by, const char *bytes,
                         size_t count)
{
    char *copy = malloc(count > 0 ? count : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, count);
    r->now_ns += 1000;
    slw_conn_plain(r->conn, by, copy, count, r->now_ns);
    free(copy);
}

/* The client's plain text is followed, what goes over the socket is not: pieces of `size`. */
static void tls(const struct conversation *c, size_t size)
{
    static const char hello[] = "\x16\3\1\2\0\1", record[] = "\x17\3\3\0\2*1";
    struct replay r;

    replay_start(&r);
    replay_bytes(&r, SLW_WIRE_SENT, hello, sizeof(hello) - 1);
    replay_bytes(&r, SLW_WIRE_RECEIVED, hello, sizeof(hello) - 1);
    assert_int_equal(r.conn->reason, SLW_WIRE_TLS);
    for (const struct turn *t = c->turns; t->bytes; t++)
        for (size_t at = 0; at < t->count; at += size) {
            replay_bytes(&r, t->by, record, sizeof(record) - 1);
            replay_plain(&r, t->by, t->bytes + at, size < t->count - at ? size : t->count - at);
        }
    check(c, &r);
    assert_true(r.counts.flushes <= r.counts.requests);
    replay_end(&r);
}

static void plain_text_inside_of_tls_is_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONVERSATIONS; i++)
        for (size_t size = 1; size <= LARGEST_PIECE; size++)
            if (conversations[i].reason != SLW_WIRE_TLS)
                tls(&conversations[i], size);
}

/* The two protocols that begin in the clear and then agree on TLS. */
static void a_switch_to_tls_is_followed(void **state)
{
    static const char ask[] = "\0\0\0\x08\x04\xd2\x16\x2f", noise[] = "\x16\3\1\0\5hello";
    static const struct conversation mysql = {.turns = {MY_GREETING, C("\x20\0\0\1\x84\xaa\x0a\1"
                                                                       "\0\0\0\1\x21"
                                                                       "0000000000000000000"
                                                                       "\0\0\0\0")}};
    struct replay r;

    (void)state;
    replay_start(&r);
    replay_bytes(&r, SLW_WIRE_SENT, ask, sizeof(ask) - 1);
    replay_bytes(&r, SLW_WIRE_RECEIVED, "S", 1);
    replay_bytes(&r, SLW_WIRE_SENT, noise, sizeof(noise) - 1);
    assert_int_equal(r.conn->reason, SLW_WIRE_TLS);
    for (const struct turn *t = conversations[4].turns; t->bytes; t++)
        replay_plain(&r, t->by, t->bytes, t->count);
    check(&conversations[4], &r);
    replay_end(&r);

    replay_start(&r);
    replay_whole(&mysql, &r);
    replay_bytes(&r, SLW_WIRE_SENT, noise, sizeof(noise) - 1);
    assert_int_equal(r.conn->reason, SLW_WIRE_TLS);
    for (const struct turn *t = conversations[8].turns + 1; t->bytes; t++)
        replay_plain(&r, t->by, t->bytes, t->count);
    check(&conversations[8], &r);
    replay_end(&r);
}

/* What one protocol says is not taken for another: each stops at its own reason. */
static void a_server_of_another_protocol_is_noticed(void **state)
{
    static const char nonsense[] = "\2\0\0\7zz"; /* in MySQL: a packet nobody asked for */

    (void)state;
    for (size_t i = 0; i < CONVERSATIONS; i++) {
        struct replay r;

        if (strcmp(conversations[i].protocol, "memcached") == 0)
            continue; /* text: a line is a line */
        replay_start(&r);
        for (const struct turn *t = conversations[i].turns;
             t->bytes && t < conversations[i].turns + 3; t++)
            replay_bytes(&r, t->by, t->bytes, t->count);
        for (int k = 0; k < 20; k++)
            replay_bytes(&r, SLW_WIRE_RECEIVED, nonsense, sizeof(nonsense) - 1);
        assert_int_not_equal(r.conn->reason, SLW_WIRE_NONE);
        replay_end(&r);
    }
}

static void other_first_bytes_are_given_up(void **state)
{
    static const struct {
        const char *bytes;
        enum slw_wire_reason reason;
    } cases[] = {{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", SLW_WIRE_UNKNOWN},
                 {"\x16\x03\x01\x02\x01\x01\x01", SLW_WIRE_TLS},
                 {"SSH-2.0-OpenSSH_9.2p1\r\n", SLW_WIRE_UNKNOWN},
                 {"getaway car for the money", SLW_WIRE_UNKNOWN},
                 {"*x", SLW_WIRE_UNKNOWN}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct replay r;

        replay_start(&r);
        replay_bytes(&r, SLW_WIRE_SENT, cases[i].bytes, strlen(cases[i].bytes));
        assert_null(r.conn->proto);
        assert_int_equal(r.conn->reason, cases[i].reason);
        assert_int_equal(r.counts.sent_bytes, strlen(cases[i].bytes));
        assert_int_equal(r.counts.requests, 0);
        replay_end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_has_a_conversation),
        cmocka_unit_test(plain_text_inside_of_tls_is_followed),
        cmocka_unit_test(a_switch_to_tls_is_followed),
        cmocka_unit_test(every_conversation_is_counted),
        cmocka_unit_test(pieces_of_any_size_count_the_same),
        cmocka_unit_test(a_cut_at_any_byte_counts_the_same),
        cmocka_unit_test(several_buffers_are_one_stream),
        cmocka_unit_test(a_server_of_another_protocol_is_noticed),
        cmocka_unit_test(other_first_bytes_are_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
