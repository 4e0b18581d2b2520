/* SPDX-License-Identifier: MIT */
/* usage: make_page KIND [--samples N] [--seconds S] [--rounds R] [--data FILE] [--hostile |
 * --empty] > x.html: a page for the browser tests and for looking at it. KIND is run, comparison,
 * sweep or history; FILE is what the json renderer of that kind would write. The samples are made
 * up from a fixed seed: equal arguments give equal pages. Prints to stderr how long writing took.
 */
#include "analyzer/page/page.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/awkward_runs.h"
#include "tests/traffic_fixture.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

static const char model_text[] =
    "{\"name\":\"made-up\",\"title\":\"Made up\",\"arch\":\"any\",\"pmu\":\"cpu\","
    "\"source\":{\"document\":\"hand-made\",\"version\":\"1\",\"date\":\"2026-01-01\"},"
    "\"cpu\":{\"slots_per_cycle\":4,\"general_counters\":4,\"fixed_counters\":0},"
    "\"libpfm\":\"perf\",\"events\":{\"slots\":{\"type\":\"raw\",\"config\":\"0x1\"},"
    "\"fe\":{\"type\":\"raw\",\"config\":\"0x2\"},\"bad\":{\"type\":\"raw\",\"config\":\"0x3\"},"
    "\"be\":{\"type\":\"raw\",\"config\":\"0x4\"}},\"tree\":["
    "{\"name\":\"frontend_bound\",\"title\":\"Frontend Bound\",\"level\":1,\"formula\":\"fe / "
    "slots\",\"unit\":\"slots\",\"threshold\":{\"above\":0.15},\"what\":\"w\",\"look_at\":\"l\"},"
    "{\"name\":\"bad_speculation\",\"title\":\"Bad Speculation\",\"level\":1,\"formula\":\"bad / "
    "slots\",\"unit\":\"slots\",\"threshold\":{\"above\":0.15},\"what\":\"w\",\"look_at\":\"l\"},"
    "{\"name\":\"backend_bound\",\"title\":\"Backend Bound\",\"level\":1,\"formula\":\"be / "
    "slots\",\"unit\":\"slots\",\"threshold\":{\"above\":0.2},\"what\":\"w\",\"look_at\":\"l\"},"
    "{\"name\":\"retiring\",\"title\":\"Retiring\",\"level\":1,\"formula\":\"1 - frontend_bound - "
    "bad_speculation - backend_bound\",\"unit\":\"slots\",\"threshold\":{\"above\":0.6},"
    "\"what\":\"w\",\"look_at\":\"l\"}],\"metrics\":[{\"name\":\"fe_ratio\",\"title\":\"Front-end "
    "ratio\",\"formula\":\"fe / "
    "slots\",\"unit\":\"ratio\",\"range\":[0,16],\"what\":\"w\",\"look_at\":\"l\"}],"
    "\"checks\":[{\"why\":\"hand-computed\",\"counts\":{\"slots\":100,\"fe\":40,\"bad\":10,"
    "\"be\":20},\"expect\":{\"frontend_bound\":[0.4,1e-9],"
    "\"bad_speculation\":[0.1,1e-9],\"backend_bound\":[0.2,1e-9],\"fe_ratio\":[0.4,1e-9],"
    "\"retiring\":[0.3,1e-9]}}]}";

struct settings {
    const char *kind, *data;
    uint64_t samples, seconds, rounds;
    bool hostile, empty;
};

static uint64_t seed;
static uint32_t below(uint32_t limit)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(seed >> 33) % limit;
}

/* ---- a client of a database ---- */

static const char *const stems[][6] = {
    {"u:/usr/lib/libpq.so.5:PQsendQueryPrepared", "u:/usr/lib/libpq.so.5:pqPutMsgEnd",
     "u:/usr/lib/libpq.so.5:pqFlush", "u:/usr/lib/libc.so.6:send",
     "k:[kernel.kallsyms]:__x64_sys_sendto", "k:[kernel.kallsyms]:tcp_sendmsg"},
    {"u:/usr/lib/libpq.so.5:PQgetResult", "u:/usr/lib/libpq.so.5:pqReadData",
     "u:/usr/lib/libc.so.6:recv", "k:[kernel.kallsyms]:__x64_sys_recvfrom",
     "k:[kernel.kallsyms]:tcp_recvmsg", "k:[kernel.kallsyms]:copy_to_user"},
    {"u:/opt/client:encode_row", "u:/opt/client:std::to_string", "u:/opt/client:Buffer::append",
     "u:/usr/lib/libc.so.6:memcpy", NULL, NULL},
    {"u:/opt/client:decode_rows", "u:/opt/client:parse_int", "u:/opt/client:Row::push", NULL, NULL,
     NULL},
    {"u:/usr/lib/libc.so.6:malloc", "u:/usr/lib/libc.so.6:_int_malloc", NULL, NULL, NULL, NULL},
    {"u:/opt/client:send_each", "u:/opt/client:Socket::write", NULL, NULL, NULL, NULL},
    {"u:/opt/client:flush_batch", "u:/opt/client:Socket::writev", NULL, NULL, NULL, NULL},
};

