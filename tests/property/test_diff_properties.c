/* SPDX-License-Identifier: MIT */
/* Differences of random profiles: nothing is lost, and turning the runs round turns signs and
 * colours and nothing else. The seed is printed; SLW_SEED repeats one. */
#include "flamegraph/diff_int.h"
#include "flamegraph/flamegraph.h"
#include "tests/compare_arms.h"
#include "tests/unit/xml_check_int.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define STACKS 40
#define TURNS  30

static uint64_t seed;

/* Stacks of up to six of a few names, so that they share some of their ways. */
static void random_stacks(struct slw_coin *coin, struct arm_stack *stacks, char names[][64])
{
    for (size_t i = 0; i < STACKS; i++) {
        const uint64_t depth = slw_coin_below(coin, 7);
        size_t length = 0;

        names[i][0] = '\0';
        for (uint64_t k = 0; k < depth; k++)
            length +=
                (size_t)snprintf(names[i] + length, 64 - length, "%sf%" PRIu64 "%s", k ? ";" : "",
                                 slw_coin_below(coin, 5), slw_coin_below(coin, 4) ? "" : "_[k]");
        stacks[i].names = names[i];
        for (size_t side = 0; side < 2; side++)
            stacks[i].samples[side] =
                slw_coin_flip(coin) ? 0 : (unsigned)slw_coin_below(coin, 400) + 1;
    }
    stacks[0].samples[0] = stacks[0].samples[1] = 100; /* neither run is empty */
}

static struct slw_diff *difference(const struct arm *a, const struct arm *b, bool inverted)
{
    const struct slw_diff_side base = {"A", "base", "client", a->run, a->stacks, a->moments},
                               candidate = {"B",    "candidate", "client",
                                            b->run, b->stacks,   b->moments};
    const struct slw_diff_options opts = {.inverted = inverted};
    struct slw_diff *d = NULL;
    struct slw_error err = {0};

    if (slw_diff_new(&base, &candidate, &opts, &d, &err) < 0)
        fail_msg("seed %" PRIu64 ": %s", seed, err.text);
    return d;
}

static void assert_conserved(const struct slw_diff *d, const struct arm *arms)
{
    for (size_t side = 0; side < 2; side++) {
        uint64_t own = 0;

        for (uint32_t i = 0; i < d->tree->node_count; i++) {
            uint64_t children = 0;

            for (uint32_t c = d->tree->nodes[i].first_child; c != SLW_NO_NODE;
                 c = d->tree->nodes[c].next_sibling)
                children += d->nodes[c].weight[side];
            assert_true(d->nodes[i].weight[side] == d->nodes[i].own[side] + children);
            own += d->nodes[i].own[side];
        }
        assert_true(own == slw_stacks_total(arms[side].stacks, 1));
    }
}

static void assert_widths_add_up(const struct slw_diff *d)
{
    for (uint32_t i = 0; i < d->tree->node_count; i++) {
        const struct slw_tree_node *node = &d->tree->nodes[i];
        uint64_t children = 0;

        for (uint32_t c = node->first_child; c != SLW_NO_NODE; c = d->tree->nodes[c].next_sibling)
            children += d->tree->nodes[c].weight;
        assert_true(node->weight == node->own + children);
    }
}

