/* SPDX-License-Identifier: MIT */
/* The stages workload as its users run it: the same answers whatever is batched, and batches that
 * are what was asked for. */
#include "workloads/workload.h"

#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SETTINGS 16
#define REQUESTS     700
#define WARM_UP      116

struct pair {
    const char *name, *value;
};

struct ask {
    struct pair pairs[6]; /* ends with a NULL name */
    uint64_t requests;    /* 0: REQUESTS */
    double rate;
    const atomic_bool *stop;
};

static void choose(struct slw_chosen *chosen, const struct slw_setting *setting, const char *text,
                   bool given)
{
    *chosen = (struct slw_chosen){.setting = setting, .text = text, .given = given};
    if (setting->kind == SLW_SETTING_NUMBER)
        chosen->number = strtoull(text, NULL, 10);
    if (setting->kind == SLW_SETTING_CHOICE)
        while (strcmp(setting->choices[chosen->choice], text) != 0)
            chosen->choice++;
}

static int run(const struct ask *ask, struct slw_workload_result *result, struct slw_error *err)
{
    const struct slw_workload *w = slw_workload_find("stages");
    struct slw_chosen rows[MAX_SETTINGS];
    size_t count = 0;

    for (const struct slw_setting *s = w->settings; s->name; s++) {
        const struct pair *p = ask->pairs;

        assert_true(count < MAX_SETTINGS);
        while (p->name && strcmp(p->name, s->name) != 0)
            p++;
        choose(&rows[count++], s, p->name ? p->value : s->otherwise, p->name);
    }
    const struct slw_choices choices = {rows, count};
    const struct slw_workload_options options = {.choices = &choices,
                                                 .requests =
                                                     ask->requests ? ask->requests : REQUESTS,
                                                 .warm_up = WARM_UP,
                                                 .seed = 5,
                                                 .rate = ask->rate,
                                                 .stop = ask->stop};
    *result = (struct slw_workload_result){0};
    const int r = w->check(&options, err);
    return r < 0 ? r : w->run(&options, result, err);
}

static struct slw_workload_result *must_run(const struct ask *ask)
{
    static struct slw_workload_result result;
    struct slw_error err = {0};

    if (run(ask, &result, &err) < 0)
        fail_msg("%s", err.text);
    return &result;
}

static double extra(const struct slw_workload_result *r, const char *name)
{
    for (size_t i = 0; i < r->extra_count; i++)
        if (strcmp(r->extras[i].name, name) == 0)
            return r->extras[i].value;
    fail_msg("no '%s'", name);
    return 0;
}

static void answers_are_the_same_whatever_is_batched(void **state)
{
    static const struct ask asks[] = {
        {.pairs = {{"stages", "none"}}},
        {.pairs = {{"batch", "1"}}},
        {.pairs = {{"batch", "2"}, {"concurrency", "1"}}},
        {.pairs = {{"batch", "7"}, {"concurrency", "3"}}},
        {.pairs = {{"batch", "16"}, {"concurrency", "100"}}},
        {.pairs = {{"batch", "4096"}, {"concurrency", "4096"}}},
        {.pairs = {{"batch", "58"}, {"quota", "1"}}},
        {.pairs = {{"batch", "58"}, {"quota", "0"}}},
        {.pairs = {{"stages", "select"}, {"batch", "5"}}},
        {.pairs = {{"stages", "update,decode,send"}, {"batch", "13"}}},
        {.pairs = {{"stages", "parse,bind,plan,compress,seal"}, {"quota", "3"}}},
        {.pairs = {{"batch", "58"}}, .rate = 1e6},
        {.pairs = {{"batch", "10"}, {"read-bytes", "1"}}},
        {.pairs = {{"batch", "58"}, {"read-bytes", "7"}, {"quota", "0"}}},
        {.pairs = {{"batch", "1"}, {"read-bytes", "61"}, {"verify", ""}}},
    };
    const double digest = extra(must_run(&(struct ask){0}), "digest of all answers");

    (void)state;
    assert_true(digest > 0);
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        const struct slw_workload_result *r = must_run(&asks[i]);
        if (extra(r, "digest of all answers") != digest)
            fail_msg("row %zu: digest %.0f, not %.0f", i, extra(r, "digest of all answers"),
                     digest);
        assert_int_equal(r->tally.requests, REQUESTS);
        assert_int_equal(r->tally.outcomes[SLW_OUTCOME_DONE], REQUESTS);
        assert_int_equal(r->tally.latency_ns.count, REQUESTS);
        assert_true(extra(r, "updates, with warm-up") == REQUESTS + WARM_UP);
    }
}

static void other_payloads_and_keys_give_other_answers_that_are_right(void **state)
{
    static const struct ask asks[] = {
        {.pairs = {{"verify", ""}, {"payload", "0"}}},
        {.pairs = {{"verify", ""}, {"payload", "4096"}, {"concurrency", "400"}, {"batch", "400"}}},
        {.pairs = {{"verify", ""}, {"working-set", "1"}}},
        {.pairs = {{"verify", ""}, {"op", "read"}, {"read-bytes", "3"}}},
    };
    double digests[sizeof(asks) / sizeof(asks[0])];

    (void)state;
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        const struct slw_workload_result *r = must_run(&asks[i]);
        digests[i] = extra(r, "digest of all answers");
        assert_true(extra(r, "answers opened") == REQUESTS + WARM_UP);
        for (size_t j = 0; j < i; j++)
            assert_true(digests[i] != digests[j]);
    }
}

