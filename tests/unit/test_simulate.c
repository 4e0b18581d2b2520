/* SPDX-License-Identifier: MIT */
/* From what a carrier wrote to a run and its stacks: sums stay sums, also where only part of the
 * instructions was timed. */
#include "collector/simulate.h"

#include "analyzer/simulated.h"
#include "base/buf.h"
#include "base/file.h"
#include "collector/simulate_scale.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slw_sim_output *read_output(const char *text, size_t length)
{
    struct slw_sim_output *o = NULL;
    struct slw_error err = {0};

    if (slw_sim_output_read(text, length, "test", &o, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    return o;
}

static struct slw_sim_output *read_corpus(const char *name)
{
    char path[512], *text = NULL;
    size_t length = 0;

    (void)snprintf(path, sizeof(path), SLW_TEST_DIR "/fuzz/corpus/sim_output/%s", name);
    assert_int_equal(slw_file_read(path, 1 << 20, &text, &length, NULL), 0);
    struct slw_sim_output *o = read_output(text, length);
    free(text);
    return o;
}

/* Two threads of two contexts each; the second timed a third of its instructions, whose slots no
 * factor divides evenly. */
static struct slw_sim_output *make_sampled(void)
{
    static const uint64_t threads[2][2][SLW_SIM_SLOT_COUNT] = {
        {{[SLW_SIM_RETIRING] = 7, [SLW_SIM_FETCH_ICACHE] = 1},
         {[SLW_SIM_RETIRING] = 5, [SLW_SIM_MEMORY_L2] = 3}},
        {{[SLW_SIM_RETIRING] = 11, [SLW_SIM_BAD_SPECULATION] = 2},
         {[SLW_SIM_RETIRING] = 1, [SLW_SIM_CORE_DIVIDER] = 2}}};
    static const unsigned instructions[2] = {10, 100}, timed[2] = {10, 33};
    struct slw_buf b = {0};
    size_t lines = 10;

    slw_buf_puts(&b, "slotwise-sim 1\ncarrier valgrind 1\ncore haswell\nwidth 4\nsample 9 3\nstart "
                     "auto\nstarted 1\nrepeatable 1\nprocess 42\nobject 1 1000 9000 400 /bin/x\n");
    for (int t = 0; t < 2; t++) {
        slw_buf_printf(&b, "thread %d 4 %u 0 2\n", t + 1, timed[t]);
        for (unsigned i = 0; i < SLW_SIM_EVENT_COUNT; i++)
            slw_buf_printf(&b, "event %s %u\n", slw_sim_event_names[i],
                           i == SLW_SIM_INSTRUCTIONS                          ? instructions[t]
                           : i == SLW_SIM_L1I_MISSES || i == SLW_SIM_FORWARDS ? 3
                                                                              : 0);
        for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
            slw_buf_printf(&b, "slots %s %llu\n", slw_sim_slot_names[i],
                           (unsigned long long)threads[t][0][i] + threads[t][1][i]);
        for (int n = 0; n < 2; n++) {
            slw_buf_printf(&b, "node %d 0 %d %x %u %d", n, n, n * 0x2345, n ? instructions[t] : 0,
                           n ? 3 : 0);
            for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
                slw_buf_printf(&b, " %llu", (unsigned long long)threads[t][n][i]);
            slw_buf_putc(&b, '\n');
        }
        lines += 3 + SLW_SIM_EVENT_COUNT + SLW_SIM_SLOT_COUNT;
    }
    slw_buf_printf(&b, "end %zu\n", lines);
    assert_false(slw_buf_failed(&b));
    struct slw_sim_output *o = read_output(b.data, b.length);
    slw_buf_release(&b);
    return o;
}

static uint64_t count(const struct slw_run *run, const char *event)
{
    const struct slw_count *c = slw_run_find_count(run, event);

    assert_non_null(c);
    assert_null(c->absent);
    return c->raw;
}

static void slots_are_width_times_cycles_whatever_was_timed(void **state)
{
    struct slw_sim_output *outputs[] = {make_sampled()};
    const struct slw_simulated s = {.outputs = outputs, .count = 1};
    struct slw_run *run = NULL;
    uint64_t sum = 0;
    char name[64];

    (void)state;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_simulated_counts(&s, 0, run, NULL), 0);
    /* 4 cycles of all 10 instructions, and 4 of 33 of 100, which are 12 of all */
    assert_int_equal(count(run, "cycles"), 16);
    assert_int_equal(count(run, "slots"), 64);
    assert_int_equal(count(run, "instructions"), 110);
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "slots.%s", slw_sim_slot_names[i]);
        sum += count(run, name);
    }
    assert_int_equal(sum, 64);
    assert_null(slw_run_find_count(run, "kernel-time")); /* unknown is not 0 */
    assert_string_equal(run->counts[0].from.detail,
                        "reference core HASWELL, user mode, 33.3 % timed");
    /* What all instructions are followed for is no estimate; what takes timing is: 3 and 3 of 33 %.
     */
    assert_int_equal(count(run, "l1i.misses"), 6);
    assert_string_equal(slw_run_find_count(run, "l1i.misses")->from.detail,
                        "reference core HASWELL, user mode");
    assert_int_equal(count(run, "loads.forwarded"), 12);
    assert_non_null(strstr(slw_run_find_count(run, "loads.forwarded")->from.detail, "% timed"));
    slw_run_free(run);
    slw_sim_output_free(outputs[0]);
}

