/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/trampoline.h"
#include "tests/unit/cmocka_int.h"

static bool is_known(uint64_t length, uint64_t at, const char *name)
{
    const struct slw_symbol f = {.start = 0x1000, .end = 0x1000 + length, .name = name};
    struct slw_unwind_code code = {.state = SLW_UNWIND_NO_CFI};
    const bool known = slw_trampoline_find(&f, 0x1000 + at, &code);

    assert_int_equal(code.state, known ? SLW_UNWIND_CFI : SLW_UNWIND_NO_CFI);
    return known;
}

static void only_the_call_in_a_trampoline_is_described(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 16; at++) {
        assert_int_equal(is_known(11, at, "py::f:/x.py"), at == 5);
        assert_int_equal(is_known(15, at, "py::f:/x.py"), at == 9);
        assert_false(is_known(8, at, "py::f:/x.py"));
        assert_false(is_known(11, at, "JS:*f"));
    }
}

/* 6 bytes of code behind the call, 8 of alignment: what python's trampoline leaves on its stack. */
static void the_caller_is_found_above_it(void **state)
{
    const uint64_t stack[] = {7, 0xcafe0};
    const struct slw_symbol f = {.start = 0x1000, .end = 0x100b, .name = "py::f:/x.py"};
    struct slw_unwind_code code;

    (void)state;
    assert_true(slw_trampoline_find(&f, 0x1005, &code));
    /* The caller's stack pointer is two words up, what it returns to one below that. */
    assert_int_equal(code.row->kind, SLW_CFI_SP);
    assert_int_equal(stack[code.row->cfa - 1], 0xcafe0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_call_in_a_trampoline_is_described),
        cmocka_unit_test(the_caller_is_found_above_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
