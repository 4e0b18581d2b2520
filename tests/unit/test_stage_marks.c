/* SPDX-License-Identifier: MIT */
/* The reader of USDT notes, and what it takes for marks of stages: good files, and bad ones. */
#include "collector/taps/bpf/files.h"
#include "collector/taps/stage/marks.h"
#include "include/slotwise/stage.h"
#include "tests/stage_elf.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>

static struct stage_elf *new_elf(void)
{
    struct stage_elf *e = malloc(sizeof(*e));

    assert_non_null(e);
    stage_elf_init(e);
    return e;
}

static struct slw_stage_marks *marks_of(struct stage_elf *e, int expected)
{
    struct slw_stage_marks *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    assert_int_equal(slw_stage_marks_read(m, "some/file", stage_elf_read, e, NULL), expected);
    return m;
}

static void drop(struct slw_stage_marks *m, struct stage_elf *e)
{
    slw_stage_marks_release(m);
    free(m);
    free(e);
}

static void begin_and_end_of_a_stage_are_found_by_file_offset(void **state)
{
    struct stage_elf *e = new_elf();

    (void)state;
    stage_elf_mark(e, "decode__begin");
    stage_elf_probe(e, STAGE_ELF_TEXT + 0x20, STAGE_ELF_DATA + 8, 0, "slotwise", "decode__end", "");
    struct slw_stage_marks *m = marks_of(e, 0);
    assert_int_equal(m->stage_count, 1);
    assert_string_equal(m->stages[0].name, "decode");
    assert_string_equal(m->stages[0].provider, "");
    assert_int_equal(m->mark_count, 2);
    assert_int_equal(m->marks[0].offset, 0x1010);
    assert_int_equal(m->marks[0].semaphore_offset, 0x1808);
    assert_false(m->marks[0].end);
    assert_int_equal(m->marks[1].offset, 0x1020);
    assert_true(m->marks[1].end);
    assert_int_equal(m->file_count, 1);
    assert_string_equal(m->files[0], "some/file");
    drop(m, e);
}

static void a_file_that_was_moved_after_linking_is_followed(void **state)
{
    struct stage_elf *e = new_elf();

    (void)state;
    stage_elf_probe(e, STAGE_ELF_TEXT + 4, STAGE_ELF_DATA, 0x77000, "slotwise", "x__begin",
                    STAGE_ELF_ARGUMENT);
    struct slw_stage_marks *m = marks_of(e, 0);
    assert_int_equal(m->mark_count, 1);
    assert_int_equal(m->marks[0].offset, 0x1004);
    assert_int_equal(m->marks[0].semaphore_offset, 0x1800);
    drop(m, e);
}

static void providers_tell_stages_of_one_name_apart(void **state)
{
    struct stage_elf *e = new_elf();

    (void)state;
    stage_elf_mark(e, "x__begin");
    stage_elf_probe(e, STAGE_ELF_TEXT, STAGE_ELF_DATA, 0, "slotwise_mylib", "x__begin",
                    STAGE_ELF_ARGUMENT);
    stage_elf_mark(e, "x__begin"); /* the compiler has copied it */
    struct slw_stage_marks *m = marks_of(e, 0);
    assert_int_equal(m->stage_count, 2);
    assert_string_equal(m->stages[1].provider, "mylib");
    assert_int_equal(m->mark_count, 3);
    assert_int_equal(m->marks[2].stage, 0);
    drop(m, e);
}

static void probes_of_others_are_left_alone(void **state)
{
    struct stage_elf *e = new_elf();

    (void)state;
    stage_elf_probe(e, STAGE_ELF_TEXT, 0, 0, "libc", "setjmp", "8@%rdi -4@%esi 8@%rax");
    stage_elf_probe(e, STAGE_ELF_TEXT, 0, 0, "slotwiser", "x__begin", STAGE_ELF_ARGUMENT);
    stage_elf_probe(e, STAGE_ELF_TEXT, 0, 0, "", "", "");
    struct slw_stage_marks *m = marks_of(e, 0);
    assert_int_equal(m->mark_count, 0);
    assert_int_equal(m->unusable, 0);
    assert_int_equal(m->file_count, 0);
    drop(m, e);
}