static const char *note_of(const struct slw_run *run, const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return run->notes[i].text;
    return NULL;
}

static void assert_replicates(const struct slw_run *run, const char *event, size_t count,
                              uint64_t first, uint64_t second)
{
    const struct slw_count *c = slw_run_find_count(run, event);

    assert_non_null(c);
    assert_int_equal(c->replicate_count, count);
    if (count == 0)
        return;
    assert_int_equal(c->replicates[0], first);
    assert_int_equal(c->replicates[1], second);
}

static void how_far_off_a_sample_may_be_is_told_or_that_it_is_not_known(void **state)
{
    struct slw_sim_output *outputs[] = {make_sampled()};
    const struct slw_simulated s = {.outputs = outputs, .count = 1};
    struct slw_run *run = NULL;
    /* Of 33 instructions, 4 cycles, 12 slots retiring, 2 bad speculation, 2 divider. */
    struct slw_sim_subsample subsamples[] = {
        {3, 11, 1, {[SLW_SIM_RETIRING] = 4}},
        {4, 22, 3, {[SLW_SIM_RETIRING] = 8, [SLW_SIM_CORE_DIVIDER] = 2}}};

    (void)state;
    for (int known = 0; known < 2; known++) {
        if (known) {
            outputs[0]->threads[1].subsamples = subsamples;
            outputs[0]->threads[1].subsample_count = 2;
        }
        assert_int_equal(slw_run_new(&run, NULL), 0);
        assert_int_equal(slw_simulated_counts(&s, 0, run, NULL), 0);
        const char *text = note_of(run, "simulation-sampled");

        assert_non_null(text);
        assert_non_null(
            strstr(text, known ? "7 timed windows in 2 subsamples; one standard error of the "
                                 "cycles: 16 %"
                               : "too little of a thread was timed"));
        /* 4 cycles of the thread that was timed as a whole, and 3 of 22 of 100, 1 of 11 of 100 */
        assert_replicates(run, "cycles", known ? 2 : 0, 4 + 14, 4 + 9);
        assert_replicates(run, "slots", known ? 2 : 0, 16 + 56, 16 + 36);
        assert_replicates(run, "slots.retiring", known ? 2 : 0, 12 + 36, 12 + 36);
        assert_replicates(run, "slots.frontend.latency.icache", known ? 2 : 0, 1, 1);
        assert_replicates(run, "slots.backend.core.divider", known ? 2 : 0, 9, 0);
        assert_replicates(run, "instructions", 0, 0, 0);
        slw_run_free(run);
    }
    outputs[0]->threads[1].subsample_count = 1; /* which differs from nothing */
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_simulated_counts(&s, 0, run, NULL), 0);
    assert_replicates(run, "cycles", 0, 0, 0);
    assert_non_null(note_of(run, "simulation-sampled"));
    slw_run_free(run);
    outputs[0]->thread_count = 1; /* the one that was timed as a whole */
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_simulated_counts(&s, 0, run, NULL), 0);
    assert_replicates(run, "cycles", 0, 0, 0);
    assert_null(note_of(run, "simulation-sampled"));
    slw_run_free(run);
    slw_sim_output_free(outputs[0]);
}

