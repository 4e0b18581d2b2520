/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/comparison_int.h"
#include "tests/compare_arms.h"

#include <math.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Half of the time is in steady, grows costs a half more, shrinks a third less. */
static const struct arm_stack changed[] = {
    {"main;steady", {1000, 1000}}, {"main;grows", {200, 300}},
    {"main;shrinks", {300, 200}},  {"main;send;tcp_[k]", {100, 100}},
    {"main;only_a", {50, 0}},      {"main;only_b", {0, 60}},
    {"main;rare", {1, 1}},         {"", {20, 20}}};

struct compared {
    struct arm a, b;
    struct slw_report *reports[2];
    struct slw_comparison c;
};

static void fill(struct compared *t)
{
    assert_int_equal(slw_report_new(t->a.run, t->a.stacks, NULL, &t->reports[0], NULL), 0);
    assert_int_equal(slw_report_new(t->b.run, t->b.stacks, NULL, &t->reports[1], NULL), 0);
    t->c.arena = slw_arena_new();
    t->c.interleaved = true;
    t->c.alpha = .05;
    t->c.in.a = (struct slw_side_of){"A", t->a.run, t->reports[0], t->a.stacks, t->a.moments};
    t->c.in.b = (struct slw_side_of){"B", t->b.run, t->reports[1], t->b.stacks, t->b.moments};
}

static struct compared compare(const struct arm_stack *stacks, size_t count, int rounds,
                               uint64_t requests_a, uint64_t requests_b, const char *path_b)
{
    struct compared t = {.a = arm_new(stacks, count, 0, rounds, requests_a, "/bin/client"),
                         .b = arm_new(stacks, count, 1, rounds, requests_b, path_b)};

    fill(&t);
    assert_int_equal(slw_comparison_functions(&t.c, NULL), 0);
    return t;
}

static void done(struct compared *t)
{
    slw_report_free(t->reports[0]);
    slw_report_free(t->reports[1]);
    slw_arena_free(t->c.arena);
    arm_free(&t->a);
    arm_free(&t->b);
}

static struct slw_function_change find(const struct compared *t, const char *function)
{
    for (size_t i = 0; i < t->c.function_count; i++)
        if (strcmp(t->c.functions[i].function, function) == 0)
            return t->c.functions[i];
    fail_msg("there is no %s", function);
    return (struct slw_function_change){0};
}

static void what_changed_is_found_and_what_did_not_is_not(void **state)
{
    (void)state;
    struct compared t = compare(changed, COUNT(changed), 12, 1000, 1000, "/bin/client");

    assert_null(t.c.functions_absent);
    assert_int_equal(t.c.function_count, 8);
    const struct slw_function_change grows = find(&t, "grows"), steady = find(&t, "steady");
    assert_true(grows.judged && grows.real && !grows.only_a && !grows.only_b);
    assert_true(grows.difference.low > 0);
    assert_true(fabs(grows.a - 200000) < 8000 && fabs(grows.b - 300000) < 12000);
    assert_true(fabs(grows.difference.estimate - 100000) < 25000);
    assert_true(find(&t, "shrinks").real && find(&t, "shrinks").difference.high < 0);
    assert_true(steady.judged && !steady.real);
    assert_true(find(&t, "only_a").real && find(&t, "only_a").only_a);
    assert_true(find(&t, "only_b").real && find(&t, "only_b").only_b);
    assert_false(find(&t, "rare").judged);
    assert_int_equal(find(&t, "tcp").kind, SLW_FRAME_KERNEL);
    assert_string_equal(find(&t, "[no stack]").module, "[unknown]");
    for (size_t i = 1; i < t.c.function_count; i++) {
        const struct slw_function_change *x = &t.c.functions[i - 1], *y = &t.c.functions[i];
        assert_true(fabs(x->b - x->a) >= fabs(y->b - y->a));
    }
    done(&t);
}

static void weights_of_all_functions_are_the_whole(void **state)
{
    (void)state;
    struct compared t = compare(changed, COUNT(changed), 6, 500, 1000, "/bin/client");
    double a = 0, b = 0;

    for (size_t i = 0; i < t.c.function_count; i++) {
        a += t.c.functions[i].a;
        b += t.c.functions[i].b;
    }
    assert_true(fabs(a * 6 * 500 - (double)slw_stacks_total(t.a.stacks, 1)) < 1);
    assert_true(fabs(b * 6 * 1000 - (double)slw_stacks_total(t.b.stacks, 1)) < 1);
    done(&t);
}

