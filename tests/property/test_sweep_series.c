/* SPDX-License-Identifier: MIT */
/* Rows of numbers that are written short and read back: whatever row is drawn, "a,b,c,..z" is that
 * row, and a last value that is not of the row is refused. */
#include "analyzer/statistics/order.h"
#include "cli/sweep_parameters.h"
#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED UINT64_C(20261122)
#define ROWS 4000

static struct slw_coin chance;

static size_t below(size_t n)
{
    return (size_t)(slw_coin_bits(&chance) % n);
}

struct row {
    double value[SLW_MAX_SWEEP_VALUES];
    size_t count;
};

/* Whole numbers or quarters, adding or multiplying, up or down. */
static struct row draw(void)
{
    struct row r = {.count = 4 + below(20)};
    const bool times = below(2);
    const double unit = below(3) ? 1 : .25;
    double by = times ? (double)(2 + below(3)) : unit * (double)(1 + below(50));
    double value = unit * (double)(1 + below(100));

    for (size_t i = 0; i < r.count; i++) {
        if (fabs(value) > 1e14) {
            r.count = i;
            break;
        }
        r.value[i] = value;
        value = times ? value * by : value + by;
    }
    if (below(4) == 0)
        for (size_t i = 0; i < r.count / 2; i++) {
            const double kept = r.value[i];

            r.value[i] = r.value[r.count - 1 - i];
            r.value[r.count - 1 - i] = kept;
        }
    return r;
}

static void write_short(char *text, size_t size, const struct row *r, double last)
{
    (void)snprintf(text, size, "n=%.15g,%.15g,%.15g,..%.15g", r->value[0], r->value[1], r->value[2],
                   last);
}

static void a_row_written_short_is_read_whole(void **state)
{
    (void)state;
    print_message("seed %llu\n", (unsigned long long)SEED);
    for (int k = 0; k < ROWS; k++) {
        const struct row r = draw();
        struct slw_sweep_parameter p;
        struct slw_error err = {0};
        char text[256];

        write_short(text, sizeof(text), &r, r.value[r.count - 1]);
        if (slw_sweep_parameter_parse(text, &p, &err) < 0)
            fail_msg("%s: %s", text, err.text);
        if (p.count != r.count)
            fail_msg("%s: %zu values, not %zu", text, p.count, r.count);
        for (size_t i = 0; i < p.count; i++)
            if (fabs(atof(p.values[i]) - r.value[i]) > 1e-9 * fabs(r.value[i]))
                fail_msg("%s: value %zu is %s, not %g", text, i, p.values[i], r.value[i]);
    }
}

static void an_end_beside_the_row_is_refused(void **state)
{
    (void)state;
    for (int k = 0; k < ROWS; k++) {
        const struct row r = draw();
        const double a = r.value[r.count - 2], b = r.value[r.count - 1];
        struct slw_sweep_parameter p;
        char text[256];

        write_short(text, sizeof(text), &r, a + (b - a) * .4375);
        if (slw_sweep_parameter_parse(text, &p, NULL) != -SLW_E_USAGE)
            fail_msg("%s is taken", text);
    }
}

/* Whatever is typed: an error, or values that differ and are within their bounds. */
static void any_text_is_refused_or_sound(void **state)
{
    static const char letters[] = "0123456789.,..,=ab-+e ";

    (void)state;
    for (int k = 0; k < 50 * ROWS; k++) {
        struct slw_sweep_parameter p;
        char text[40] = "n=";
        const size_t length = 2 + below(sizeof(text) - 3);

        for (size_t i = 2; i < length; i++)
            text[i] = letters[below(sizeof(letters) - 1)];
        text[length] = '\0';
        if (slw_sweep_parameter_parse(text, &p, NULL) < 0)
            continue;
        assert_in_range(p.count, 1, SLW_MAX_SWEEP_VALUES);
        for (size_t i = 0; i < p.count; i++) {
            assert_in_range(strlen(p.values[i]), 1, SLW_MAX_PARAMETER_BYTES);
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(p.values[i], p.values[j]);
        }
    }
}

static int reseed(void **state)
{
    (void)state;
    chance = slw_coin_of(SEED);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_row_written_short_is_read_whole, reseed),
        cmocka_unit_test_setup(an_end_beside_the_row_is_refused, reseed),
        cmocka_unit_test_setup(any_text_is_refused_or_sound, reseed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
