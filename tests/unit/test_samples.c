/* SPDX-License-Identifier: MIT */
#include "analyzer/samples.h"
#include "base/file.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/own_mapping_int.h"
#include "tests/unit/perf_image_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USER      PERF_RECORD_MISC_USER
#define KERNEL    PERF_RECORD_MISC_KERNEL
#define IN_KERNEL ((uint64_t)PERF_CONTEXT_KERNEL)
#define IN_USER   ((uint64_t)PERF_CONTEXT_USER)
#define ID        100

static const struct image_attr clock_attr = {.type = PERF_TYPE_SOFTWARE,
                                             .config = PERF_COUNT_SW_CPU_CLOCK,
                                             .period = 997,
                                             .sample_type = IMAGE_SAMPLE_TYPE,
                                             .flags = IMAGE_ID_ALL | IMAGE_FREQ};

/* Two functions of this very program, to be found by name in its own file. */
__attribute__((noinline)) int slw_test_first(int x);
__attribute__((noinline)) int slw_test_second(int x);
int slw_test_first(int x)
{
    return x * 3;
}
int slw_test_second(int x)
{
    return x * 5;
}

struct loaded {
    struct slw_run *run;
    struct slw_stacks *stacks;
    struct slw_error err;
    int rc;
};

static struct image pipe_image(void)
{
    struct image i = {0};

    pipe_header(&i);
    pipe_attr(&i, &clock_attr, 128, ID);
    return i;
}

/* Write the image to a file, load it, remove it. */
static struct loaded load_as(struct image *i, const struct slw_samples_options *opts)
{
    char path[] = "/tmp/slw-samples-XXXXXX";
    struct loaded l = {0};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(slw_write_all(fd, i->out.data, i->out.length), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(slw_run_new(&l.run, NULL), 0);
    l.rc = slw_samples_load(path, opts, l.run, &l.stacks, &l.err);
    assert_int_equal(unlink(path), 0);
    slw_buf_release(&i->out);
    return l;
}

static struct loaded load(struct image *i)
{
    const struct slw_samples_options opts = {.symbols = true};
    struct loaded l = load_as(i, &opts);

    if (l.rc < 0)
        print_message("%s (%s)\n", l.err.text, l.err.where);
    assert_int_equal(l.rc, 0);
    return l;
}

static void unload(struct loaded *l)
{
    slw_stacks_free(l->stacks);
    slw_run_free(l->run);
}

static const struct slw_note *note(const struct loaded *l, const char *code)
{
    for (size_t i = 0; i < l->run->note_count; i++)
        if (strcmp(l->run->notes[i].code, code) == 0)
            return &l->run->notes[i];
    return NULL;
}

/* The text of a note, "" when there is none. */
static const char *note_text(const struct loaded *l, const char *code)
{
    const struct slw_note *n = note(l, code);

    return n ? n->text : "";
}

static struct slw_frame frame(const struct loaded *l, size_t stack, size_t depth)
{
    struct slw_stack s = slw_stacks_get(l->stacks, stack);

    assert_true(depth < s.depth);
    return slw_stacks_frame(l->stacks, s.frames[depth]);
}

static const char *module_of(const struct loaded *l, struct slw_frame f)
{
    return slw_stacks_mapping(l->stacks, f.mapping).path;
}

static uint64_t first_address(void)
{
    return (uint64_t)(uintptr_t)slw_test_first;
}

static uint64_t second_address(void)
{
    return (uint64_t)(uintptr_t)slw_test_second;
}

static void functions_are_named_from_the_file_that_ran(void **state)
{
    struct image i = pipe_image();
    struct own_mapping m = own_mapping(first_address());
    /* slw_test_second as a return address: the call before it was not in slw_test_second. */
    const uint64_t chain[] = {IN_USER, first_address() + 1, second_address(), second_address() + 1};

    (void)state;
    put_mmap2(&i, 7, m.start, m.length, m.offset, m.inode, m.path, 1);
    put_sample(&i, USER, 7, 7, 2, 10, chain, 4, first_address() + 1);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_count(l.stacks), 1);
    assert_int_equal(slw_stacks_get(l.stacks, 0).depth, 3);
    assert_string_equal(frame(&l, 0, 0).function, "slw_test_first");
    assert_string_not_equal(frame(&l, 0, 1).function, "slw_test_second");
    assert_string_equal(frame(&l, 0, 2).function, "slw_test_second");
    assert_string_equal(module_of(&l, frame(&l, 0, 0)), m.path);
    assert_int_equal(frame(&l, 0, 0).address, first_address() + 1 - m.start + m.offset);
    assert_null(note(&l, "binary-replaced"));
    unload(&l);
}