static void marks_that_are_not_as_the_header_writes_them_are_counted(void **state)
{
    static const char *const names[] = {"x",          "x__middle",      "__begin",
                                        "a b__begin", "\033[2J__begin", "x__begin "};
    struct stage_elf *e = new_elf();
    char long_name[SLW_STAGE_MAX_NAME + 16] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        stage_elf_mark(e, names[i]);
    memset(long_name, 'n', SLW_STAGE_MAX_NAME);
    memcpy(long_name + SLW_STAGE_MAX_NAME, "__begin", 8);
    stage_elf_mark(e, long_name);
    stage_elf_probe(e, STAGE_ELF_TEXT, STAGE_ELF_DATA, 0, "slotwise", "x__begin", "4@$1");
    stage_elf_probe(e, STAGE_ELF_TEXT, 0, 0, "slotwise", "x__begin", STAGE_ELF_ARGUMENT);
    stage_elf_probe(e, STAGE_ELF_TEXT, STAGE_ELF_DATA, 0, "slotwise_", "x__end", "");
    struct slw_stage_marks *m = marks_of(e, 0);
    assert_int_equal(m->mark_count, 0);
    assert_int_equal(m->unusable, 10);
    drop(m, e);
}

static void count_probe(void *ctx, const struct slw_sdt_probe *p)
{
    (void)p;
    ++*(size_t *)ctx;
}

static size_t probes_of(struct stage_elf *e, uint64_t *ret_unusable)
{
    size_t count = 0;

    *ret_unusable = 0;
    assert_int_equal(slw_sdt_probes(stage_elf_read, e, count_probe, &count, ret_unusable, NULL), 0);
    return count;
}

static void addresses_outside_of_the_file_are_unusable(void **state)
{
    static const uint64_t bad[][2] = {
        {0, STAGE_ELF_DATA},                      /* its function was dropped by the linker */
        {STAGE_ELF_TEXT - 1, STAGE_ELF_DATA},     /* before the segment */
        {STAGE_ELF_TEXT + 0x100, STAGE_ELF_DATA}, /* behind it */
        {STAGE_ELF_DATA, STAGE_ELF_DATA},         /* not executable */
        {STAGE_ELF_TEXT, STAGE_ELF_TEXT},         /* not writable */
        {STAGE_ELF_TEXT, STAGE_ELF_DATA + 0x100}, /* in memory, not in the file */
        {UINT64_MAX, UINT64_MAX}};
    struct stage_elf *e = new_elf();
    uint64_t unusable;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        stage_elf_probe(e, bad[i][0], bad[i][1], 0, "slotwise", "x__begin", STAGE_ELF_ARGUMENT);
    stage_elf_mark(e, "good__begin");
    assert_int_equal(probes_of(e, &unusable), 1);
    assert_int_equal(unusable, 7);
    stage_elf_segments(e)[0].p_offset = UINT64_MAX; /* the sum would be too large */
    assert_int_equal(probes_of(e, &unusable), 0);
    free(e);
}

static void broken_notes_end_the_reading(void **state)
{
    static const Elf64_Nhdr bad[] = {{UINT32_MAX, 4, 3},
                                     {8, UINT32_MAX, 3},
                                     {UINT32_MAX, UINT32_MAX, 3},
                                     {UINT32_MAX - 2, UINT32_MAX - 2, 3}};
    uint64_t unusable;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct stage_elf *e = new_elf();

        stage_elf_mark(e, "x__begin");
        stage_elf_put(e, &bad[i], sizeof(bad[i]));
        stage_elf_put(e, "stapsdt", 8);
        assert_int_equal(probes_of(e, &unusable), 1);
        assert_int_equal(unusable, 1);
        free(e);
    }
}

