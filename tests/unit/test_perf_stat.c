/* SPDX-License-Identifier: MIT */
/* Output of perf stat in its three forms; all numbers here are made up. */
#include "base/file.h"
#include "collector/import_model.h"
#include "collector/importer.h"
#include "collector/perf_stat.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct slw_importer slw_importer_perf_stat_text;
extern const struct slw_importer slw_importer_perf_stat_csv;
extern const struct slw_importer slw_importer_perf_stat_json;
#define TEXT (&slw_importer_perf_stat_text)
#define CSV  (&slw_importer_perf_stat_csv)
#define JSON (&slw_importer_perf_stat_json)

/* ---- helpers ---- */

static struct slw_run *import(const struct slw_importer *how, const char *text)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};

    if (!how->recognise(text, strlen(text)))
        fail_msg("%s does not recognise:\n%s", how->name, text);
    if (how->import("file", text, strlen(text), &imported, &err) < 0)
        fail_msg("%s: %s (%s)", how->name, err.text, err.where);
    assert_null(imported.stacks);
    for (size_t i = 0; i < imported.run->count_count; i++)
        assert_true(imported.run->counts[i].from.imported);
    return imported.run;
}

static void refuse(const struct slw_importer *how, const char *text, const char *where,
                   const char *words)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};

    assert_true(how->import("file", text, strlen(text), &imported, &err) < 0);
    assert_string_equal(err.where, where);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
    assert_null(imported.run);
}

static const struct slw_count *count(const struct slw_run *run, const char *event, size_t nth)
{
    for (size_t i = 0; i < run->count_count; i++)
        if (strcmp(run->counts[i].event, event) == 0 && nth-- == 0)
            return &run->counts[i];
    fail_msg("no count of %s", event);
    return NULL;
}

static bool has_note(const struct slw_run *run, const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return true;
    return false;
}

/* ---- names ---- */

static void expect_event(const char *text, const char *name, const char *pmu, enum slw_mode mode)
{
    struct slw_perf_event e;

    if (!slw_perf_event_parse((struct slw_span){text, strlen(text)}, &e))
        fail_msg("%s is refused", text);
    assert_string_equal(e.name, name);
    assert_string_equal(e.pmu, pmu);
    assert_int_equal(e.mode, mode);
}

static void names_are_brought_to_the_words_of_the_models(void **state)
{
    (void)state;
    expect_event("UOPS_ISSUED.ANY:u", "uops_issued.any", "", SLW_MODE_USER);
    expect_event("cycles:k", "cycles", "", SLW_MODE_KERNEL);
    expect_event("cycles:uk", "cycles", "", SLW_MODE_ALL);
    expect_event("cycles:ppp", "cycles", "", SLW_MODE_ALL);
    expect_event("cpu_core/TOPDOWN.SLOTS/u", "topdown.slots", "cpu_core", SLW_MODE_USER);
    expect_event("cpu_atom/cycles/:k", "cycles", "cpu_atom", SLW_MODE_KERNEL);
    expect_event("cpu/X.Y,cmask=1,edge/", "x.y:c1:e1", "", SLW_MODE_ALL);
    expect_event("cpu/x.y,cmask=0x6/", "x.y:c6", "", SLW_MODE_ALL);
    expect_event("cpu/x.y,umask=0x80,inv=1/", "x.y:u0x80:i1", "", SLW_MODE_ALL);
    expect_event("cpu/event=0xa0,umask=0x1/", "r1a0", "", SLW_MODE_ALL);
    expect_event("cpu/event=0x1a0,umask=1/", "r1000001a0", "", SLW_MODE_ALL);
    expect_event("cpu/event=0x3c,name=mine/", "mine", "", SLW_MODE_ALL);
    expect_event("r00C0", "rc0", "", SLW_MODE_ALL);
    expect_event("cs:u", "context-switches", "", SLW_MODE_USER);
    expect_event("sched:sched_switch", "sched:sched_switch", "", SLW_MODE_ALL);
    expect_event("power/energy-pkg/", "energy-pkg", "power", SLW_MODE_ALL);
    expect_event("cpu/x.y,ldlat=3/", "x.y,ldlat=3", "", SLW_MODE_ALL);
}

