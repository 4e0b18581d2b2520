/* SPDX-License-Identifier: MIT */
/* Plain text of TLS sessions in the socket tap, without its BPF program: what is counted of it, and
 * what of the encrypted bytes. */
#include "cmocka_int.h"

#include "tests/socket_records.h"

#include <stdlib.h>

#define PING  "*1\r\n$4\r\nPING\r\n"
#define PONG  "+PONG\r\n"
#define HELLO "\x16\x03\x01 a handshake"
#define DATA  "\x17\x03\x03 a record"

struct fixture {
    struct slw_flows *flows;
    struct slw_socket_kept kept;
    uint64_t hushed;
};

static bool kept(void *ctx, uint64_t inode, struct slw_socket_kept *ret_kept)
{
    struct fixture *f = ctx;

    (void)inode;
    *ret_kept = f->kept;
    return true;
}

static void quiet(void *ctx, uint64_t inode, bool on)
{
    struct fixture *f = ctx;

    f->hushed = on ? inode : f->hushed;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct slw_flow_kernel kernel = {.ctx = f, .kept = kept, .quiet = quiet};

    if (!f || slw_flows_new(&kernel, &f->flows, NULL) < 0)
        return -1;
    slw_flows_count(f->flows, true);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    slw_flows_free(f->flows);
    free(f);
    return 0;
}

static void give(struct fixture *f, struct record r)
{
    for (int i = 0; i < 2; i++) {
        r.head.missed_bytes[i] = f->kept.missed_bytes[i];
        r.head.missed_calls[i] = f->kept.missed_calls[i];
        r.head.missed_text[i] = f->kept.missed_text[i];
    }
    slw_flows_record(f->flows, &r, sizeof(r));
}

static void move(struct fixture *f, enum slw_wire_direction d, const char *bytes)
{
    give(f, record_moved(1, d, bytes, 1000));
}

static void say(struct fixture *f, enum slw_wire_direction d, const char *bytes, uint64_t when_ns,
                uint8_t flags)
{
    struct record r = record_moved(1, d, bytes, when_ns);

    r.head.kind = SLW_SOCKET_TEXT;
    r.head.flags = flags;
    give(f, r);
}

static void ping(struct fixture *f, uint8_t flags)
{
    move(f, SLW_WIRE_SENT, DATA);
    say(f, SLW_WIRE_SENT, PING, 1000, flags);
    move(f, SLW_WIRE_RECEIVED, DATA);
    say(f, SLW_WIRE_RECEIVED, PONG, 3000, flags);
}

static void begin(struct fixture *f)
{
    give(f, record_connected(1, 20000));
    move(f, SLW_WIRE_SENT, HELLO);
    move(f, SLW_WIRE_RECEIVED, HELLO);
}

static const struct slw_wire_slot *slot(const struct fixture *f)
{
    return &slw_flows_map(f->flows)->slots[0];
}

static void requests_are_those_of_the_text(void **state)
{
    struct fixture *f = *state;

    begin(f);
    for (int i = 0; i < 3; i++)
        ping(f, 0);
    slw_flows_settle(f->flows);
    assert_int_equal(slot(f)->counts.requests, 3);
    assert_int_equal(slot(f)->counts.flushes, 3);
    assert_int_equal(slot(f)->counts.flush_bytes, 3 * strlen(PING));
    assert_int_equal(slot(f)->counts.latency_sum_ns, 6000);
    /* On the socket, the encrypted ones. */
    assert_int_equal(slot(f)->counts.sent_bytes, strlen(HELLO) + 3 * strlen(DATA));
    assert_int_equal(slot(f)->counts.receive_calls, 4);
    assert_int_equal(slot(f)->counts.unseen_bytes, 0);
    assert_int_equal(slot(f)->encrypted, 1);
    assert_int_equal(slot(f)->decrypted, 1);
    assert_int_equal(slot(f)->lost, 0);
    assert_int_equal(f->hushed, 1); /* nobody needs copies of them */
}

