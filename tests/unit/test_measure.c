/* SPDX-License-Identifier: MIT */
/* Measuring arms in turn with shells as clients. */
#include "tests/unit/cmocka_int.h"

#include "base/file.h"
#include "cli/command.h"
#include "cli/experiment/experiment.h"
#include "record/run_dir.h"

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/slw-measure-XXXXXX";
static char directory[64];

/* ---- an experiment ---- */

static const struct slw_option table[] = {SLW_EXPERIMENT_OPTIONS, SLW_OPTION_END};
static char program[] = "test", no_wire[] = "--no-wire", offcpu[] = "--offcpu=no",
            no_sampling[] = "--no-sampling", seed[] = "--seed=7", warmup[] = "--warmup=0",
            label[] = "--label=k=v", metric[] = "--metric=requests=requests ([0-9]+)";
static char *words[] = {program, no_wire, offcpu, no_sampling, seed, warmup, label, metric};

#define WORDS (int)(sizeof(words) / sizeof(words[0]))

static char shell[] = "/bin/sh", flag[] = "-c", a_text[256], b_text[256];
static char *a_argv[] = {shell, flag, a_text, NULL}, *b_argv[] = {shell, flag, b_text, NULL};

static struct slw_args args;
static struct slw_arm arms[2];
static struct slw_measure_plan plan;
static struct slw_experiment *experiment;
static struct slw_error error;
static const struct slw_terminal terminal = {.out = {.fd = 1}, .err = {.fd = 2}};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int set_up(void **state)
{
    static int number;

    (void)state;
    (void)snprintf(directory, sizeof(directory), "%.40s/%d", folder, ++number);
    error = (struct slw_error){0};
    if (slw_args_parse(table, false, WORDS, words, &args, &error) < 0 ||
        slw_run_dir_create(directory, &error) < 0 || slw_experiment_new(&experiment, &error) < 0)
        return -1;
    arms[0] = (struct slw_arm){.name = "A", .argv = a_argv, .shown = "a client"};
    arms[1] = (struct slw_arm){.name = "B", .argv = b_argv, .shown = "b client"};
    plan = (struct slw_measure_plan){.args = &args,
                                     .terminal = &terminal,
                                     .arms = arms,
                                     .arm_count = 2,
                                     .blocks = 4,
                                     .directory = directory};
    (void)strcpy(a_text, "echo requests 10");
    (void)strcpy(b_text, "echo requests 20");
    return slw_measure_plan_settings(&plan, &error);
}

static int tear_down(void **state)
{
    (void)state;
    slw_arms_release(arms, 2);
    slw_experiment_free(experiment);
    slw_measure_plan_release(&plan);
    slw_args_release(&args);
    return 0;
}

static int measure(void)
{
    return slw_experiment_measure(&plan, experiment, &error);
}

static const struct slw_observation *requests_of(const struct slw_run *run)
{
    const struct slw_observation *o = slw_run_find_observation(run, "requests");

    assert_non_null(o);
    return o;
}

static bool has_note(const struct slw_run *run, const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return true;
    return false;
}

static char *content(const char *name)
{
    char path[PATH_MAX * 2], *text = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return slw_file_read(path, 1 << 20, &text, NULL, NULL) < 0 ? NULL : text;
}