static void what_cannot_be_a_name_is_refused(void **state)
{
    (void)state;
    struct slw_perf_event e;
    static const char *const bad[] = {"", "/", "cpu//", "cpu/x", "/x/", "a b", "a;b", "a\"", ":u"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (slw_perf_event_parse((struct slw_span){bad[i], strlen(bad[i])}, &e))
            fail_msg("'%s' passes for an event", bad[i]);
}

/* ---- text ---- */

static const char plain[] =
    "some program output 12\n"
    "\n Performance counter stats for 'client --rows 10':\n\n"
    "          1,234.56 msec task-clock:u              #    0.997 CPUs utilized\n"
    "                 0      context-switches          #    0.000 /sec\n"
    "     3,600,000,000      cycles:u                  #    1.755 GHz          (16.72%)\n"
    "     <not counted>      UOPS_ISSUED.ANY:u\n"
    "   <not supported>      INT_MISC.RECOVERY_CYCLES_ANY:u\n"
    "           500,000      branches                  #    0.89% of all cars     (50.06%)\n"
    "                                                  #   12.3 %  tma_x\n"
    "\n       2.057691297 seconds time elapsed\n\n"
    "       0.766640000 seconds user\n       1.275170000 seconds sys\n";

static void text_gives_exact_counts_and_their_coverage(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, plain);
    const struct slw_count *clock = count(run, "task-clock", 0), *c = count(run, "cycles", 0);

    assert_int_equal(run->count_count, 8);
    assert_int_equal(clock->raw, 1234560000);
    assert_string_equal(clock->unit, "ns");
    assert_int_equal(clock->from.source, SLW_SOURCE_SOFTWARE);
    assert_int_equal(c->raw, 3600000000);
    assert_int_equal(c->mode, SLW_MODE_USER);
    assert_true(c->scaled);
    assert_int_equal(c->covered_bp, 1672);
    assert_int_equal(c->from.source, SLW_SOURCE_HARDWARE);
    assert_int_equal(count(run, "context-switches", 0)->covered_bp, 10000);
    assert_int_equal(run->wall_ns.value, 2057691297);
    assert_int_equal(count(run, "user-time", 0)->raw, 766640000);
    assert_int_equal(count(run, "system-time", 0)->raw, 1275170000);
    assert_string_equal(run->labels[0].value, "'client --rows 10'");
    slw_run_free(run);
}

static void what_was_not_counted_is_absent_in_perfs_words(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, plain);

    assert_string_equal(count(run, "uops_issued.any", 0)->absent, "not counted");
    assert_string_equal(count(run, "int_misc.recovery_cycles_any", 0)->absent, "not supported");
    slw_run_free(run);
    /* A zero that held no counter is no zero. */
    run = import(TEXT, "                 0      cycles             (0.00%)\n");
    assert_string_equal(count(run, "cycles", 0)->absent, "not counted");
    slw_run_free(run);
}

static void printed_metrics_are_kept_as_printed(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, plain);

    assert_int_equal(run->printed_count, 4);
    assert_string_equal(run->printed[0].name, "CPUs utilized");
    assert_string_equal(run->printed[2].name, "of all cars");
    assert_string_equal(run->printed[2].value, "0.89");
    assert_string_equal(run->printed[2].unit, "%");
    assert_string_equal(run->printed[3].name, "tma_x");
    assert_string_equal(run->counts[run->printed[3].count_index].event, "branches");
    slw_run_free(run);
}

static void a_share_behind_the_metrics_belongs_to_the_row(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, "        67,547      cycles    #      0.1 %  a\n"
                                       "                              #  0.2 %  b  (25.00%)\n"
                                       "        11,111      stall_slot   (25.00%)\n");
    assert_int_equal(count(run, "cycles", 0)->covered_bp, 2500);
    assert_int_equal(count(run, "cycles", 0)->group, count(run, "stall_slot", 0)->group);
    slw_run_free(run);
}

