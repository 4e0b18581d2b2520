/* SPDX-License-Identifier: MIT */
/* Rings as the kernel fills them, played under a whole session, from the first ioctl to the JSON of
 * the report: samples with group reads on Intel and AMD, rings that wrap and overflow, throttling.
 * What each function counted is known to the event. */
#include "tests/unit/fake_pmu_int.h"

#include "analyzer/renderer.h"
#include "analyzer/report.h"
#include "analyzer/samples.h"
#include "tests/near.h"
#include "tests/unit/perf_image_int.h"

#include <dirent.h>
#include <jansson.h>

#define STAY_A    12 /* samples in a row */
#define STAY_B    8
#define SAMPLES   800
#define PER_POLL  9 /* fill half of the one-page ring */
#define SAMPLE_NS 1000000

/* Functions of this very program, so that the analysis finds their names. */
__attribute__((noinline)) int slw_played_a(int x);
__attribute__((noinline)) int slw_played_b(int x);
int slw_played_a(int x)
{
    return x * 3 + 1;
}
int slw_played_b(int x)
{
    return x * 5 + 2;
}

/* What a sampling interval in each function counts. */
struct step {
    uint64_t config, a, b;
};

/* Golden Cove: 6 slots a cycle. a is back-end bound, b front-end bound. */
static const struct step intel[] = {{0x400, 18000000, 18000000}, {0x3c, 3000000, 3000000},
                                    {0x8000, 3600000, 9000000},  {0x8100, 1800000, 900000},
                                    {0x8200, 1800000, 6300000},  {0x8300, 10800000, 1800000},
                                    {0xc0, 2400000, 6000000}};
/* Zen 4: 6 slots a cycle; two tenths of those of a went to the other thread of the core. */
static const struct step amd[] = {
    {0x76, 3000000, 3000000},  {0x1000001a0, 1800000, 9000000},     {0x100001ea0, 7200000, 1800000},
    {0x1000060a0, 3600000, 0}, {UINT64_C(0x7aa), 5400000, 7200000}, {0xc1, 3600000, 6300000}};

static struct {
    const struct step *steps;
    size_t step_count;
    uint64_t at_a, at_b; /* sampling intervals spent in each so far */
    size_t sample;       /* next */
    uint64_t lost, lost_all;
    uint64_t throttled;
    size_t overfill_at, throttle_at;
    uint64_t wraps;
} played;

static struct slw_model *model;
static struct slw_run *run;
static struct slw_stacks *stacks;
static struct slw_report *report;
static json_t *json;
static struct slw_error error;
static struct slw_session_options options;
static char spool_path[PATH_MAX];

/* ---- the kernel's side ---- */

static bool in_a(size_t sample)
{
    return sample % (STAY_A + STAY_B) < STAY_A;
}

static uint64_t counted(uint64_t config)
{
    for (size_t i = 0; i < played.step_count; i++)
        if (played.steps[i].config == config)
            return played.steps[i].a * played.at_a + played.steps[i].b * played.at_b;
    return 0;
}

static bool is_sampler(const struct fake_event *e)
{
    return e->open && e->pid != 0 && e->cpu == 0 && fake_is_hardware(e) &&
           e->attr.sample_period > 0;
}

static bool is_sampled_group(const struct fake_event *e)
{
    return e->open && e->pid != 0 && (e->attr.sample_type & PERF_SAMPLE_READ);
}

static int sampler(void)
{
    for (int i = 0; i < kernel.next; i++)
        if (is_sampler(&kernel.events[i]))
            return i;
    fail_msg("nothing samples");
    return -1;
}

/* The counting groups counted all the time; what stands beside them is not looked at here. */
static struct fake_reading played_count(const struct fake_event *e, size_t place)
{
    const uint64_t ns = SAMPLES * (uint64_t)SAMPLE_NS;

    (void)place;
    if (is_sampled_group(e))
        return (struct fake_reading){counted(e->attr.config), ns, ns};
    return (struct fake_reading){fake_is_hardware(e) ? counted(e->attr.config) : ns, ns, ns};
}

static uint64_t id_of(int event)
{
    return (uint64_t)(FAKE_FIRST_FD + event);
}

static uint64_t time_of(size_t sample)
{
    return 2000000000 + (uint64_t)sample * SAMPLE_NS;
}

/* The trailer of sample_id_all. */
static void put_place(struct image *i, size_t sample)
{
    put32(i, (uint32_t)getpid());
    put32(i, (uint32_t)getpid());
    put64(i, time_of(sample));
    put64(i, 0); /* CPU */
    put64(i, id_of(sampler()));
}

