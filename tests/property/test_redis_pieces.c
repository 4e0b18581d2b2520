/* SPDX-License-Identifier: MIT */
/* Redis is decoded by whole commands and replies where they are alike, else byte by byte: both
 * count what was said, also when a verb that ends the order has the shape of one that does not. */
#include "tests/unit/cmocka_int.h"
#include "tests/wire_streams.h"

#include <stdio.h>

#define ROUNDS   2000u
#define COMMANDS 60u
#define ROOM     100000u

struct text {
    char bytes[ROOM];
    size_t count;
};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static void add_string(struct text *t, const char *bytes, size_t count)
{
    int n = snprintf(t->bytes + t->count, ROOM - t->count, "$%zu\r\n", count);

    assert_true(n > 0 && t->count + (size_t)n + count + 2 < ROOM);
    t->count += (size_t)n;
    if (bytes)
        memcpy(t->bytes + t->count, bytes, count);
    else
        memset(t->bytes + t->count, 'x', count);
    memcpy(t->bytes + t->count + count, "\r\n", 2);
    t->count += count + 2;
}

static void add(struct text *t, const char *bytes)
{
    memcpy(t->bytes + t->count, bytes, strlen(bytes));
    t->count += strlen(bytes);
}

static size_t a_length(uint64_t *random)
{
    static const size_t lengths[] = {0, 1, 3, 9, 10, 16, 99, 100, 999, 1000};

    return lengths[next_random(random) % 10];
}

/* Commands that are mostly like the one before; `last` is the verb of the last one. */
static void make_commands(struct text *t, uint64_t *random, const char *last)
{
    static const char *const verbs[] = {"GET",         "SET",    "SISMEMBER", "MGET",   "PFADD",
                                        "INCRBYFLOAT", "CONFIG", "PUBLISH",   "ZMSCORE"};
    size_t verb = 0, arguments = 1, length = 3;

    t->count = 0;
    for (unsigned i = 0; i <= COMMANDS; i++) {
        char head[32];

        if (next_random(random) % 8 == 0) {
            verb = next_random(random) % 9;
            arguments = next_random(random) % 12;
            length = a_length(random);
        }
        (void)snprintf(head, sizeof(head), "*%zu\r\n", arguments + 1);
        add(t, head);
        const char *name = i == COMMANDS ? last : verbs[verb];
        add_string(t, name, strlen(name));
        for (size_t k = 0; k < arguments; k++)
            add_string(t, NULL, k == 0 ? length : a_length(random) % 100);
    }
}

static void add_simple(struct text *t, uint64_t *random)
{
    static const char *const simple[] = {"+OK\r\n", ":1\r\n", ":123456789\r\n", "$-1\r\n", "+\r\n"};
    uint32_t kind = next_random(random) % 8;

    if (kind < 5)
        add(t, simple[kind]);
    else
        add_string(t, NULL, a_length(random));
}

/* One reply for each command, errors among them: how many. */
static uint64_t make_replies(struct text *t, uint64_t *random)
{
    uint64_t errors = 0;
    struct text *one = malloc(sizeof(*one));

    assert_non_null(one);
    t->count = one->count = 0;
    add_simple(one, random);
    for (unsigned i = 0; i <= COMMANDS; i++) {
        uint32_t kind = next_random(random) % 16;

        if (kind == 0) {
            add(t, "-ERR wrong\r\n");
            errors++;
        } else if (kind == 1) {
            add(t, "*5\r\n*2\r\n");
            for (int k = 0; k < 6; k++)
                add_simple(t, random);
        } else {
            if (kind == 2) {
                one->count = 0;
                add_simple(one, random);
            }
            memcpy(t->bytes + t->count, one->bytes, one->count);
            t->count += one->count;
        }
        assert_true(t->count < ROOM - 8000);
    }
    free(one);
    return errors;
}

static void say(struct replay *r, enum slw_wire_direction by, const struct text *t, size_t piece)
{
    for (size_t at = 0; at < t->count; at += piece)
        replay_bytes(r, by, t->bytes + at, piece < t->count - at ? piece : t->count - at);
}

static void check(const struct text *asked, const struct text *said, uint64_t errors, bool ends,
                  size_t piece)
{
    struct replay r;

    replay_start(&r);
    say(&r, SLW_WIRE_SENT, asked, piece);
    assert_int_equal(r.conn->exchange.unordered, ends);
    say(&r, SLW_WIRE_RECEIVED, said, piece);
    assert_int_equal(r.conn->reason, SLW_WIRE_NONE);
    assert_int_equal(r.counts.requests, COMMANDS + 1);
    assert_int_equal(r.counts.responses, COMMANDS + 1);
    assert_int_equal(r.counts.errors, errors);
    assert_int_equal(r.counts.latency_count, ends ? 0 : COMMANDS + 1);
    replay_end(&r);
}

static void pieces_of_commands_count_like_the_whole(void **state)
{
    static const char *const last[] = {"GET",  "SUBSCRIBE", "psubscribe", "MONITOR",
                                       "sync", "PSYNC",     "SISMEMBER",  "PUBLISH"};
    uint64_t random = 20240229;
    struct text *asked = malloc(sizeof(*asked)), *said = malloc(sizeof(*said));

    (void)state;
    assert_non_null(asked);
    assert_non_null(said);
    printf("seed %llu\n", (unsigned long long)random);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t verb = next_random(&random) % 8;

        make_commands(asked, &random, last[verb]);
        uint64_t errors = make_replies(said, &random);
        check(asked, said, errors, verb >= 1 && verb <= 5, SIZE_MAX / 2);
        check(asked, said, errors, verb >= 1 && verb <= 5, 1 + next_random(&random) % 300);
        if (round % 100 == 0)
            check(asked, said, errors, verb >= 1 && verb <= 5, 1);
    }
    free(asked);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_of_commands_count_like_the_whole)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