static void a_repetition_starts_a_group_at_its_metric(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, "   10      a.x   #  0.1 %  one   (25.00%)\n"
                                       "   11      clk                   (25.00%)\n"
                                       "   12      b.x   #  0.2 %  two   (25.00%)\n"
                                       "   13      c.x   #  0.2 %  three (25.00%)\n"
                                       "   14      clk                   (25.00%)\n"
                                       "   15      d.x                   (25.02%)\n");
    assert_int_equal(count(run, "a.x", 0)->group, count(run, "clk", 0)->group);
    assert_int_equal(count(run, "b.x", 0)->group, count(run, "clk", 1)->group);
    assert_int_equal(count(run, "c.x", 0)->group, count(run, "clk", 1)->group);
    assert_int_not_equal(count(run, "clk", 0)->group, count(run, "clk", 1)->group);
    assert_int_not_equal(count(run, "d.x", 0)->group, count(run, "clk", 1)->group);
    slw_run_free(run);
}

static void means_of_several_runs_keep_their_spread(void **state)
{
    (void)state;
    struct slw_run *run =
        import(TEXT, "      1,000.50      cycles         ( +-  0.05% )  (66.67%)\n"
                     "  1.5 +- 0.1 seconds time elapsed  ( +-  6.67% )\n");
    const struct slw_count *c = count(run, "cycles", 0);

    assert_int_equal(c->raw, 1001);
    assert_int_equal(c->covered_bp, 6667);
    assert_non_null(strstr(c->from.detail, "+- 0.05 %"));
    assert_true(has_note(run, "rounded"));
    assert_int_equal(run->wall_ns.value, 1500000000);
    slw_run_free(run);
}

static void cpus_and_threads_are_parts(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, " CPU0      100      cycles\n CPU1      200      cycles\n");
    assert_int_equal(count(run, "cycles", 1)->cpu, 1);
    assert_int_equal(count(run, "cycles", 1)->raw, 200);
    slw_run_free(run);
    run = import(TEXT, "  my-prog x-41      100      cycles\n  b-7      200      cycles\n");
    assert_int_equal(count(run, "cycles", 0)->tid, 41);
    assert_int_equal(count(run, "cycles", 1)->tid, 7);
    slw_run_free(run);
}

static void cores_and_intervals_are_added_up(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, " S0-D0-C0      2      100      cycles   (50.00%)\n"
                                       " S0-D0-C1      2      200      cycles   (40.00%)\n");
    assert_int_equal(run->count_count, 1);
    assert_int_equal(run->counts[0].raw, 300);
    assert_int_equal(run->counts[0].covered_bp, 4000); /* no times: the worse of the two */
    assert_true(has_note(run, "places-summed"));
    slw_run_free(run);
    run = import(TEXT,
                 "     1.000100000      100      cycles\n     1.000100000      7      cycles\n"
                 "     2.000100000      200      cycles\n     2.000100000      8      cycles\n");
    assert_int_equal(run->count_count, 2);
    assert_int_equal(count(run, "cycles", 0)->raw, 300);
    assert_int_equal(count(run, "cycles", 1)->raw, 15);
    assert_int_equal(run->wall_ns.value, 2000100000);
    slw_run_free(run);
}

static void a_sum_with_a_hole_is_absent(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, "     1.000100000      100            cycles\n"
                                       "     2.000100000      <not counted>  cycles\n");
    assert_string_equal(run->counts[0].absent, "not counted in the interval at 2.000100000 s");
    slw_run_free(run);
}

