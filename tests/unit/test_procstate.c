/* SPDX-License-Identifier: MIT */
#include "analyzer/mapset.h"
#include "analyzer/procstate.h"
#include "base/arena.h"
#include "base/error.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#include <inttypes.h>
#include <stdio.h>

/* A procstate needs a recording for its build ids: an empty pipe will do. */
struct fixture {
    struct slw_arena *arena;
    struct slw_modules modules;
    struct slw_perfdata *pd;
    struct slw_procstate *ps;
    struct image image;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.arena = slw_arena_new()};
    f.modules.arena = f.arena;
    pipe_header(&f.image);
    if (slw_perfdata_open_bytes(f.image.out.data, f.image.out.length, 0, &f.pd, NULL) < 0)
        return -1;
    f.ps = slw_procstate_new(&f.modules, f.pd);
    *state = &f;
    return f.ps ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    slw_procstate_free(f->ps);
    slw_perfdata_close(f->pd);
    slw_modules_release(&f->modules);
    slw_arena_free(f->arena);
    slw_buf_release(&f->image.out);
    return 0;
}

static void apply(struct fixture *f, struct slw_perf_record r)
{
    assert_int_equal(slw_procstate_apply(f->ps, &r), 0);
}

static void map(struct fixture *f, int32_t pid, uint64_t start, uint64_t end, uint64_t offset,
                const char *path)
{
    apply(f, (struct slw_perf_record){
                 .kind = SLW_PERF_MMAP,
                 .misc = pid == -1 ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER,
                 .pid = pid,
                 .tid = pid,
                 .mmap = {.start = start, .length = end - start, .offset = offset, .path = path}});
}

static void comm(struct fixture *f, int32_t pid, int32_t tid, const char *name, bool exec)
{
    apply(f, (struct slw_perf_record){
                 .kind = SLW_PERF_COMM, .pid = pid, .tid = tid, .comm = {name, exec}});
}

static void fork_task(struct fixture *f, int32_t pid, int32_t ppid, int32_t tid, int32_t ptid,
                      uint16_t misc)
{
    apply(f,
          (struct slw_perf_record){
              .kind = SLW_PERF_FORK, .misc = misc, .pid = pid, .tid = tid, .fork = {ppid, ptid}});
}

/* "path+offset" of an address, or "-". */
static const char *where(struct fixture *f, int32_t pid, uint64_t address)
{
    static char text[64];
    struct slw_task *t = slw_procstate_task(f->ps, pid, pid);
    const struct slw_map *m = slw_procstate_find(f->ps, t, address);

    if (!m)
        return "-";
    (void)snprintf(text, sizeof(text), "%s+%" PRIx64, f->modules.modules[m->module].path,
                   address - m->start + m->offset);
    return text;
}

static const char *name(struct fixture *f, int32_t pid, int32_t tid)
{
    return slw_procstate_comm(f->ps, slw_procstate_task(f->ps, pid, tid)->comm);
}

static void a_mapping_in_the_middle_splits_the_older_one(void **state)
{
    struct fixture *f = *state;

    map(f, 1, 0x1000, 0x5000, 0x100000, "/a");
    map(f, 1, 0x2000, 0x3000, 0, "/b");
    assert_string_equal(where(f, 1, 0x0fff), "-");
    assert_string_equal(where(f, 1, 0x1fff), "/a+100fff");
    assert_string_equal(where(f, 1, 0x2000), "/b+0");
    assert_string_equal(where(f, 1, 0x3000), "/a+102000");
    assert_string_equal(where(f, 1, 0x4fff), "/a+103fff");
    assert_string_equal(where(f, 1, 0x5000), "-");
}

static void a_mapping_over_several_cuts_both_ends(void **state)
{
    struct fixture *f = *state;

    map(f, 1, 0x1000, 0x2000, 0, "/a");
    map(f, 1, 0x2000, 0x3000, 0, "/b");
    map(f, 1, 0x3000, 0x4000, 0, "/c");
    map(f, 1, 0x1800, 0x3800, 0, "/d");
    assert_string_equal(where(f, 1, 0x17ff), "/a+7ff");
    assert_string_equal(where(f, 1, 0x1800), "/d+0");
    assert_string_equal(where(f, 1, 0x2800), "/d+1000");
    assert_string_equal(where(f, 1, 0x3800), "/c+800");
}

static void a_child_has_its_parents_mappings_until_it_changes_them(void **state)
{
    struct fixture *f = *state;

    map(f, 1, 0x1000, 0x2000, 0, "/a");
    fork_task(f, 2, 1, 2, 1, 0);
    assert_string_equal(where(f, 2, 0x1800), "/a+800");
    map(f, 2, 0x1000, 0x2000, 0, "/b");
    assert_string_equal(where(f, 2, 0x1800), "/b+800");
    assert_string_equal(where(f, 1, 0x1800), "/a+800");
    fork_task(f, 3, 1, 3, 1, 1 << 13); /* described, not forked: it brings its own mappings */
    assert_string_equal(where(f, 3, 0x1800), "-");
}

