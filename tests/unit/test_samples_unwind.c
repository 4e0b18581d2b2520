/* SPDX-License-Identifier: MIT */
/* Samples with copies of stacks, from perf.data to stacks and counts. The code is memory that is no
 * file, so that callers are found by frame pointers; rows are test_unwind_stack.c's. */
#include "analyzer/samples.h"
#include "base/file.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COPY  64 /* bytes that are asked for */
#define STACK UINT64_C(0x7ffd00001000)
#define CODE  UINT64_C(0x10000)

/* rbp, rsp, rip */
static const struct image_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                       .config = PERF_COUNT_SW_CPU_CLOCK,
                                       .period = 997,
                                       .sample_type = IMAGE_SAMPLE_TYPE | PERF_SAMPLE_REGS_USER |
                                                      PERF_SAMPLE_STACK_USER,
                                       .regs_user = 0x1c0,
                                       .stack_user = COPY,
                                       .flags = IMAGE_ID_ALL | IMAGE_FREQ};

struct sample {
    uint16_t misc;
    uint64_t abi;
    uint64_t chain[4];
    size_t depth;
    uint64_t words[COPY / 8];
    size_t room, copied; /* bytes */
};

static void put(struct image *i, const struct sample *s)
{
    begin_record(i, PERF_RECORD_SAMPLE, s->misc);
    put64(i, s->misc == PERF_RECORD_MISC_KERNEL ? s->chain[1] : CODE + 0x10);
    put32(i, 7);
    put32(i, 7);
    put64(i, 5); /* time */
    put64(i, 1); /* period */
    put64(i, s->depth);
    for (size_t k = 0; k < s->depth; k++)
        put64(i, s->chain[k]);
    put64(i, s->abi);
    if (s->abi != PERF_SAMPLE_REGS_ABI_NONE) {
        put64(i, STACK);
        put64(i, STACK);
        put64(i, CODE + 0x10);
    }
    put64(i, s->room);
    for (size_t k = 0; k < s->room / 8; k++)
        put64(i, s->words[k]);
    if (s->room > 0)
        put64(i, s->copied);
    end_record(i);
}

/* A leaf and two callers; then the frame pointer leads beyond the copy. */
static struct sample three_frames(void)
{
    return (struct sample){.misc = PERF_RECORD_MISC_USER,
                           .abi = PERF_SAMPLE_REGS_ABI_64,
                           .words = {STACK + 32, CODE + 0x20, 0, 0, STACK + 256, CODE + 0x30},
                           .room = COPY,
                           .copied = COPY};
}

struct loaded {
    struct slw_run *run;
    struct slw_stacks *stacks;
};

static void begin(struct image *i)
{
    pipe_header(i);
    pipe_attr(i, &attr, 128, 100);
    put_mmap(i, PERF_RECORD_MISC_KERNEL, (uint32_t)-1, 0xffffffff81000000, 0x1000,
             0xffffffff81000000, "[kernel.kallsyms]_text", 0);
    put_mmap(i, PERF_RECORD_MISC_USER, 7, CODE, 0x1000, 0, "//anon", 1);
}

static struct loaded load_image(struct image *i)
{
    char path[] = "/tmp/slw-samples-XXXXXX";
    const struct slw_samples_options opts = {.symbols = true};
    struct loaded l = {0};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(slw_write_all(fd, i->out.data, i->out.length), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(slw_run_new(&l.run, NULL), 0);
    assert_int_equal(slw_samples_load(path, &opts, l.run, &l.stacks, NULL), 0);
    assert_int_equal(unlink(path), 0);
    slw_buf_release(&i->out);
    return l;
}

static struct loaded load(const struct sample *s, bool swap)
{
    struct image i = {.swap = swap};