static void old_perf_put_the_unit_behind_the_clock(void **state)
{
    (void)state;
    struct slw_run *run =
        import(TEXT, "          0.587384      task-clock (msec)  # 0.5 CPUs utilized\n"
                     "            10 cycles                       [50.00%]\n");
    assert_int_equal(count(run, "task-clock", 0)->raw, 587384);
    assert_int_equal(count(run, "cycles", 0)->covered_bp, 5000);
    slw_run_free(run);
}

/* ---- CSV ---- */

static void csv_knows_its_separator_and_its_times(void **state)
{
    (void)state;
    struct slw_run *run = import(CSV, "# started on Mon Jan  1 00:00:00 2024\n\n"
                                      "225,20;msec;cpu-clock;100;100,00;2,0;CPUs utilized\n"
                                      "<not counted>;;slots;0;0,00;;\n"
                                      "7;;cycles:u;0,05%;45;45,00;;\n");
    const struct slw_count *c = count(run, "cycles", 0);

    assert_int_equal(count(run, "cpu-clock", 0)->raw, 225200000);
    assert_string_equal(count(run, "slots", 0)->absent, "not counted");
    assert_int_equal(c->running_ns, 45);
    assert_int_equal(c->enabled_ns, 100);
    assert_int_equal(c->covered_bp, 4500);
    assert_non_null(strstr(c->from.detail, "+- 0,05 %"));
    slw_run_free(run);
}

static void csv_of_any_separator_reads_the_same(void **state)
{
    (void)state;
    static const char *const separators[] = {",", ";", "|", "\t", "::", "~", "^^^"};

    for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++) {
        const char *s = separators[i];
        char text[256];
        (void)snprintf(text, sizeof(text), "7%s%scycles:u%s45%s45.00%s1.5%sGHz\n", s, s, s, s, s,
                       s);
        struct slw_run *run = import(CSV, text);
        assert_int_equal(count(run, "cycles", 0)->raw, 7);
        assert_string_equal(run->printed[0].value, "1.5");
        slw_run_free(run);
    }
}

static void csv_names_may_hold_the_separator(void **state)
{
    (void)state;
    struct slw_run *run =
        import(CSV, "1.000103288,70,,cpu/UOPS.DEC0,cmask=1,edge/,99,100.00,3.1,%  tma_y,bad\n"
                    "1.000103288,,,,,,51.0,%  tma_z,good\n");
    assert_int_equal(count(run, "uops.dec0:c1:e1", 0)->raw, 70);
    assert_string_equal(run->printed[0].threshold, "bad");
    assert_int_equal(run->printed[0].count_index, 0);
    assert_string_equal(run->printed[1].name, "tma_z");
    assert_int_equal(run->printed[1].count_index, -1);
    slw_run_free(run);
}

static void csv_of_cpus_and_cores(void **state)
{
    (void)state;
    struct slw_run *run = import(CSV, "CPU0,5,,cycles,10,100.00,,\nCPU1,6,,cycles,10,50.00,,\n");
    assert_int_equal(count(run, "cycles", 1)->cpu, 1);
    assert_int_equal(count(run, "cycles", 1)->covered_bp, 5000);
    slw_run_free(run);
    run = import(CSV, "S0-D0-C0,2,5,,cycles,10,100.00,,\nS0-D0-C1,2,6,,cycles,10,50.00,,\n");
    assert_int_equal(run->counts[0].raw, 11);
    assert_int_equal(run->counts[0].covered_bp, 6666); /* 20 of 30 ns */
    slw_run_free(run);
}

/* ---- JSON ---- */

static void json_is_read_as_broken_as_perf_writes_it(void **state)
{
    (void)state;
    struct slw_run *run = import(
        JSON,
        "{\"counter-value\" : \"1000.000000\", \"unit\" : \"\", \"event\" : \"TOPDOWN.SLOTS\", "
        "\"event-runtime\" : 555, \"pcnt-running\" : 100,00, \"metric-value\" : \"43.226002\", "
        "\"metric-unit\" : \"%  tma_b\", \"metric-threshold\" : \"bad\"}\n"
        "{\"metric-value\" : \"nan\", \"metric-unit\" : \"%  tma_n\"}\n"
        "{\"counter-value\" : \"38.000000\", \"unit\" : \"\", \"event\" : \"x.y\", "
        "\"event-runtime\" : 555, \"pcnt-running\" : 50.00, }\n");
    assert_int_equal(count(run, "topdown.slots", 0)->raw, 1000);
    assert_int_equal(count(run, "x.y", 0)->covered_bp, 5000);
    assert_int_equal(run->printed_count, 1);
    assert_string_equal(run->printed[0].value, "43.226002");
    slw_run_free(run);
}

