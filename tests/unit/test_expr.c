/* SPDX-License-Identifier: MIT */
#include "models/expr.h"

#include "base/arena.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>

struct names {
    bool smt_on;
    bool b_absent;
};

/* a = 2, b = 3, zero = 0, big = 1e300; every other name is missing. */
static struct slw_expr_value lookup(void *ctx, const struct slw_expr_node *n)
{
    const struct names *names = ctx;
    struct slw_expr_value v = {.have = true};

    if (n->ref == SLW_REF_SMT_ON)
        v.value = names->smt_on;
    else if (strcmp(n->text, "a") == 0)
        v.value = 2;
    else if (strcmp(n->text, "b") == 0 && !names->b_absent)
        v.value = 3;
    else if (strcmp(n->text, "zero") == 0)
        v.value = 0;
    else if (strcmp(n->text, "big") == 0)
        v.value = 1e300;
    else
        v = (struct slw_expr_value){.missing = n->text};
    return v;
}

static struct slw_expr_value evaluate(struct slw_arena *arena, const char *text,
                                      const struct names *names)
{
    struct slw_error err = {0};
    struct slw_expr *e = NULL;
    struct names copy = *names;
    size_t offset = 0;

    if (slw_expr_parse(text, arena, &e, &offset, &err) < 0)
        fail_msg("%s: byte %zu: %s", text, offset, err.text);
    return slw_expr_evaluate(e, lookup, &copy);
}

static void formulas_have_the_value_python_gives(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"1 + 2 * 3", 7},
        {"(1 + 2) * 3", 9},
        {"10 - 4 - 3", 3},
        {"24 / 4 / 3", 2},
        {"2 * 6 / 4", 3},
        {"-a + b", 1},
        {"--a", 2},
        {"a * -b", -6},
        {"1.25", 1.25},
        {"min(a, b)", 2},
        {"max(a, b, 7, 1)", 7},
        {"max(0, a - b)", 0},
        {"min( a , max(b,9) )", 2},
        {"1 if a < b else 2", 1},
        {"1 if a > b else 2", 2},
        {"1 if a <= 2 else 2", 1},
        {"1 if a >= 3 else 2", 2},
        {"a + 10 if a > b else b + 20", 23},
        {"1 if a > b else 2 if b > a else 3", 2},
        {"(1 if a > b else 2) + 10", 12},
        {"1 if a < b and b < a else 2", 2},
        {"1 if a < b or b < a else 2", 1},
        {"1 if a > b or a < b and a < 5 else 2", 1},
        {"(a / 2) if smt_on else a", 2},
        {"5 if (smt_on) else 6", 6},
        {"5 if (a < b) else 6", 5},
        {"0.1 + 0.2", 0.1 + 0.2},
        {"123456789012345", 123456789012345.0},
    };
    const struct names names = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_arena *arena = slw_arena_new();
        const struct slw_expr_value v = evaluate(arena, cases[i].text, &names);

        if (!v.have || v.value < cases[i].value || v.value > cases[i].value)
            fail_msg("%s: %g (%s)", cases[i].text, v.value, v.missing ? v.missing : "");
        slw_arena_free(arena);
    }
}

static void names_may_hold_dots_colons_and_digits(void **state)
{
    static const char *const names[] = {"uops_retired.ms:c1:e1", "exe_activity.1_ports_util",
                                        "CLKS", "_x",
                                        "idq_uops_not_delivered.cycles_0_uops_deliv.core"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct slw_arena *arena = slw_arena_new();
        const struct names none = {0};

        assert_string_equal(evaluate(arena, names[i], &none).missing, names[i]);
        slw_arena_free(arena);
    }
}

static void what_is_missing_is_named(void **state)
{
    static const struct {
        const char *text, *missing;
    } cases[] = {
        {"a + gone.event", "gone.event"},
        {"first + second", "first"},
        {"a / zero", "division by zero: zero is 0"},
        {"a / (b - 3)", "division by zero: b - 3 is 0"},
        {"1 / (zero * (a + b))", "division by zero: zero * (a + b) is 0"},
        {"a / min(zero, b)", "division by zero: min(zero, b) is 0"},
        {"zero / zero", "division by zero: zero is 0"},
        {"big * big", "the result is too large to be a number"},
        {"big * big - big * big", "the result is too large to be a number"},
        {"max(gone, 1)", "gone"},
        {"-gone", "gone"},
        {"1 if gone > 1 else 2", "gone"},
        {"1 if a < b and gone > 1 else 2", "gone"},
        {"gone if a < b else 2", "gone"},
    };
    const struct names names = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_arena *arena = slw_arena_new();
        const struct slw_expr_value v = evaluate(arena, cases[i].text, &names);

        assert_false(v.have);
        assert_string_equal(v.missing, cases[i].missing);
        slw_arena_free(arena);
    }
}