static void a_client_built_anew_keeps_its_functions(void **state)
{
    (void)state;
    struct compared t = compare(changed, COUNT(changed), 12, 1000, 1000, "/next/client-2");

    assert_int_equal(t.c.function_count, 8);
    assert_false(find(&t, "steady").only_a);
    assert_string_equal(find(&t, "steady").module, "/bin/client");
    done(&t);
}

/* As many statements as so few rounds can make, about the heaviest functions. */
static void few_rounds_judge_few_functions(void **state)
{
    (void)state;
    static const size_t most[] = {[5] = 0, [6] = 1, [7] = 3, [8] = 6};

    for (int rounds = 5; rounds <= 8; rounds++) {
        struct compared t = compare(changed, COUNT(changed), rounds, 1000, 1000, "/bin/client");
        size_t judged = 0;

        for (size_t i = 0; i < t.c.function_count; i++)
            judged += t.c.functions[i].judged;
        assert_int_equal(judged, most[rounds]);
        assert_int_equal(find(&t, "steady").judged, rounds > 5);
        done(&t);
    }
}

static void without_rounds_in_turn_nothing_is_judged(void **state)
{
    (void)state;
    struct compared t = compare(changed, COUNT(changed), 12, 1000, 1000, "/bin/client");

    for (int how = 0; how < 3; how++) {
        t.c.interleaved = how != 0;
        t.c.in.a.moments = how == 1 ? NULL : t.a.moments;
        t.c.in.b.moments = how == 2 ? NULL : t.b.moments;
        assert_int_equal(slw_comparison_functions(&t.c, NULL), 0);
        assert_int_equal(t.c.function_count, 8);
        assert_false(find(&t, "grows").judged || find(&t, "grows").real);
        assert_true(find(&t, "grows").b > find(&t, "grows").a);
    }
    done(&t);
}

static void what_keeps_the_table_from_being_made_is_said(void **state)
{
    (void)state;
    struct compared t = compare(changed, COUNT(changed), 6, 1000, 1000, "/bin/client");

    t.b.run->rounds[3].requests = (struct slw_maybe_u64){0, "not decoded"};
    assert_int_equal(slw_comparison_functions(&t.c, NULL), 0);
    assert_int_equal(t.c.function_count, 0);
    assert_string_equal(t.c.functions_absent, "not decoded");
    t.c.in.a.stacks = NULL;
    assert_int_equal(slw_comparison_functions(&t.c, NULL), 0);
    assert_string_equal(t.c.functions_absent, "no samples were taken");
    done(&t);
    t = compare(changed, COUNT(changed), 6, 0, 1000, "/bin/client");
    assert_string_equal(t.c.functions_absent, "no requests were observed");
    done(&t);
}

/* The same arm twice: a comparison in which something is real is rare. */
static void equal_arms_are_hardly_ever_different(void **state)
{
    (void)state;
    static const struct arm_stack same[] = {{"main;f", {500, 500}},
                                            {"main;g", {300, 300}},
                                            {"main;h", {200, 200}},
                                            {"main;i", {90, 90}},
                                            {"main;j", {50, 50}}};
    size_t wrong = 0;

    for (size_t i = 0; i < 20; i++) {
        struct arm_stack shifted[COUNT(same)];

        memcpy(shifted, same, sizeof(same));
        for (size_t k = 0; k < COUNT(same); k++) /* other draws of the same coin */
            shifted[k].samples[0] = shifted[k].samples[1] = same[k].samples[0] + 11 * (unsigned)i;
        struct compared t = compare(shifted, COUNT(same), 10, 1000, 1000, "/bin/client");
        bool any = false;
        for (size_t k = 0; k < t.c.function_count; k++)
            any = any || t.c.functions[k].real;
        wrong += any;
        done(&t);
    }
    assert_true(wrong <= 3); /* 5 % of 20 are 1; more than 3 are 1 in 60 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changed_is_found_and_what_did_not_is_not),
        cmocka_unit_test(weights_of_all_functions_are_the_whole),
        cmocka_unit_test(a_client_built_anew_keeps_its_functions),
        cmocka_unit_test(few_rounds_judge_few_functions),
        cmocka_unit_test(without_rounds_in_turn_nothing_is_judged),
        cmocka_unit_test(what_keeps_the_table_from_being_made_is_said),
        cmocka_unit_test(equal_arms_are_hardly_ever_different),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