static uint32_t frame_of(struct fixture *f, const char *text)
{
    char copy[256];
    (void)snprintf(copy, sizeof(copy), "%s", text + 2);
    char *function = strchr(copy, ':');
    *function++ = '\0';
    return fixture_frame(f, text[0] == 'k' ? SLW_FRAME_KERNEL : SLW_FRAME_USER, copy, function);
}

/* Side B batches: it sends less often and has another function for it. */
static size_t pick_stem(size_t side)
{
    const uint32_t r = below(100);

    if (side == 0)
        return r < 38 ? 0 : r < 62 ? 1 : r < 74 ? 2 : r < 84 ? 3 : r < 90 ? 4 : 5;
    return r < 12 ? 0 : r < 40 ? 1 : r < 62 ? 2 : r < 82 ? 3 : r < 93 ? 4 : 6;
}

/* One of the stacks as a path: its stem cut somewhere, and below it some of many small functions,
 * so that many samples make many stacks. */
static uint32_t make_path(struct fixture *f, uint32_t thread, size_t side, uint32_t spread)
{
    const size_t stem = pick_stem(side);
    uint32_t path = 0;
    char name[64];

    assert_int_equal(slw_stacks_root(f->stacks, thread, &path), 0);
    assert_int_equal(slw_stacks_step(f->stacks, path, frame_of(f, "u:/opt/client:main"), &path), 0);
    assert_int_equal(slw_stacks_step(f->stacks, path, frame_of(f, "u:/opt/client:run_loop"), &path),
                     0);
    const size_t depth = 1 + below(6);
    for (size_t i = 0; i < depth && stems[stem][i]; i++)
        assert_int_equal(slw_stacks_step(f->stacks, path, frame_of(f, stems[stem][i]), &path), 0);
    for (uint32_t i = below(spread + 1); i > 0; i--) {
        (void)snprintf(name, sizeof(name), "u:/opt/client:ns::Class%u::method_%u", (unsigned)i,
                       below(i < 4 ? 3 : 8));
        assert_int_equal(slw_stacks_step(f->stacks, path, frame_of(f, name), &path), 0);
    }
    return path;
}

static void add_samples(struct fixture *f, struct slw_moments *m, const struct settings *s,
                        size_t side)
{
    const struct slw_thread who = {"client", 4711, 4711};
    const uint64_t weights[] = {1, FIXTURE_PERIOD_NS};
    const uint32_t distinct = s->samples > 100000 ? 50000 : 400;
    const uint32_t spread = s->samples > 100000 ? 30 : 3;
    uint32_t *paths = calloc(distinct, sizeof(*paths)), thread = 0;

    assert_int_equal(slw_stacks_add_thread(f->stacks, &who, &thread), 0);
    for (uint32_t i = 0; i < distinct; i++)
        paths[i] = make_path(f, thread, side, spread);
    for (uint64_t i = 0; i < s->samples; i++) {
        /* Of three choices the smallest: some stacks are hot. Each second has a burst. */
        const uint32_t a = below(distinct), b = below(distinct), c = below(distinct);
        const uint32_t path = paths[a < b ? a < c ? a : c : b < c ? b : c];
        const uint64_t length = s->seconds * 1000000000;
        uint64_t time = (uint64_t)(below(1u << 30) / (double)(1u << 30) * (double)length);
        if (below(3) == 0)
            time = time / 1000000000 * 1000000000 + 300000000 + below(90000000);
        assert_int_equal(slw_stacks_weigh(f->stacks, path, weights), 0);
        assert_int_equal(slw_moments_add(m, s->rounds ? 1 + below((uint32_t)s->rounds) : 0,
                                         time < length ? time : length - 1, path, 1,
                                         FIXTURE_PERIOD_NS),
                         0);
    }
    free(paths);
}

