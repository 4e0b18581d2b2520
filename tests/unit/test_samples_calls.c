/* SPDX-License-Identifier: MIT */
/* Samples with the calls that the CPU recorded (perf record --call-graph lbr). */
#include "analyzer/samples.h"
#include "base/file.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#include <stdlib.h>
#include <unistd.h>

#define CODE   UINT64_C(0x10000)
#define KERNEL UINT64_C(0xffffffff81000010)
#define USER   ((uint64_t)PERF_CONTEXT_USER)

static struct image_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                 .config = PERF_COUNT_SW_CPU_CLOCK,
                                 .period = 997,
                                 .sample_type = IMAGE_SAMPLE_TYPE | PERF_SAMPLE_BRANCH_STACK,
                                 .flags = IMAGE_ID_ALL | IMAGE_FREQ};

struct sample {
    uint16_t misc;
    uint64_t chain[8];
    size_t depth;
    uint64_t calls[16][2]; /* from, to; the latest first */
    size_t call_count;
};

static void put(struct image *i, const struct sample *s)
{
    begin_record(i, PERF_RECORD_SAMPLE, s->misc);
    put64(i, s->misc == PERF_RECORD_MISC_KERNEL ? KERNEL : CODE + 0x10);
    put32(i, 7);
    put32(i, 7);
    put64(i, 5); /* time */
    put64(i, 1); /* period */
    put64(i, s->depth);
    for (size_t k = 0; k < s->depth; k++)
        put64(i, s->chain[k]);
    put64(i, s->call_count);
    for (size_t k = 0; k < s->call_count; k++) {
        put64(i, s->calls[k][0]);
        put64(i, s->calls[k][1]);
        put64(i, 0);
    }
    end_record(i);
}

struct loaded {
    struct slw_run *run;
    struct slw_stacks *stacks;
};