static void texts_without_an_end_are_unusable(void **state)
{
    const Elf64_Nhdr h = {8, 24 + 8, 3}, empty = {8, 0, 3};
    const uint64_t addresses[3] = {STAGE_ELF_TEXT, STAGE_ELF_BASE, STAGE_ELF_DATA};
    struct stage_elf *e = new_elf();
    uint64_t unusable;

    (void)state;
    stage_elf_put(e, &h, sizeof(h));
    stage_elf_put(e, "stapsdt", 8);
    stage_elf_put(e, addresses, sizeof(addresses));
    stage_elf_put(e, "slotwise", 8); /* its end would be the next note */
    stage_elf_put(e, &empty, sizeof(empty));
    stage_elf_put(e, "stapsdt", 8);
    stage_elf_mark(e, "x__begin");
    assert_int_equal(probes_of(e, &unusable), 1);
    assert_int_equal(unusable, 2);
    free(e);
}

static int read_cut(struct stage_elf *e, size_t size)
{
    size_t count = 0;
    uint64_t unusable = 0;

    e->size = size;
    int rc = slw_sdt_probes(stage_elf_read, e, count_probe, &count, &unusable, NULL);
    assert_true(rc == 0 || rc == -SLW_E_FORMAT);
    return (int)count;
}

static void a_file_cut_anywhere_is_an_error_or_has_no_probes(void **state)
{
    struct stage_elf *e = new_elf();

    (void)state;
    stage_elf_mark(e, "x__begin");
    size_t needed = STAGE_ELF_NOTES + e->note_bytes;
    for (size_t size = 0; size < needed; size++)
        assert_int_equal(read_cut(e, size), 0);
    assert_int_equal(read_cut(e, needed), 1);
    free(e);
}

static void any_byte_may_be_wrong(void **state)
{
    struct stage_elf *e = new_elf();

    (void)state;
    stage_elf_mark(e, "x__begin");
    for (size_t i = 0; i < STAGE_ELF_NOTES + e->note_bytes; i++)
        for (int bit = 0; bit < 8; bit++) {
            e->bytes[i] ^= (unsigned char)(1 << bit);
            assert_true(read_cut(e, sizeof(e->bytes)) <= 1);
            e->bytes[i] ^= (unsigned char)(1 << bit);
        }
    free(e);
}

static void headers_that_promise_too_much_are_refused(void **state)
{
    struct stage_elf *e = new_elf();
    size_t count = 0;

    (void)state;
    stage_elf_mark(e, "x__begin");
    stage_elf_sections(e)[2].sh_size = (uint64_t)SLW_SDT_MAX_NOTE_BYTES + 1;
    assert_int_equal(slw_sdt_probes(stage_elf_read, e, count_probe, &count, NULL, NULL),
                     -SLW_E_FORMAT);
    stage_elf_sections(e)[2].sh_size = 0;
    stage_elf_sections(e)[1].sh_size = UINT64_MAX;
    assert_int_equal(slw_sdt_probes(stage_elf_read, e, count_probe, &count, NULL, NULL),
                     -SLW_E_FORMAT);
    stage_elf_header(e)->e_phnum = UINT16_MAX;
    assert_int_equal(slw_sdt_probes(stage_elf_read, e, count_probe, &count, NULL, NULL),
                     -SLW_E_FORMAT);
    assert_int_equal(count, 0);
    free(e);
}

static void files_of_other_machines_have_no_marks(void **state)
{
    struct stage_elf *e = new_elf();
    uint64_t unusable;

    (void)state;
    stage_elf_mark(e, "x__begin");
    stage_elf_header(e)->e_machine = EM_S390;
    assert_int_equal(probes_of(e, &unusable), 0);
    stage_elf_header(e)->e_machine = STAGE_ELF_MACHINE;
    assert_int_equal(probes_of(e, &unusable), 1);
    stage_elf_header(e)->e_ident[EI_CLASS] = ELFCLASS32;
    assert_int_equal(probes_of(e, &unusable), 0);
    free(e);
}

