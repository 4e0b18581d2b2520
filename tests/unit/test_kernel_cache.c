/* SPDX-License-Identifier: MIT */
#include "analyzer/kernel_cache.h"
#include "base/file.h"
#include "tests/unit/cmocka_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Within the text of kernels of both architectures. */
#define TEXT UINT64_C(0xffffffff81000000)

static const struct slw_kernel_identity here = {"11111111-2222-3333-4444-555555555555",
                                                "6.1.0-test", 42};
static const struct slw_kernel_span spans[] = {{TEXT, TEXT + 0x1000},
                                               {TEXT + 0x40000000, TEXT + 0x40001000}};
static const uint64_t text_start[2] = {TEXT, TEXT + 0x10};

struct folder {
    char dir[64], cache[96], file[128];
};

static struct folder make_folder(void)
{
    struct folder f = {"/tmp/slw-kernel-cache-XXXXXX", "", ""};

    assert_non_null(mkdtemp(f.dir));
    (void)snprintf(f.cache, sizeof(f.cache), "%s/a/slotwise", f.dir);
    (void)snprintf(f.file, sizeof(f.file), "%s/kernel-symbols", f.cache);
    return f;
}

static void remove_folder(const struct folder *f)
{
    char parent[96];

    (void)snprintf(parent, sizeof(parent), "%s/a", f->dir);
    (void)unlink(f->file);
    (void)rmdir(f->cache);
    (void)rmdir(parent);
    assert_int_equal(rmdir(f->dir), 0);
}

static void write_cache(const struct folder *f)
{
    struct slw_symtab t = {0};
    const struct slw_symbol symbols[] = {
        {TEXT, 0, "first", 1, 2},
        {TEXT + 0x100, 0, "second", 1, 2},
        {TEXT + 0x2000, 0, "not_kept", 1, 2},
        {TEXT + 0x40000000, 0, "of_a_module", 1, 2},
    };

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(slw_symtab_add(&t, &symbols[i]), 0);
    assert_int_equal(slw_symtab_finish(&t, 0x100000), 0);
    assert_int_equal(slw_kernel_cache_write(f->cache, &here, &t, text_start, spans, 2, NULL), 0);
    slw_symtab_release(&t);
}

static void assert_name(const struct slw_kernel_cache *c, uint64_t address, const char *name)
{
    const char *found = NULL;

    assert_true(slw_kernel_cache_find(c, address, &found));
    assert_string_equal(found, name);
}

