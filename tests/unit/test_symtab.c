/* SPDX-License-Identifier: MIT */
#include "analyzer/symtab.h"
#include "base/error.h"
#include "tests/unit/cmocka_int.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static void add(struct slw_symtab *t, uint64_t start, uint64_t size, const char *name,
                uint8_t binding, uint8_t type)
{
    const struct slw_symbol s = {start, start + size, name, binding, type};

    assert_int_equal(slw_symtab_add(t, &s), 0);
}

static const char *at(const struct slw_symtab *t, uint64_t address)
{
    const struct slw_symbol *s = slw_symtab_find(t, address);

    return s ? s->name : "-";
}

static void addresses_are_covered_by_sizes(void **state)
{
    struct slw_symtab t = {0};

    (void)state;
    add(&t, 0x200, 0x10, "b", STB_GLOBAL, STT_FUNC);
    add(&t, 0x100, 0x20, "a", STB_GLOBAL, STT_FUNC);
    assert_int_equal(slw_symtab_finish(&t, UINT64_MAX), 0);
    assert_string_equal(at(&t, 0xff), "-");
    assert_string_equal(at(&t, 0x100), "a");
    assert_string_equal(at(&t, 0x11f), "a");
    assert_string_equal(at(&t, 0x120), "-");
    assert_string_equal(at(&t, 0x20f), "b");
    assert_string_equal(at(&t, 0x210), "-");
    slw_symtab_release(&t);
}

static void a_symbol_without_a_size_reaches_to_the_next_but_not_too_far(void **state)
{
    struct slw_symtab t = {0};

    (void)state;
    add(&t, 0x100, 0, "a", STB_GLOBAL, STT_FUNC);
    add(&t, 0x200, 0, "b", STB_GLOBAL, STT_FUNC);
    add(&t, 0x90000, 0, "last", STB_GLOBAL, STT_FUNC);
    assert_int_equal(slw_symtab_finish(&t, 0x1000), 0);
    assert_string_equal(at(&t, 0x1ff), "a");
    assert_string_equal(at(&t, 0x11ff), "b");
    assert_string_equal(at(&t, 0x1200), "-");
    assert_string_equal(at(&t, 0x90fff), "last"); /* to the end of its page and one more */
    assert_string_equal(at(&t, 0x91001), "-");
    slw_symtab_release(&t);
}

static void an_enclosing_symbol_is_found_behind_a_nested_one(void **state)
{
    struct slw_symtab t = {0};

    (void)state;
    add(&t, 0x100, 0x100, "outer", STB_GLOBAL, STT_FUNC);
    add(&t, 0x110, 0x10, "inner", STB_LOCAL, STT_FUNC);
    assert_int_equal(slw_symtab_finish(&t, UINT64_MAX), 0);
    assert_string_equal(at(&t, 0x10f), "outer");
    assert_string_equal(at(&t, 0x110), "inner");
    assert_string_equal(at(&t, 0x120), "outer");
    slw_symtab_release(&t);
}

/* Two names of one address; the winner must not depend on which came first. */
static void expect_winner(struct slw_symbol a, struct slw_symbol b, const char *winner)
{
    for (int order = 0; order < 2; order++) {
        struct slw_symtab t = {0};
        assert_int_equal(slw_symtab_add(&t, order ? &b : &a), 0);
        assert_int_equal(slw_symtab_add(&t, order ? &a : &b), 0);
        assert_int_equal(slw_symtab_finish(&t, UINT64_MAX), 0);
        assert_int_equal(t.count, 1);
        assert_string_equal(at(&t, 0x100), winner);
        slw_symtab_release(&t);
    }
}

static void of_several_names_the_one_perf_shows_is_kept(void **state)
{
    (void)state;
    expect_winner((struct slw_symbol){0x100, 0x110, "f", STB_GLOBAL, STT_FUNC},
                  (struct slw_symbol){0x100, 0x110, "f_weak_longer", STB_WEAK, STT_FUNC}, "f");
    expect_winner((struct slw_symbol){0x100, 0x110, "f", STB_GLOBAL, STT_FUNC},
                  (struct slw_symbol){0x100, 0x110, "local_longer", STB_LOCAL, STT_FUNC}, "f");
    expect_winner((struct slw_symbol){0x100, 0x110, "f", STB_GLOBAL, STT_FUNC},
                  (struct slw_symbol){0x100, 0x110, "__f_longer", STB_GLOBAL, STT_FUNC}, "f");
    expect_winner((struct slw_symbol){0x100, 0x110, "short", STB_GLOBAL, STT_FUNC},
                  (struct slw_symbol){0x100, 0x110, "longest", STB_GLOBAL, STT_FUNC}, "longest");
    expect_winner((struct slw_symbol){0x100, 0x110, "f", STB_LOCAL, STT_FUNC},
                  (struct slw_symbol){0x100, 0x110, "label", STB_GLOBAL, STT_NOTYPE}, "f");
}