static void json_of_cpus_and_threads(void **state)
{
    (void)state;
    struct slw_run *run = import(
        JSON, "{\"interval\" : 1.000100000, \"cpu\" : \"3\", \"counter-value\" : \"<not "
              "supported>\", \"unit\" : \"\", \"event\" : \"cycles:k\", \"event-runtime\" : 0, "
              "\"pcnt-running\" : 0.00}\n");
    assert_int_equal(run->counts[0].cpu, 3);
    assert_non_null(strstr(run->counts[0].absent, "not supported"));
    assert_int_equal(run->wall_ns.value, 1000100000);
    slw_run_free(run);
    run = import(JSON, "{\"thread\" : \"a b-12\", \"counter-value\" : \"5\", \"event\" : "
                       "\"cycles\", \"event-runtime\" : 1, \"pcnt-running\" : 33.00}\n");
    assert_int_equal(run->counts[0].tid, 12);
    slw_run_free(run);
}

/* ---- bad input ---- */

static void bad_rows_are_refused_at_their_place(void **state)
{
    (void)state;
    refuse(CSV, "7,,cycles,45,45.00,,\n8,,branches,45,145.00,,\n", "file:2:1", "share of the time");
    refuse(CSV, "7,,cycles,45,45.00,,\n8,,bran", "file:2:8", "ends in the middle");
    refuse(CSV, "7,,cycles,45,45.00,,\nhello world\n", "file:2:12", "row");
    refuse(CSV, "7,,cycles,45,45.00,,\n-8,,branches,45,45.00,,\n", "file:2:1", "negative");
    refuse(JSON, "{\"counter-value\" : \"7\", \"event\" : \"cyc", "file:1:38", "middle");
    refuse(JSON, "{\"counter-value\" : \"7x\", \"event\" : \"cycles\"}\n", "file:1:1", "no count");
    refuse(TEXT, "    10      cycles\n     1,2", "file:2:9", "middle");
    refuse(TEXT, "nothing here\n", "file:1:1", "no counts");
    refuse(CSV, "1.000000001,7,,cycles,4,45.00,,\n0.500000000,7,,cycles,4,45.00,,\n", "file:2:13",
           "time goes back");
    refuse(CSV, "CPU0,5,,cycles,10,100.00,,\n6,,cycles,10,50.00,,\n", "file:2:1", "others in one");
}

static void two_outputs_in_one_file_are_refused(void **state)
{
    (void)state;
    refuse(CSV,
           "7,,cycles,4,45.00,,\n8,,branches,4,45.00,,\n"
           "9,,cycles,4,45.00,,\n8,,branches,4,45.00,,\n",
           "file:3:1", "two outputs");
    refuse(TEXT,
           " Performance counter stats for 'a':\n    10      cycles\n"
           " Performance counter stats for 'b':\n    10      cycles\n",
           "file:3:2", "second output");
}

static void two_vendors_in_one_file_are_refused(void **state)
{
    (void)state;
    refuse(TEXT, "    10      cycles\n    10      uops_issued.any\n    10      ex_ret_ops\n",
           "file:3:5", "mixes machines");
}

