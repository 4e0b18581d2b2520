/* SPDX-License-Identifier: MIT */
#include "flamegraph/diff_int.h"
#include "flamegraph/flamegraph.h"
#include "tests/compare_arms.h"
#include "tests/unit/xml_check_int.h"

#include <math.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct arm_stack changed[] = {
    {"main;steady", {1000, 1000}}, {"main;grows", {200, 300}},
    {"main;shrinks", {300, 200}},  {"main;send;tcp_[k]", {100, 100}},
    {"main;only_a;deep", {50, 0}}, {"main;only_b;deep", {0, 60}},
    {"main;rare", {1, 0}},         {"", {20, 20}}};

struct pair {
    struct arm arms[2];
    struct slw_diff_side sides[2];
};

static struct pair pair_of(const struct arm_stack *stacks, size_t count, int rounds)
{
    static const struct slw_diff_side sides[2] = {
        {"A", "base", "old <client> & co", NULL, NULL, NULL},
        {"B", "candidate", "new \"client\"", NULL, NULL, NULL}};
    struct pair p;

    for (size_t i = 0; i < 2; i++) {
        p.arms[i] = arm_new(stacks, count, i, rounds, 1000, i ? "/new/client" : "/old/client");
        p.arms[i].run->experiment.id = "0123456789abcdef";
        p.sides[i] = sides[i];
        p.sides[i].run = p.arms[i].run;
        p.sides[i].stacks = p.arms[i].stacks;
        p.sides[i].moments = p.arms[i].moments;
    }
    return p;
}

static struct slw_diff *diff_of(const struct pair *p, const struct slw_diff_options *opts)
{
    struct slw_diff *d = NULL;
    struct slw_error err = {0};

    if (slw_diff_new(&p->sides[0], &p->sides[1], opts, &d, &err) < 0)
        fail_msg("%s", err.text);
    return d;
}

static void pair_free(struct pair *p)
{
    arm_free(&p->arms[0]);
    arm_free(&p->arms[1]);
}

static uint32_t find(const struct slw_diff *d, const char *label)
{
    for (uint32_t i = 0; i < d->tree->node_count; i++)
        if (strcmp(d->tree->names[d->tree->nodes[i].name].label, label) == 0)
            return i;
    fail_msg("there is no frame %s", label);
    return 0;
}

static char *svg_of(const struct slw_diff *d)
{
    struct slw_buf out = {0};

    assert_int_equal(slw_diff_svg(d, NULL, &out, NULL), 0);
    assert_false(slw_buf_failed(&out));
    assert_int_equal(xml_check(out.data, out.length), -1);
    return slw_buf_take(&out);
}

static void changes_are_judged_over_rounds(void **state)
{
    (void)state;
    struct pair p = pair_of(changed, COUNT(changed), 12);
    struct slw_diff *d = diff_of(&p, NULL);

    assert_int_equal(d->basis, SLW_DIFF_BY_ROUNDS);
    assert_int_equal(d->per, SLW_DIFF_PER_REQUEST);
    assert_int_equal(d->rounds, 12);
    assert_int_equal(d->nodes[find(d, "grows")].state, SLW_DIFF_CHANGED);
    assert_int_equal(d->nodes[find(d, "shrinks")].state, SLW_DIFF_CHANGED);
    assert_int_equal(d->nodes[find(d, "only_a")].state, SLW_DIFF_CHANGED);
    assert_int_equal(d->nodes[find(d, "only_b")].state, SLW_DIFF_CHANGED);
    assert_int_equal(d->nodes[find(d, "steady")].state, SLW_DIFF_INSIDE);
    assert_int_equal(d->nodes[find(d, "rare")].state, SLW_DIFF_FEW);
    char *svg = svg_of(d);
    assert_non_null(
        strstr(svg, "red, +: B (candidate: new &quot;client&quot;) costs more per request than A "
                    "(base: old &lt;client&gt; &amp; co)"));
    assert_non_null(strstr(svg, "12 rounds measured in turn"));
    assert_non_null(strstr(svg, "new: only B has it here; beyond the noise"));
    assert_non_null(strstr(svg, "gone: only A has it here; beyond the noise"));
    free(svg);
    slw_diff_free(d);
    pair_free(&p);
}