/* Log-normal in buckets of 3 %, and a slow tail. */
static void add_latencies(struct fixture *f, double centre_ns, double requests)
{
    for (int i = 0; i < 350; i++) {
        const double low = 1000 * pow(1.04, i);
        const double z = log(low / centre_ns) / 0.45, t = log(low / centre_ns / 14) / 0.3;
        const double share = exp(-z * z / 2) * 0.034 + exp(-t * t / 2) * 0.0012;
        const struct slw_latency l = {.of = SLW_LATENCY_REQUEST,
                                      .low_ns = (uint64_t)low,
                                      .high_ns = (uint64_t)(low * 1.04),
                                      .count = (uint64_t)(share * requests)};
        if (l.count > 0)
            assert_int_equal(slw_run_add_latency(f->run, &l, NULL), 0);
    }
}

static void count_hardware(struct fixture *f, const char *event, uint64_t value)
{
    const struct slw_count c = {.event = event,
                                .unit = "slots",
                                .group = 1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = value,
                                .enabled_ns = 1000000000,
                                .running_ns = 1000000000};
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static void add_intervals(struct fixture *f, const struct settings *s)
{
    uint64_t raw[64], times[64];
    const size_t count = s->seconds > 64 ? 64 : (size_t)s->seconds;

    for (size_t i = 0; i < count; i++) {
        const struct slw_time_slice slice = {i * 1000000000, 1000000000};
        assert_int_equal(slw_run_add_interval(f->run, &slice, NULL), 0);
        raw[i] = 300000000 + below(400000000);
        times[i] = 1000000000;
    }
    struct slw_time_series series = {
        .count_index = 0, .raw = raw, .enabled_ns = times, .running_ns = times, .length = count};
    f->run->counts[0].raw = 0;
    f->run->counts[0].enabled_ns = f->run->counts[0].running_ns = count * 1000000000;
    for (size_t i = 0; i < count; i++)
        f->run->counts[0].raw += raw[i];
    assert_int_equal(slw_run_add_series(f->run, &series, NULL), 0);
}

static void fill_host(struct slw_run *run)
{
    run->started_realtime_ns = UINT64_C(1789000000000000000);
    run->host.hostname = "bench-1";
    run->host.os = "Debian GNU/Linux 12 (bookworm)";
    run->host.kernel = "6.1.0-18-amd64";
    run->host.cpu.arch = "x86_64";
    run->host.cpu.vendor = "GenuineIntel";
    run->host.cpu.name = "Made-up CPU 4000";
    run->host.cpu.online_count = 8;
    run->host.perf_event_paranoid = 2;
}

static struct fixture make_side(const struct settings *s, size_t side, struct slw_moments **m)
{
    static const char *argv[] = {"client", "--rows", "1000 000"};
    struct fixture f = fixture_new();
    const uint64_t flushes = side ? 12500 : 200000;

    seed = 1 + side;
    assert_int_equal(slw_moments_new(f.stacks, SLW_MOMENT_NS, m, NULL), 0);
    f.run->command.argv = argv;
    f.run->command.argc = 3;
    f.run->wall_ns = (struct slw_maybe_u64){.value = s->seconds * 1000000000};
    fill_host(f.run);
    fixture_sampling(&f, SLW_MODE_ALL);
    fixture_count(&f, "task-clock", "ns", side ? 2600000000 : 4000000000);
    add_intervals(&f, s);
    fixture_count(&f, "context-switches", "events", side ? 9000 : 31000);
    fixture_absent(&f, "major-faults", "not supported");
    count_hardware(&f, "slots", 16000000000);
    count_hardware(&f, "fe", side ? 3000000000 : 6400000000);
    count_hardware(&f, "bad", 900000000);
    count_hardware(&f, "be", 3600000000);
    fixture_waiting(&f);
    fixture_traffic(&f, &(struct slw_connection){.requests = 200000,
                                                 .flushes = flushes,
                                                 .max_batch = side ? 16 : 1,
                                                 .latency_count = 200000,
                                                 .latency_sum_ns = UINT64_C(24000000000),
                                                 .latency_max_ns = 9000000});
    add_latencies(&f, side ? 210000 : 95000, 200000);
    add_samples(&f, *m, s, side);
    return f;
}

/* ---- the page ---- */

static int parse(int argc, char **argv, struct settings *s)
{
    if (argc < 2)
        return -1;
    *s = (struct settings){.kind = argv[1], .samples = 4000, .seconds = 30};
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--hostile") == 0)
            s->hostile = true;
        else if (strcmp(argv[i], "--empty") == 0)
            s->empty = true;
        else if (i + 1 >= argc)
            return -1;
        else if (strcmp(argv[i], "--samples") == 0)
            s->samples = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            s->seconds = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0)
            s->rounds = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--data") == 0)
            s->data = argv[++i];
        else
            return -1;
    }
    return 0;
}