/* 4096 answers of 4 KiB are more than a connection holds. */
static void a_connection_that_is_full_is_waited_for(void **state)
{
    const struct slw_workload_result *r = must_run(
        &(struct ask){.pairs = {{"payload", "4096"}, {"batch", "4096"}, {"concurrency", "4096"}},
                      .requests = 5000});

    (void)state;
    assert_int_equal(r->tally.requests, 5000);
}

static void batches_are_as_large_as_they_are_asked_to_be(void **state)
{
    const struct slw_workload_result *r =
        must_run(&(struct ask){.pairs = {{"batch", "29"}, {"quota", "0"}}, .requests = 580});

    (void)state;
    assert_true(extra(r, "mean batch of decode") == 29);
    assert_true(extra(r, "mean batch of send") == 29);
    assert_int_equal(r->tally.batch.low, 29);
    assert_int_equal(r->tally.batch.high, 29);
    assert_int_equal(r->tally.batch.count, 580 / 29 * 12);
    assert_true(extra(r, "runs of full queues") == 580.0 / 29 * 12);
    assert_true(extra(r, "runs by quota") == 0);
}

static void a_last_batch_that_is_not_full_is_run_by_a_poll(void **state)
{
    const struct slw_workload_result *r = must_run(&(struct ask){
        .pairs = {{"batch", "29"}, {"quota", "0"}, {"concurrency", "30"}}, .requests = 60});

    (void)state;
    assert_true(extra(r, "mean batch of seal") == 15); /* 29, 1, 29, 1 */
    assert_true(extra(r, "runs by poll") == 2 * 12);
    assert_int_equal(r->tally.batch.low, 1);
}

static void only_the_stages_that_are_named_batch(void **state)
{
    const struct slw_workload_result *r = must_run(&(struct ask){
        .pairs = {{"stages", "select,seal"}, {"batch", "29"}, {"quota", "0"}}, .requests = 290});

    (void)state;
    assert_true(extra(r, "mean batch of parse") == 1);
    assert_true(extra(r, "mean batch of select") == 29);
    assert_true(extra(r, "mean batch of update") == 1);
    assert_true(extra(r, "mean batch of seal") == 29);
    assert_true(extra(r, "mean batch of send") == 1);
    assert_int_equal(r->tally.batch.low, 29); /* of those that batch */
    assert_int_equal(r->tally.batch.count, 290 / 29 * 2);
}

static void request_by_request_is_batches_of_one(void **state)
{
    const struct slw_workload_result *r =
        must_run(&(struct ask){.pairs = {{"stages", "none"}}, .requests = 290});

    (void)state;
    assert_int_equal(r->tally.batch.high, 1);
    assert_int_equal(r->tally.batch.count, 290 * 12);
    assert_true(extra(r, "runs by poll") == 0);
}

static void a_read_updates_nothing(void **state)
{
    (void)state;
    assert_true(
        extra(must_run(&(struct ask){.pairs = {{"op", "read"}}}), "updates, with warm-up") == 0);
}

static void who_is_told_to_stop_stops(void **state)
{
    static const atomic_bool stop = true;
    const struct slw_workload_result *r =
        must_run(&(struct ask){.requests = UINT64_C(1) << 60, .stop = &stop});

    (void)state;
    assert_int_equal(r->tally.requests, 0);
    assert_int_equal(r->tally.batch.count, 0);
}

static void stages_that_do_not_exist_are_named(void **state)
{
    static const char *const bad[] = {"",        "sel",     "selects",      "all,none",
                                      ",select", "select,", "select,,send", "select send"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        static struct slw_workload_result result;
        struct slw_error err = {0};
        const struct ask ask = {.pairs = {{"stages", bad[i]}}};

        assert_int_equal(run(&ask, &result, &err), -SLW_E_USAGE);
        assert_non_null(strstr(err.text, "--stages"));
        assert_non_null(strstr(err.hint, "all, none"));
    }
}

static void a_database_that_is_too_large_is_refused(void **state)
{
    static struct slw_workload_result result;
    struct slw_error err = {0};
    const struct ask ask = {.pairs = {{"working-set", "1000000"}, {"payload", "4096"}}};

    (void)state;
    assert_int_equal(run(&ask, &result, &err), -SLW_E_USAGE);
    assert_non_null(strstr(err.text, "--working-set"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_same_whatever_is_batched),
        cmocka_unit_test(other_payloads_and_keys_give_other_answers_that_are_right),
        cmocka_unit_test(a_connection_that_is_full_is_waited_for),
        cmocka_unit_test(batches_are_as_large_as_they_are_asked_to_be),
        cmocka_unit_test(a_last_batch_that_is_not_full_is_run_by_a_poll),
        cmocka_unit_test(only_the_stages_that_are_named_batch),
        cmocka_unit_test(request_by_request_is_batches_of_one),
        cmocka_unit_test(a_read_updates_nothing),
        cmocka_unit_test(who_is_told_to_stop_stops),
        cmocka_unit_test(stages_that_do_not_exist_are_named),
        cmocka_unit_test(a_database_that_is_too_large_is_refused),
    };

    if (slw_workload_find("stages")->missing) {
        printf("skipped: built without %s\n", slw_workload_find("stages")->missing);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