static void without_rounds_the_samples_are_counted(void **state)
{
    (void)state;
    struct pair p = pair_of(changed, COUNT(changed), 0);
    struct slw_diff *d = diff_of(&p, NULL);

    assert_int_equal(d->basis, SLW_DIFF_BY_COUNTS);
    assert_int_equal(d->nodes[find(d, "grows")].state, SLW_DIFF_CHANGED);
    assert_int_equal(d->nodes[find(d, "tcp")].state, SLW_DIFF_INSIDE);
    assert_int_equal(d->nodes[find(d, "rare")].state, SLW_DIFF_FEW);
    char *svg = svg_of(d);
    assert_non_null(strstr(svg, "colour is no proof"));
    free(svg);
    slw_diff_free(d);
    pair_free(&p);
}

static void rounds_of_other_experiments_are_no_pairs(void **state)
{
    (void)state;
    struct pair p = pair_of(changed, COUNT(changed), 12);

    p.arms[1].run->experiment.id = "fedcba9876543210";
    struct slw_diff *d = diff_of(&p, NULL);
    assert_int_equal(d->basis, SLW_DIFF_BY_COUNTS);
    assert_non_null(strstr(d->basis_why, "not measured in turn"));
    slw_diff_free(d);
    p.arms[1].run->experiment.id = p.arms[0].run->experiment.id;
    p.sides[1].moments = NULL;
    d = diff_of(&p, NULL);
    assert_int_equal(d->basis, SLW_DIFF_BY_COUNTS);
    slw_diff_free(d);
    pair_free(&p);
}

static void without_requests_costs_are_shares(void **state)
{
    (void)state;
    struct pair p = pair_of(changed, COUNT(changed), 12);

    for (int i = 0; i < 12; i++)
        p.arms[0].run->rounds[i].requests.absent = "not decoded";
    struct slw_diff *d = diff_of(&p, NULL);
    assert_int_equal(d->per, SLW_DIFF_PER_CPU_SECOND);
    assert_int_equal(d->basis, SLW_DIFF_BY_ROUNDS);
    assert_true(fabs(slw_diff_cost(d, SLW_ROOT_NODE, 0) - 1e9) < 1);
    assert_true(fabs(slw_diff_cost(d, SLW_ROOT_NODE, 1) - 1e9) < 1);
    assert_int_equal(d->nodes[SLW_ROOT_NODE].state, SLW_DIFF_INSIDE);
    assert_int_equal(d->nodes[find(d, "grows")].state, SLW_DIFF_CHANGED);
    char *svg = svg_of(d);
    assert_non_null(strstr(svg, "Not per request: not decoded."));
    free(svg);
    slw_diff_free(d);
    pair_free(&p);
}

/* The sums of a side, whatever is drawn of them. */
static void weights_of_both_are_kept(void **state)
{
    (void)state;
    for (int inverted = 0; inverted < 2; inverted++) {
        struct pair p = pair_of(changed, COUNT(changed), 6);
        struct slw_diff *d = diff_of(&p, &(struct slw_diff_options){.inverted = inverted});

        for (size_t side = 0; side < 2; side++) {
            uint64_t own = 0;
            for (uint32_t i = 0; i < d->tree->node_count; i++)
                own += d->nodes[i].own[side];
            assert_int_equal(own, slw_stacks_total(p.arms[side].stacks, 1));
            assert_int_equal(d->nodes[SLW_ROOT_NODE].weight[side], own);
            assert_int_equal(d->nodes[SLW_ROOT_NODE].samples[side],
                             slw_stacks_total(p.arms[side].stacks, 0));
        }
        slw_diff_free(d);
        pair_free(&p);
    }
}

