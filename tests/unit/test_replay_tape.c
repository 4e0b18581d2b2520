/* SPDX-License-Identifier: MIT */
/* Tapes of a server: what is read back, what is refused, and when an answer is given. */
#include "collector/taps/replay/tape.h"

#include "tests/unit/cmocka_int.h"

#include <string.h>

static uint8_t bytes[4096];
static size_t used;

static void begin(const char *peer)
{
    used = slw_tape_head((char *)bytes, sizeof(bytes), peer);
    assert_true(used > 0);
}

static void add(enum slw_tape_kind kind, const char *text)
{
    used += slw_tape_entry_head(bytes + used, kind, (uint32_t)strlen(text));
    memcpy(bytes + used, text, strlen(text));
    used += strlen(text);
}

static struct slw_tape open_tape(void)
{
    struct slw_tape t;
    const char *fault = slw_tape_open(&t, bytes, used);

    if (fault)
        fail_msg("%s", fault);
    return t;
}

static bool sends(struct slw_player *p, const char *text)
{
    return slw_player_send(p, (const uint8_t *)text, strlen(text));
}

static void receives(struct slw_player *p, size_t most, const char *text)
{
    char to[64] = "";

    assert_int_equal(slw_player_receive(p, (uint8_t *)to, most, false), strlen(text));
    assert_memory_equal(to, text, strlen(text));
}

static void an_answer_waits_for_its_question(void **state)
{
    struct slw_player p;

    (void)state;
    begin("tcp:127.0.0.1:5432");
    add(SLW_TAPE_CLIENT, "one");
    add(SLW_TAPE_SERVER, "ONE");
    add(SLW_TAPE_SERVER, "and");
    add(SLW_TAPE_CLIENT, "two");
    add(SLW_TAPE_SERVER, "TWO");
    add(SLW_TAPE_END, "");
    const struct slw_tape t = open_tape();

    assert_string_equal(t.peer, "tcp:127.0.0.1:5432");
    slw_player_begin(&p, &t);
    assert_int_equal(slw_player_state(&p), SLW_PLAYER_WAITS);
    receives(&p, 9, "");
    assert_true(sends(&p, "on"));
    assert_int_equal(slw_player_state(&p), SLW_PLAYER_WAITS);
    assert_true(sends(&p, "e"));
    receives(&p, 4, "ONEa"); /* across entries, as much as there is room for */
    receives(&p, 9, "nd");
    receives(&p, 9, "");
    assert_true(sends(&p, "two"));
    char peeked[9];
    assert_int_equal(slw_player_receive(&p, (uint8_t *)peeked, 9, true), 3);
    receives(&p, 9, "TWO");
    assert_int_equal(slw_player_state(&p), SLW_PLAYER_ENDED);
    assert_false(sends(&p, "more"));
}

/* The client may send what it sent in other pieces, and before it read everything. */
static void pieces_do_not_matter(void **state)
{
    struct slw_player p;

    (void)state;
    begin("x");
    add(SLW_TAPE_CLIENT, "one");
    add(SLW_TAPE_SERVER, "ONE");
    add(SLW_TAPE_CLIENT, "two");
    add(SLW_TAPE_SERVER, "TWO");
    const struct slw_tape t = open_tape();

    slw_player_begin(&p, &t);
    assert_true(sends(&p, "onetw"));
    receives(&p, 9, "ONE");
    assert_true(sends(&p, "o"));
    receives(&p, 9, "TWO");
    assert_int_equal(slw_player_state(&p), SLW_PLAYER_OVER);
}

static void something_else_is_noticed_where_it_is(void **state)
{
    struct slw_player p;

    (void)state;
    begin("x");
    add(SLW_TAPE_CLIENT, "select 1");
    const struct slw_tape t = open_tape();

    slw_player_begin(&p, &t);
    assert_false(sends(&p, "select 2"));
    assert_int_equal(p.sent, 7);
    slw_player_begin(&p, &t);
    assert_false(sends(&p, "select 1;"));
    assert_false(slw_tape_is_encrypted(&t));
}

static void failures_and_tls_are_known(void **state)
{
    (void)state;
    begin("x");
    add(SLW_TAPE_FAILED, "o"); /* 111 */
    assert_int_equal(slw_tape_failure(&(struct slw_tape){0}), 0);
    const struct slw_tape failed = open_tape();
    assert_int_equal(slw_tape_failure(&failed), 111);
    begin("x");
    add(SLW_TAPE_CLIENT, "please");
    add(SLW_TAPE_CLIENT, "\x16\x03\x01");
    const struct slw_tape tls = open_tape();
    assert_true(slw_tape_is_encrypted(&tls));
    assert_int_equal(slw_tape_failure(&tls), 0);
}

static void what_is_no_tape_is_refused(void **state)
{
    struct slw_tape t;

    (void)state;
    begin("x");
    add(SLW_TAPE_CLIENT, "abc");
    for (size_t i = 0; i < used; i++) { /* cut short: refused, or without its last entry */
        const char *fault = slw_tape_open(&t, bytes, i);

        assert_true(i < t.first || t.first == 0 || fault == NULL);
        if (!fault)
            assert_int_equal(t.size, t.first);
    }
    add((enum slw_tape_kind)'Z', "");
    assert_non_null(slw_tape_open(&t, bytes, used));
    begin("x");
    add(SLW_TAPE_END, "bytes");
    assert_non_null(slw_tape_open(&t, bytes, used));
    begin("x");
    add(SLW_TAPE_FAILED, "");
    assert_non_null(slw_tape_open(&t, bytes, used));
    bytes[16] = '2';
    assert_non_null(slw_tape_open(&t, bytes, used));
    char peer[SLW_TAPE_MAX_PEER * 2];
    memset(peer, 'p', sizeof(peer) - 1);
    peer[sizeof(peer) - 1] = '\0';
    begin(peer);
    assert_non_null(slw_tape_open(&t, bytes, used));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_waits_for_its_question),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(something_else_is_noticed_where_it_is),
        cmocka_unit_test(failures_and_tls_are_known),
        cmocka_unit_test(what_is_no_tape_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
