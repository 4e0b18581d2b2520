/* SPDX-License-Identifier: MIT */
/* Recordings of other people's perf, with counts taken by an independent reader (the table in
 * pmu-data/README.md). Skipped when the folder is not there. */
#include "analyzer/perfdata.h"
#include "analyzer/samples.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DATA SLW_SHARED_DIR "/pmu-data/"

struct expected_event {
    const char *name;
    uint64_t samples, period;
};

static const struct recording {
    const char *path;
    struct expected_event events[2];
    int32_t pid;
    uint64_t time, period, ip;
    unsigned comms, exits, forks, mmaps;
    uint64_t unreadable;
} recordings[] = {
    {"perf_data_converter/quipper/perf.data.group_desc-4.14",
     {{"cache-references", 7, 165909}, {"branch-misses", 6, 23813}},
     6447,
     16450092164943,
     1,
     0xffffffffb4343bad,
     3,
     1,
     0,
     31,
     0},
    {"perf_data_converter/quipper/perf.data.singleprocess-3.8",
     {{"cycles", 13, 1010740}},
     14170,
     346637627965545,
     1,
     0xffffffff96613abf,
     2,
     4,
     0,
     100,
     0},
    {"perf_data_converter/quipper/perf.data.callgraph-3.8",
     {{"cycles", 1768, 291177942}},
     10447,
     346832330193902,
     1,
     0xffffffff96613abf,
     229,
     6,
     2,
     1793,
     0},
    {"perf_data_converter/quipper/perf.data.branch-4.14",
     {{"cycles:ppp", 13, 2668332}},
     5805,
     12631245939019,
     1,
     0xffffffffb42071f2,
     3,
     1,
     0,
     31,
     0},
    {"perf_data_converter/quipper/perf.data.piped.header_features-4.16",
     {{"cpu-clock", 2, 500000}},
     22943,
     508975442957986,
     250000,
     0x7f3361387480,
     2,
     1,
     0,
     32,
     0},
    {"linux-perf-data/sleep.data",
     {{"cycles:Pu", 7, 668601}},
     700269,
     3696173031626,
     1,
     0xffffffff88c01247,
     2,
     1,
     0,
     4,
     0},
    {"linux-perf-data/sleep.compressed.data",
     {{"cycles:P", 8, 2201546}},
     1952,
     336954749814,
     1,
     0xffffb849d9ae75ac,
     2,
     1,
     0,
     49,
     0},
    {"linux-perf-data/sleep.compressed.pipe.data",
     {{"cycles:P", 8, 2171147}},
     1964,
     405307462931,
     1,
     0xffffb849d9ae75ac,
     2,
     1,
     0,
     49,
     0},
    {"linux-perf-data/sleep.compressed2.data",
     {{"cycles:Pu", 7, 692634}},
     700162,
     3693176184073,
     1,
     0xffffffff88c01247,
     2,
     1,
     0,
     4,
     0},
    {"linux-perf-data/sleep.compressed2.pipe.data",
     {{"cycles:P", 7, 4949523}},
     255866,
     5373458844915,
     1,
     0xffffffffb8681514,
     2,
     1,
     0,
     169,
     143},
    {"kdab-perfparser/vector_static_gcc/perf.data",
     {{"cycles", 45, 11975357}},
     349054,
     65149467765093,
     1,
     0xffffffffb8a6c896,
     2,
     1,
     0,
     154,
     0},
};

struct seen {
    struct slw_perf_record first; /* in file order */
    unsigned counts[SLW_PERF_UNTHROTTLE + 1];
    uint64_t samples[2], periods[2], branches;
    uint64_t last_time;
    bool sorted;
};

static int on_record(void *ctx, const struct slw_perf_record *r)
{
    struct seen *s = ctx;

    s->sorted &= r->time >= s->last_time;
    s->last_time = r->time;
    s->counts[r->kind]++;
    if (r->kind != SLW_PERF_SAMPLE)
        return 0;
    if (s->counts[r->kind] == 1 || r->offset < s->first.offset)
        s->first = *r;
    s->samples[r->event]++;
    s->periods[r->event] += r->sample.period;
    s->branches += r->sample.branch_count;
    return 0;
}