static void a_timer_makes_a_run_one_of_its_own(void **state)
{
    struct slw_sim_output *outputs[] = {make_sampled(), make_sampled()};
    const struct slw_simulated s = {.outputs = outputs, .count = 2};
    struct slw_run *run = NULL;

    (void)state;
    for (int timers = 0; timers < 2; timers++) {
        outputs[1]->has_timers = timers;
        assert_int_equal(slw_run_new(&run, NULL), 0);
        assert_int_equal(slw_simulated_counts(&s, 0, run, NULL), 0);
        assert_int_equal(note_of(run, "simulation-timers") != NULL, timers);
        run->model.name = SLW_SIM_MODEL;
        assert_int_equal(slw_simulated_repeats(run), !timers);
        slw_run_free(run);
    }
    slw_sim_output_free(outputs[0]);
    slw_sim_output_free(outputs[1]);
}

static void the_columns_of_the_stacks_sum_to_the_counts(void **state)
{
    struct slw_sim_output *outputs[] = {make_sampled()};
    const struct slw_simulated s = {.outputs = outputs, .count = 1};
    const struct slw_provenance from = {.source = SLW_SOURCE_SIMULATED};
    struct slw_stacks *stacks = NULL;
    struct slw_run *run = NULL;

    (void)state;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_simulated_counts(&s, 0, run, NULL), 0);
    assert_int_equal(slw_simulated_stacks(&s, &from, &stacks, NULL), 0);
    for (size_t i = 0; i < slw_stacks_column_count(stacks); i++) {
        const struct slw_column *c = slw_stacks_column(stacks, i);

        assert_int_equal(c->from.source, SLW_SOURCE_SIMULATED);
        if (slw_stacks_total(stacks, i) != count(run, c->event))
            fail_msg("%s: %llu", c->event, (unsigned long long)slw_stacks_total(stacks, i));
    }
    assert_int_equal(slw_stacks_count(stacks), 4);
    bool found = false;
    for (uint32_t i = 0; i < slw_stacks_frame_count(stacks); i++) {
        const struct slw_frame f = slw_stacks_frame(stacks, i);

        found = found || f.address == 0x2345 - 0x1000 + 0x400; /* in the file */
    }
    assert_true(found);
    slw_stacks_free(stacks);
    slw_run_free(run);
    slw_sim_output_free(outputs[0]);
}

static void handing_out_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t total = 0; total < 50; total++) {
        struct slw_sim_scale s = {.sum = 10, .total = total};
        uint64_t given = 0;

        for (uint64_t part = 0; part <= 4; part++)
            given += slw_sim_scaled(&s, part);
        assert_int_equal(given, total);
    }
    assert_int_equal(slw_sim_extrapolate(7, UINT64_C(1) << 56, 0), 7);
    assert_int_equal(slw_sim_extrapolate(UINT64_C(1) << 50, 3, 1), UINT64_C(3) << 50);
}