static void put_group(struct image *i, int leader, uint64_t ns)
{
    uint64_t count = 0;

    for (int e = leader; e < kernel.next; e++)
        count += is_sampled_group(&kernel.events[e]) && kernel.events[e].leader == leader;
    put64(i, count);
    put64(i, ns);
    put64(i, ns);
    for (int e = leader; e < kernel.next; e++) {
        if (!is_sampled_group(&kernel.events[e]) || kernel.events[e].leader != leader)
            continue;
        put64(i, counted(kernel.events[e].attr.config));
        put64(i, id_of(e));
    }
}

static void put_sample_record(struct image *i, size_t sample)
{
    const struct fake_event *e = &kernel.events[sampler()];
    const uintptr_t ip = (in_a(sample) ? (uintptr_t)slw_played_a : (uintptr_t)slw_played_b) + 1;

    assert_int_equal(e->attr.sample_type, PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
                                              PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
                                              PERF_SAMPLE_PERIOD | PERF_SAMPLE_READ |
                                              PERF_SAMPLE_CALLCHAIN);
    begin_record(i, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
    put64(i, id_of(sampler()));
    put64(i, ip);
    put32(i, (uint32_t)getpid());
    put32(i, (uint32_t)getpid());
    put64(i, time_of(sample));
    put64(i, 0); /* CPU */
    put64(i, 3000000);
    put_group(i, e->leader, (sample + 1) * (uint64_t)SAMPLE_NS);
    put64(i, 2);
    put64(i, PERF_CONTEXT_USER);
    put64(i, ip);
    end_record(i);
}

static void put_lost_record(struct image *i, size_t sample)
{
    begin_record(i, PERF_RECORD_LOST, 0);
    put64(i, id_of(sampler()));
    put64(i, played.lost);
    put_place(i, sample);
    end_record(i);
}

static void put_throttle_record(struct image *i, uint32_t type, size_t sample)
{
    begin_record(i, type, 0);
    put64(i, time_of(sample));
    put64(i, id_of(sampler()));
    put64(i, id_of(sampler()));
    put_place(i, sample);
    end_record(i);
}

/* A record goes in, or is lost; how many were is told when there is room again. */
static void produce(const struct image *record)
{
    const int ring = fake_ring_of(0);
    const struct fake_event *e = &kernel.events[ring];
    const uint64_t before = e->ring->data_head;

    if (!fake_ring_put(ring, record->out.data, record->out.length)) {
        played.lost++;
        played.lost_all++;
        return;
    }
    played.wraps += before / e->ring_bytes != e->ring->data_head / e->ring_bytes;
}

static void produce_with(void (*put)(struct image *, size_t), size_t sample)
{
    struct image i = {0};

    put(&i, sample);
    produce(&i);
    slw_buf_release(&i.out);
}

static void tell_losses(void)
{
    struct image i = {0};

    put_lost_record(&i, played.sample);
    if (fake_ring_put(fake_ring_of(0), i.out.data, i.out.length))
        played.lost = 0;
    slw_buf_release(&i.out);
}

static void throttle(void)
{
    const uint32_t types[] = {PERF_RECORD_THROTTLE, PERF_RECORD_UNTHROTTLE};

    for (size_t k = 0; k < 2; k++) {
        struct image i = {0};

        put_throttle_record(&i, types[k], played.sample);
        produce(&i);
        slw_buf_release(&i.out);
    }
    played.throttled++;
}

static void play(void)
{
    const bool overfill = played.sample == played.overfill_at;

    if (fake_ring_of(0) < 0 || !kernel.events[kernel.events[sampler()].leader].enabled)
        return;
    if (played.lost > 0)
        tell_losses();
    if (played.sample == played.throttle_at)
        throttle();
    for (size_t k = 0; k < (overfill ? (size_t)PER_POLL * 3 : PER_POLL); k++) {
        if (played.sample == SAMPLES)
            return;
        played.at_a += in_a(played.sample);
        played.at_b += !in_a(played.sample);
        produce_with(put_sample_record, played.sample++);
    }
}

/* ---- the session and what came of it ---- */

static int set_up(void **state)
{
    (void)state;
    fake_reset();
    kernel.count = played_count;
    kernel.play = play;
    memset(&played, 0, sizeof(played));
    played.overfill_at = played.throttle_at = SIZE_MAX;
    error = (struct slw_error){0};
    fake_root_make();
    fake_file("sys/devices/system/cpu/online", "0\n");
    fake_sysfs("cpu/type", "4\n");
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", fake_root);
    options = (struct slw_session_options){.target = SLW_TARGET_PID,
                                           .pid = getpid(),
                                           .sample = true,
                                           .per_function = true,
                                           .period = 3000000,
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
    json_decref(json);
    json = NULL;
    slw_report_free(report);
    report = NULL;
    slw_stacks_free(stacks);
    stacks = NULL;
    slw_run_free(run);
    slw_model_free(model);
    model = NULL;
    fake_root_remove();
    return 0;
}

static void measure(const char *name)
{
    const struct slw_samples_options load = {.symbols = true};
    const struct slw_render_options render = {0};
    struct slw_buf out = {0};

    assert_int_equal(slw_model_builtin(name, &model, NULL), 0);
    options.model = model;
    if (slw_session_run_on(&fake, &options, run, &error) < 0 ||
        slw_samples_load(spool_path, &load, run, &stacks, &error) < 0)
        fail_msg("%s", error.text);
    assert_null(fake_note(run, "no-per-function"));
    assert_int_equal(played.sample, SAMPLES);
    assert_int_equal(slw_report_new(run, stacks, model, &report, &error), 0);
    assert_int_equal(slw_renderer_find("json")->render(report, &render, &out, &error), 0);
    json = json_loads(out.data, 0, NULL);
    assert_non_null(json);
    slw_buf_release(&out);
}

static void measure_intel(void)
{
    static const char *const metrics[] = {"slots", "topdown-retiring", "topdown-bad-spec",
                                          "topdown-fe-bound", "topdown-be-bound"};
    char name[64];

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        (void)snprintf(name, sizeof(name), "cpu/events/%s", metrics[i]);
        fake_sysfs(name, "event=0x00\n");
    }
    played.steps = intel;
    played.step_count = sizeof(intel) / sizeof(intel[0]);
    kernel.counters = 12;
    measure("sapphirerapids");
}

static const json_t *row_of(const char *function)
{
    const json_t *rows = json_object_get(json, "functions"), *row;
    size_t i;

    json_array_foreach(rows, i, row) if (strcmp(json_string_value(json_object_get(row, "function")),
                                                function) == 0) return row;
    fail_msg("no row of %s", function);
    return NULL;
}

static double cell(const char *function, const char *name)
{
    const json_t *c = json_object_get(json_object_get(row_of(function), "topdown"), name);
    const json_t *value = json_object_get(c, "value");

    if (!json_is_number(value))
        fail_msg("%s of %s: %s", name, function, json_string_value(json_object_get(c, "absent")));
    return json_number_value(value);
}

static const char *category(const char *function)
{
    return json_string_value(
        json_object_get(json_object_get(row_of(function), "topdown"), "category"));
}

static uint64_t samples_in(const char *function)
{
    const json_t *self = json_object_get(row_of(function), "self");

    return (uint64_t)json_integer_value(json_object_get(self, "samples"));
}

/* Events of a column in all stacks whose innermost frame is the function. */
static uint64_t weight_in(const char *event, const char *function)
{
    const int column = slw_stacks_find_column(stacks, event, "events");
    uint64_t sum = 0;

    assert_true(column >= 0);
    for (size_t i = 0; i < slw_stacks_count(stacks); i++) {
        struct slw_stack s = slw_stacks_get(stacks, i);

        if (s.depth > 0 && strcmp(slw_stacks_frame(stacks, s.frames[0]).function, function) == 0)
            sum += s.weights[column];
    }
    return sum;
}

#define IN_A (UINT64_C(1) * SAMPLES / (STAY_A + STAY_B) * STAY_A)
#define IN_B (UINT64_C(1) * SAMPLES / (STAY_A + STAY_B) * STAY_B)

/* ---- Intel ---- */

static void slots_lead_and_cycles_sample_on_intel(void **state)
{
    (void)state;
    measure_intel();
    size_t leaders = 0, parts = 0;
    for (int i = 0; i < kernel.next; i++) {
        const struct fake_event *e = &kernel.events[i];
        if (e->pid == 0 || !fake_is_hardware(e) || !(e->attr.sample_type & PERF_SAMPLE_READ))
            continue;
        const struct fake_event *leader = &kernel.events[e->leader];
        assert_int_equal(leader->attr.config, 0x400);
        assert_int_equal(leader->attr.sample_period, 0);
        leaders += e == leader;
        parts += e->attr.config >= 0x8000 && e->attr.config <= 0x8300;
        assert_true(e->attr.inherit);
        assert_true(e->attr.read_format & PERF_FORMAT_GROUP);
    }
    assert_int_equal(leaders, 1);
    assert_int_equal(parts, 4);
}

static void functions_get_their_own_top_down_on_intel(void **state)
{
    (void)state;
    measure_intel();
    assert_true(played.wraps > 20);
    assert_int_equal(run->losses.lost_records, 0);
    assert_int_equal(samples_in("slw_played_a"), IN_A);
    assert_int_equal(samples_in("slw_played_b"), IN_B);
    assert_near(cell("slw_played_a", "backend_bound"), 0.6, 1e-9);
    assert_near(cell("slw_played_a", "frontend_bound"), 0.1, 1e-9);
    assert_near(cell("slw_played_a", "bad_speculation"), 0.1, 1e-9);
    assert_near(cell("slw_played_a", "retiring"), 0.2, 1e-9);
    assert_near(cell("slw_played_a", "ipc"), 0.8, 1e-9);
    assert_near(cell("slw_played_b", "frontend_bound"), 0.35, 1e-9);
    assert_near(cell("slw_played_b", "retiring"), 0.5, 1e-9);
    assert_near(cell("slw_played_b", "ipc"), 2, 1e-9);
    assert_string_equal(category("slw_played_a"), "back-end bound");
    assert_string_equal(category("slw_played_b"), "retiring");
}

/* Of this process; each counts all that is played. TSan has one of its own. */
static uint64_t threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    uint64_t count = 0;

    assert_non_null(tasks);
    for (const struct dirent *task = readdir(tasks); task; task = readdir(tasks))
        count += task->d_name[0] != '.';
    (void)closedir(tasks);
    return count;
}