static void one_sided_widths_say_what_cannot_be_seen(void **state)
{
    (void)state;
    struct pair p = pair_of(changed, COUNT(changed), 12);
    struct slw_diff *d = diff_of(&p, &(struct slw_diff_options){.width = SLW_DIFF_WIDTH_B});

    assert_int_equal(d->tree->nodes[find(d, "only_a")].weight, 0);
    assert_true(d->tree->nodes[find(d, "only_b")].weight > 0);
    char *svg = svg_of(d);
    assert_non_null(strstr(svg, "code that only A has cannot be seen"));
    assert_null(strstr(svg, "<title>only_a"));
    free(svg);
    slw_diff_free(d);
    d = diff_of(&p, NULL);
    svg = svg_of(d);
    assert_non_null(strstr(svg, "<title>only_a"));
    assert_non_null(strstr(svg, "<title>only_b"));
    free(svg);
    slw_diff_free(d);
    pair_free(&p);
}

static void what_cannot_be_compared_is_refused(void **state)
{
    (void)state;
    const struct slw_column hardware[] = {
        {"cpu-clock", "count", {SLW_SOURCE_HARDWARE, false, NULL}}};
    const uint64_t weight = 1;
    struct pair p = pair_of(changed, COUNT(changed), 0);
    struct slw_stacks *other = NULL, *own = p.arms[1].stacks;
    struct slw_diff *d = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_stacks_new(hardware, 1, &other, NULL), 0);
    assert_int_equal(slw_stacks_add(other, NULL, 0, SLW_NO_THREAD, &weight), 0);
    p.sides[1].stacks = other;
    p.sides[1].moments = NULL;
    assert_int_equal(slw_diff_new(&p.sides[0], &p.sides[1], NULL, &d, &err), -SLW_E_INVAL);
    assert_int_equal(slw_diff_new(&p.sides[0], &p.sides[1],
                                  &(struct slw_diff_options){.event = "cycles"}, &d, NULL),
                     -SLW_E_NOTFOUND);
    p.sides[1].stacks = own;
    p.sides[0].stacks = other;
    p.sides[0].moments = NULL;
    assert_int_equal(
        slw_diff_new(&p.sides[0], &p.sides[1], &(struct slw_diff_options){.force = true}, &d, NULL),
        -SLW_E_INVAL); /* the units differ, and no force makes them one */
    assert_null(d);
    slw_stacks_free(other);
    pair_free(&p);
}

static void nothing_in_one_run_is_refused(void **state)
{
    (void)state;
    static const struct arm_stack one[] = {{"main;f", {0, 5}}};
    struct pair p = pair_of(one, 1, 0);
    struct slw_diff *d = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_diff_new(&p.sides[0], &p.sides[1], NULL, &d, &err), -SLW_E_NODATA);
    assert_non_null(strstr(err.text, "A (base)"));
    pair_free(&p);
}

static void hostile_names_stay_names(void **state)
{
    (void)state;
    static const struct arm_stack hostile[] = {{"main;<script>alert(1)</script>", {900, 100}},
                                               {"main;\"onload=x ' & ]]>", {100, 900}},
                                               {"main;\x1b[31m\xff\xe2\x80\xae", {50, 60}}};
    struct pair p = pair_of(hostile, COUNT(hostile), 0);

    p.sides[0].command = "</text><script>alert(2)</script> ]]> \x01\xff";
    struct slw_diff *d = diff_of(&p, NULL);
    char *svg = svg_of(d);
    assert_null(strstr(svg, "<script>alert"));
    assert_null(strstr(svg, "\x1b"));
    free(svg);
    slw_diff_free(d);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_judged_over_rounds),
        cmocka_unit_test(without_rounds_the_samples_are_counted),
        cmocka_unit_test(rounds_of_other_experiments_are_no_pairs),
        cmocka_unit_test(without_requests_costs_are_shares),
        cmocka_unit_test(weights_of_both_are_kept),
        cmocka_unit_test(one_sided_widths_say_what_cannot_be_seen),
        cmocka_unit_test(what_cannot_be_compared_is_refused),
        cmocka_unit_test(nothing_in_one_run_is_refused),
        cmocka_unit_test(hostile_names_stay_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