static void stages_and_what_stands_beside(void **state)
{
    struct slw_sim_output *outputs[] = {read_corpus("stages"), read_corpus("stages")};
    const struct slw_simulated s = {.outputs = outputs, .count = 2};
    const struct slw_provenance from = {.source = SLW_SOURCE_SIMULATED, .detail = "here"};
    struct slw_run *run = NULL;

    (void)state;
    assert_string_equal(outputs[0]->began, "connect");
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_simulated_counts(&s, 1, run, NULL), 0);
    assert_int_equal(slw_simulated_stages(&s, &from, run, NULL), 0);
    assert_int_equal(count(run, "kernel-time"), 3000);
    assert_int_equal(count(run, "waits-in-kernel"), 4);
    assert_int_equal(count(run, "bytes-read"), 600);
    assert_int_equal(count(run, "bytes-written"), 80);
    assert_int_equal(run->stage_count, 2);
    const struct slw_stage *decode = &run->stages[0], *other = &run->stages[1];

    assert_string_equal(decode->name, "decode");
    assert_null(decode->provider);
    assert_int_equal(decode->calls, 4);
    assert_int_equal(decode->requests, 20);
    assert_int_equal(decode->max_batch, 6);
    assert_int_equal(decode->missed_begins, 2);
    assert_int_equal(decode->events[SLW_STAGE_INSTRUCTIONS].value, 24);
    assert_int_equal(decode->events[SLW_STAGE_SLOTS].value, 64); /* 3 of 12 were timed, twice */
    assert_int_equal(decode->events[SLW_STAGE_CYCLES].value, 8);
    assert_non_null(decode->cpu_ns.absent);
    assert_string_equal(other->provider, "lib");
    assert_string_equal(other->name, "enc ode");
    assert_non_null(other->events[SLW_STAGE_SLOTS].absent); /* nothing of it was timed */
    assert_null(other->events[SLW_STAGE_INSTRUCTIONS].absent);
    slw_run_free(run);
    slw_sim_output_free(outputs[0]);
    slw_sim_output_free(outputs[1]);
}

static void only_what_repeats_is_said_to(void **state)
{
    struct slw_run *run = NULL;
    struct slw_count c = {.event = "cycles",
                          .unit = "events",
                          .group = -1,
                          .pid = -1,
                          .tid = -1,
                          .cpu = -1,
                          .from = {.source = SLW_SOURCE_SIMULATED, .detail = "reference core X"},
                          .raw = 3000,
                          .enabled_ns = 1,
                          .running_ns = 1};
    struct slw_connection wire = {.peer = "1.2.3.4:5", .pid = -1, .sends = 1};
    struct slw_buf out = {0};

    (void)state;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
    assert_false(slw_simulated_repeats(run)); /* it is not of a described core at all */
    run->model.name = SLW_SIM_MODEL;
    assert_true(slw_simulated_repeats(run));
    slw_simulated_kernel(&out, run);
    assert_int_equal(out.length, 0); /* not known */
    c = (struct slw_count){.event = "kernel-time",
                           .unit = "ns",
                           .group = -1,
                           .pid = -1,
                           .tid = -1,
                           .cpu = -1,
                           .raw = 1001,
                           .enabled_ns = 1,
                           .running_ns = 1};
    assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
    slw_simulated_kernel(&out, run);
    assert_non_null(strstr(out.data, "took longer")); /* than 3000 cycles at 3 GHz */
    slw_buf_release(&out);
    assert_int_equal(slw_run_add_connection(run, &wire, NULL), 0);
    assert_false(slw_simulated_repeats(run)); /* a server answers when it likes */
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_width_times_cycles_whatever_was_timed),
        cmocka_unit_test(how_far_off_a_sample_may_be_is_told_or_that_it_is_not_known),
        cmocka_unit_test(a_timer_makes_a_run_one_of_its_own),
        cmocka_unit_test(the_columns_of_the_stacks_sum_to_the_counts),
        cmocka_unit_test(handing_out_loses_nothing),
        cmocka_unit_test(stages_and_what_stands_beside),
        cmocka_unit_test(only_what_repeats_is_said_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