/* Every event is some function's; what was counted after the last sample is a row of its own. */
static void the_books_close_to_the_event(void **state)
{
    (void)state;
    measure_intel();
    assert_int_equal(weight_in("inst_retired.any", "slw_played_a"), IN_A * 2400000);
    assert_int_equal(weight_in("inst_retired.any", "slw_played_b"), IN_B * 6000000);
    assert_int_equal(weight_in("topdown.slots", "slw_played_a"), IN_A * 18000000);
    assert_int_equal(slw_stacks_total(stacks, (size_t)slw_stacks_find_column(
                                                  stacks, "inst_retired.any", "events")),
                     counted(0xc0) * threads());
}

static void a_ring_that_overflows_loses_samples_not_events(void **state)
{
    (void)state;
    played.overfill_at = (size_t)PER_POLL * 20; /* the first of a stay in a: 180 = 9 x 20 */
    assert_true(in_a(played.overfill_at));
    measure_intel();
    assert_true(played.lost_all > 0);
    assert_int_equal(run->losses.lost_records, played.lost_all);
    assert_int_equal(samples_in("slw_played_a") + samples_in("slw_played_b"),
                     SAMPLES - played.lost_all);
    assert_int_equal(slw_stacks_total(stacks, (size_t)slw_stacks_find_column(
                                                  stacks, "inst_retired.any", "events")),
                     counted(0xc0) * threads());
    assert_near(cell("slw_played_b", "frontend_bound"), 0.35, 1e-9);
    /* Lost visits to b are in one difference of a: 27 samples' time of 480. */
    assert_near(cell("slw_played_a", "backend_bound"), 0.6, 0.02);
}

