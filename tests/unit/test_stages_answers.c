/* SPDX-License-Identifier: MIT */
/* An answer of the stages workload opens to what was sealed, and not after any bit of it changed.
 */
#include "tests/unit/cmocka_int.h"

#ifdef SLW_WITHOUT_stages
int main(void)
{
    print_message("skipped: the stages workload was not built\n");
    return 77;
}
#else
#include "workloads/stages/gateway_int.h"

#include <stdio.h>
#include <string.h>

#define PAYLOAD 40
#define KEY     7
#define SEED    3

struct fixture {
    struct slw_gateway gateway;
    struct slw_gateway_opener opener;
    struct slw_gateway_call call;
    uint8_t frame[SLW_GATEWAY_MAX_REQUEST + 1], answer[1024];
    char text[1024], packed[1024], opened[1024];
};

static int keep(void *ctx, struct slw_gateway_call *call, struct slw_error *err)
{
    (void)ctx;
    (void)call;
    (void)err;
    return 0;
}

static void ask(struct fixture *f, const char *statement)
{
    struct slw_execution_kind kinds[SLW_GATEWAY_STAGE_COUNT];
    const size_t length = SLW_GATEWAY_HEAD + strlen(statement);
    void *call = &f->call;

    f->call = (struct slw_gateway_call){
        .frame = f->frame, .text = f->text, .packed = f->packed, .answer = f->answer};
    f->call.frame_length = length;
    slw_gateway_put(f->frame, length, 4);
    slw_gateway_put(f->frame + 4, 12345, 8);
    memcpy(f->frame + SLW_GATEWAY_HEAD, statement, strlen(statement));
    slw_gateway_kinds(&f->gateway, kinds);
    for (size_t i = 0; i < SLW_GATEWAY_STAGE_COUNT; i++)
        kinds[i].run(kinds[i].ctx, &call, 1);
}

static int set_up(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    assert_true(slw_gateway_answer_capacity(PAYLOAD) <= sizeof(f.answer));
    assert_int_equal(slw_gateway_open(&f.gateway, 10, PAYLOAD, SEED, NULL), 0);
    assert_int_equal(slw_gateway_opener_init(&f.opener, PAYLOAD, SEED, NULL), 0);
    f.gateway.send = keep;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    slw_gateway_opener_release(&f->opener);
    slw_gateway_close(&f->gateway);
    return 0;
}

static void an_answer_says_what_the_row_is(void **state)
{
    struct fixture *f = *state;
    char row[1024];
    char expected[1024];
    size_t length = 0;
    uint64_t updates = 0;

    ask(f, "touch 7 by user12@mail.example.org at 34.50");
    assert_false(f->gateway.failed);
    assert_int_equal(slw_gateway_open_answer(&f->opener, f->answer, f->call.answer_length,
                                             f->opened, &length, NULL),
                     0);
    const size_t row_length = slw_gateway_row(SEED, KEY, PAYLOAD, row);
    (void)snprintf(expected, sizeof(expected),
                   "{\"id\":7,\"user\":12,\"row\":\"%.*s\",\"score\":33,\"total\":41.7450}",
                   (int)row_length, row);
    assert_memory_equal(row, "ITEM-7-", 7);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(f->opened, expected, length);
    assert_int_equal(slw_gateway_updates(&f->gateway, &updates, NULL), 0);
    assert_int_equal(updates, 1);
}

static void a_get_updates_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t updates = 1;

    ask(f, "get 7 by user12@mail.example.org at 34.50");
    assert_false(f->gateway.failed);
    assert_int_equal(slw_gateway_updates(&f->gateway, &updates, NULL), 0);
    assert_int_equal(updates, 0);
}

static void no_changed_byte_is_overlooked(void **state)
{
    struct fixture *f = *state;
    size_t length = 0;

    ask(f, "get 7 by user12@mail.example.org at 34.50");
    for (size_t i = 0; i < f->call.answer_length; i++) {
        f->answer[i] ^= 0x10;
        assert_int_equal(slw_gateway_open_answer(&f->opener, f->answer, f->call.answer_length,
                                                 f->opened, &length, NULL),
                         -SLW_E_FORMAT);
        f->answer[i] ^= 0x10;
    }
    for (size_t cut = 0; cut < f->call.answer_length; cut++)
        assert_int_equal(
            slw_gateway_open_answer(&f->opener, f->answer, cut, f->opened, &length, NULL),
            -SLW_E_FORMAT);
    assert_int_equal(length, 0);
    assert_int_equal(slw_gateway_open_answer(&f->opener, f->answer, f->call.answer_length,
                                             f->opened, &length, NULL),
                     0);
}

static void bad_requests_fail_at_the_stage_that_sees_it(void **state)
{
    static const struct {
        const char *statement, *why;
    } bad[] = {
        {"drop 7 by user1@mail.example.org at 1.00", "parse"},
        {"get 7 by user1@mail.example.org at 1.00 ", "parse"},
        {"get 77 by user1@mail.example.org at 1.00", "read the row"},
        {"", "decode"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f->gateway.failed = false;
        f->gateway.error = (struct slw_error){0};
        ask(f, bad[i].statement);
        assert_true(f->gateway.failed);
        assert_non_null(strstr(f->gateway.error.text, bad[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_says_what_the_row_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_get_updates_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_changed_byte_is_overlooked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_requests_fail_at_the_stage_that_sees_it, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