static void stages_beyond_the_limit_are_counted(void **state)
{
    struct slw_stage_marks *m = calloc(1, sizeof(*m));
    struct stage_elf *e = new_elf();
    char name[32];

    (void)state;
    assert_non_null(m);
    for (int i = 0; i < SLW_STAGE_MAX + 3; i++) {
        stage_elf_init(e);
        (void)snprintf(name, sizeof(name), "s%d__begin", i);
        stage_elf_mark(e, name);
        assert_int_equal(slw_stage_marks_read(m, "f", stage_elf_read, e, NULL), 0);
    }
    assert_int_equal(m->stage_count, SLW_STAGE_MAX);
    assert_int_equal(m->mark_count, SLW_STAGE_MAX);
    assert_int_equal(m->left_out, 3);
    drop(m, e);
}

/* What the compiler and the linker make of the header. */
static void marks_of_this_program_are_found(void **state)
{
    struct slw_stage_marks *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    SLOTWISE_STAGE_BEGIN(of_this_test, 1);
    SLOTWISE_STAGE_END(of_this_test);
    assert_int_equal(slw_stage_marks_file(m, "/proc/self/exe", NULL), 0);
    assert_int_equal(m->unusable, 0);
    assert_int_equal(m->stage_count, 1);
    assert_string_equal(m->stages[0].name, "of_this_test");
    assert_int_equal(m->mark_count, 2);
    slw_stage_marks_release(m);
    free(m);
}

static void what_is_no_file_has_no_marks(void **state)
{
    struct slw_stage_marks *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    assert_int_equal(slw_stage_marks_file(m, "/", NULL), 0);
    assert_int_equal(slw_stage_marks_file(m, "/no/such/file", NULL), 0);
    assert_int_equal(slw_stage_marks_file(m, "/dev/zero", NULL), 0);
    assert_int_equal(m->mark_count, 0);
    free(m);
}

static void lines_of_the_loader_name_files(void **state)
{
    static const struct {
        const char *line, *path;
    } lines[] = {{"\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f)\n", "/lib/x/libc.so.6"},
                 {"\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n", "/lib64/ld-linux-x86-64.so.2"},
                 {"\tlinux-vdso.so.1 (0x00007ffd)\n", NULL},
                 {"\tlibnot.so => not found\n", NULL},
                 {"\ta b => /with blank/a b (0x1)\n", "/with blank/a b"},
                 {"=> /x", NULL},
                 {"", NULL}};
    char line[128];

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        (void)snprintf(line, sizeof(line), "%s", lines[i].line);
        const char *path = slw_tap_parse_list(line);

        if (lines[i].path)
            assert_string_equal(path, lines[i].path);
        else
            assert_null(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin_and_end_of_a_stage_are_found_by_file_offset),
        cmocka_unit_test(a_file_that_was_moved_after_linking_is_followed),
        cmocka_unit_test(providers_tell_stages_of_one_name_apart),
        cmocka_unit_test(probes_of_others_are_left_alone),
        cmocka_unit_test(marks_that_are_not_as_the_header_writes_them_are_counted),
        cmocka_unit_test(addresses_outside_of_the_file_are_unusable),
        cmocka_unit_test(broken_notes_end_the_reading),
        cmocka_unit_test(texts_without_an_end_are_unusable),
        cmocka_unit_test(a_file_cut_anywhere_is_an_error_or_has_no_probes),
        cmocka_unit_test(any_byte_may_be_wrong),
        cmocka_unit_test(headers_that_promise_too_much_are_refused),
        cmocka_unit_test(files_of_other_machines_have_no_marks),
        cmocka_unit_test(stages_beyond_the_limit_are_counted),
        cmocka_unit_test(marks_of_this_program_are_found),
        cmocka_unit_test(what_is_no_file_has_no_marks),
        cmocka_unit_test(lines_of_the_loader_name_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