static void a_line_without_end_is_refused(void **state)
{
    (void)state;
    const size_t length = 10000000;
    const struct slw_importer *const all[] = {TEXT, CSV, JSON};
    char *text = malloc(length);

    assert_non_null(text);
    for (size_t i = 0; i < 3; i++) {
        struct slw_imported imported = {0};
        struct slw_error err = {0};
        memset(text, '7', length);
        memcpy(text, i == 2 ? "{\n" : "7,,cycles,4,45.00,,\n", i == 2 ? 2 : 20);
        if (i == 2)
            memcpy(text, " \n", 2);
        assert_true(all[i]->import("file", text, length, &imported, &err) < 0);
        assert_int_equal(err.code, SLW_E_LIMIT);
        assert_string_equal(err.where, "file:2:65537");
    }
    free(text);
}

/* ---- the model ---- */

static void infer(struct slw_run *run)
{
    assert_int_equal(slw_import_model(run, NULL, NULL), 0);
}

static void a_model_is_inferred_only_beyond_doubt(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, "  10      ls_not_halted_cyc\n  20      ex_ret_ops\n"
                                       "  5       ex_ret_brn_misp\n  7  de_src_op_disp.all\n"
                                       "  3       resyncs_or_nc_redirects\n");
    infer(run);
    assert_string_equal(run->model.name, "zen4");
    assert_true(has_note(run, "import-model"));
    slw_run_free(run);
    /* Six slots a cycle or eight: these events do not tell. */
    run = import(TEXT, "  10      ls_not_halted_cyc\n  20      ex_ret_ops\n");
    infer(run);
    assert_null(run->model.name);
    assert_non_null(strstr(run->model.absent, "zen4"));
    assert_non_null(strstr(run->model.absent, "zen5"));
    slw_run_free(run);
    run = import(TEXT, "  10      ls_not_halted_cyc\n  20      some.other_event\n");
    infer(run);
    assert_null(run->model.name);
    slw_run_free(run);
}

static void events_of_every_cpu_make_no_tree(void **state)
{
    (void)state;
    struct slw_run *run = import(TEXT, "  10      cycles\n  20      instructions\n");
    infer(run);
    assert_string_equal(run->model.name, "generic");
    slw_run_free(run);
    run = import(CSV, "<not counted>,,slots,0,0.00,,\n<not counted>,,cycles,0,0.00,,\n");
    infer(run);
    assert_null(run->model.name);
    assert_non_null(strstr(run->model.absent, "none of the imported"));
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_brought_to_the_words_of_the_models),
        cmocka_unit_test(what_cannot_be_a_name_is_refused),
        cmocka_unit_test(text_gives_exact_counts_and_their_coverage),
        cmocka_unit_test(what_was_not_counted_is_absent_in_perfs_words),
        cmocka_unit_test(printed_metrics_are_kept_as_printed),
        cmocka_unit_test(a_share_behind_the_metrics_belongs_to_the_row),
        cmocka_unit_test(a_repetition_starts_a_group_at_its_metric),
        cmocka_unit_test(means_of_several_runs_keep_their_spread),
        cmocka_unit_test(cpus_and_threads_are_parts),
        cmocka_unit_test(cores_and_intervals_are_added_up),
        cmocka_unit_test(a_sum_with_a_hole_is_absent),
        cmocka_unit_test(old_perf_put_the_unit_behind_the_clock),
        cmocka_unit_test(csv_knows_its_separator_and_its_times),
        cmocka_unit_test(csv_of_any_separator_reads_the_same),
        cmocka_unit_test(csv_names_may_hold_the_separator),
        cmocka_unit_test(csv_of_cpus_and_cores),
        cmocka_unit_test(json_is_read_as_broken_as_perf_writes_it),
        cmocka_unit_test(json_of_cpus_and_threads),
        cmocka_unit_test(bad_rows_are_refused_at_their_place),
        cmocka_unit_test(two_outputs_in_one_file_are_refused),
        cmocka_unit_test(two_vendors_in_one_file_are_refused),
        cmocka_unit_test(a_line_without_end_is_refused),
        cmocka_unit_test(a_model_is_inferred_only_beyond_doubt),
        cmocka_unit_test(events_of_every_cpu_make_no_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