static void a_replaced_binary_gives_no_names_and_a_note(void **state)
{
    (void)state;
    for (int deleted = 0; deleted < 2; deleted++) {
        struct image i = pipe_image();
        struct own_mapping m = own_mapping(first_address());
        char path[600];
        (void)snprintf(path, sizeof(path), "%s%s", m.path, deleted ? " (deleted)" : "");
        put_mmap2(&i, 7, m.start, m.length, m.offset, m.inode + (deleted ? 0 : 1), path, 1);
        put_sample(&i, USER, 7, 7, 2, 10, NULL, 0, first_address());
        struct loaded l = load(&i);
        if (deleted || note(&l, "binary-replaced")) { /* some file systems cannot tell */
            assert_string_equal(frame(&l, 0, 0).function, "");
            assert_non_null(strstr(note_text(&l, "binary-replaced"), path));
            assert_non_null(strstr(note_text(&l, "binary-replaced"), "replaced while running"));
        }
        unload(&l);
    }
}

static void an_imported_file_without_a_build_id_gives_no_names(void **state)
{
    struct image i = pipe_image();
    struct own_mapping m = own_mapping(first_address());
    const struct slw_samples_options opts = {.symbols = true, .imported = true};

    (void)state;
    put_mmap(&i, USER, 7, m.start, m.length, m.offset, m.path, 1);
    put_sample(&i, USER, 7, 7, 2, 10, NULL, 0, first_address());
    struct loaded l = load_as(&i, &opts);
    assert_int_equal(l.rc, 0);
    assert_string_equal(frame(&l, 0, 0).function, "");
    assert_non_null(note(&l, "binary-unchecked"));
    assert_true(l.run->samplings[0].from.imported);
    unload(&l);
}

static void context_markers_switch_the_side_and_are_no_frames(void **state)
{
    struct image i = pipe_image();
    const uint64_t chain[] = {IN_KERNEL,
                              0xffffffff81000010,
                              0xffffffff81000020,
                              IN_USER,
                              0x1010,
                              0x1020,
                              (uint64_t)PERF_CONTEXT_GUEST,
                              0x5};

    (void)state;
    put_mmap(&i, KERNEL, (uint32_t)-1, 0xffffffff81000000, 0x1000, 0xffffffff81000000,
             "[kernel.kallsyms]_text", 0);
    put_mmap(&i, USER, 7, 0x1000, 0x1000, 0x3000, "/nonexistent/client", 1);
    put_sample(&i, KERNEL, 7, 7, 2, 10, chain, 8, 0xffffffff81000010);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_get(l.stacks, 0).depth, 4);
    assert_int_equal(frame(&l, 0, 0).kind, SLW_FRAME_KERNEL);
    assert_int_equal(frame(&l, 0, 1).kind, SLW_FRAME_KERNEL);
    assert_int_equal(frame(&l, 0, 2).kind, SLW_FRAME_USER);
    assert_string_equal(module_of(&l, frame(&l, 0, 1)), "[kernel.kallsyms]");
    assert_string_equal(module_of(&l, frame(&l, 0, 2)), "/nonexistent/client");
    assert_true(frame(&l, 0, 0).address == 0xffffffff81000010);
    assert_int_equal(frame(&l, 0, 2).address, 0x3010);
    assert_non_null(note(&l, "guest-frames"));
    assert_non_null(note(&l, "binary-missing"));
    unload(&l);
}

static void a_chain_that_leaves_the_kernel_out_still_has_the_kernel_leaf(void **state)
{
    struct image i = pipe_image();
    const uint64_t chain[] = {IN_USER, 0x1010, 0x1020};

    (void)state;
    put_sample(&i, KERNEL, 7, 7, 2, 10, chain, 3, 0xffffffff81000010);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_get(l.stacks, 0).depth, 3);
    assert_int_equal(frame(&l, 0, 0).kind, SLW_FRAME_KERNEL);
    assert_int_equal(frame(&l, 0, 1).kind, SLW_FRAME_USER);
    unload(&l);
}