static void kallsyms_text_becomes_symbols(void **state)
{
    char text[] = "ffffffff81000000 T _text\n"
                  "ffffffff81000000 T _stext\n"
                  "ffffffff81000100 t local\n"
                  "ffffffff81000180 r rodata\n"
                  "ffffffff81000200 W weak\n"
                  "ffffffff81000200 $x mapping\n"
                  "garbage\n"
                  "\n"
                  "ffffffffc0000000 t in_module\t[nf_tables]\n"
                  "ffffffffc0000100 T unfinished";
    struct slw_symtab t = {0};
    bool hidden = true;

    (void)state;
    assert_int_equal(slw_symtab_add_kallsyms(&t, text, &hidden), 0);
    assert_false(hidden);
    assert_int_equal(slw_symtab_finish(&t, 1 << 20), 0);
    assert_string_equal(at(&t, 0xffffffff81000010), "_stext");
    assert_string_equal(at(&t, 0xffffffff81000190), "local");
    assert_string_equal(at(&t, 0xffffffff81000200), "weak");
    assert_string_equal(at(&t, 0xffffffffb0000000), "-");
    assert_string_equal(at(&t, 0xffffffffc0000010), "in_module");
    assert_string_equal(at(&t, 0xffffffffc0000100), "unfinished");
    slw_symtab_release(&t);
}

static void withheld_kernel_addresses_are_recognised(void **state)
{
    char text[] = "0000000000000000 T _text\n0000000000000000 t local\n", empty[] = "";
    struct slw_symtab t = {0};
    bool hidden = false;

    (void)state;
    assert_int_equal(slw_symtab_add_kallsyms(&t, text, &hidden), 0);
    assert_true(hidden);
    assert_int_equal(t.count, 0);
    assert_int_equal(slw_symtab_add_kallsyms(&t, empty, &hidden), 0);
    assert_false(hidden);
    slw_symtab_release(&t);
}

static void numbers_of_perf_maps_may_begin_with_0x(void **state)
{
    char text[] = "0x00007f0000001000 0x0000000000000020 long Rows.decode(long)\n0x 10 bad\n"
                  "7f0000003000 0x bad";
    struct slw_symtab t = {0};

    (void)state;
    assert_int_equal(slw_symtab_add_perf_map(&t, text), 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(slw_symtab_finish(&t, UINT64_MAX), 0);
    assert_string_equal(at(&t, 0x7f000000101f), "long Rows.decode(long)");
    slw_symtab_release(&t);
}

static void perf_maps_keep_whatever_name_the_compiler_gave(void **state)
{
    char text[] = "7f0000001000 20 jit;a <b> \"c\"\n7f0000002000 zz bad\n7f0000003000 10 last";
    struct slw_symtab t = {0};

    (void)state;
    assert_int_equal(slw_symtab_add_perf_map(&t, text), 0);
    assert_int_equal(slw_symtab_finish(&t, UINT64_MAX), 0);
    assert_string_equal(at(&t, 0x7f000000101f), "jit;a <b> \"c\"");
    assert_string_equal(at(&t, 0x7f0000002000), "-");
    assert_string_equal(at(&t, 0x7f0000003001), "last");
    slw_symtab_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_covered_by_sizes),
        cmocka_unit_test(a_symbol_without_a_size_reaches_to_the_next_but_not_too_far),
        cmocka_unit_test(an_enclosing_symbol_is_found_behind_a_nested_one),
        cmocka_unit_test(of_several_names_the_one_perf_shows_is_kept),
        cmocka_unit_test(kallsyms_text_becomes_symbols),
        cmocka_unit_test(withheld_kernel_addresses_are_recognised),
        cmocka_unit_test(numbers_of_perf_maps_may_begin_with_0x),
        cmocka_unit_test(perf_maps_keep_whatever_name_the_compiler_gave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