static void holds(const char *name, const char *expected)
{
    char *text = content(name);

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

/* ---- rounds ---- */

static void every_round_of_an_arm_is_in_its_run(void **state)
{
    (void)state;
    assert_int_equal(measure(), 0);
    assert_int_equal(experiment->block_count, 4);
    assert_int_equal(experiment->stopped, SLW_STOPPED_ROUNDS);
    for (size_t i = 0; i < 2; i++) {
        const struct slw_run *run = arms[i].run;

        assert_int_equal(run->round_count, 4);
        assert_int_equal(requests_of(run)->length, 4);
        assert_int_equal(run->requests.value, i == 0 ? 10 : 20);
        assert_string_equal(run->experiment.id, experiment->id);
        assert_string_equal(run->experiment.arm, i == 0 ? "A" : "B");
        assert_int_equal(run->experiment.seed, 7);
        assert_string_equal(run->labels[0].value, "v");
        assert_string_equal(run->command.argv[2], i == 0 ? a_text : b_text);
        assert_true(has_note(run, "requests-from-client"));
        assert_non_null(arms[i].report);
        for (size_t k = 0; k < run->round_count; k++) {
            assert_int_equal(run->rounds[k].round, k + 1);
            assert_null(run->rounds[k].left_out);
            assert_true(run->rounds[k].started_ns > 0);
            assert_true(requests_of(run)->values[k] == (i == 0 ? 10 : 20));
        }
    }
    holds("a.slotwise/client.out", "requests 10\n");
}

static void arms_ran_in_the_order_that_is_told(void **state)
{
    bool b_first = false;

    (void)state;
    plan.blocks = 8;
    assert_int_equal(measure(), 0);
    for (size_t k = 0; k < 8; k++) {
        const uint16_t *order = experiment->order + 2 * k;
        const uint64_t a = arms[0].run->rounds[k].started_ns, b = arms[1].run->rounds[k].started_ns;

        assert_int_equal(order[0] + order[1], 1);
        assert_int_equal(order[0] == 1, b < a);
        b_first = b_first || order[0] == 1;
        if (k > 0)
            assert_true(a > arms[1].run->rounds[k - 1].started_ns);
    }
    assert_true(b_first); /* of this seed */
}

static void counts_of_a_round_carry_its_number(void **state)
{
    size_t seen[5] = {0};

    (void)state;
    assert_int_equal(measure(), 0);
    for (size_t i = 0; i < arms[0].run->count_count; i++)
        seen[arms[0].run->counts[i].round]++;
    assert_int_equal(seen[0], 0);
    for (size_t k = 2; k <= 4; k++)
        assert_int_equal(seen[k], seen[1]);
    assert_true(seen[1] > 0);
}

static void warm_up_rounds_are_run_and_dropped(void **state)
{
    (void)state;
    (void)snprintf(a_text, sizeof(a_text), "echo . >>%s/log", directory);
    plan.warmup = 2;
    assert_int_equal(measure(), 0);
    holds("log", ".\n.\n.\n.\n.\n.\n");
    assert_int_equal(arms[0].run->round_count, 4);
    assert_int_equal(experiment->warmup, 2);
}

/* ---- what goes wrong ---- */

static void a_failed_round_takes_its_pair_along(void **state)
{
    (void)state;
    (void)snprintf(b_text, sizeof(b_text),
                   "echo . >>%s/log; echo said; test $(wc -l <%s/log) -ne 2 || exit 3", directory,
                   directory);
    (void)strcpy(a_text, "echo requests 10");
    assert_int_equal(measure(), 0);
    for (size_t i = 0; i < 2; i++) {
        const struct slw_run *run = arms[i].run;

        assert_int_equal(experiment->block_count, 4);
        assert_int_equal(run->round_count, 4);
        assert_non_null(run->rounds[1].left_out);
        assert_null(run->rounds[2].left_out);
        assert_int_equal(requests_of(run)->length, 4);
        assert_true(isnan(requests_of(run)->values[1]));
        assert_true(has_note(run, "round-left-out"));
        for (size_t k = 0; k < run->count_count; k++)
            assert_int_not_equal(run->counts[k].round, 2);
    }
    assert_true(requests_of(arms[0].run)->values[2] == 10);
    assert_string_equal(arms[1].run->rounds[1].left_out, "the client failed with exit status 3");
    assert_non_null(strstr(arms[0].run->rounds[1].left_out, "B"));
    assert_int_equal(arms[0].run->rounds[1].exit_value, 0);
    assert_int_equal(arms[1].run->rounds[1].exit_value, 3);
    holds("b.slotwise/failed-2.out", "said\n");
    assert_null(content("a.slotwise/failed-2.out"));
}

static void a_client_that_always_fails_is_an_error_soon(void **state)
{
    (void)state;
    (void)snprintf(b_text, sizeof(b_text), "echo . >>%s/log; exit 4", directory);
    plan.blocks = 50;
    assert_int_equal(measure(), -SLW_E_NODATA);
    assert_non_null(strstr(error.text, "exit status 4"));
    holds("log", ".\n.\n.\n");
}

static void a_client_that_is_not_there_is_an_error_at_once(void **state)
{
    static char missing[] = "/nonexistent/client";
    char *argv[] = {missing, NULL};

    (void)state;
    arms[0].argv = argv;
    assert_int_equal(measure(), -SLW_E_EXEC);
    assert_int_equal(experiment->block_count, 0);
}

static void an_interrupt_keeps_whole_blocks(void **state)
{
    (void)state;
    (void)snprintf(a_text, sizeof(a_text),
                   "echo . >>%s/log; test $(wc -l <%s/log) -lt 3 || kill -INT $PPID", directory,
                   directory);
    plan.blocks = 50;
    (void)snprintf(b_text, sizeof(b_text), "true");
    assert_int_equal(measure(), 0);
    assert_int_equal(experiment->stopped, SLW_STOPPED_INTERRUPTED);
    assert_int_equal(experiment->block_count, 2);
    assert_int_equal(arms[0].run->round_count, 2);
    assert_int_equal(arms[1].run->round_count, 2);
}

/* ---- hooks, time, requests ---- */

static void hooks_run_around_it(void **state)
{
    char hook[3][PATH_MAX];

    (void)state;
    (void)snprintf(hook[0], sizeof(hook[0]), "echo setup >>%s/log", directory);
    (void)snprintf(hook[1], sizeof(hook[1]), "echo $SLOTWISE_ARM >>%s/arms", directory);
    (void)snprintf(hook[2], sizeof(hook[2]), "echo cleanup >>%s/log", directory);
    plan.setup = hook[0];
    plan.prepare = hook[1];
    plan.cleanup = hook[2];
    plan.blocks = 1;
    assert_int_equal(measure(), 0);
    holds("log", "setup\ncleanup\n");
    holds("arms", experiment->order[0] == 0 ? "A\nB\n" : "B\nA\n");
    assert_string_equal(experiment->prepare, hook[1]);
}

static void cleanup_runs_after_a_failure(void **state)
{
    char hook[PATH_MAX];

    (void)state;
    (void)snprintf(hook, sizeof(hook), "echo cleanup >>%s/log", directory);
    (void)strcpy(a_text, "exit 1");
    plan.cleanup = hook;
    assert_int_equal(measure(), -SLW_E_NODATA);
    holds("log", "cleanup\n");
}

static void nothing_is_measured_without_its_setup(void **state)
{
    (void)state;
    (void)snprintf(a_text, sizeof(a_text), "echo . >>%s/log", directory);
    plan.setup = "exit 5";
    assert_int_equal(measure(), -SLW_E_EXEC);
    assert_non_null(strstr(error.text, "exit status 5"));
    assert_null(content("log"));
}

static void a_round_without_its_preparation_is_left_out(void **state)
{
    char hook[PATH_MAX];

    (void)state;
    (void)snprintf(hook, sizeof(hook), "echo . >>%s/log; test $(wc -l <%s/log) -ne 3", directory,
                   directory);
    plan.prepare = hook;
    assert_int_equal(measure(), 0);
    assert_non_null(arms[0].run->rounds[1].left_out);
    assert_non_null(arms[1].run->rounds[1].left_out);
    assert_null(arms[0].run->rounds[2].left_out);
}

static void the_budget_ends_it(void **state)
{
    (void)state;
    (void)strcpy(a_text, "sleep 0.2");
    plan.budget_ms = 1;
    assert_int_equal(measure(), 0);
    assert_int_equal(experiment->stopped, SLW_STOPPED_BUDGET);
    assert_int_equal(experiment->block_count, 1);
}

static bool after_two(void *ctx, const struct slw_arm *all, size_t count, size_t blocks)
{
    size_t *calls = ctx;

    ++*calls;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(requests_of(all[i].run)->length, blocks);
        assert_non_null(all[i].report);
        assert_false(all[i].run->wall_ns.absent);
    }
    return blocks == 2;
}