static void an_odd_address_is_a_frame_and_no_marker(void **state)
{
    struct image i = pipe_image();
    const uint64_t chain[] = {IN_USER, 0x1010, UINT64_MAX, 0x1020};

    (void)state;
    put_mmap(&i, USER, 7, 0x1000, 0x1000, 0, "/nonexistent/client", 1);
    put_sample(&i, USER, 7, 7, 2, 10, chain, 4, 0x1010);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_get(l.stacks, 0).depth, 3);
    assert_string_equal(module_of(&l, frame(&l, 0, 1)), "[unknown]");
    assert_string_equal(module_of(&l, frame(&l, 0, 2)), "/nonexistent/client");
    assert_null(note(&l, "guest-frames"));
    unload(&l);
}

static void an_address_without_a_mapping_is_unknown_not_invented(void **state)
{
    struct image i = pipe_image();

    (void)state;
    put_sample(&i, USER, 7, 7, 2, 10, NULL, 0, 0xdead);
    struct loaded l = load(&i);
    assert_string_equal(frame(&l, 0, 0).function, "");
    assert_string_equal(module_of(&l, frame(&l, 0, 0)), "[unknown]");
    assert_int_equal(frame(&l, 0, 0).address, 0xdead);
    assert_int_equal(l.run->losses.no_user_stack, 1);
    unload(&l);
}

static void a_sample_carries_the_name_its_thread_had_then(void **state)
{
    struct image i = pipe_image();

    (void)state;
    put_sample(&i, USER, 7, 7, 15, 10, NULL, 0, 0x10); /* written before, happened between */
    put_comm(&i, 7, 7, "first", 10, true);
    put_comm(&i, 7, 7, "second", 20, true);
    put_sample(&i, USER, 7, 7, 25, 10, NULL, 0, 0x10);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_count(l.stacks), 2);
    assert_string_equal(slw_stacks_thread(l.stacks, slw_stacks_get(l.stacks, 0).thread).comm,
                        "first");
    assert_string_equal(slw_stacks_thread(l.stacks, slw_stacks_get(l.stacks, 1).thread).comm,
                        "second");
    unload(&l);
}

static void losses_are_counted(void **state)
{
    struct image i = pipe_image();

    (void)state;
    put_sample(&i, USER, 7, 7, 15, 10, NULL, 0, 0x10);
    for (uint64_t k = 0; k < 2; k++) {
        begin_record(&i, PERF_RECORD_LOST, 0);
        put64(&i, ID);
        put64(&i, 30);
        put_trailer(&i, 7, 7, 16);
        end_record(&i);
        begin_record(&i, PERF_RECORD_LOST_SAMPLES, k ? 1 << 15 : 0); /* the second: filtered */
        put64(&i, 4);
        put_trailer(&i, 7, 7, 16);
        end_record(&i);
        begin_record(&i, k ? PERF_RECORD_UNTHROTTLE : PERF_RECORD_THROTTLE, 0);
        put_zeros(&i, 24);
        put_trailer(&i, 7, 7, 16);
        end_record(&i);
    }
    struct loaded l = load(&i);
    assert_int_equal(l.run->losses.lost_records, 60);
    assert_int_equal(l.run->losses.lost_samples, 4);
    assert_int_equal(l.run->losses.throttled, 1);
    unload(&l);
}

#define READ_TYPE                                                                                  \
    (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |                \
     PERF_SAMPLE_PERIOD)

static struct image two_events(uint64_t extra_type, uint64_t read_format)
{
    struct image i = {0};
    const struct image_attr attrs[] = {{.type = PERF_TYPE_HARDWARE,
                                        .config = PERF_COUNT_HW_CPU_CYCLES,
                                        .period = 1000,
                                        .sample_type = READ_TYPE | extra_type,
                                        .read_format = read_format},
                                       {.type = PERF_TYPE_SOFTWARE,
                                        .config = PERF_COUNT_SW_PAGE_FAULTS,
                                        .period = 1,
                                        .sample_type = READ_TYPE | extra_type,
                                        .read_format = read_format}};

    file_header(&i, attrs, 2, 128, ID);
    return i;
}

static void put_event_sample(struct image *i, uint64_t id, uint64_t time, uint64_t period)
{
    begin_record(i, PERF_RECORD_SAMPLE, USER);
    put64(i, id);
    put64(i, 0x10);
    put32(i, 7);
    put32(i, 7);
    put64(i, time);
    put64(i, period);
}

