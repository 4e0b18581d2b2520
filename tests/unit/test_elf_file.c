/* SPDX-License-Identifier: MIT */
/* On small x86-64 files of our own (the fuzz corpus); addresses are those objdump prints. */
#include "analyzer/elf_file.h"
#include "base/arena.h"
#include "base/error.h"
#include "tests/unit/cmocka_int.h"

#include <string.h>

#define ELFS SLW_TEST_DIR "/fuzz/corpus/elf/"

struct names {
    struct slw_elf elf;
    struct slw_arena *arena;
    struct slw_symtab table;
};

static struct names read_names(const char *path)
{
    struct names n = {.arena = slw_arena_new()};

    assert_int_equal(slw_elf_open(path, &n.elf), 0);
    assert_int_equal(slw_elf_add_symbols(&n.elf, &n.elf, &n.table), 0);
    assert_int_equal(slw_elf_add_plt(&n.elf, n.arena, &n.table), 0);
    assert_int_equal(slw_symtab_finish(&n.table, UINT64_MAX), 0);
    return n;
}

static void release(struct names *n)
{
    slw_symtab_release(&n->table);
    slw_elf_close(&n->elf);
    slw_arena_free(n->arena);
}

static void expect(const struct names *n, uint64_t offset, const char *name)
{
    const struct slw_symbol *s = slw_symtab_find(&n->table, offset);

    assert_string_equal(s ? s->name : "-", name);
}

static void lazy_stubs_are_named_by_what_they_jump_to(void **state)
{
    struct names n = read_names(ELFS "lazy.so");

    (void)state;
    expect(&n, 0x350, "-"); /* the common header stub */
    expect(&n, 0x360, "weak@plt");
    expect(&n, 0x37f, "puts@plt");
    expect(&n, 0x380, "malloc@plt");
    expect(&n, 0x390, "ifn@plt");
    expect(&n, 0x3a3, "weak");
    expect(&n, 0x3a6, "f");
    release(&n);
}

static void second_stubs_for_branch_tracking_are_named_too(void **state)
{
    struct names n = read_names(ELFS "ibt.so");

    (void)state;
    expect(&n, 0x430, "weak@plt");
    expect(&n, 0x44f, "puts@plt");
    expect(&n, 0x450, "malloc@plt");
    expect(&n, 0x460, "ifn@plt");
    expect(&n, 0x47e, "f");
    release(&n);
}

static void fixed_addresses_become_file_offsets(void **state)
{
    struct names n = read_names(ELFS "exec");
    uint64_t address = 0, delta = 0;

    (void)state;
    expect(&n, 0x1a3, "weak"); /* linked at 0x4001a3 */
    expect(&n, 0x1a6 + 57, "f");
    expect(&n, 0x4001a6, "-");
    assert_true(slw_elf_address_of_offset(&n.elf, 0x1a6, &address));
    assert_int_equal(address, 0x4001a6);
    assert_true(slw_elf_segment_delta(&n.elf, 0x402000, &delta));
    assert_int_equal(delta, 0x401000); /* the second segment lies at offset 0xfe8 */
    assert_false(slw_elf_address_of_offset(&n.elf, 0x100000, &address));
    release(&n);
}

static void build_ids_are_hex(void **state)
{
    struct names n = read_names(ELFS "lazy.so");
    char id[SLW_BUILD_ID_HEX_BYTES];

    (void)state;
    slw_elf_build_id(&n.elf, id);
    assert_string_equal(id, "3bf4bffef752055a0681df6d2cd2eb617da30f71");
    release(&n);
}

static void what_is_no_elf_file_is_refused(void **state)
{
    struct slw_elf e = {.fd = -1};

    (void)state;
    assert_int_equal(slw_elf_open("/nonexistent", &e), -SLW_E_NOTFOUND);
    assert_int_equal(slw_elf_open("/dev/zero", &e), -SLW_E_FORMAT);
    assert_int_equal(slw_elf_open(SLW_TEST_DIR "/CMakeLists.txt", &e), -SLW_E_FORMAT);
    slw_elf_close(&e);
    slw_elf_close(NULL);
}

static void our_own_vdso_has_symbols(void **state)
{
    struct slw_elf e = {.fd = -1};
    struct slw_symtab t = {0};
    bool clock = false;

    (void)state;
    if (slw_elf_open_vdso(&e) < 0)
        skip();
    assert_int_equal(slw_elf_add_symbols(&e, &e, &t), 0);
    assert_int_equal(slw_symtab_finish(&t, UINT64_MAX), 0);
    for (size_t i = 0; i < t.count; i++)
        clock |= strstr(t.symbols[i].name, "clock_gettime") != NULL;
    assert_true(clock);
    slw_symtab_release(&t);
    slw_elf_close(&e);
}

static void a_packed_symbol_table_is_found(void **state)
{
    struct slw_elf elf, packed;
    struct slw_symtab t = {0};
    size_t hidden = 0;

    (void)state;
    assert_int_equal(slw_elf_open(ELFS "packed-symbols", &elf), 0);
    assert_false(slw_elf_has_symtab(&elf));
    assert_int_equal(slw_elf_open_minidebug(&elf, &packed), 0);
    assert_int_equal(slw_elf_add_symbols(&packed, &elf, &t), 0);
    for (size_t i = 0; i < t.count; i++)
        hidden += strcmp(t.symbols[i].name, "hidden") == 0;
    assert_int_equal(hidden, 1);
    slw_symtab_release(&t);
    slw_elf_close(&packed);
    slw_elf_close(&elf);
}

static void no_packed_symbol_table_is_told(void **state)
{
    struct slw_elf elf, packed;

    (void)state;
    assert_int_equal(slw_elf_open(ELFS "lazy.so", &elf), 0);
    assert_int_equal(slw_elf_open_minidebug(&elf, &packed), -SLW_E_NOTFOUND);
    slw_elf_close(&elf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lazy_stubs_are_named_by_what_they_jump_to),
        cmocka_unit_test(second_stubs_for_branch_tracking_are_named_too),
        cmocka_unit_test(fixed_addresses_become_file_offsets),
        cmocka_unit_test(build_ids_are_hex),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
        cmocka_unit_test(our_own_vdso_has_symbols),
        cmocka_unit_test(a_packed_symbol_table_is_found),
        cmocka_unit_test(no_packed_symbol_table_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