static void enough_is_enough(void **state)
{
    size_t calls = 0;

    (void)state;
    plan.enough = after_two;
    plan.enough_ctx = &calls;
    assert_int_equal(measure(), 0);
    assert_int_equal(calls, 2);
    assert_int_equal(experiment->stopped, SLW_STOPPED_SETTLED);
    assert_int_equal(experiment->block_count, 2);
}

static void requests_can_be_told(void **state)
{
    (void)state;
    (void)strcpy(a_text, "true");
    plan.operations = 1000;
    assert_int_equal(measure(), 0);
    assert_int_equal(arms[0].run->requests.value, 1000);
    assert_true(has_note(arms[0].run, "requests-given"));
    assert_int_equal(arms[1].run->requests.value, 20); /* what the client says is better */
}

static void a_metric_the_client_does_not_print_is_said(void **state)
{
    (void)state;
    (void)strcpy(a_text, "echo nothing");
    assert_int_equal(measure(), 0);
    assert_true(has_note(arms[0].run, "metric-missing"));
    assert_false(has_note(arms[1].run, "metric-missing"));
}

static void requests_nobody_knows_are_absent(void **state)
{
    (void)state;
    (void)strcpy(a_text, "true");
    assert_int_equal(measure(), 0);
    assert_non_null(arms[0].run->requests.absent);
}

