/* SPDX-License-Identifier: MIT */
/* The time line over a clock and counters that tests move. */
#include "tests/unit/cmocka_int.h"

#include "collector/perf_timeline.h"

#include <string.h>

#define MS UINT64_C(1000000)

static struct {
    uint64_t now_ns, raw, enabled_ns, running_ns;
    int reads;
} world;

static uint64_t fake_now(void)
{
    return world.now_ns;
}

static ssize_t fake_read(int fd, void *data, size_t length)
{
    const uint64_t words[5] = {2, world.enabled_ns, world.running_ns, world.raw, 3 * world.raw};

    (void)fd;
    assert_true(length >= sizeof(words));
    memcpy(data, words, sizeof(words));
    world.reads++;
    return sizeof(words);
}

static const struct slw_sys fakes = {.now_ns = fake_now, .read = fake_read};

struct line {
    struct slw_run *run;
    struct slw_session_options opts;
    struct slw_perf_env env;
    struct slw_counter counters[2];
    struct slw_counted totals[2];
    int fds[2];
    struct slw_counting counting;
    struct slw_timeline timeline;
};

static void line_open(struct line *l, uint64_t interval_ms)
{
    *l = (struct line){.opts = {.interval_ms = interval_ms},
                       .counters = {{.event = {.name = "slots", .unit = "slots"}, .kind = -1},
                                    {.event = {.name = "retiring", .unit = "slots"}, .kind = -1}},
                       .fds = {5, 6}};
    memset(&world, 0, sizeof(world));
    world.now_ns = 1000 * MS;
    assert_int_equal(slw_run_new(&l->run, NULL), 0);
    l->env = (struct slw_perf_env){.opts = &l->opts, .sys = &fakes, .run = l->run};
    l->counting = (struct slw_counting){.counters = l->counters,
                                        .counter_count = 2,
                                        .spot_count = 1,
                                        .fds = l->fds,
                                        .totals = l->totals};
    assert_int_equal(slw_timeline_open(&l->env, &l->counting, &l->timeline, NULL), 0);
    slw_timeline_start(&l->env, &l->timeline);
}

static void pass(struct line *l, uint64_t ms, uint64_t raw)
{
    world.now_ns += ms * MS;
    world.enabled_ns += ms * MS;
    world.running_ns += ms * MS / 2;
    world.raw += raw;
    slw_timeline_tick(&l->env, &l->timeline, &l->counting);
}

static void line_collect(struct line *l)
{
    slw_timeline_stop(&l->env, &l->timeline, &l->counting);
    assert_int_equal(slw_counting_collect(&l->env, &l->counting, NULL), 0);
    assert_int_equal(slw_timeline_collect(&l->env, &l->timeline, &l->counting, NULL), 0);
    assert_null(slw_run_check_series(l->run));
}

static void line_close(struct line *l)
{
    slw_timeline_close(&l->timeline);
    slw_run_free(l->run);
}

static uint64_t sum(const uint64_t *numbers, size_t count)
{
    uint64_t s = 0;

    for (size_t i = 0; i < count; i++)
        s += numbers[i];
    return s;
}

static void assert_sums(const struct line *l)
{
    assert_int_equal(l->run->series_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct slw_time_series *s = &l->run->series[i];
        const struct slw_count *c = &l->run->counts[s->count_index];
        assert_true(sum(s->raw, s->length) == c->raw);
        assert_true(sum(s->enabled_ns, s->length) == c->enabled_ns);
        assert_true(sum(s->running_ns, s->length) == c->running_ns);
    }
}

static void each_interval_has_what_came_in_it(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, 100);
    pass(&l, 60, 5); /* not over yet */
    pass(&l, 40, 5);
    pass(&l, 100, 40);
    pass(&l, 30, 7);
    line_collect(&l);
    assert_int_equal(l.run->interval_count, 3);
    assert_true(l.run->intervals[0].start_ns == 0 && l.run->intervals[0].length_ns == 100 * MS);
    assert_true(l.run->intervals[2].start_ns == 200 * MS);
    assert_true(l.run->intervals[2].length_ns == 30 * MS); /* the last one, as long as it was */
    const struct slw_time_series *s = &l.run->series[0];
    assert_true(s->raw[0] == 10 && s->raw[1] == 40 && s->raw[2] == 7);
    assert_true(l.run->series[1].raw[1] == 120);
    assert_true(s->enabled_ns[1] == 100 * MS && s->running_ns[1] == 50 * MS);
    assert_sums(&l);
    line_close(&l);
}