    begin(&i);
    put(&i, s);
    return load_image(&i);
}

static void assert_unwound(const struct sample *s, enum slw_unwound_end end, size_t depth)
{
    struct loaded l = load(s, false);

    assert_int_equal(l.run->unwinding_count, 1);
    assert_int_equal(slw_unwinding_stacks(&l.run->unwindings[0]), 1);
    assert_int_equal(l.run->unwindings[0].ends[end], 1);
    assert_int_equal(l.run->unwindings[0].copy_bytes, COPY);
    assert_int_equal(slw_stacks_get(l.stacks, 0).depth, depth);
    assert_int_equal(l.run->losses.no_user_stack, 0);
    slw_stacks_free(l.stacks);
    slw_run_free(l.run);
}

static void callers_are_found_in_the_copy(void **state)
{
    const struct sample s = three_frames();
    struct loaded l = load(&s, false);

    (void)state;
    assert_int_equal(slw_stacks_get(l.stacks, 0).depth, 3);
    assert_int_equal(l.run->unwindings[0].by_frame_pointer, 1);
    const struct slw_stack stack = slw_stacks_get(l.stacks, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(slw_stacks_frame(l.stacks, stack.frames[i]).address, CODE + 16 * (i + 1));
    slw_stacks_free(l.stacks);
    slw_run_free(l.run);
}

static void a_full_copy_is_truncated_a_short_one_is_not(void **state)
{
    struct sample s = three_frames();

    (void)state;
    assert_unwound(&s, SLW_UNWOUND_TRUNCATED, 3);
    s.copied = COPY - 8; /* the kernel could read no more */
    assert_unwound(&s, SLW_UNWOUND_NO_CFI, 3);
    s.room = s.copied; /* and the recorder left the rest out */
    assert_unwound(&s, SLW_UNWOUND_NO_CFI, 3);
}

static void the_kernel_side_stays_above_the_copy(void **state)
{
    struct sample s = three_frames();

    (void)state;
    s.misc = PERF_RECORD_MISC_KERNEL;
    s.depth = 3;
    s.chain[0] = (uint64_t)PERF_CONTEXT_KERNEL;
    s.chain[1] = 0xffffffff81000010;
    s.chain[2] = 0xffffffff81000020;
    assert_unwound(&s, SLW_UNWOUND_TRUNCATED, 5);
}

/* Where the copy leads nowhere, what the kernel found by frame pointers is the better stack. */
static void a_longer_chain_is_kept(void **state)
{
    struct sample s = three_frames();

    (void)state;
    s.words[1] = 0x55aa55aa;
    s.depth = 4;
    s.chain[0] = (uint64_t)PERF_CONTEXT_USER;
    s.chain[1] = CODE + 0x10;
    s.chain[2] = CODE + 0x40;
    s.chain[3] = CODE + 0x50;
    assert_unwound(&s, SLW_UNWOUND_NO_CFI, 3);
}

static void other_modes_and_machines_are_told(void **state)
{
    struct sample s = three_frames();

    (void)state;
    s.abi = PERF_SAMPLE_REGS_ABI_32;
    assert_unwound(&s, SLW_UNWOUND_FOREIGN, 1);
    s = three_frames();
    struct loaded l = load(&s, true);
    assert_int_equal(l.run->unwindings[0].ends[SLW_UNWOUND_FOREIGN], 1);
    slw_stacks_free(l.stacks);
    slw_run_free(l.run);
}

static void threads_of_the_kernel_have_no_copies(void **state)
{
    struct sample s = three_frames();

    (void)state;
    s.misc = PERF_RECORD_MISC_KERNEL;
    s.abi = PERF_SAMPLE_REGS_ABI_NONE;
    s.depth = 2;
    s.chain[0] = (uint64_t)PERF_CONTEXT_KERNEL;
    s.chain[1] = 0xffffffff81000010;
    s.room = 0;
    struct loaded l = load(&s, false);
    assert_int_equal(l.run->unwinding_count, 0);
    assert_int_equal(slw_stacks_get(l.stacks, 0).depth, 1);
    slw_stacks_free(l.stacks);
    slw_run_free(l.run);
}

/* So many that a thread of its own unwinds them, in batches: records in between still count for the
 * samples behind them only. */
#define MANY    4000
#define RENAMED 700  /* samples from one name to the next */
#define EXECED  2000 /* after so many the old mappings are gone */
#define CALLERS 5

static void put_many(struct image *i, unsigned expected[MANY / RENAMED + 1][CALLERS])
{
    struct sample s = three_frames();
    char name[16] = "";

    for (unsigned n = 0; n < MANY; n++) {
        if (n % RENAMED == 0) {
            (void)snprintf(name, sizeof(name), "name%u", n / RENAMED);
            put_comm(i, 7, 7, name, 5, false);
        }
        if (n == EXECED)
            put_comm(i, 7, 7, name, 5, true);
        s.words[1] = CODE + 0x20 + 16 * (uint64_t)(n % CALLERS);
        put(i, &s);
        if (n < EXECED)
            expected[n / RENAMED][n % CALLERS]++;
    }
}

static void many_stacks_are_what_they_are_one_by_one(void **state)
{
    unsigned expected[MANY / RENAMED + 1][CALLERS] = {{0}};
    uint64_t alone = 0;
    struct image i = {0};

    (void)state;
    begin(&i);
    put_many(&i, expected);
    struct loaded l = load_image(&i);
    assert_int_equal(l.run->unwindings[0].ends[SLW_UNWOUND_TRUNCATED], EXECED);
    assert_int_equal(l.run->unwindings[0].ends[SLW_UNWOUND_UNMAPPED], MANY - EXECED);
    for (size_t k = 0; k < slw_stacks_count(l.stacks); k++) {
        const struct slw_stack stack = slw_stacks_get(l.stacks, k);
        unsigned name = 0;
        assert_int_equal(sscanf(slw_stacks_thread(l.stacks, stack.thread).comm, "name%u", &name),
                         1);
        assert_true(name <= MANY / RENAMED);
        if (stack.depth == 1) {
            alone += stack.weights[0];
            continue;
        }
        const uint64_t caller = slw_stacks_frame(l.stacks, stack.frames[1]).address;
        unsigned *left = &expected[name][(caller - CODE - 0x20) / 16];
        assert_int_equal(stack.depth, 3);
        assert_int_equal(stack.weights[0], *left);
        *left = 0;
    }
    assert_int_equal(alone, MANY - EXECED);
    for (size_t k = 0; k < sizeof(expected) / sizeof(expected[0][0]); k++)
        assert_int_equal((&expected[0][0])[k], 0);
    slw_stacks_free(l.stacks);
    slw_run_free(l.run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_are_found_in_the_copy),
        cmocka_unit_test(a_full_copy_is_truncated_a_short_one_is_not),
        cmocka_unit_test(the_kernel_side_stays_above_the_copy),
        cmocka_unit_test(a_longer_chain_is_kept),
        cmocka_unit_test(other_modes_and_machines_are_told),
        cmocka_unit_test(threads_of_the_kernel_have_no_copies),
        cmocka_unit_test(many_stacks_are_what_they_are_one_by_one),
    };

#if !defined(__x86_64__)
    print_message("skipped: the registers here are those of x86-64\n");
    return 77;
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
