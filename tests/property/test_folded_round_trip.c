/* SPDX-License-Identifier: MIT */
/* Random profiles, hostile names included: folding keeps every weight, folding what was imported
 * gives the same text again, and the call tree weighs what its column weighs. The seed is printed;
 * give it as the first argument to repeat a failure. */
#include "collector/importer.h"
#include "flamegraph/exporter.h"
#include "flamegraph/layout.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/xml_check_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 300

static uint64_t seed;

/* xorshift64*. Source: Vigna 2016. */
static uint32_t below(uint32_t limit)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void random_name(char *name, size_t size)
{
    static const char hard[] = "; \n\t\"<>&'\\_[]k0123456789#\x01\x7f\xc3\xff/:";
    const size_t length = below((uint32_t)size);

    for (size_t i = 0; i < length; i++)
        name[i] = below(3) ? (char)('a' + below(4)) : hard[below(sizeof(hard) - 1)];
    name[length] = '\0';
}

static uint32_t random_frame(struct slw_stacks *s)
{
    char name[12], module[8];
    uint32_t mapping, id;

    random_name(name, sizeof(name));
    random_name(module, sizeof(module));
    const struct slw_mapping m = {.path = module, .start = below(3)};
    assert_int_equal(slw_stacks_add_mapping(s, &m, &mapping), 0);
    const struct slw_frame f = {.function = name,
                                .mapping = below(2) ? mapping : SLW_NO_MAPPING,
                                .address = below(3),
                                .kind = (enum slw_frame_kind)below(3),
                                .inlined = below(4) == 0};
    assert_int_equal(slw_stacks_add_frame(s, &f, &id), 0);
    return id;
}

static uint32_t random_thread(struct slw_stacks *s)
{
    char name[8];
    uint32_t id;

    random_name(name, sizeof(name));
    const struct slw_thread t = {name, (int32_t)below(3), (int32_t)below(3)};
    assert_int_equal(slw_stacks_add_thread(s, &t, &id), 0);
    return below(5) ? id : SLW_NO_THREAD;
}

static struct slw_stacks *random_stacks(void)
{
    const struct slw_column columns[] = {{.event = "cpu-clock", .unit = "count"},
                                         {.event = "cpu-clock", .unit = "nanoseconds"}};
    struct slw_stacks *s = NULL;
    uint32_t frames[20], path[12];

    assert_int_equal(slw_stacks_new(columns, 2, &s, NULL), 0);
    for (size_t i = 0; i < 20; i++)
        frames[i] = random_frame(s);
    for (uint32_t i = 1 + below(60); i > 0; i--) {
        const uint32_t depth = below(12);
        const uint64_t weights[] = {1 + below(9), 1 + below(1000000)};

        for (uint32_t j = 0; j < depth; j++)
            path[j] = frames[below(20)];
        assert_int_equal(slw_stacks_add(s, path, depth, random_thread(s), weights), 0);
    }
    return s;
}

static char *fold(const struct slw_stacks *s)
{
    struct slw_buf out = {0};

    assert_int_equal(slw_exporter_find("folded")->export(NULL, s, NULL, &out, NULL), 0);
    return slw_buf_take(&out);
}

static struct slw_imported unfold(const char *text)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};

    for (size_t i = 0; i < slw_importer_count; i++)
        if (strcmp(slw_importers[i]->name, "folded") == 0 &&
            slw_importers[i]->import("text", text, strlen(text), &imported, &err) < 0)
            fail_msg("%s: %s in\n%s", err.where, err.text, text);
    return imported;
}

static void folding_keeps_the_weights_and_the_set(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct slw_stacks *s = random_stacks();
        char *text = fold(s);
        struct slw_imported imported = unfold(text);
        char *again = fold(imported.stacks);

        assert_int_equal(slw_stacks_total(imported.stacks, 0), slw_stacks_total(s, 1));
        assert_string_equal(again, text);
        free(again);
        slw_stacks_free(imported.stacks);
        slw_run_free(imported.run);
        free(text);
        slw_stacks_free(s);
    }
}

static void check_tree(const struct slw_tree *t, uint64_t total)
{
    assert_int_equal(t->nodes[SLW_ROOT_NODE].weight, total);
    for (uint32_t i = 0; i < t->node_count; i++) {
        uint64_t weight = t->nodes[i].own;

        for (uint32_t c = t->nodes[i].first_child; c != SLW_NO_NODE; c = t->nodes[c].next_sibling) {
            weight += t->nodes[c].weight;
            assert_int_equal(t->nodes[c].parent, i);
            if (t->nodes[c].next_sibling != SLW_NO_NODE)
                assert_true(t->nodes[c].name < t->nodes[t->nodes[c].next_sibling].name);
        }
        assert_int_equal(t->nodes[i].weight, weight);
    }
}

/* Whatever is culled, drawn and culled weight together cover every level no more than once. */
static void check_layout(const struct slw_tree *t, double min_width_px)
{
    const uint64_t total = t->nodes[SLW_ROOT_NODE].weight;
    uint64_t end_at[32] = {0};
    struct slw_layout l;

    assert_int_equal(slw_layout_init(&l, t, 1000, min_width_px, NULL), 0);
    for (size_t i = 0; i < l.frame_count; i++) {
        const struct slw_layout_frame *f = &l.frames[i];

        assert_true(f->depth < 32 && f->weight > 0 && f->start >= end_at[f->depth]);
        end_at[f->depth] = f->start + f->weight;
        assert_true(end_at[f->depth] <= (f->depth ? end_at[f->depth - 1] : total));
    }
    assert_true(l.culled_weight <= total);
    slw_layout_release(&l);
}

static void a_tree_weighs_what_its_column_weighs(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct slw_stacks *s = random_stacks();
        const struct slw_tree_options opts = {.by_thread = below(2), .inverted = below(2)};

        for (size_t column = 0; column < 2; column++) {
            struct slw_tree *t = NULL;
            struct slw_buf svg = {0};

            assert_int_equal(slw_tree_new(s, column, &opts, &t, NULL), 0);
            check_tree(t, slw_stacks_total(s, column));
            check_layout(t, 0.1);
            check_layout(t, 30);
            assert_int_equal(slw_svg_render(t, NULL, &svg, NULL), 0);
            assert_int_equal(xml_check(svg.data, svg.length), -1);
            slw_buf_release(&svg);
            slw_tree_free(t);
        }
        slw_stacks_free(s);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding_keeps_the_weights_and_the_set),
        cmocka_unit_test(a_tree_weighs_what_its_column_weighs),
    };

    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) | 1;
    printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
