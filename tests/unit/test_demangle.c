/* SPDX-License-Identifier: MIT */
#include "analyzer/demangle.h"
#include "base/buf.h"
#include "tests/unit/cmocka_int.h"

#include <string.h>

static int make(void **state)
{
    *state = slw_demangler_new();
    return *state ? 0 : -1;
}

static int drop(void **state)
{
    slw_demangler_free(*state);
    return 0;
}

static const char *shown(void **state, const char *linkage)
{
    const char *name = NULL;

    assert_int_equal(slw_demangle(*state, linkage, &name), 0);
    return name;
}

static void cxx_names_lose_parameters_not_template_arguments(void **state)
{
    assert_string_equal(shown(state, "_ZN2db4workEi"), "db::work");
    assert_string_equal(shown(state, "_ZN2db5BatchImE3runEmNSt7__cxx1112basic_stringIcSt11char_"
                                     "traitsIcESaIcEEE"),
                        "db::Batch<unsigned long>::run");
    assert_string_equal(shown(state, "_ZN3foo3barEv.cold"), "foo::bar");
    assert_string_equal(shown(state, "_ZZ4mainENKUlvE_clEv"), "main::{lambda()#1}::operator()");
}

static void rust_names_lose_their_hash(void **state)
{
    assert_string_equal(shown(state, "_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
    assert_string_equal(
        shown(state, "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$"
                     "3bar17h930b740aa94f1d3aE"),
        "<Test + 'static as foo::Bar<Test>>::bar");
    assert_string_equal(shown(state, "_RNvC6_123foo3bar"), "123foo::bar");
    assert_string_equal(shown(state, "_RNvMs_NtCs1234_7mycrate3fooNtB4_3Bar3baz"),
                        "<mycrate::foo::Bar>::baz");
}

static void stubs_keep_their_ending(void **state)
{
    assert_string_equal(shown(state, "_ZdlPv@plt"), "operator delete@plt");
    assert_string_equal(shown(state, "memcpy@plt"), "memcpy@plt");
}

static void other_names_are_the_same_bytes(void **state)
{
    static const char *const names[] = {
        "",      "main",   "_Z",      "_R",       "_Zebra",
        "_Rust", "Z3foov", "_ZN3foo", "__Z3foov", "_ZN3foo\xff@plt@plt"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_string_equal(shown(state, names[i]), names[i]);
}

static void a_name_asked_twice_is_the_same_pointer(void **state)
{
    char copy[] = "_ZN2db4workEi";
    const char *first = shown(state, "_ZN2db4workEi");

    assert_ptr_equal(shown(state, copy), first);
}

/* f<a<int, int>, a<S, S>, a<S, S>, ...>: each argument is twice as long as the one before. */
static void a_name_that_stands_for_gigabytes_is_left_as_it_is(void **state)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct slw_buf b = {0};

    slw_buf_puts(&b, "_Z1fI1aIiiE");
    for (size_t i = 1; i < 35; i++)
        slw_buf_printf(&b, "S0_IS%c_S%c_E", digits[i], digits[i]);
    slw_buf_puts(&b, "Evv");
    assert_false(slw_buf_failed(&b));
    assert_string_equal(shown(state, b.data), b.data);
    slw_buf_release(&b);
}

static void a_short_start_of_such_a_name_is_demangled(void **state)
{
    assert_string_equal(shown(state, "_Z1fI1aIiiES0_IS1_S1_EEvv"),
                        "f<a<int, int>, a<a<int, int>, a<int, int> > >");
}

/* Sources of the library limit how deep a name may go only when it may stop short of long ones. */
static void long_and_deep_names_do_no_harm(void **state)
{
    struct slw_buf b = {0};

    slw_buf_puts(&b, "_ZN");
    for (int i = 0; i < 256; i++)
        slw_buf_printf(&b, "14namespace_%04d", i);
    slw_buf_puts(&b, "3runEv");
    assert_non_null(strstr(shown(state, b.data), "namespace_0254::namespace_0255::run"));
    slw_buf_release(&b);
    slw_buf_puts(&b, "_Z1fI");
    while (b.length < SLW_MAX_MANGLED - 8)
        slw_buf_putc(&b, 'P');
    slw_buf_puts(&b, "iEvv");
    (void)shown(state, b.data);
    slw_buf_puts(&b, "this is longer than any name that is looked at");
    assert_string_equal(shown(state, b.data), b.data);
    slw_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cxx_names_lose_parameters_not_template_arguments, make,
                                        drop),
        cmocka_unit_test_setup_teardown(rust_names_lose_their_hash, make, drop),
        cmocka_unit_test_setup_teardown(stubs_keep_their_ending, make, drop),
        cmocka_unit_test_setup_teardown(other_names_are_the_same_bytes, make, drop),
        cmocka_unit_test_setup_teardown(a_name_asked_twice_is_the_same_pointer, make, drop),
        cmocka_unit_test_setup_teardown(a_name_that_stands_for_gigabytes_is_left_as_it_is, make,
                                        drop),
        cmocka_unit_test_setup_teardown(a_short_start_of_such_a_name_is_demangled, make, drop),
        cmocka_unit_test_setup_teardown(long_and_deep_names_do_no_harm, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
