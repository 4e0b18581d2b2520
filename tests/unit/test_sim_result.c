/* SPDX-License-Identifier: MIT */
/* What carriers write: looking at counts does not change them, and the reader takes what was
 * written. */
#include "sim/result.h"

#include "base/buf.h"
#include "collector/sim_output.h"
#include "tests/sim_feed.h"
#include "tests/unit/cmocka_int.h"

static struct slw_sim_core *core;

static struct slw_sim_core *only_one(uint32_t thread)
{
    return thread == 3 ? core : NULL;
}

static void put(void *to, const char *bytes, size_t count)
{
    slw_buf_put(to, bytes, count);
}

static void write_to(struct slw_buf *to, enum slw_sim_ended ended)
{
    static const struct slw_sim_mapping file = {
        .start = 0x401000, .end = 0x402000, .path = "/a file\n100%\xff"};
    static const struct slw_sim_beside beside = {1, 2, 3, 4};
    const struct slw_sim_result result = {
        .carrier = "hand",
        .carrier_version = "1 a",
        .core_name = "zen5",
        .start = "whole",
        .began = "program",
        .beside = &beside,
        .width = 8,
        .has_started = true,
        .ended = ended,
        .process = 7,
        .mappings = &file,
        .mapping_count = 1,
        .core_of = only_one,
        .thread_limit = 9,
    };

    slw_sim_result_write(&result, put, to);
}

/* Rounds of a loop with a division; the result is written every so many of them. */
static void run(struct slw_buf *ret_text, unsigned look_every)
{
    const struct slw_sim_config config = feed_config("zen5");
    struct feed_segment f;

    core = feed_core(&config);
    FEED(&f, &config, 0x401000, "\x48\xf7\xf1\x48\xff\xc0\x48\x01\xd8\x75\xf5", NULL, 0);
    f.segment.object = 1;
    for (unsigned i = 0; i < 1000; i++) {
        slw_sim_step(core, &f.segment, NULL, 0, &f.segment);
        if (look_every && i % look_every == 0) {
            struct slw_buf looked = {0};

            write_to(&looked, SLW_SIM_ENDED_RUNNING);
            slw_buf_release(&looked);
        }
    }
    write_to(ret_text, SLW_SIM_ENDED_EXIT);
    feed_release();
}

static void looking_changes_nothing(void **state)
{
    (void)state;
    for (unsigned every = 1; every < 9; every++) {
        struct slw_buf never = {0}, often = {0};

        run(&never, 0);
        run(&often, every);
        assert_int_equal(never.length, often.length);
        assert_memory_equal(never.data, often.data, never.length);
        slw_buf_release(&never);
        slw_buf_release(&often);
    }
}

static void the_reader_takes_what_was_written(void **state)
{
    struct slw_sim_output *o = NULL;
    struct slw_buf text = {0};
    struct slw_error err = {0};

    (void)state;
    run(&text, 0);
    if (slw_sim_output_read(text.data, text.length, "written", &o, &err) != 0)
        fail_msg("%s: %s", err.where, err.text);
    assert_string_equal(o->carrier, "hand");
    assert_string_equal(o->carrier_version, "1 a");
    assert_int_equal(o->ended, SLW_SIM_ENDED_EXIT);
    assert_int_equal(o->process, 7);
    assert_string_equal(o->began, "program");
    assert_true(o->has_beside && o->switches == 2 && o->bytes_out == 4);
    assert_string_equal(o->objects[0].path, "/a file\n100%\xff");
    assert_int_equal(o->thread_count, 1);
    assert_int_equal(o->threads[0].number, 3);
    assert_int_equal(o->threads[0].events[SLW_SIM_INSTRUCTIONS], 4000);
    assert_true(o->threads[0].cycles > 1000);
    slw_sim_output_free(o);
    slw_buf_release(&text);
}

static void every_end_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SLW_SIM_ENDED_COUNT; i++) {
        struct slw_sim_output *o = NULL;
        struct slw_buf text = {0};
        const struct slw_sim_config config = feed_config("zen5");

        core = feed_core(&config);
        write_to(&text, (enum slw_sim_ended)i);
        assert_int_equal(slw_sim_output_read(text.data, text.length, "ended", &o, NULL), 0);
        assert_int_equal(o->ended, i);
        slw_sim_output_free(o);
        slw_buf_release(&text);
        feed_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_changes_nothing),
        cmocka_unit_test(the_reader_takes_what_was_written),
        cmocka_unit_test(every_end_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