static void exec_forgets_the_mappings(void **state)
{
    struct fixture *f = *state;

    map(f, 1, 0x1000, 0x2000, 0, "/a");
    comm(f, 1, 1, "renamed", false);
    assert_string_equal(where(f, 1, 0x1800), "/a+800");
    comm(f, 1, 1, "other", true);
    assert_string_equal(where(f, 1, 0x1800), "-");
}

static void names_are_inherited_and_reused_numbers_start_anew(void **state)
{
    struct fixture *f = *state;

    comm(f, 1, 1, "server", false);
    fork_task(f, 1, 1, 5, 1, 0); /* a thread */
    assert_string_equal(name(f, 1, 5), "server");
    comm(f, 1, 5, "worker", false);
    assert_string_equal(name(f, 1, 5), "worker");
    map(f, 1, 0x1000, 0x2000, 0, "/a");
    comm(f, 9, 9, "shell", false);
    fork_task(f, 5, 9, 5, 9, 0); /* the number 5, now a process of the shell's */
    assert_string_equal(name(f, 5, 5), "shell");
    assert_string_equal(where(f, 5, 0x1800), "-");
    assert_string_equal(name(f, 0, 0), "swapper");
    assert_string_equal(name(f, 77, 77), "");
}

static void a_changed_name_asks_for_a_new_tag(void **state)
{
    struct fixture *f = *state;

    comm(f, 1, 1, "a", false);
    slw_procstate_task(f->ps, 1, 1)->tag = 3;
    map(f, 1, 0x1000, 0x2000, 0, "/a");
    assert_int_equal(slw_procstate_task(f->ps, 1, 1)->tag, 3);
    comm(f, 1, 1, "b", false);
    assert_int_equal(slw_procstate_task(f->ps, 1, 1)->tag, UINT32_MAX);
}

static void a_thread_without_a_number_has_its_processs_name(void **state)
{
    struct fixture *f = *state;

    comm(f, 7, 7, "client", false);
    comm(f, 7, 8, "worker", false);
    comm(f, 9, 9, "other", false);
    assert_string_equal(name(f, 7, -1), "client");
    assert_string_equal(name(f, 9, -1), "other");
    assert_string_equal(name(f, 7, -1), "client");
    assert_string_equal(name(f, 5, -1), "");
    assert_string_equal(name(f, -1, -1), "");
}

static void kernel_mappings_are_everybodys(void **state)
{
    struct fixture *f = *state;
    uint64_t text = 0;

    assert_false(slw_procstate_kernel_text(f->ps, &text));
    map(f, -1, 0xffffffff81000000, 0xffffffff82000000, 0xffffffff81000000,
        "[kernel.kallsyms]_text");
    map(f, -1, 0xffffffffc0000000, 0xffffffffc0001000, 0, "[nf_tables]");
    const struct slw_map *m = slw_procstate_find_kernel(f->ps, 0xffffffff81000010);
    assert_string_equal(f->modules.modules[m->module].path, "[kernel.kallsyms]");
    assert_int_equal(f->modules.modules[m->module].kind, SLW_MODULE_KERNEL);
    m = slw_procstate_find_kernel(f->ps, 0xffffffffc0000010);
    assert_int_equal(f->modules.modules[m->module].kind, SLW_MODULE_KERNEL_MODULE);
    assert_true(slw_procstate_kernel_text(f->ps, &text));
    assert_true(text == 0xffffffff81000000);
}

static void a_mapping_at_the_end_of_the_address_space_does_not_wrap(void **state)
{
    struct fixture *f = *state;

    apply(f, (struct slw_perf_record){
                 .kind = SLW_PERF_MMAP,
                 .misc = PERF_RECORD_MISC_USER,
                 .pid = 1,
                 .mmap = {.start = 0x1000, .length = UINT64_MAX, .offset = 0, .path = "/a"}});
    assert_string_equal(where(f, 1, 0xfffffffffffffff0), "/a+ffffffffffffeff0");
    assert_string_equal(where(f, 1, 0xfff), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mapping_in_the_middle_splits_the_older_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_mapping_over_several_cuts_both_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_child_has_its_parents_mappings_until_it_changes_them,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(exec_forgets_the_mappings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_inherited_and_reused_numbers_start_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_changed_name_asks_for_a_new_tag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_thread_without_a_number_has_its_processs_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(kernel_mappings_are_everybodys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mapping_at_the_end_of_the_address_space_does_not_wrap,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