static struct loaded load(const struct sample *s, uint64_t branch_type, bool swap)
{
    char path[] = "/tmp/slw-calls-XXXXXX";
    const struct slw_samples_options opts = {.symbols = true};
    struct image i = {.swap = swap};
    struct loaded l = {0};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    attr.branch_sample_type = branch_type;
    pipe_header(&i);
    pipe_attr(&i, &attr, 128, 100);
    put_mmap(&i, PERF_RECORD_MISC_USER, 7, CODE, 0x1000, 0, "//anon", 1);
    put(&i, s);
    assert_int_equal(slw_write_all(fd, i.out.data, i.out.length), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(slw_run_new(&l.run, NULL), 0);
    assert_int_equal(slw_samples_load(path, &opts, l.run, &l.stacks, NULL), 0);
    assert_int_equal(unlink(path), 0);
    slw_buf_release(&i.out);
    return l;
}

/* The stack as addresses, leaf first. */
static void assert_stack_of(const struct sample *s, uint64_t branch_type, bool swap,
                            const uint64_t *addresses, size_t depth, uint64_t no_user_stack)
{
    struct loaded l = load(s, branch_type, swap);
    const struct slw_stack stack = slw_stacks_get(l.stacks, 0);

    assert_int_equal(stack.depth, depth);
    for (size_t i = 0; i < depth; i++)
        assert_int_equal(slw_stacks_frame(l.stacks, stack.frames[i]).address, addresses[i]);
    assert_int_equal(l.run->losses.no_user_stack, no_user_stack);
    slw_stacks_free(l.stacks);
    slw_run_free(l.run);
}

#define CALL_STACK (PERF_SAMPLE_BRANCH_USER | PERF_SAMPLE_BRANCH_CALL_STACK)

static struct sample three_calls(void)
{
    return (struct sample){
        .misc = PERF_RECORD_MISC_USER,
        .chain = {USER, CODE + 0x10},
        .depth = 2,
        .calls = {{CODE + 0x110, CODE}, {CODE + 0x210, CODE + 0x100}, {CODE + 0x310, CODE + 0x200}},
        .call_count = 3};
}

static void calls_are_the_callers(void **state)
{
    static const uint64_t callers[] = {CODE + 0x10, CODE + 0x110, CODE + 0x210, CODE + 0x310};
    const struct sample s = three_calls();

    (void)state;
    assert_stack_of(&s, CALL_STACK, false, callers, 4, 0);
    assert_stack_of(&s, CALL_STACK, true, callers, 4, 0);
}

/* Taken branches of any kind are no callers. */
static void other_branches_are_not_followed(void **state)
{
    static const uint64_t leaf[] = {CODE + 0x10};
    const struct sample s = three_calls();

    (void)state;
    assert_stack_of(&s, PERF_SAMPLE_BRANCH_USER | PERF_SAMPLE_BRANCH_ANY, false, leaf, 1, 1);
}

static void an_empty_entry_ends_them(void **state)
{
    static const uint64_t callers[] = {CODE + 0x10, CODE + 0x110};
    struct sample s = three_calls();

    (void)state;
    s.calls[1][0] = 0;
    assert_stack_of(&s, CALL_STACK, false, callers, 2, 0);
    s.call_count = 0;
    assert_stack_of(&s, CALL_STACK, false, callers, 1, 1);
}

/* The CPU keeps few calls: frame pointers that lead further are believed. */
static void a_longer_chain_is_kept(void **state)
{
    static const uint64_t chain[] = {CODE + 0x10, CODE + 0x120, CODE + 0x220, CODE + 0x320,
                                     CODE + 0x420};
    struct sample s = three_calls();

    (void)state;
    s.depth = 6;
    s.chain[0] = USER;
    memcpy(s.chain + 1, chain, sizeof(chain));
    assert_stack_of(&s, CALL_STACK, false, chain, 5, 0);
    s.depth = 4; /* two callers only */
    static const uint64_t calls[] = {CODE + 0x10, CODE + 0x110, CODE + 0x210, CODE + 0x310};
    assert_stack_of(&s, CALL_STACK, false, calls, 4, 0);
}

static void the_kernel_side_stays_above_them(void **state)
{
    static const uint64_t with_leaf[] = {KERNEL,       KERNEL + 0x20, CODE + 0x40,
                                         CODE + 0x110, CODE + 0x210,  CODE + 0x310};
    static const uint64_t without[] = {KERNEL,       KERNEL + 0x20, CODE,
                                       CODE + 0x110, CODE + 0x210,  CODE + 0x310};
    struct sample s = three_calls();

    (void)state;
    s.misc = PERF_RECORD_MISC_KERNEL;
    s.depth = 5;
    s.chain[0] = (uint64_t)PERF_CONTEXT_KERNEL;
    s.chain[1] = KERNEL;
    s.chain[2] = KERNEL + 0x20;
    s.chain[3] = USER;
    s.chain[4] = CODE + 0x40;
    assert_stack_of(&s, CALL_STACK, false, with_leaf, 6, 0);
    s.depth = 3; /* a chain of the kernel alone: the function called last is the leaf */
    assert_stack_of(&s, CALL_STACK, false, without, 6, 0);
}

static uint64_t notes_of_cut_calls(size_t calls)
{
    struct sample s = three_calls();
    uint64_t told = 0;

    for (size_t i = 0; i < calls; i++)
        s.calls[i][0] = s.calls[i][1] = CODE + 0x10 * i;
    s.calls[0][0] = CODE + 0x10;
    s.call_count = calls;
    struct loaded l = load(&s, CALL_STACK, false);
    for (size_t i = 0; i < l.run->note_count; i++)
        told += strcmp(l.run->notes[i].code, "calls-cut") == 0;
    slw_stacks_free(l.stacks);
    slw_run_free(l.run);
    return told;
}

/* As many calls as some CPUs have room for. */
static void a_full_record_may_be_cut(void **state)
{
    (void)state;
    assert_int_equal(notes_of_cut_calls(16), 1);
    assert_int_equal(notes_of_cut_calls(8), 1);
    assert_int_equal(notes_of_cut_calls(15), 0);
    assert_int_equal(notes_of_cut_calls(3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_the_callers),
        cmocka_unit_test(other_branches_are_not_followed),
        cmocka_unit_test(an_empty_entry_ends_them),
        cmocka_unit_test(a_longer_chain_is_kept),
        cmocka_unit_test(the_kernel_side_stays_above_them),
        cmocka_unit_test(a_full_record_may_be_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
