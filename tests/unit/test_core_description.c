/* SPDX-License-Identifier: MIT */
/* Described cores: what is compiled in, what is refused, and the form carriers read. */
#include "base/buf.h"
#include "models/core.h"
#include "models/model.h"
#include "tests/unit/cmocka_int.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static void every_core_loads_with_a_source_for_each_value(void **state)
{
    (void)state;
    assert_true(slw_core_builtin_count() >= 4);
    for (size_t i = 0; i < slw_core_builtin_count(); i++) {
        struct slw_core *core = NULL;

        assert_int_equal(slw_core_builtin(slw_core_builtin_name(i), &core, NULL), 0);
        assert_string_equal(core->name, slw_core_builtin_name(i));
        assert_null(slw_sim_config_fault(&core->config));
        for (size_t k = 0; k < SLW_CORE_PARAMETER_COUNT; k++)
            assert_true(strlen(core->sources[k]) > 10);
        slw_core_free(core);
    }
}

static void a_carrier_reads_what_is_written_for_it(void **state)
{
    struct slw_core *core = NULL;
    struct slw_buf text = {0};
    struct slw_sim_config read;
    const char *why = NULL;

    (void)state;
    assert_int_equal(slw_core_builtin("zen5", &core, NULL), 0);
    slw_core_text(core, &text);
    assert_int_equal(slw_sim_config_parse(text.data, text.length, &read, &why), 0);
    assert_memory_equal(&read, &core->config, sizeof(read));
    slw_buf_release(&text);
    slw_core_free(core);
}

static void cores_are_like_models_that_exist(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_core_builtin_count(); i++) {
        struct slw_core *core = NULL;

        assert_int_equal(slw_core_builtin(slw_core_builtin_name(i), &core, NULL), 0);
        for (size_t k = 0; k < core->like_count; k++) {
            struct slw_model *m = NULL;

            assert_int_equal(slw_model_builtin(core->like[k], &m, NULL), 0);
            assert_string_equal(slw_core_like(core->like[k]), core->name);
            slw_model_free(m);
        }
        slw_core_free(core);
    }
    assert_null(slw_core_like("neoverse_v2"));
}

static void an_unknown_name_is_not_found(void **state)
{
    struct slw_core *core = NULL;

    (void)state;
    assert_int_equal(slw_core_builtin("z80", &core, NULL), -SLW_E_NOTFOUND);
    assert_null(core);
}

/* haswell.json with `from` changed to `to`; the error's text and place. */
static void refused(const char *from, const char *to, const char *says, const char *where)
{
    struct slw_buf changed = {0};
    struct slw_core *core = NULL;
    struct slw_error err = {0};
    size_t length = 0;
    char *text = NULL;

    assert_int_equal(
        slw_file_read(SLW_TEST_DIR "/../models/cores/haswell.json", 1 << 20, &text, &length, NULL),
        0);
    const char *at = strstr(text, from);

    assert_non_null(at);
    slw_buf_put(&changed, text, (size_t)(at - text));
    slw_buf_puts(&changed, to);
    slw_buf_puts(&changed, at + strlen(from));
    assert_int_equal(slw_core_parse(changed.data, changed.length, "x.json", &core, &err),
                     -SLW_E_FORMAT);
    assert_null(core);
    assert_non_null(strstr(err.text, says));
    assert_non_null(strstr(err.where, where));
    slw_buf_release(&changed);
    free(text);
}

static void mistakes_are_refused_at_their_place(void **state)
{
    (void)state;
    refused("\"width\": [4,", "\"width\": [17,", "whole number from 1 to 16", "x.json:");
    refused("\"width\": [4,", "\"width\": [4.5,", "whole number", "x.json:");
    refused("\"width\": [4, \"intel\"]", "\"width\": [4, \"hearsay\"]", "source", "x.json:");
    refused("\"width\": [4, \"intel\"],", "", "'width' is missing", "x.json:");
    refused("\"width\": [4,", "\"breadth\": [4,", "breadth", "x.json:");
    refused("[[0, 1, 5, 6],", "[[0, 1, 5, 5],", "a port", "x.json:");
    refused("[[0, 1, 5, 6],", "[[0, 1, 5, 16],", "a port", "x.json:");
    refused("\"l1i_kib\": [32,", "\"l1i_kib\": [48,", "power of two", "x.json:");
    refused("\"title\"", "\"tittle\"", "tittle", "x.json:");
}

static void a_carrier_refuses_what_is_not_a_core(void **state)
{
    struct slw_sim_config c;
    const char *why = NULL;

    (void)state;
    assert_int_equal(slw_sim_config_parse("width 4\nwidth 4\n", 16, &c, &why), 2);
    assert_int_equal(slw_sim_config_parse("# x\n\nwidth 99\n", 14, &c, &why), 3);
    assert_int_equal(slw_sim_config_parse("nothing 1\n", 10, &c, &why), 1);
    assert_int_equal(slw_sim_config_parse("width x\n", 8, &c, &why), 1);
    assert_int_equal(slw_sim_config_parse("width 99999999999\n", 18, &c, &why), 1);
    assert_int_equal(slw_sim_config_parse("width 4\n", 8, &c, &why),
                     2); /* the others are missing */
    assert_non_null(why);
    assert_int_equal(slw_sim_config_parse("", 0, &c, &why), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_core_loads_with_a_source_for_each_value),
        cmocka_unit_test(a_carrier_reads_what_is_written_for_it),
        cmocka_unit_test(cores_are_like_models_that_exist),
        cmocka_unit_test(an_unknown_name_is_not_found),
        cmocka_unit_test(mistakes_are_refused_at_their_place),
        cmocka_unit_test(a_carrier_refuses_what_is_not_a_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
