/* SPDX-License-Identifier: MIT */
/* When counting begins, for every way of starting, and the stages this program marks itself. */
#include "include/slotwise/stage.h"
#include "sim/counting.h"
#include "tests/sim_feed.h"
#include "tests/unit/cmocka_int.h"

#include <fcntl.h>
#include <unistd.h>

enum { THREADS = 2, BATCH = 5, INSTRUCTIONS = 2, MARKED_BYTES = 64 };

extern const char __ehdr_start[]; /* by the linker: where this program begins */

static struct slw_sim_core *cores[THREADS];
static struct slw_sim_counting counting;
static struct feed_segment loop;
static int times_forgotten, tap_counts; /* -1: nobody has said */
static uint32_t begin, end;             /* the marks of this program itself */

/* What carriers look for in a program; these are never executed here. */
__attribute__((noinline, used)) static void begin_marked(uint64_t batch)
{
    SLOTWISE_STAGE_BEGIN(counted_here, batch);
}

__attribute__((noinline, used)) static void end_marked(void)
{
    SLOTWISE_STAGE_END(counted_here);
}

static struct slw_sim_core *core_of(uint32_t thread)
{
    return cores[thread];
}

static void forget_beside(void)
{
    times_forgotten++;
}

static void let_tap_count(bool on)
{
    tap_counts = on;
}

static void stage_begins(void)
{
    slw_sim_counting_stage_begins(&counting);
}

static void keep(void *memory)
{
    (void)memory; /* feed_release */
}

static bool read_file(void *file, void *to, size_t size, uint64_t offset)
{
    return pread(*(const int *)file, to, size, (off_t)offset) == (ssize_t)size;
}

static bool switch_on(uint64_t nop, uint64_t counter)
{
    return nop != 0 && counter != 0;
}

static void start(enum slw_sim_start at)
{
    const struct slw_sim_config config = feed_config("haswell");
    const struct slw_sim_stages_host to = {.allocate = feed_allocate,
                                           .release = keep,
                                           .read_file = read_file,
                                           .switch_on = switch_on,
                                           .core_of = core_of,
                                           .begins = stage_begins};

    feed_release();
    FEED(&loop, &config, 0x401000, "\x01\xc0\xeb\xfc", NULL, 0); /* add %eax,%eax; jmp */
    cores[0] = feed_core(&config);
    cores[1] = NULL; /* a thread that has not run */
    times_forgotten = 0;
    tap_counts = -1;
    counting = (struct slw_sim_counting){.host = {.core_of = core_of,
                                                  .thread_limit = THREADS,
                                                  .forget_beside = forget_beside,
                                                  .let_tap_count = let_tap_count},
                                         .stages = slw_sim_stages_new(&to),
                                         .start = at};
    slw_sim_counting_init(&counting);
    slw_sim_counting_set_mode(&counting, cores[0]);
}

/* The libraries that are linked have marks of their own. */
static uint32_t mark_after(uintptr_t function)
{
    for (uintptr_t at = function; at < function + MARKED_BYTES; at++)
        if (slw_sim_stages_mark_at(counting.stages, at))
            return slw_sim_stages_mark_at(counting.stages, at);
    fail();
    return 0;
}

static void find_marks(void)
{
    const struct slw_sim_mapping whole = {.start = (uintptr_t)__ehdr_start,
                                          .path = "/proc/self/exe"};
    int file = open(whole.path, O_RDONLY | O_CLOEXEC);

#ifndef __x86_64__
    skip(); /* marks of other machines are not followed */
#endif
    assert_true(file >= 0);
    slw_sim_stages_look(counting.stages, &whole, &file);
    (void)close(file);
    assert_true(slw_sim_stages_any(counting.stages));
    begin = mark_after((uintptr_t)begin_marked);
    end = mark_after((uintptr_t)end_marked);
}

static const struct slw_sim_staged *stage_called(const char *name)
{
    size_t count = 0;
    const struct slw_sim_staged *all = slw_sim_stages_all(counting.stages, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    fail();
    return NULL;
}

static void run(void)
{
    slw_sim_step(cores[0], &loop.segment, NULL, 0, &loop.segment);
}

static uint64_t counted(uint64_t *ret_timed)
{
    struct slw_sim_totals t;

    slw_sim_read(cores[0], &t);
    *ret_timed = t.detailed_instructions;
    return t.events[SLW_SIM_INSTRUCTIONS];
}

/* So many runs of the loop were counted, and timed. */
static void assert_counted(uint64_t runs)
{
    uint64_t timed = 0;

    assert_int_equal(counted(&timed), INSTRUCTIONS * runs);
    assert_int_equal(timed, INSTRUCTIONS * runs);
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SLW_SIM_START_COUNT; i++)
        assert_int_equal(slw_sim_start_named(slw_sim_start_names[i]), i);
    assert_int_equal(slw_sim_start_named("whol"), SLW_SIM_START_COUNT);
    assert_int_equal(slw_sim_start_named("wholes"), SLW_SIM_START_COUNT);
    assert_int_equal(slw_sim_start_named(""), SLW_SIM_START_COUNT);
}