/* Names that attack a page, on top of those that attack everything. */
static void add_attacks(struct fixture *f)
{
    static const char *const names[] = {"</script><script>window.pwned=1</script>",
                                        "<img src=x onerror=window.pwned=2>",
                                        "<!--<script>window.pwned=3",
                                        "\xe2\x80\xa8window.pwned=4\xe2\x80\xa9",
                                        "\"]}</script><svg onload=window.pwned=5>",
                                        "__proto__",
                                        "constructor",
                                        "'-window.pwned-'"};
    static const char *argv[] = {"</title><script>window.pwned=6</script>", "javascript:pwned()"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const uint64_t weights[] = {50, 50 * (uint64_t)FIXTURE_PERIOD_NS};
        const uint32_t frame = fixture_frame(f, SLW_FRAME_USER, names[i], names[i]);
        assert_int_equal(slw_stacks_add(f->stacks, &frame, 1, SLW_NO_THREAD, weights), 0);
        assert_int_equal(slw_run_note(f->run, SLW_NOTE_WARNING, "x", names[i], "%s", names[i]), 0);
    }
    f->run->command.argv = argv;
    f->run->command.argc = 2;
    f->run->host.hostname = names[0];
}

static struct fixture side_of(const struct settings *s, size_t side, struct slw_moments **m)
{
    if (s->empty)
        return awkward_empty();
    if (!s->hostile)
        return make_side(s, side, m);
    struct fixture f = awkward_hostile();
    add_attacks(&f);
    return f;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"A", "B"};
    struct settings s;
    struct slw_moments *moments[SLW_MAX_PAGE_SIDES] = {NULL};
    struct fixture f[SLW_MAX_PAGE_SIDES] = {{0}};
    struct slw_error err = {0};
    struct slw_buf out = {0};
    json_error_t why;

    if (parse(argc, argv, &s) < 0)
        return 64;
    json_t *data = s.data ? json_load_file(s.data, 0, &why) : NULL;
    const bool arms = strcmp(s.kind, "comparison") == 0;
    struct slw_page page = {.title = s.hostile ? "</title><script>window.pwned=7</script>"
                                               : "slotwise: client --rows 1000000",
                            .kind = s.kind,
                            .data = data,
                            .side_count = arms                         ? 2
                                          : strcmp(s.kind, "run") == 0 ? 1
                                                                       : 0};
    struct slw_model *model = NULL;
    if (s.data && !data) {
        fprintf(stderr, "%s: %s\n", s.data, why.text);
        return 65;
    }
    if (slw_model_parse(model_text, sizeof(model_text) - 1, "made-up", &model, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return 65;
    }
    for (size_t i = 0; i < page.side_count; i++) {
        f[i] = side_of(&s, i, &moments[i]);
        assert_int_equal(slw_report_new(f[i].run, f[i].stacks, model, &f[i].report, &err), 0);
        page.sides[i] = (struct slw_page_side){.name = arms ? names[i] : NULL,
                                               .report = f[i].report,
                                               .stacks = f[i].stacks,
                                               .moments = moments[i]};
    }
    const uint64_t since = slw_clock_monotonic_ns();
    const int rc = slw_page_write(&page, &out, &err);
    fprintf(stderr, "written in %llu ms\n",
            (unsigned long long)((slw_clock_monotonic_ns() - since) / 1000000));
    if (rc < 0)
        fprintf(stderr, "%s\n", err.text);
    else if (fwrite(out.data, 1, out.length, stdout) != out.length)
        return 70;
    slw_buf_release(&out);
    json_decref(data);
    for (size_t i = 0; i < page.side_count; i++) {
        slw_moments_free(moments[i]);
        fixture_free(&f[i]);
    }
    slw_model_free(model);
    return rc < 0 ? 70 : 0;
}
