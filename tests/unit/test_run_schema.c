/* SPDX-License-Identifier: MIT */
/* docs/run.schema.json, docs/run-format.md and the code list the same fields. */
#include "base/file.h"
#include "record/run_json_int.h"
#include "tests/unit/run_fixture_int.h"

#include <jansson.h>

static json_t *schema;
static char *prose;

static int setup(void **state)
{
    (void)state;
    schema = json_load_file(SLW_TEST_DIR "/../docs/run.schema.json", JSON_REJECT_DUPLICATES, NULL);
    return schema
               ? slw_file_read(SLW_TEST_DIR "/../docs/run-format.md", 1 << 20, &prose, NULL, NULL)
               : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(schema);
    free(prose);
    return 0;
}

/* Follow "$ref": "#/$defs/name". */
static const json_t *resolved(const json_t *j)
{
    const char *ref = json_string_value(json_object_get(j, "$ref"));

    if (!ref)
        return j;
    assert_memory_equal(ref, "#/$defs/", 8);
    const json_t *to = json_object_get(json_object_get(schema, "$defs"), ref + 8);
    assert_non_null(to);
    return to;
}

static bool is_required(const json_t *object, const char *key)
{
    const json_t *required = json_object_get(object, "required");

    for (size_t i = 0; i < json_array_size(required); i++)
        if (strcmp(json_string_value(json_array_get(required, i)), key) == 0)
            return true;
    return false;
}

static bool always_written(enum slw_field_kind kind)
{
    return kind != SLW_FIELD_TEXT && kind != SLW_FIELD_STAMP && kind != SLW_FIELD_ABSENT &&
           kind != SLW_FIELD_REASON && kind != SLW_FIELD_INT && kind != SLW_FIELD_EXIT &&
           kind != SLW_FIELD_COUNTED && kind != SLW_FIELD_MARK && kind != SLW_FIELD_SOME &&
           kind != SLW_FIELD_SOME_NUMBERS && kind != SLW_FIELD_REAL;
}

static void compare_enum(const struct slw_field *f, const json_t *property)
{
    const json_t *names = json_object_get(property, "enum");
    size_t count = 0;

    for (; f->names[count]; count++)
        assert_string_equal(json_string_value(json_array_get(names, count)), f->names[count]);
    assert_int_equal(json_array_size(names), count);
}

static void compare(const struct slw_field *fields, const json_t *object)
{
    const json_t *properties = json_object_get(object, "properties");
    size_t count = 0;

    for (const struct slw_field *f = fields; f->kind != SLW_FIELD_END; f++, count++) {
        const json_t *property = resolved(json_object_get(properties, f->key));
        char quoted[64];

        (void)snprintf(quoted, sizeof(quoted), "`%s`", f->key);
        if (!property || !strstr(prose, quoted))
            fail_msg("%s is not documented", f->key);
        if (is_required(object, f->key) != always_written(f->kind))
            fail_msg("%s: the schema and the code disagree on whether it may be missing", f->key);
        if (f->kind == SLW_FIELD_OBJECT)
            compare(f->fields, property);
        if (f->kind == SLW_FIELD_LIST || f->kind == SLW_FIELD_SOME) {
            assert_int_equal(json_integer_value(json_object_get(property, "maxItems")),
                             f->list->max);
            compare(f->list->fields, resolved(json_object_get(property, "items")));
        }
        if (f->kind == SLW_FIELD_ENUM)
            compare_enum(f, property);
    }
    assert_int_equal(json_object_size(properties), count + (fields == slw_run_fields));
}

static void the_schema_lists_the_fields_of_the_code(void **state)
{
    (void)state;
    assert_true(is_required(schema, "schema"));
    compare(slw_run_fields, schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_schema_lists_the_fields_of_the_code)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
