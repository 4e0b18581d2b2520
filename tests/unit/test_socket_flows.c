/* SPDX-License-Identifier: MIT */
/* The socket tap without its BPF program: pieces, order, holes, joining, room. */
#include "cmocka_int.h"

#include "tests/socket_records.h"

#include <stdlib.h>

#define PING "*1\r\n$4\r\nPING\r\n"
#define PONG "+PONG\r\n"
#define PORT 20000

struct fixture {
    struct slw_flows *flows;
    struct slw_socket_kept kept;
    uint64_t forgotten, hushed;
    bool nobody_lives;
};

static bool kept(void *ctx, uint64_t inode, struct slw_socket_kept *ret_kept)
{
    struct fixture *f = ctx;

    (void)inode;
    *ret_kept = f->kept;
    return true;
}

static void forget(void *ctx, uint64_t inode)
{
    struct fixture *f = ctx;

    (void)inode;
    f->forgotten++;
}

static void quiet(void *ctx, uint64_t inode, bool on)
{
    struct fixture *f = ctx;

    if (on)
        f->hushed = inode;
}

static bool alive(void *ctx, uint32_t pid)
{
    (void)pid;
    return !((struct fixture *)ctx)->nobody_lives;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct slw_flow_kernel kernel = {
        .ctx = f, .kept = kept, .forget = forget, .quiet = quiet, .alive = alive};

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

static void give(struct fixture *f, const struct record *r)
{
    slw_flows_record(f->flows, r, sizeof(*r));
}

static void open_connection(struct fixture *f, uint64_t inode)
{
    struct record r = record_connected(inode, PORT);

    give(f, &r);
}

static void say(struct fixture *f, uint64_t inode, enum slw_wire_direction d, const char *text,
                uint64_t when_ns)
{
    struct record r = record_moved(inode, d, text, when_ns);

    r.head.missed_bytes[0] = f->kept.missed_bytes[0];
    r.head.missed_bytes[1] = f->kept.missed_bytes[1];
    r.head.missed_calls[0] = f->kept.missed_calls[0];
    r.head.missed_calls[1] = f->kept.missed_calls[1];
    give(f, &r);
}

static void ping(struct fixture *f, uint64_t inode)
{
    say(f, inode, SLW_WIRE_SENT, PING, 1000);
    say(f, inode, SLW_WIRE_RECEIVED, PONG, 3000);
}

/* A piece of a call of `whole`, by a thread. */
static void piece(struct fixture *f, uint32_t tid, const char *whole, size_t offset, size_t count)
{
    char text[128] = "";

    memcpy(text, whole + offset, count);
    struct record r = record_moved(1, SLW_WIRE_SENT, text, 1000);
    r.head.tid = tid;
    r.head.call_bytes = strlen(whole);
    r.head.offset = offset;
    give(f, &r);
}

static const struct slw_wire_slot *slot(struct fixture *f, size_t i)
{
    return &slw_flows_map(f->flows)->slots[i];
}

static const struct slw_wire_counts *counts(struct fixture *f)
{
    return &slot(f, 0)->counts;
}

static void a_request_and_its_answer_are_counted(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    ping(f, 1);
    assert_int_equal(counts(f)->requests, 1);
    assert_int_equal(counts(f)->responses, 1);
    assert_int_equal(counts(f)->latency_sum_ns, 2000);
    assert_int_equal(counts(f)->sent_bytes, strlen(PING));
    assert_int_equal(counts(f)->receive_calls, 1);
    assert_int_equal(slot(f, 0)->connections, 1);
    assert_int_equal(slot(f, 0)->port, PORT);
    assert_int_equal(slot(f, 0)->lost, 0);
}

static void pieces_of_a_call_are_one_flush(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    for (size_t cut = 1; cut < strlen(PING PING); cut++) {
        piece(f, 10, PING PING, 0, cut);
        piece(f, 10, PING PING, cut, strlen(PING PING) - cut);
        assert_int_equal(counts(f)->requests, 2 * cut);
        assert_int_equal(counts(f)->flushes, cut);
        assert_int_equal(counts(f)->send_calls, cut);
        assert_int_equal(counts(f)->sent_bytes, cut * strlen(PING PING));
    }
    assert_int_equal(counts(f)->unseen_bytes, 0);
}

static void connections_do_not_mix(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    open_connection(f, 2);
    piece(f, 10, PING, 0, 5);
    ping(f, 2);
    piece(f, 10, PING, 5, strlen(PING) - 5);
    assert_int_equal(slot(f, 0)->counts.requests, 1);
    assert_int_equal(slot(f, 1)->counts.requests, 1);
}

static void an_answer_before_its_request_is_matched_with_nothing(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    ping(f, 1);
    say(f, 1, SLW_WIRE_RECEIVED, PONG, 5000); /* another thread's call was over first */
    say(f, 1, SLW_WIRE_SENT, PING, 4000);
    ping(f, 1);
    assert_int_equal(counts(f)->requests, 3);
    assert_int_equal(counts(f)->responses, 3);
    assert_int_equal(counts(f)->unmatched, 1);
    assert_int_equal(counts(f)->latency_sum_ns, 4000);
}

static void mixed_pieces_of_two_threads_are_no_requests(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    ping(f, 1);
    piece(f, 10, PING, 0, 5);
    piece(f, 11, PING, 0, 5);
    piece(f, 10, PING, 5, strlen(PING) - 5);
    piece(f, 11, PING, 5, strlen(PING) - 5);
    assert_int_equal(slot(f, 0)->lost, 1);
    assert_int_equal(slot(f, 0)->reason, SLW_WIRE_CONTENDED);
    assert_int_equal(counts(f)->requests, 1);
    assert_int_equal(f->hushed, 1);
}

/* Of one connection three writes of 14 bytes are seen, and 28 bytes in two writes are not. */
static void a_hole_is_counted_and_the_next_request_is_found(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    ping(f, 1);
    f->kept.missed_bytes[SLW_WIRE_SENT] = 2 * strlen(PING);
    f->kept.missed_calls[SLW_WIRE_SENT] = 2;
    f->kept.missed_bytes[SLW_WIRE_RECEIVED] = 3;
    ping(f, 1);
    ping(f, 1);
    assert_int_equal(counts(f)->requests, 3);
    assert_int_equal(counts(f)->send_calls, 5);
    assert_int_equal(counts(f)->sent_bytes, 5 * strlen(PING));
    assert_int_equal(counts(f)->received_bytes, 3 * strlen(PONG) + 3);
    assert_int_equal(counts(f)->unseen_bytes, 2 * strlen(PING));
    assert_int_equal(counts(f)->latency_count, 1); /* what is in flight behind it is unknown */
    assert_int_equal(slot(f, 0)->lost, 1);
    assert_int_equal(slot(f, 0)->reason, SLW_WIRE_OVERRUN);
}

static void a_hole_within_answers_loses_no_request(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    ping(f, 1);
    f->kept.missed_bytes[SLW_WIRE_RECEIVED] = 100;
    f->kept.missed_calls[SLW_WIRE_RECEIVED] = 1;
    ping(f, 1);
    assert_int_equal(counts(f)->requests, 2);
    assert_int_equal(counts(f)->unseen_bytes, 0);
    assert_int_equal(slot(f, 0)->lost, 0);
}

static void the_rest_of_a_value_behind_a_hole_is_unseen(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    say(f, 1, SLW_WIRE_SENT, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000\r\n", 1000);
    f->kept.missed_bytes[SLW_WIRE_SENT] = 3000;
    say(f, 1, SLW_WIRE_SENT, "the rest of it", 1000);
    say(f, 1, SLW_WIRE_SENT, PING, 1000);
    assert_int_equal(counts(f)->requests, 1);
    assert_int_equal(counts(f)->unseen_bytes, 3000 + strlen("the rest of it"));
    assert_int_equal(slot(f, 0)->lost, 1);
}

static void a_call_that_is_cut_keeps_its_bytes(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    piece(f, 10, PING PING, 0, 20);
    f->kept.missed_bytes[SLW_WIRE_SENT] = strlen(PING PING) - 20;
    slw_flows_settle(f->flows);
    assert_int_equal(counts(f)->sent_bytes, strlen(PING PING));
    assert_int_equal(counts(f)->send_calls, 1);
    assert_int_equal(counts(f)->requests, 1);
    assert_int_equal(counts(f)->unseen_bytes, strlen(PING PING) - 20);
}

static void joins(struct fixture *f, uint16_t port)
{
    const struct sockaddr_in to = address_of(port);
    struct sockaddr any;

    memcpy(&any, &to, sizeof(any));
    slw_flows_join(f->flows, 1, 10, &any, sizeof(to));
}

static void a_connection_is_joined_at_its_next_request(void **state)
{
    struct fixture *f = *state;

    joins(f, PORT);
    say(f, 1, SLW_WIRE_RECEIVED, "LO\r\n", 500); /* of an answer that began before */
    ping(f, 1);
    ping(f, 1);
    assert_int_equal(counts(f)->requests, 2);
    assert_int_equal(counts(f)->responses, 2);
    assert_int_equal(counts(f)->latency_count, 0);
    assert_int_equal(counts(f)->unseen_bytes, 0);
    assert_int_equal(slot(f, 0)->lost, 0);
}

static void what_is_no_request_cannot_be_joined(void **state)
{
    struct fixture *f = *state;

    joins(f, 3306);
    for (int i = 0; i < SLW_MAX_JOIN_TRIES; i++)
        say(f, 1, SLW_WIRE_SENT, "\x01 \x0e", 1000);
    assert_int_equal(counts(f)->requests, 0);
    assert_int_equal(counts(f)->unseen_bytes, UINT64_C(3) * SLW_MAX_JOIN_TRIES);
    assert_int_equal(slot(f, 0)->lost, 1);
    assert_int_equal(slot(f, 0)->reason, SLW_WIRE_LATE);
    assert_string_equal(slw_protos[slot(f, 0)->protocol - 1]->name, "MySQL"); /* by its port */
    assert_int_equal(f->hushed, 1);
}

/* Its beginning was lost, and everything else: bytes are known, and by its server the protocol. */
static void a_connection_of_which_nothing_is_seen_is_counted(void **state)
{
    struct fixture *f = *state;
    const struct sockaddr_in to = address_of(PORT);

    open_connection(f, 1);
    ping(f, 1);
    struct slw_socket_kept lost = {.pid = 10, .address_bytes = sizeof(to)};
    memcpy(lost.address, &to, sizeof(to));
    slw_flows_keep(f->flows, 2, &lost);
    slw_flows_keep(f->flows, 1, &lost);
    f->kept.missed_bytes[SLW_WIRE_SENT] = 500;
    f->kept.missed_calls[SLW_WIRE_SENT] = 4;
    slw_flows_settle(f->flows);
    assert_int_equal(slot(f, 1)->connections, 1);
    assert_int_equal(slot(f, 1)->counts.sent_bytes, 500);
    assert_int_equal(slot(f, 1)->counts.send_calls, 4);
    assert_int_equal(slot(f, 1)->counts.unseen_bytes, 500);
    assert_int_equal(slot(f, 1)->lost, 1);
    assert_int_equal(slot(f, 1)->protocol, slot(f, 0)->protocol);
    assert_int_equal(slw_flows_map(f->flows)->slot_used, 2);
}

static void an_address_that_is_none_is_no_connection(void **state)
{
    struct fixture *f = *state;
    struct slw_socket_kept lost = {.pid = 10, .address_bytes = SLW_SOCKET_ADDRESS + 1};
    struct record r = record_of(SLW_SOCKET_CONNECTED, 3, "\0\0", 2); /* AF_UNSPEC */

    slw_flows_keep(f->flows, 2, &lost);
    give(f, &r);
    say(f, 2, SLW_WIRE_SENT, PING, 1000);
    say(f, 3, SLW_WIRE_SENT, PING, 1000);
    assert_int_equal(slw_flows_map(f->flows)->slot_used, 0);
}

static void a_connection_that_is_seen_from_its_start_is_not_joined(void **state)
{
    struct fixture *f = *state;

    joins(f, PORT);
    open_connection(f, 1);
    ping(f, 1);
    assert_int_equal(counts(f)->latency_count, 1);
}

static void nothing_is_counted_outside_of_the_window(void **state)
{
    struct fixture *f = *state;

    slw_flows_count(f->flows, false);
    open_connection(f, 1);
    ping(f, 1);
    say(f, 1, SLW_WIRE_SENT, "*1\r\n$4\r", 1000);
    slw_flows_count(f->flows, true);
    say(f, 1, SLW_WIRE_SENT, "\nPING\r\n", 1000);
    say(f, 1, SLW_WIRE_RECEIVED, PONG, 1500);
    slw_flows_count(f->flows, false);
    ping(f, 1);
    assert_int_equal(counts(f)->requests, 1);
    assert_int_equal(counts(f)->responses, 1);
    assert_int_equal(slot(f, 0)->connections, 1);
}

static void what_the_kernel_keeps_is_taken_over_once(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 1);
    ping(f, 1);
    f->kept.blocked[SLW_WIRE_SENT] = 2;
    f->kept.blocked[SLW_WIRE_RECEIVED] = 7;
    slw_flows_settle(f->flows);
    slw_flows_settle(f->flows);
    assert_int_equal(counts(f)->send_blocked, 2);
    assert_int_equal(counts(f)->receive_blocked, 7);
}

static void closed_connections_make_room(void **state)
{
    struct fixture *f = *state;
    struct record end = record_of(SLW_SOCKET_CLOSED, 0, "", 0);
    const uint64_t many = UINT64_C(2) * SLW_MAX_FLOWS;

    for (uint64_t i = 1; i <= many; i++) {
        open_connection(f, i);
        ping(f, i);
        end.head.inode = i;
        give(f, &end);
    }
    assert_int_equal(counts(f)->requests, many);
    assert_int_equal(slot(f, 0)->connections, many);
    assert_int_equal(slw_flows_map(f->flows)->slot_used, 1);
    assert_int_equal(f->forgotten, many);
}

static void connections_without_room_are_dropped(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 1; i <= SLW_MAX_FLOWS + 3; i++)
        open_connection(f, i);
    assert_int_equal(slw_flows_map(f->flows)->dropped, 3);
    f->nobody_lives = true;
    open_connection(f, SLW_MAX_FLOWS + 4);
    assert_int_equal(slw_flows_map(f->flows)->dropped, 3);
    assert_int_equal(f->forgotten, 3 + SLW_MAX_FLOWS);
}