static void every_event_weighs_only_in_its_own_columns(void **state)
{
    struct image i = two_events(0, 0);

    (void)state;
    put_event_sample(&i, ID, 1, 1000);
    end_record(&i);
    put_event_sample(&i, ID, 2, 1000);
    end_record(&i);
    put_event_sample(&i, ID + 1, 3, 1);
    end_record(&i);
    file_end(&i);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_column_count(l.stacks), 4);
    assert_string_equal(slw_stacks_column(l.stacks, 0)->event, "cycles");
    assert_string_equal(slw_stacks_column(l.stacks, 0)->unit, "count");
    assert_string_equal(slw_stacks_column(l.stacks, 1)->unit, "events");
    assert_int_equal(slw_stacks_column(l.stacks, 1)->from.source, SLW_SOURCE_HARDWARE);
    assert_int_equal(slw_stacks_column(l.stacks, 3)->from.source, SLW_SOURCE_SOFTWARE);
    assert_int_equal(slw_stacks_total(l.stacks, 0), 2);
    assert_int_equal(slw_stacks_total(l.stacks, 1), 2000);
    assert_int_equal(slw_stacks_total(l.stacks, 2), 1);
    assert_int_equal(slw_stacks_total(l.stacks, 3), 1);
    assert_int_equal(l.run->sampling_count, 2);
    assert_int_equal(l.run->samplings[0].weight, 2000);
    assert_int_equal(l.run->samplings[1].samples, 1);
    assert_null(l.run->samplings[0].from.detail);
    unload(&l);
}

/* One leader samples; the values it carries are the periods of the whole group. */
static void a_group_read_weighs_by_the_difference_of_its_values(void **state)
{
    struct image i = two_events(PERF_SAMPLE_READ, PERF_FORMAT_GROUP | PERF_FORMAT_ID);
    static const uint64_t values[][2] = {{1000, 5}, {2500, 5}, {2600, 9}};

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        put_event_sample(&i, ID, k + 1, 777);
        put64(&i, 2);
        put64(&i, values[k][0]);
        put64(&i, ID);
        put64(&i, values[k][1]);
        put64(&i, ID + 1);
        end_record(&i);
    }
    file_end(&i);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_total(l.stacks, 0), 3);
    assert_int_equal(slw_stacks_total(l.stacks, 1), 2600);
    assert_int_equal(slw_stacks_total(l.stacks, 2), 2); /* nothing happened in the second */
    assert_int_equal(slw_stacks_total(l.stacks, 3), 9);
    unload(&l);
}

static void a_cut_recording_keeps_its_samples_and_says_so(void **state)
{
    struct image i = pipe_image();

    (void)state;
    put_sample(&i, USER, 7, 7, 15, 10, NULL, 0, 0x10);
    put_sample(&i, USER, 7, 7, 16, 10, NULL, 0, 0x10);
    i.out.length -= 3;
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_total(l.stacks, 0), 1);
    assert_int_equal(l.run->losses.unreadable_bytes, 8 + 8 * 5 - 3);
    assert_non_null(note(&l, "recording-damaged"));
    unload(&l);
}

/* More distinct stacks than are summed up at once, each met before and after the others. */
static void many_distinct_stacks_lose_no_weight(void **state)
{
    const uint64_t distinct = 70000;
    struct image i = pipe_image();

    (void)state;
    for (uint64_t k = 0; k < 2 * distinct; k++)
        put_sample(&i, USER, 7, 7, k + 1, 3, NULL, 0, 0x1000 + k % distinct);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_count(l.stacks), distinct);
    assert_int_equal(slw_stacks_total(l.stacks, 0), 2 * distinct);
    assert_int_equal(slw_stacks_total(l.stacks, 1), 6 * distinct);
    for (size_t k = 0; k < distinct; k += 999)
        assert_int_equal(slw_stacks_get(l.stacks, k).weights[0], 2);
    unload(&l);
}

static void a_weight_past_the_range_is_left_out_and_noted(void **state)
{
    struct image i = pipe_image();

    (void)state;
    put_sample(&i, USER, 7, 7, 1, INT64_MAX, NULL, 0, 0x10);
    put_sample(&i, USER, 7, 7, 2, 5, NULL, 0, 0x10);
    put_sample(&i, USER, 7, 7, 3, UINT64_MAX, NULL, 0, 0x20);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_total(l.stacks, 0), 1);
    assert_int_equal(l.run->samplings[0].samples, 1);
    assert_true(l.run->samplings[0].weight == INT64_MAX);
    assert_non_null(note(&l, "weight-range"));
    unload(&l);
}