static void the_whole_is_counted_whatever_happens(void **state)
{
    (void)state;
    start(SLW_SIM_START_WHOLE);
    run();
    assert_false(slw_sim_counting_awaits_program(&counting));
    slw_sim_counting_connects(&counting);
    slw_sim_counting_stage_begins(&counting);
    slw_sim_counting_requested(&counting);
    run();
    assert_counted(2);
    assert_int_equal(counting.began, SLW_SIM_BEGAN_WHOLE);
    assert_false(slw_sim_counting_may_stop(&counting));
}

static void a_connection_begins_it_once(void **state)
{
    (void)state;
    start(SLW_SIM_START_CONNECT);
    assert_false(counting.is_counting);
    run(); /* keeps warm */
    slw_sim_counting_connects(&counting);
    assert_counted(0);
    run();
    slw_sim_counting_connects(&counting);
    assert_counted(1);
    assert_int_equal(counting.began, SLW_SIM_BEGAN_CONNECT);
    assert_int_equal(times_forgotten, 1);
}

static void what_never_began_is_nothing(void **state)
{
    uint64_t timed = 0;

    (void)state;
    start(SLW_SIM_START_CONNECT);
    run();
    slw_sim_counting_stage_begins(&counting);
    assert_int_equal(counted(&timed), INSTRUCTIONS);
    assert_int_equal(timed, 0);
    slw_sim_counting_ends(&counting);
    assert_counted(0);
}

static void automatically_it_begins_with_the_program_then_with_a_connection(void **state)
{
    (void)state;
    start(SLW_SIM_START_AUTO);
    run();
    assert_true(slw_sim_counting_awaits_program(&counting));
    slw_sim_counting_program_begins(&counting);
    assert_false(slw_sim_counting_awaits_program(&counting));
    assert_int_equal(tap_counts, -1); /* no stage is awaited: it goes on counting */
    run();
    assert_counted(1);
    slw_sim_counting_connects(&counting);
    assert_int_equal(counting.began, SLW_SIM_BEGAN_CONNECT);
    assert_int_equal(tap_counts, 1);
    assert_counted(0);
    run();
    slw_sim_counting_stage_begins(&counting);
    slw_sim_counting_connects(&counting);
    assert_counted(1);
    slw_sim_counting_ends(&counting);
    assert_counted(1);
}

static void automatically_the_first_stage_begins_it_too(void **state)
{
    (void)state;
    start(SLW_SIM_START_AUTO);
    find_marks();
    slw_sim_counting_program_begins(&counting);
    assert_int_equal(tap_counts, 0);
    run();
    slw_sim_stages_marked(counting.stages, 0, begin, BATCH);
    assert_int_equal(counting.began, SLW_SIM_BEGAN_STAGE);
    assert_int_equal(tap_counts, 1);
    run();
    slw_sim_counting_connects(&counting); /* later than it, and forgets nothing */
    slw_sim_stages_marked(counting.stages, 0, end, 0);
    assert_counted(1);
}

static void a_request_begins_and_ends_it(void **state)
{
    (void)state;
    start(SLW_SIM_START_REQUEST);
    assert_false(slw_sim_counting_may_stop(&counting));
    run();
    slw_sim_counting_requested(&counting);
    assert_int_equal(counting.began, SLW_SIM_BEGAN_REQUEST);
    run();
    slw_sim_counting_requested(&counting);
    run();
    assert_counted(2);
    assert_true(slw_sim_counting_may_stop(&counting));
    slw_sim_counting_stops(&counting);
    assert_false(counting.is_counting);
}

static void a_stage_is_counted_between_its_marks(void **state)
{
    (void)state;
    start(SLW_SIM_START_WHOLE);
    find_marks();
    run();
    slw_sim_stages_marked(counting.stages, 0, begin, BATCH);
    run();
    run();
    slw_sim_stages_marked(counting.stages, 0, end, 0);
    run();
    const struct slw_sim_staged *stage = stage_called("counted_here");

    assert_string_equal(stage->provider, "slotwise");
    assert_int_equal(stage->calls, 1);
    assert_int_equal(stage->requests, BATCH);
    assert_int_equal(stage->instructions, 2 * INSTRUCTIONS);
    slw_sim_stages_forget(counting.stages);
    assert_int_equal(stage_called("counted_here")->calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(the_whole_is_counted_whatever_happens),
        cmocka_unit_test(a_connection_begins_it_once),
        cmocka_unit_test(what_never_began_is_nothing),
        cmocka_unit_test(automatically_it_begins_with_the_program_then_with_a_connection),
        cmocka_unit_test(automatically_the_first_stage_begins_it_too),
        cmocka_unit_test(a_request_begins_and_ends_it),
        cmocka_unit_test(a_stage_is_counted_between_its_marks),
    };

    return cmocka_run_group_tests(tests, NULL, feed_tear_down);
}