static void tells_what_was_kept(void **state)
{
    const struct folder f = make_folder();
    const char *name = "unchanged";
    struct stat st;

    (void)state;
    assert_null(slw_kernel_cache_open(f.cache, &here));
    write_cache(&f);
    assert_int_equal(stat(f.file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct slw_kernel_cache *c = slw_kernel_cache_open(f.cache, &here);
    assert_non_null(c);
    assert_name(c, TEXT, "first");
    assert_name(c, TEXT + 0xff, "first");
    assert_name(c, TEXT + 0x100, "second");
    assert_name(c, TEXT + 0xfff, "second");
    assert_name(c, TEXT + 0x40000123, "of_a_module");
    /* Between the spans anything may be loaded meanwhile. */
    assert_false(slw_kernel_cache_find(c, TEXT + 0x1000, &name));
    assert_false(slw_kernel_cache_find(c, TEXT + 0x2000, &name));
    assert_string_equal(name, "unchanged");
    assert_name(c, 0x1234, ""); /* of no kernel */
    assert_true(slw_kernel_cache_begins_at(c, TEXT));
    assert_true(slw_kernel_cache_begins_at(c, TEXT + 0x10));
    assert_false(slw_kernel_cache_begins_at(c, TEXT + 0x20));
    assert_false(slw_kernel_cache_begins_at(c, 0));
    slw_kernel_cache_close(c);
    remove_folder(&f);
}

static void another_kernel_gets_nothing(void **state)
{
    const struct folder f = make_folder();
    struct slw_kernel_identity boot = here, release = here, modules = here;

    (void)state;
    boot.boot_id[0] = '2';
    release.release[0] = '7';
    modules.modules++;
    write_cache(&f);
    assert_null(slw_kernel_cache_open(f.cache, &boot));
    assert_null(slw_kernel_cache_open(f.cache, &release));
    assert_null(slw_kernel_cache_open(f.cache, &modules));
    remove_folder(&f);
}

/* Whatever byte is wrong or missing, the file is not used. */
static void damage_is_found(void **state)
{
    const struct folder f = make_folder();
    char *data;
    size_t length;

    (void)state;
    write_cache(&f);
    assert_int_equal(slw_file_read(f.file, 1 << 20, &data, &length, NULL), 0);
    for (size_t i = 0; i < length; i++) {
        data[i] ^= 0x40;
        assert_null(slw_kernel_cache_view(data, length, &here));
        data[i] ^= 0x40;
        assert_null(slw_kernel_cache_view(data, i, &here));
    }
    struct slw_kernel_cache *c = slw_kernel_cache_view(data, length, &here);
    assert_non_null(c);
    slw_kernel_cache_close(c);
    free(data);
    remove_folder(&f);
}

static void foreign_files_are_not_trusted(void **state)
{
    const struct folder f = make_folder();
    char elsewhere[160];

    (void)state;
    write_cache(&f);
    assert_int_equal(chmod(f.file, 0660), 0);
    assert_null(slw_kernel_cache_open(f.cache, &here));
    assert_int_equal(chmod(f.file, 0600), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(f.file, 65534, 65534), 0);
        assert_null(slw_kernel_cache_open(f.cache, &here));
        assert_int_equal(chown(f.file, 0, 0), 0);
    }
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", f.dir);
    assert_int_equal(rename(f.file, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, f.file), 0);
    assert_null(slw_kernel_cache_open(f.cache, &here));
    assert_int_equal(unlink(elsewhere), 0);
    remove_folder(&f);
}

static void modules_are_told_by_what_stays(void **state)
{
    const char *text = "xfs 2076672 1 - Live 0xffffffffc0a00000\n"
                       "nvme 57344 3 xfs,ext4, Live 0xffffffffc0900000\n";
    const char *used = "xfs 2076672 9 - Live 0xffffffffc0a00000\n"
                       "nvme 57344 0 - Live 0xffffffffc0900000 (E)\n";
    const char *moved = "xfs 2076672 1 - Live 0xffffffffc0b00000\n"
                        "nvme 57344 3 xfs,ext4, Live 0xffffffffc0900000\n";

    (void)state;
    assert_true(slw_kernel_modules_hash(text) == slw_kernel_modules_hash(used));
    assert_true(slw_kernel_modules_hash(text) != slw_kernel_modules_hash(moved));
    assert_true(slw_kernel_modules_hash(text) != slw_kernel_modules_hash(""));
}

static void spans_of_modules(void **state)
{
    static struct slw_kernel_span found[SLW_MAX_KERNEL_SPANS];
    const char *text = "ffffffff81000000 T _text\n"
                       "ffffffffc0901800 t nvme_b\t[nvme]\n"
                       "ffffffffc0900010 t nvme_a\t[nvme]\n"
                       "ffffffffc0f00000 d nvme_data\t[nvme]\n"
                       "ffffffffc0a00000 T xfs_a\t[xfs]\n"
                       "ffffffffc0b00000 t one\t[a]\nffffffffc0b09000 t two\t[a]\n"
                       "ffffffffc0b05000 t three\t[b]\n" /* within another: neither is one piece */
                       "ffffffffc0c00000 t bpf_prog_6deef7357e7b4530\t[bpf]\n"
                       "ffffffffc0d00000 t ftrace_trampoline\t[__builtin__ftrace]\n"
                       "0000000000000000 t hidden\t[x]\nbad line [y]\n";

    (void)state;
    assert_int_equal(slw_kernel_module_spans(text, found), 2);
    assert_true(found[0].low == UINT64_C(0xffffffffc0900010));
    assert_true(found[0].high == UINT64_C(0xffffffffc0902000));
    assert_true(found[1].low == UINT64_C(0xffffffffc0a00000));
    assert_true(found[1].high == UINT64_C(0xffffffffc0a01000));
    assert_int_equal(slw_kernel_module_spans("", found), 0);
}

static void this_kernel_has_an_identity(void **state)
{
    struct slw_kernel_identity a, b;

    (void)state;
    assert_true(slw_kernel_identify(&a));
    assert_true(slw_kernel_identify(&b));
    assert_memory_equal(&a, &b, sizeof(a));
    assert_int_equal(strlen(a.boot_id), 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_was_kept),
        cmocka_unit_test(another_kernel_gets_nothing),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(foreign_files_are_not_trusted),
        cmocka_unit_test(modules_are_told_by_what_stays),
        cmocka_unit_test(spans_of_modules),
        cmocka_unit_test(this_kernel_has_an_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