/* The same address before and after an exec is another function. */
static void equal_chains_of_another_program_are_other_stacks(void **state)
{
    struct image i = pipe_image();

    (void)state;
    put_comm(&i, 7, 7, "client", 1, true);
    put_mmap(&i, USER, 7, 0x1000, 0x1000, 0, "/nonexistent/a", 2);
    put_sample(&i, USER, 7, 7, 3, 1, NULL, 0, 0x1010);
    put_comm(&i, 7, 7, "client", 4, true);
    put_mmap(&i, USER, 7, 0x1000, 0x1000, 0, "/nonexistent/b", 5);
    put_sample(&i, USER, 7, 7, 6, 1, NULL, 0, 0x1010);
    struct loaded l = load(&i);
    assert_int_equal(slw_stacks_count(l.stacks), 2);
    assert_string_equal(module_of(&l, frame(&l, 0, 0)), "/nonexistent/a");
    assert_string_equal(module_of(&l, frame(&l, 1, 0)), "/nonexistent/b");
    unload(&l);
}

static void no_samples_is_no_error_but_noted(void **state)
{
    struct image i = pipe_image();

    (void)state;
    put_comm(&i, 7, 7, "client", 1, false);
    struct loaded l = load(&i);
    assert_null(l.stacks);
    assert_non_null(note(&l, "no-samples"));
    assert_int_equal(l.run->samplings[0].samples, 0);
    unload(&l);
}

static void a_recording_of_undecodable_samples_only_is_refused(void **state)
{
    struct image i = pipe_image();
    const struct slw_samples_options opts = {0};

    (void)state;
    begin_record(&i, PERF_RECORD_SAMPLE, USER);
    put64(&i, 0x10); /* and nothing of what else a sample must have */
    end_record(&i);
    struct loaded l = load_as(&i, &opts);
    assert_int_equal(l.rc, -SLW_E_FORMAT);
    assert_null(l.stacks);
    assert_non_null(strstr(l.err.where, "offset 0x"));
    unload(&l);
}

static void what_the_run_knows_already_stays(void **state)
{
    struct image i = pipe_image();
    char path[] = "/tmp/slw-samples-XXXXXX";
    const struct slw_samples_options opts = {0};
    const struct slw_sampling mine = {.event = "cpu-clock",
                                      .unit = "nanoseconds",
                                      .mode = SLW_MODE_USER,
                                      .frequency_hz = 4242,
                                      .call_graph = "fp"};
    struct slw_run *run = NULL;
    struct slw_stacks *stacks = NULL;
    int fd = mkstemp(path);

    (void)state;
    put_sample(&i, USER, 7, 7, 15, 10, NULL, 0, 0x10);
    assert_true(fd >= 0);
    assert_int_equal(slw_write_all(fd, i.out.data, i.out.length), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_run_add_sampling(run, &mine, NULL), 0);
    assert_int_equal(slw_samples_load(path, &opts, run, &stacks, NULL), 0);
    assert_int_equal(run->sampling_count, 1);
    assert_int_equal(run->samplings[0].frequency_hz, 4242);
    assert_int_equal(run->samplings[0].mode, SLW_MODE_USER);
    assert_int_equal(run->samplings[0].weight, 10);
    assert_int_equal(unlink(path), 0);
    slw_stacks_free(stacks);
    slw_run_free(run);
    slw_buf_release(&i.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_named_from_the_file_that_ran),
        cmocka_unit_test(a_replaced_binary_gives_no_names_and_a_note),
        cmocka_unit_test(an_imported_file_without_a_build_id_gives_no_names),
        cmocka_unit_test(context_markers_switch_the_side_and_are_no_frames),
        cmocka_unit_test(a_chain_that_leaves_the_kernel_out_still_has_the_kernel_leaf),
        cmocka_unit_test(an_odd_address_is_a_frame_and_no_marker),
        cmocka_unit_test(an_address_without_a_mapping_is_unknown_not_invented),
        cmocka_unit_test(a_sample_carries_the_name_its_thread_had_then),
        cmocka_unit_test(losses_are_counted),
        cmocka_unit_test(every_event_weighs_only_in_its_own_columns),
        cmocka_unit_test(a_group_read_weighs_by_the_difference_of_its_values),
        cmocka_unit_test(a_cut_recording_keeps_its_samples_and_says_so),
        cmocka_unit_test(many_distinct_stacks_lose_no_weight),
        cmocka_unit_test(a_weight_past_the_range_is_left_out_and_noted),
        cmocka_unit_test(equal_chains_of_another_program_are_other_stacks),
        cmocka_unit_test(no_samples_is_no_error_but_noted),
        cmocka_unit_test(a_recording_of_undecodable_samples_only_is_refused),
        cmocka_unit_test(what_the_run_knows_already_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