static void what_is_no_record_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct record r = record_moved(1, SLW_WIRE_SENT, PING, 1);

    open_connection(f, 1);
    slw_flows_record(f->flows, &r, sizeof(r.head) - 1);
    slw_flows_record(f->flows, &r, sizeof(r.head) + strlen(PING) - 1);
    r.head.direction = 2;
    give(f, &r);
    r.head.direction = 0;
    r.head.kind = 9;
    give(f, &r);
    r.head.kind = SLW_SOCKET_MOVED;
    r.head.inode = 5;
    give(f, &r);
    assert_int_equal(slw_flows_map(f->flows)->slot_used, 0);
}

static void other_protocols_are_hushed(void **state)
{
    struct fixture *f = *state;

    open_connection(f, 4);
    say(f, 4, SLW_WIRE_SENT, "GET / HTTP/1.1\r\n\r\n", 1);
    assert_int_equal(f->hushed, 4);
    assert_int_equal(slot(f, 0)->protocol, 0);
    assert_int_equal(slot(f, 0)->reason, SLW_WIRE_UNKNOWN);
    f->kept.missed_bytes[SLW_WIRE_SENT] = 1000;
    slw_flows_settle(f->flows);
    assert_int_equal(counts(f)->sent_bytes, 1018);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_and_its_answer_are_counted),
        TEST(pieces_of_a_call_are_one_flush),
        TEST(connections_do_not_mix),
        TEST(an_answer_before_its_request_is_matched_with_nothing),
        TEST(mixed_pieces_of_two_threads_are_no_requests),
        TEST(a_hole_is_counted_and_the_next_request_is_found),
        TEST(a_hole_within_answers_loses_no_request),
        TEST(the_rest_of_a_value_behind_a_hole_is_unseen),
        TEST(a_call_that_is_cut_keeps_its_bytes),
        TEST(a_connection_is_joined_at_its_next_request),
        TEST(what_is_no_request_cannot_be_joined),
        TEST(a_connection_of_which_nothing_is_seen_is_counted),
        TEST(an_address_that_is_none_is_no_connection),
        TEST(a_connection_that_is_seen_from_its_start_is_not_joined),
        TEST(nothing_is_counted_outside_of_the_window),
        TEST(what_the_kernel_keeps_is_taken_over_once),
        TEST(closed_connections_make_room),
        TEST(connections_without_room_are_dropped),
        TEST(what_is_no_record_is_passed_over),
        TEST(other_protocols_are_hushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
