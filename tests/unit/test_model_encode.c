/* SPDX-License-Identifier: MIT */
/* Our codes against libpfm4's, for every event of every model whose PMU libpfm4 has a table for. */
#include "models/encode.h"

#include "tests/unit/cmocka_int.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    (void)state;
    return setenv("LIBPFM_ENCODE_INACTIVE", "1", 1);
}

static size_t compare_model(const struct slw_model *m, size_t *mismatches)
{
    size_t confirmed = 0;

    for (size_t i = 0; i < m->event_count; i++) {
        const struct slw_model_event *e = &m->events[i];
        struct slw_model_code code;

        slw_model_event_encode(e, m->libpfm_pmu, &code);
        assert_true(code.type == e->type && code.config == e->config);
        confirmed += code.encoding == SLW_ENCODING_CONFIRMED;
        if (!e->libpfm || code.encoding == SLW_ENCODING_CONFIRMED)
            continue;
        print_error("%s %s: config %llx/%llx, libpfm4 %s: %llx/%llx\n", m->name, e->name,
                    (unsigned long long)e->config, (unsigned long long)e->config1, e->libpfm,
                    (unsigned long long)code.libpfm_config,
                    (unsigned long long)code.libpfm_config1);
        ++*mismatches;
    }
    return confirmed;
}

static void libpfm_agrees_on_every_name_we_give(void **state)
{
    size_t mismatches = 0, confirmed = 0;
    (void)state;
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        struct slw_model *m = NULL;
        assert_int_equal(slw_model_builtin(slw_model_builtin_name(i), &m, NULL), 0);
        const size_t here = compare_model(m, &mismatches);
        print_message("%s: libpfm4 confirms %zu of %zu events\n", m->name, here, m->event_count);
        confirmed += here;
        slw_model_free(m);
    }
    assert_int_equal(mismatches, 0);
    assert_true(confirmed > 100);
}

static void a_trap_is_reported_and_our_code_kept(void **state)
{
    /* libpfm4 puts the MSR value of this one into the umask. */
    const struct slw_model_event e = {.name = "uops_retired.ms",
                                      .type = PERF_TYPE_RAW,
                                      .config = 0x4c2,
                                      .config1 = 8,
                                      .libpfm = "UOPS_RETIRED:MS"};
    struct slw_model_code code;
    (void)state;
    slw_model_event_encode(&e, "spr", &code);
    assert_int_equal(code.encoding, SLW_ENCODING_DISAGREES);
    assert_int_equal(code.config, 0x4c2);
    assert_int_equal(code.config1, 8);
    assert_int_equal(code.libpfm_config, 0x8c2);
}

static void without_a_name_or_a_table_the_model_decides(void **state)
{
    struct slw_model_event e = {.name = "x", .type = PERF_TYPE_RAW, .config = 5};
    struct slw_model_code code;
    (void)state;
    slw_model_event_encode(&e, "spr", &code);
    assert_int_equal(code.encoding, SLW_ENCODING_MODEL);
    e.libpfm = "NO:SUCH";
    slw_model_event_encode(&e, "spr", &code);
    assert_int_equal(code.encoding, SLW_ENCODING_MODEL);
    slw_model_event_encode(&e, "nopmu", &code);
    assert_int_equal(code.encoding, SLW_ENCODING_MODEL);
    slw_model_event_encode(&e, NULL, &code);
    assert_int_equal(code.encoding, SLW_ENCODING_MODEL);
    assert_int_equal(code.config, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libpfm_agrees_on_every_name_we_give),
        cmocka_unit_test(a_trap_is_reported_and_our_code_kept),
        cmocka_unit_test(without_a_name_or_a_table_the_model_decides),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