static void assert_turned(const struct slw_diff *there, const struct slw_diff *back)
{
    assert_int_equal(there->tree->node_count, back->tree->node_count);
    assert_int_equal(there->basis, back->basis);
    /* Nodes are numbered as they are met, which is in the order of A's stacks: compare by place. */
    uint32_t x = SLW_ROOT_NODE, y = SLW_ROOT_NODE;
    while (x != SLW_NO_NODE) {
        const struct slw_tree_node *a = &there->tree->nodes[x], *b = &back->tree->nodes[y];
        const struct slw_diff_node *n = &there->nodes[x], *m = &back->nodes[y];

        assert_string_equal(there->tree->names[a->name].label, back->tree->names[b->name].label);
        assert_true(a->weight == b->weight);
        assert_int_equal(n->state, m->state);
        assert_int_equal(n->has_interval, m->has_interval);
        for (size_t side = 0; side < 2; side++)
            assert_true(n->weight[side] == m->weight[!side] &&
                        n->samples[side] == m->samples[!side]);
        if (n->has_interval) {
            const double scale = 1e-9 * (1 + fabs(n->difference.low) + fabs(n->difference.high));
            assert_true(fabs(n->difference.low + m->difference.high) <= scale);
            assert_true(fabs(n->difference.high + m->difference.low) <= scale);
            assert_true(fabs(n->difference.estimate + m->difference.estimate) <= scale);
        }
        assert_int_equal(a->first_child == SLW_NO_NODE, b->first_child == SLW_NO_NODE);
        if (a->first_child != SLW_NO_NODE) {
            x = a->first_child;
            y = b->first_child;
            continue;
        }
        while (x != SLW_NO_NODE && there->tree->nodes[x].next_sibling == SLW_NO_NODE) {
            assert_true(back->tree->nodes[y].next_sibling == SLW_NO_NODE);
            x = there->tree->nodes[x].parent;
            y = back->tree->nodes[y].parent;
        }
        if (x != SLW_NO_NODE) {
            x = there->tree->nodes[x].next_sibling;
            y = back->tree->nodes[y].next_sibling;
        }
    }
}

/* Classes of frames end in u or d, or are dnew and dgone. */
static size_t count_classes(const char *svg, const char *one, const char *other)
{
    char wanted[2][40];
    size_t count = 0;

    (void)snprintf(wanted[0], sizeof(wanted[0]), "<g class=\"%s\" data-m", one);
    (void)snprintf(wanted[1], sizeof(wanted[1]), "<g class=\"%s\" data-m", other);
    for (size_t i = 0; i < 2; i++)
        for (const char *at = svg; (at = strstr(at, wanted[i])); at++)
            count += i == 0 ? 1 : 1U << 16;
    return count;
}

static void assert_colours_turned(const struct slw_diff *there, const struct slw_diff *back)
{
    static const char *const pairs[][2] = {
        {"d1u", "d1d"}, {"d2u", "d2d"}, {"d3u", "d3d"}, {"dnew", "dgone"}, {"d0", "dfew"}};
    struct slw_buf svg[2] = {{0}, {0}};

    assert_int_equal(slw_diff_svg(there, NULL, &svg[0], NULL), 0);
    assert_int_equal(slw_diff_svg(back, NULL, &svg[1], NULL), 0);
    assert_false(slw_buf_failed(&svg[0]) || slw_buf_failed(&svg[1]));
    assert_int_equal(xml_check(svg[0].data, svg[0].length), -1);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const bool hueless = i == 4;
        assert_int_equal(
            count_classes(svg[0].data, pairs[i][0], pairs[i][1]),
            count_classes(svg[1].data, pairs[i][hueless ? 0 : 1], pairs[i][hueless ? 1 : 0]));
    }
    slw_buf_release(&svg[0]);
    slw_buf_release(&svg[1]);
}

static void turn(struct slw_coin *coin)
{
    struct arm_stack stacks[STACKS];
    char names[STACKS][64];
    const int rounds = slw_coin_flip(coin) ? 0 : (int)slw_coin_below(coin, 14) + 1;
    const bool inverted = slw_coin_flip(coin);
    struct arm arms[2];

    random_stacks(coin, stacks, names);
    for (size_t side = 0; side < 2; side++) {
        arms[side] =
            arm_new(stacks, STACKS, side, rounds, 1 + slw_coin_below(coin, 5000), "/bin/client");
        arms[side].run->experiment.id = "0123456789abcdef";
    }
    struct slw_diff *there = difference(&arms[0], &arms[1], inverted),
                    *back = difference(&arms[1], &arms[0], inverted);
    assert_conserved(there, arms);
    assert_widths_add_up(there);
    assert_turned(there, back);
    assert_colours_turned(there, back);
    slw_diff_free(there);
    slw_diff_free(back);
    arm_free(&arms[0]);
    arm_free(&arms[1]);
}

static void nothing_is_lost_and_turning_turns_signs_only(void **state)
{
    (void)state;
    const char *given = getenv("SLW_SEED");
    seed = given ? strtoull(given, NULL, 10) : 20240229;
    struct slw_coin coin = slw_coin_of(seed);

    print_message("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < TURNS; i++)
        turn(&coin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_and_turning_turns_signs_only)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