/* ---- samples, files ---- */

static void samples_of_all_rounds_are_one_profile(void **state)
{
    static char sampling[] = "--frequency=997";

    (void)state;
    slw_args_release(&args);
    words[3] = sampling;
    assert_int_equal(slw_args_parse(table, false, WORDS, words, &args, &error), 0);
    words[3] = no_sampling;
    (void)strcpy(a_text, "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done");
    (void)strcpy(b_text, a_text);
    plan.blocks = 3;
    assert_int_equal(measure(), 0);
    if (arms[0].run->sampling_count == 0)
        skip(); /* nothing can be sampled here */
    const struct slw_sampling *s = &arms[0].run->samplings[0];
    assert_int_equal(arms[0].run->sampling_count, 1);
    assert_true(s->samples > 0);
    assert_true(experiment->sampled);
    const int column = slw_stacks_find_column(arms[0].stacks, s->event, "count");
    assert_int_equal(slw_stacks_total(arms[0].stacks, (size_t)column), s->samples);
    assert_non_null(arms[0].moments);
    bool rounds[4] = {false};
    for (size_t i = 0; i < slw_moments_count(arms[0].moments); i++)
        rounds[slw_moments_get(arms[0].moments, i)->round] = true;
    assert_true(!rounds[0] && rounds[1] && rounds[2] && rounds[3]);
    assert_null(content("a.slotwise/perf.data"));
}

static void what_is_saved_is_loaded(void **state)
{
    struct slw_loaded_experiment l = {0};
    struct slw_buf before = {0}, after = {0};

    (void)state;
    assert_int_equal(measure(), 0);
    assert_false(slw_is_experiment(directory));
    assert_int_equal(slw_experiment_save(directory, experiment, arms, &error), 0);
    assert_true(slw_is_experiment(directory));
    assert_int_equal(slw_experiment_load(directory, &l, &error), 0);
    assert_int_equal(l.arm_count, 2);
    assert_string_equal(l.arms[1].name, "B");
    assert_string_equal(l.arms[1].shown, "b client");
    assert_non_null(l.arms[1].report);
    for (size_t i = 0; i < 2; i++) {
        before.length = after.length = 0;
        assert_int_equal(slw_run_to_json(arms[i].run, &before, NULL), 0);
        assert_int_equal(slw_run_to_json(l.arms[i].run, &after, NULL), 0);
        assert_string_equal(before.data, after.data);
    }
    slw_buf_release(&before);
    slw_buf_release(&after);
    slw_loaded_experiment_release(&l);
}

static void a_run_of_another_experiment_is_refused(void **state)
{
    struct slw_loaded_experiment l = {0};

    (void)state;
    assert_int_equal(measure(), 0);
    arms[1].run->experiment.id = "0000000000000000";
    assert_int_equal(slw_experiment_save(directory, experiment, arms, &error), 0);
    assert_int_equal(slw_experiment_load(directory, &l, &error), -SLW_E_FORMAT);
    assert_non_null(strstr(error.text, "another experiment"));
}

static int set_up_all(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down_all(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    /* The interrupt comes last: it is remembered for the whole process. */
    const struct CMUnitTest tests[] = {
        TEST(every_round_of_an_arm_is_in_its_run),
        TEST(arms_ran_in_the_order_that_is_told),
        TEST(counts_of_a_round_carry_its_number),
        TEST(warm_up_rounds_are_run_and_dropped),
        TEST(a_failed_round_takes_its_pair_along),
        TEST(a_client_that_always_fails_is_an_error_soon),
        TEST(a_client_that_is_not_there_is_an_error_at_once),
        TEST(hooks_run_around_it),
        TEST(cleanup_runs_after_a_failure),
        TEST(nothing_is_measured_without_its_setup),
        TEST(a_round_without_its_preparation_is_left_out),
        TEST(the_budget_ends_it),
        TEST(enough_is_enough),
        TEST(requests_can_be_told),
        TEST(a_metric_the_client_does_not_print_is_said),
        TEST(requests_nobody_knows_are_absent),
        TEST(samples_of_all_rounds_are_one_profile),
        TEST(what_is_saved_is_loaded),
        TEST(a_run_of_another_experiment_is_refused),
        TEST(an_interrupt_keeps_whole_blocks),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