static void an_untaken_branch_may_lack_its_inputs(void **state)
{
    struct slw_arena *arena = slw_arena_new();
    const struct names off = {0}, on = {.smt_on = true};
    (void)state;
    assert_true(evaluate(arena, "gone if smt_on else a", &off).have);
    assert_false(evaluate(arena, "gone if smt_on else a", &on).have);
    assert_true(evaluate(arena, "1 if a > b and gone > 1 else 2", &off).have);
    assert_true(evaluate(arena, "1 if a < b or gone > 1 else 2", &off).have);
    assert_true(evaluate(arena, "a / zero if a > b else 1", &off).have);
    slw_arena_free(arena);
}

static void malformed_formulas_name_the_place(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *says;
    } cases[] = {
        {"", 0, "ends where a value"},
        {"1 +", 3, "ends where a value"},
        {"a b", 2, "should end here"},
        {"(a", 2, "')' expected"},
        {"a)", 1, "should end here"},
        {"a + * b", 4, "'*' where a value"},
        {"min(a)", 5, "two or more"},
        {"min a", 4, "'(' expected"},
        {"a if b else 1", 5, "a condition is needed"},
        {"a if a < b", 10, "'else' expected"},
        {"a < b", 0, "a number is needed"},
        {"a + (a < b)", 4, "a number is needed"},
        {"a < b < a", 6, "should end here"},
        {"smt_on", 0, "a number is needed"},
        {"a if a and b else a", 5, "a condition is needed"},
        {"if", 0, "'if' where a value"},
        {"a + else", 4, "'else' where a value"},
        {"1.2.3", 0, "malformed number"},
        {"1.", 0, "malformed number"},
        {"a + 12x", 4, "malformed number"},
        {"a + 1234567890123456", 4, "15 digits"},
        {"a $ b", 2, "should end here"},
        {"\"a\"", 0, "'\"' where a value"},
        {"\x01", 0, "byte 0x01"},
        {"a if a < b else b < a", 16, "a number is needed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_arena *arena = slw_arena_new();
        struct slw_error err = {0};
        struct slw_expr *e = NULL;
        size_t offset = 999;

        const int rc = slw_expr_parse(cases[i].text, arena, &e, &offset, &err);
        if (rc >= 0 || offset != cases[i].offset || !strstr(err.text, cases[i].says))
            fail_msg("%s: %d, byte %zu, %s", cases[i].text, rc, offset, err.text);
        assert_null(e);
        slw_arena_free(arena);
    }
}

static void expect_limit(const char *text)
{
    struct slw_arena *arena = slw_arena_new();
    struct slw_expr *e = NULL;
    size_t offset = 0;

    assert_int_equal(slw_expr_parse(text, arena, &e, &offset, NULL), -SLW_E_LIMIT);
    slw_arena_free(arena);
}

static void repeat(char *out, size_t size, const char *part, int count, const char *end)
{
    size_t used = 0;

    for (int i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s", part);
    (void)snprintf(out + used, size - used, "%s", end);
}

static void depth_and_size_are_bounded(void **state)
{
    static char text[100000];
    (void)state;
    repeat(text, sizeof(text), "(", 4000, "a");
    expect_limit(text);
    repeat(text, sizeof(text), "-", 4000, "a");
    expect_limit(text);
    repeat(text, sizeof(text), "1 if a < a else ", 200, "a");
    expect_limit(text);
    repeat(text, sizeof(text), "min(a,", 500, "a");
    expect_limit(text);
    repeat(text, sizeof(text), "a+", 1000, "a");
    expect_limit(text);
    repeat(text, sizeof(text), "a", 200, "");
    expect_limit(text);
    repeat(text, sizeof(text), "a + ", 20000, "a");
    expect_limit(text);
}

static void a_known_smt_state_leaves_the_other_branch_out(void **state)
{
    struct slw_arena *arena = slw_arena_new();
    bool reached[SLW_EXPR_MAX_NODES];
    struct slw_expr *e = NULL;
    size_t offset;
    (void)state;
    assert_int_equal(
        slw_expr_parse("(x / 2 if smt_on else y) + (u if x > 1 else v)", arena, &e, &offset, NULL),
        0);
    for (int smt_on = -1; smt_on <= 1; smt_on++) {
        slw_expr_reach(e, &(struct slw_expr_known){.smt_on = smt_on, .single_task = -1}, reached);
        for (int i = 0; i < e->count; i++) {
            const char *name = e->nodes[i].op == SLW_EXPR_NAME ? e->nodes[i].text : "";
            if (strcmp(name, "y") == 0)
                assert_int_equal(reached[i], smt_on != 1);
            if (strcmp(name, "u") == 0 || strcmp(name, "v") == 0)
                assert_true(reached[i]);
            if (strcmp(name, "x") == 0 && i == 0)
                assert_int_equal(reached[i], smt_on != 0);
        }
    }
    slw_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_have_the_value_python_gives),
        cmocka_unit_test(names_may_hold_dots_colons_and_digits),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(an_untaken_branch_may_lack_its_inputs),
        cmocka_unit_test(malformed_formulas_name_the_place),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(a_known_smt_state_leaves_the_other_branch_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
