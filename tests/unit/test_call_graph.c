/* SPDX-License-Identifier: MIT */
/* What samples carry so that callers can be told, from the attributes to the spool, under a played
 * kernel that fills only a part of the stacks it made room for. */
#include "tests/unit/fake_pmu_int.h"

#include "collector/call_graph.h"
#include "collector/spool.h"
#include "record/perf_layout.h"
#include "tests/unit/perf_image_int.h"

#define ROOM      256 /* of stack, in a sample */
#define SAMPLES   300
#define PER_POLL  4
#define PERIOD_NS 1000000

static struct slw_run *run;
static struct slw_error error;
static struct slw_session_options options;
static char spool_path[PATH_MAX];
static size_t played;

/* ---- the kernel's side ---- */

static uint64_t filled_of(size_t sample)
{
    return sample % 3 == 0 ? ROOM : sample % 3 == 1 ? 13 : 0;
}

static void put_filled_sample(struct image *i, const struct perf_event_attr *a, uint64_t id,
                              size_t sample)
{
    const int chain = 2;

    begin_record(i, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
    put64(i, id);
    put64(i, 0x1000 + sample); /* ip */
    put64(i, (uint64_t)getpid() << 32 | (uint32_t)getpid());
    put64(i, 2000000000 + sample * PERIOD_NS);
    put64(i, 0); /* CPU */
    put64(i, PERIOD_NS);
    put64(i, (uint64_t)chain);
    for (int k = 0; k < chain; k++)
        put64(i, PERF_CONTEXT_KERNEL);
    put64(i, PERF_SAMPLE_REGS_ABI_64);
    for (int k = 0; k < __builtin_popcountll(a->sample_regs_user); k++)
        put64(i, (uint64_t)k);
    put64(i, ROOM);
    for (int k = 0; k < ROOM; k++)
        slw_buf_putc(&i->out, (char)(sample + (size_t)k));
    put64(i, filled_of(sample));
    end_record(i);
}

static int sampler(void)
{
    for (int i = 0; i < kernel.next; i++)
        if (kernel.events[i].open && kernel.events[i].attr.sample_stack_user > 0)
            return i;
    return -1;
}

static void play(void)
{
    const int event = sampler(), ring = fake_ring_of(0);

    for (size_t k = 0; event >= 0 && ring >= 0 && k < PER_POLL && played < SAMPLES; k++) {
        struct image i = {0};

        put_filled_sample(&i, &kernel.events[event].attr, (uint64_t)(FAKE_FIRST_FD + event),
                          played);
        assert_true(fake_ring_put(ring, i.out.data, i.out.length));
        slw_buf_release(&i.out);
        played++;
    }
}

/* ---- the spool ---- */

struct read_sample {
    uint64_t ip, period, room, filled;
    uint8_t stack[ROOM];
};

static struct read_sample samples[SAMPLES];

static uint64_t word_at(const uint8_t *record, size_t at)
{
    uint64_t value;

    memcpy(&value, record + at, sizeof(value));
    return value;
}

static struct read_sample read_sample(const uint8_t *record, size_t size)
{
    const size_t room_at = 8 + 6 * 8 + 3 * 8 + 8 + SLW_USER_REG_COUNT * 8;
    struct read_sample s = {
        .ip = word_at(record, 16), .period = word_at(record, 48), .room = word_at(record, room_at)};

    assert_true(s.room <= ROOM && s.room % 8 == 0);
    memcpy(s.stack, record + room_at + 8, s.room);
    if (s.room > 0)
        s.filled = word_at(record, room_at + 8 + s.room);
    assert_int_equal(size, room_at + 8 + s.room + (s.room > 0 ? 8 : 0));
    return s;
}

static size_t read_spool(void)
{
    static uint8_t bytes[1 << 20];
    struct slw_perf_header header;
    FILE *f = fopen(spool_path, "re");
    size_t count = 0;

    assert_non_null(f);
    const size_t length = fread(bytes, 1, sizeof(bytes), f);
    (void)fclose(f);
    memcpy(&header, bytes, sizeof(header));
    assert_true(header.data.offset + header.data.size <= length);
    for (size_t at = header.data.offset; at < header.data.offset + header.data.size;) {
        struct perf_event_header h;

        memcpy(&h, bytes + at, sizeof(h));
        assert_true(h.size >= sizeof(h));
        if (h.type == PERF_RECORD_SAMPLE) {
            assert_true(count < SAMPLES);
            samples[count++] = read_sample(bytes + at, h.size);
        }
        at += h.size;
    }
    return count;
}

/* ---- a session ---- */

static int set_up(void **state)
{
    (void)state;
    fake_reset();
    kernel.play = play;
    played = 0;
    error = (struct slw_error){0};
    fake_root_make();
    fake_file("sys/devices/system/cpu/online", "0\n");
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", fake_root);
    kernel.hardware_errno = ENOENT; /* the clock will do */
    options = (struct slw_session_options){.target = SLW_TARGET_PID,
                                           .pid = getpid(),
                                           .sample = true,
                                           .call_graph = SLW_CALL_GRAPH_DWARF,
                                           .stack_bytes = ROOM,
                                           .period = PERIOD_NS,
                                           .ring_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
                                           .duration_ms = 60000,
                                           .sysfs_root = fake_root,
                                           .spool_path = spool_path};
    return slw_run_new(&run, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    fake_assert_closed();
    slw_run_free(run);
    fake_root_remove();
    return 0;
}

static int measure(void)
{
    return slw_session_run_on(&fake, &options, run, &error);
}

static void each_sample_keeps_what_was_copied_of_its_stack_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(measure(), 0);
    assert_string_equal(run->samplings[0].call_graph, "dwarf");
    assert_int_equal(read_spool(), SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(samples[i].ip, 0x1000 + i);
        assert_int_equal(samples[i].filled, filled_of(i));
        assert_int_equal(samples[i].room, (filled_of(i) + 7) / 8 * 8);
        assert_int_equal(samples[i].period, PERIOD_NS);
        for (size_t k = 0; k < samples[i].filled; k++)
            assert_int_equal(samples[i].stack[k], (uint8_t)(i + k));
    }
    assert_null(fake_note(run, "samples-thinned"));
}

static void a_spool_near_its_limit_keeps_the_weight_of_what_it_leaves_out(void **state)
{
    uint64_t weight = 0;

    (void)state;
    options.spool_limit = 120000; /* of about 140000 bytes */
    assert_int_equal(measure(), 0);
    const size_t count = read_spool();
    for (size_t i = 0; i < count; i++)
        weight += samples[i].period;
    assert_true(count < SAMPLES && count > SAMPLES / 4);
    assert_non_null(fake_note(run, "samples-thinned"));
    assert_true(run->self.spool_bytes < 130000);
    assert_true(samples[count - 1].ip > 0x1000 + SAMPLES - 40); /* of the end as well */
    const uint64_t all = (uint64_t)SAMPLES * PERIOD_NS,
                   odd = weight > all ? weight - all : all - weight;
    assert_true(odd <= 16 * (uint64_t)PERIOD_NS); /* the last of a group stands for all of it */
}

static void a_kernel_without_stack_copies_gives_frame_pointers_and_a_note(void **state)
{
    (void)state;
    kernel.missing_samples = PERF_SAMPLE_STACK_USER;
    options.call_graph = SLW_CALL_GRAPH_AUTO;
    options.duration_ms = 50;
    assert_int_equal(measure(), 0);
    assert_string_equal(run->samplings[0].call_graph, "fp");
    assert_non_null(fake_note(run, "no-stack-copies"));
}

static void rings_too_small_for_copies_are_told_not_silent(void **state)
{
    (void)state;
    options.stack_bytes = (uint32_t)options.ring_bytes / 2;
    assert_int_equal(measure(), -SLW_E_LIMIT);
    assert_non_null(strstr(error.text, "hold no samples"));
    error = (struct slw_error){0};
    fake_assert_closed();
    options.call_graph = SLW_CALL_GRAPH_AUTO;
    options.duration_ms = 50;
    assert_int_equal(measure(), 0);
    assert_string_equal(run->samplings[0].call_graph, "fp");
    assert_non_null(fake_note(run, "no-stack-copies"));
}

static void callers_asked_for_in_one_way_are_not_told_in_another(void **state)
{
    (void)state;
    kernel.missing_samples = PERF_SAMPLE_STACK_USER;
    assert_int_equal(measure(), -SLW_E_UNSUPPORTED);
    assert_non_null(strstr(error.text, "--call-graph dwarf"));
    error = (struct slw_error){0};
    kernel.missing_samples = PERF_SAMPLE_BRANCH_STACK;
    options.call_graph = SLW_CALL_GRAPH_LBR;
    assert_int_equal(measure(), -SLW_E_UNSUPPORTED);
    assert_non_null(strstr(error.text, "--call-graph lbr"));
}

/* ---- the attributes and the cut alone ---- */

static void each_way_asks_for_what_it_needs_and_can_be_taken_back(void **state)
{
    const enum slw_call_graph ways[] = {SLW_CALL_GRAPH_AUTO, SLW_CALL_GRAPH_LBR, SLW_CALL_GRAPH_FP,
                                        SLW_CALL_GRAPH_NONE};
    const char *const names[] = {"dwarf", "lbr", "fp", "none"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct perf_event_attr attr = {.sample_type = PERF_SAMPLE_IP};

        slw_call_graph_ask(ways[i], 0, &attr);
        assert_string_equal(slw_call_graph_name(&attr), names[i]);
        assert_int_equal(attr.sample_stack_user, i == 0 ? SLW_STACK_BYTES : 0);
        assert_int_equal(__builtin_popcountll(attr.sample_regs_user),
                         i == 0 ? SLW_USER_REG_COUNT : 0);
        assert_int_equal(slw_call_graph_fall_back(&attr), i < 2);
        assert_string_equal(slw_call_graph_name(&attr), i < 3 ? "fp" : "none");
    }
}

static struct perf_event_attr stack_attr(void)
{
    struct perf_event_attr attr = {.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
                                                  PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                                                  PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD};

    slw_call_graph_ask(SLW_CALL_GRAPH_DWARF, ROOM, &attr);
    return attr;
}

static void a_record_that_is_no_whole_sample_is_left_as_it_is(void **state)
{
    const struct perf_event_attr attr = stack_attr();
    struct perf_event_header *record = NULL;
    struct slw_sample_cut cut;
    struct image i = {0};

    (void)state;
    put_filled_sample(&i, &attr, 1, 1);
    record = (void *)i.out.data;
    assert_true(slw_sample_cut(&attr, record, &cut));
    assert_int_equal(cut.filled, 13);
    assert_int_equal(cut.kept_bytes, cut.stack_size_at + 8 + 16);
    for (uint16_t size = 8; size < i.out.length; size++) {
        record->size = size;
        assert_false(slw_sample_cut(&attr, record, &cut));
    }
    record->size = (uint16_t)i.out.length;
    patch64(&i, i.out.length - 8, ROOM + 1); /* more than there was room for */
    assert_false(slw_sample_cut(&attr, record, &cut));
    patch64(&i, i.out.length - 8, 8);
    patch64(&i, 8 + 6 * 8, UINT64_MAX); /* of the chain */
    assert_false(slw_sample_cut(&attr, record, &cut));
    slw_buf_release(&i.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_sample_keeps_what_was_copied_of_its_stack_and_no_more,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_spool_near_its_limit_keeps_the_weight_of_what_it_leaves_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_kernel_without_stack_copies_gives_frame_pointers_and_a_note, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rings_too_small_for_copies_are_told_not_silent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(callers_asked_for_in_one_way_are_not_told_in_another,
                                        set_up, tear_down),
        cmocka_unit_test(each_way_asks_for_what_it_needs_and_can_be_taken_back),
        cmocka_unit_test(a_record_that_is_no_whole_sample_is_left_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