static void throttling_is_counted(void **state)
{
    (void)state;
    played.throttle_at = (size_t)PER_POLL * 10;
    measure_intel();
    assert_int_equal(played.throttled, 1);
    assert_int_equal(run->losses.throttled, 1);
    assert_near(cell("slw_played_a", "backend_bound"), 0.6, 1e-9);
}

/* ---- AMD ---- */

static void measure_amd(size_t counters)
{
    played.steps = amd;
    played.step_count = sizeof(amd) / sizeof(amd[0]);
    kernel.counters = counters;
    measure("zen4");
}

static void six_counters_hold_level_1_on_amd(void **state)
{
    (void)state;
    measure_amd(6);
    for (int i = 0; i < kernel.next; i++) { /* cycles lead and sample */
        const struct fake_event *e = &kernel.events[i];
        if (e->pid != 0 && fake_is_hardware(e) && (e->attr.sample_type & PERF_SAMPLE_READ))
            assert_int_equal(kernel.events[e->leader].attr.config, 0x76);
    }
    assert_near(cell("slw_played_a", "backend_bound"), 0.4, 1e-9);
    assert_near(cell("slw_played_a", "frontend_bound"), 0.1, 1e-9);
    assert_near(cell("slw_played_a", "bad_speculation"), 0.1, 1e-9);
    assert_near(cell("slw_played_a", "retiring"), 0.2, 1e-9);
    assert_near(cell("slw_played_b", "frontend_bound"), 0.5, 1e-9);
    assert_near(cell("slw_played_b", "bad_speculation"), 0.05, 1e-9);
    assert_string_equal(category("slw_played_a"), "back-end bound");
    assert_string_equal(category("slw_played_b"), "front-end bound");
    assert_int_equal(weight_in("ex_ret_ops", "slw_played_b"), IN_B * 6300000);
}

#define PLAYED_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAYED_TEST(slots_lead_and_cycles_sample_on_intel),
        PLAYED_TEST(functions_get_their_own_top_down_on_intel),
        PLAYED_TEST(the_books_close_to_the_event),
        PLAYED_TEST(a_ring_that_overflows_loses_samples_not_events),
        PLAYED_TEST(throttling_is_counted),
        PLAYED_TEST(six_counters_hold_level_1_on_amd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