static void expect_recording(const struct recording *e)
{
    char path[512];
    struct slw_perfdata *pd = NULL;
    struct slw_error err = {0};
    struct seen s = {.sorted = true};

    (void)snprintf(path, sizeof(path), "%s%s", DATA, e->path);
    print_message("%s\n", e->path);
    assert_int_equal(slw_perfdata_open(path, &pd, &err), 0);
    assert_int_equal(slw_perfdata_each(pd, on_record, &s), 0);
    for (size_t i = 0; i < 2 && e->events[i].name; i++) {
        assert_string_equal(slw_perfdata_event(pd, i)->name, e->events[i].name);
        assert_int_equal(s.samples[i], e->events[i].samples);
        assert_int_equal(s.periods[i], e->events[i].period);
    }
    assert_true(s.sorted);
    assert_int_equal(s.first.pid, e->pid);
    assert_int_equal(s.first.time, e->time);
    assert_int_equal(s.first.sample.period, e->period);
    assert_true(s.first.sample.ip == e->ip);
    assert_int_equal(s.counts[SLW_PERF_COMM], e->comms);
    assert_int_equal(s.counts[SLW_PERF_EXIT], e->exits);
    assert_int_equal(s.counts[SLW_PERF_FORK], e->forks);
    assert_int_equal(s.counts[SLW_PERF_MMAP], e->mmaps);
    assert_int_equal(slw_perfdata_damage(pd)->unreadable_bytes, e->unreadable);
    if (strstr(e->path, "branch-4.14"))
        assert_int_equal(s.branches, 13 * 32);
    slw_perfdata_close(pd);
}

static void recordings_hold_what_an_independent_reader_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++)
        expect_recording(&recordings[i]);
}

static struct slw_run *import(const char *path, struct slw_stacks **ret_stacks, int expected,
                              struct slw_error *err)
{
    const struct slw_samples_options opts = {.symbols = true, .imported = true};
    char full[512];
    struct slw_run *run = NULL;

    (void)snprintf(full, sizeof(full), "%s%s", DATA, path);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_samples_load(full, &opts, run, ret_stacks, err), expected);
    return run;
}

static void recordings_become_stacks_of_the_same_weight(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++) {
        const struct recording *e = &recordings[i];
        struct slw_stacks *stacks = NULL;
        struct slw_error err = {0};
        struct slw_run *run = import(e->path, &stacks, 0, &err);
        assert_non_null(stacks);
        for (size_t k = 0; k < 2 && e->events[k].name; k++) {
            int column = slw_stacks_find_column(stacks, e->events[k].name, "count");
            assert_true(column >= 0);
            assert_int_equal(slw_stacks_total(stacks, (size_t)column), e->events[k].samples);
            assert_int_equal(slw_stacks_total(stacks, (size_t)column + 1), e->events[k].period);
            assert_int_equal(run->samplings[k].samples, e->events[k].samples);
            assert_int_equal(run->samplings[k].weight, e->events[k].period);
            assert_true(run->samplings[k].from.imported);
        }
        /* Kernels of other machines: none of our names may be put on them. */
        for (uint32_t f = 0; f < slw_stacks_frame_count(stacks); f++)
            if (slw_stacks_frame(stacks, f).kind == SLW_FRAME_KERNEL)
                assert_string_equal(slw_stacks_frame(stacks, f).function, "");
        slw_stacks_free(stacks);
        slw_run_free(run);
    }
}

static void refuse(const char *path, const char *text, const char *where)
{
    struct slw_stacks *stacks = NULL;
    struct slw_error err = {0};
    struct slw_run *run = import(path, &stacks, -SLW_E_FORMAT, &err);

    assert_null(stacks);
    assert_non_null(strstr(err.text, text));
    assert_non_null(strstr(err.where, where));
    slw_run_free(run);
}

static void broken_and_foreign_files_are_refused_clearly(void **state)
{
    (void)state;
    refuse("perf_data_converter/quipper/perf.data.piped.corrupted.zero_size_sample-3.2", "size 0",
           "0xbfd0");
    refuse("kdab-hotspot/perf.data.true.v1", "version 1", "");
    refuse("kdab-hotspot/perf.data.broken.gz", "unknown format", "");
}

static void the_host_and_the_command_come_from_the_recording(void **state)
{
    struct slw_stacks *stacks = NULL;
    struct slw_error err = {0};
    struct slw_run *run = import("kdab-perfparser/vector_static_gcc/perf.data", &stacks, 0, &err);

    (void)state;
    assert_string_equal(run->host.hostname, "agathebauer");
    assert_string_equal(run->host.kernel, "5.3.0-arch1-1-ARCH");
    assert_string_equal(run->host.cpu.vendor, "GenuineIntel");
    assert_int_equal(run->host.cpu.model, 61);
    assert_int_equal(run->host.cpu.online_count, 4);
    assert_int_equal(run->command.kind, SLW_TARGET_IMPORT);
    assert_true(run->command.argc >= 6);
    slw_stacks_free(stacks);
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_hold_what_an_independent_reader_counted),
        cmocka_unit_test(recordings_become_stacks_of_the_same_weight),
        cmocka_unit_test(broken_and_foreign_files_are_refused_clearly),
        cmocka_unit_test(the_host_and_the_command_come_from_the_recording),
    };
    if (access(DATA "README.md", R_OK) != 0) {
        print_message("skipped: no ../shared\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