static void a_late_look_makes_a_longer_interval(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, 100);
    pass(&l, 350, 5);
    pass(&l, 99, 1);
    pass(&l, 1, 1);
    line_collect(&l);
    assert_true(l.run->intervals[0].length_ns == 350 * MS);
    assert_true(l.run->intervals[1].length_ns == 100 * MS);
    assert_sums(&l);
    line_close(&l);
}

static void a_pause_is_in_no_interval(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, 100);
    pass(&l, 50, 5);
    slw_timeline_stop(&l.env, &l.timeline, &l.counting);
    world.now_ns += 1000 * MS;
    slw_timeline_tick(&l.env, &l.timeline, &l.counting);
    slw_timeline_start(&l.env, &l.timeline);
    pass(&l, 100, 6);
    line_collect(&l);
    assert_int_equal(l.run->interval_count, 3); /* the last has no length */
    assert_true(l.run->intervals[0].length_ns == 50 * MS);
    assert_true(l.run->intervals[1].start_ns == 1050 * MS);
    assert_true(l.run->intervals[1].length_ns == 100 * MS);
    assert_sums(&l);
    line_close(&l);
}

/* Parts of PERF_METRICS are products of 8-bit fractions. */
static void a_count_that_goes_back_is_not_told_twice(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, 100);
    pass(&l, 100, 1000);
    world.raw -= 3;
    pass(&l, 100, 0);
    pass(&l, 100, 103);
    line_collect(&l);
    const struct slw_time_series *s = &l.run->series[0];
    assert_true(s->raw[0] == 1000 && s->raw[1] == 0 && s->raw[2] == 100);
    assert_sums(&l);
    line_close(&l);
}

static void a_full_time_line_joins_neighbours(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, 10);
    for (uint64_t i = 0; i < SLW_MAX_INTERVALS + 7; i++)
        pass(&l, 10, i);
    assert_true(l.timeline.interval_ns == 20 * MS);
    for (uint64_t i = 0; i < SLW_MAX_INTERVALS / 2; i++)
        pass(&l, 10, 2);
    line_collect(&l);
    assert_true(l.run->interval_count <= SLW_MAX_INTERVALS);
    assert_true(l.run->intervals[1].start_ns == 20 * MS);
    assert_true(l.run->intervals[1].length_ns == 20 * MS);
    assert_true(l.run->series[0].raw[1] == 2 + 3);
    for (size_t i = 1; i < l.run->interval_count; i++)
        assert_true(l.run->intervals[i].start_ns ==
                    l.run->intervals[i - 1].start_ns + l.run->intervals[i - 1].length_ns);
    assert_sums(&l);
    assert_string_equal(l.run->notes[0].code, "interval-doubled");
    line_close(&l);
}

static void poll_wakes_for_the_next_tick(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, 100);
    assert_int_equal(slw_timeline_timeout_ms(&l.env, &l.timeline, 250), 100);
    world.now_ns += 70 * MS + 1;
    assert_int_equal(slw_timeline_timeout_ms(&l.env, &l.timeline, 250), 30);
    assert_int_equal(slw_timeline_timeout_ms(&l.env, &l.timeline, 5), 5);
    world.now_ns += 100 * MS;
    assert_int_equal(slw_timeline_timeout_ms(&l.env, &l.timeline, 250), 0);
    line_close(&l);
    line_open(&l, 0);
    assert_int_equal(slw_timeline_timeout_ms(&l.env, &l.timeline, 250), 250);
    slw_timeline_tick(&l.env, &l.timeline, &l.counting);
    slw_timeline_stop(&l.env, &l.timeline, &l.counting);
    assert_int_equal(world.reads, 0);
    line_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_interval_has_what_came_in_it),
        cmocka_unit_test(a_late_look_makes_a_longer_interval),
        cmocka_unit_test(a_pause_is_in_no_interval),
        cmocka_unit_test(a_count_that_goes_back_is_not_told_twice),
        cmocka_unit_test(a_full_time_line_joins_neighbours),
        cmocka_unit_test(poll_wakes_for_the_next_tick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