static void without_text_all_that_was_sent_is_unseen(void **state)
{
    struct fixture *f = *state;

    begin(f);
    move(f, SLW_WIRE_SENT, DATA);
    slw_flows_settle(f->flows);
    slw_flows_settle(f->flows);
    assert_int_equal(slot(f)->encrypted, 1);
    assert_int_equal(slot(f)->decrypted, 0);
    assert_int_equal(slot(f)->counts.unseen_bytes, strlen(HELLO) + strlen(DATA));
    assert_int_equal(slot(f)->counts.requests, 0);
}

static void pieces_of_a_text_are_one_flush(void **state)
{
    struct fixture *f = *state;
    const char *const whole = PING PING;

    begin(f);
    for (size_t cut = 1; cut < strlen(whole); cut++) {
        for (int part = 0; part < 2; part++) {
            char bytes[64] = "";

            memcpy(bytes, part ? whole + cut : whole, part ? strlen(whole) - cut : cut);
            struct record r = record_moved(1, SLW_WIRE_SENT, bytes, 1000);
            r.head.kind = SLW_SOCKET_TEXT;
            r.head.call_bytes = strlen(whole);
            r.head.offset = part ? cut : 0;
            give(f, r);
        }
        assert_int_equal(slot(f)->counts.requests, 2 * cut);
        assert_int_equal(slot(f)->counts.flushes, cut);
    }
}

/* The session was there before anybody looked: what it moved until then is missing. */
static void a_late_session_of_a_connection_seen_from_its_start_is_lost(void **state)
{
    struct fixture *f = *state;

    begin(f);
    ping(f, SLW_SOCKET_TEXT_LATE);
    assert_int_equal(slot(f)->lost, 1);
    assert_int_equal(slot(f)->reason, SLW_WIRE_LATE);
    assert_int_equal(slot(f)->counts.requests, 0);
}

static void a_late_session_of_a_late_connection_is_joined(void **state)
{
    struct fixture *f = *state;
    const struct sockaddr_in to = address_of(20000);

    slw_flows_join(f->flows, 1, 10, (const struct sockaddr *)&to, sizeof(to));
    ping(f, SLW_SOCKET_TEXT_LATE);
    ping(f, SLW_SOCKET_TEXT_LATE);
    slw_flows_settle(f->flows);
    assert_int_equal(slot(f)->counts.requests, 2);
    assert_int_equal(slot(f)->counts.latency_count, 0);
    assert_int_equal(slot(f)->lost, 0);
    assert_int_equal(slot(f)->decrypted, 1);
    assert_int_equal(slot(f)->counts.unseen_bytes, 0);
}

static void a_hole_in_the_text_is_a_lower_bound(void **state)
{
    struct fixture *f = *state;

    begin(f);
    ping(f, 0);
    f->kept.missed_text[SLW_WIRE_SENT] = 5;
    ping(f, 0);
    assert_int_equal(slot(f)->counts.requests, 2);
    assert_int_equal(slot(f)->counts.unseen_bytes, 5);
    assert_int_equal(slot(f)->lost, 1);
    assert_int_equal(slot(f)->reason, SLW_WIRE_OVERRUN);
    assert_int_equal(slot(f)->encrypted, slot(f)->decrypted);
}

static void a_hole_in_what_is_encrypted_is_none(void **state)
{
    struct fixture *f = *state;

    begin(f);
    ping(f, 0);
    f->kept.missed_bytes[SLW_WIRE_SENT] = 100;
    f->kept.missed_calls[SLW_WIRE_SENT] = 4;
    f->kept.missed_bytes[SLW_WIRE_RECEIVED] = 100;
    ping(f, 0);
    slw_flows_settle(f->flows);
    assert_int_equal(slot(f)->counts.requests, 2);
    assert_int_equal(slot(f)->counts.latency_count, 2);
    assert_int_equal(slot(f)->counts.send_calls, 7);
    assert_int_equal(slot(f)->counts.unseen_bytes, 0);
    assert_int_equal(slot(f)->lost, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(requests_are_those_of_the_text),
        TEST(without_text_all_that_was_sent_is_unseen),
        TEST(pieces_of_a_text_are_one_flush),
        TEST(a_late_session_of_a_connection_seen_from_its_start_is_lost),
        TEST(a_late_session_of_a_late_connection_is_joined),
        TEST(a_hole_in_the_text_is_a_lower_bound),
        TEST(a_hole_in_what_is_encrypted_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
