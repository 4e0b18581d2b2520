/* SPDX-License-Identifier: MIT */
/* experiment.json: what is written is read back; what is wrong is refused with its place. */
#include "tests/unit/cmocka_int.h"

#include "base/arena.h"
#include "base/file.h"
#include "record/experiment_int.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct slw_experiment *full(void)
{
    static const uint16_t order[] = {0, 1, 1, 0, 1, 0};
    static struct slw_parameter parameters[] = {{"batch", "16"}, {"depth", "1"}};
    struct slw_experiment *e = NULL;

    assert_int_equal(slw_experiment_new(&e, NULL), 0);
    e->id = "0123456789abcdef";
    e->tool = "slotwise 1";
    e->seed = UINT64_MAX;
    e->started_realtime_ns = 1790000000000000000;
    e->arm_count = 2;
    e->arms = slw_arena_array(e->arena, 2, sizeof(e->arms[0]));
    e->arms[0] = (struct slw_experiment_arm){"A", "a.slotwise", "sh -c 'printf \"\\033[1m\"'",
                                             parameters, 2};
    e->arms[1] = (struct slw_experiment_arm){"B", "b.slotwise", "b", NULL, 0};
    e->warmup = 2;
    e->block_count = 3;
    e->order = slw_arena_array(e->arena, 6, sizeof(order[0]));
    memcpy(e->order, order, sizeof(order));
    e->automatic = e->equivalence_90 = e->sampled = e->floor_reused = true;
    e->budget_ms = 60000;
    e->stopped = SLW_STOPPED_BUDGET;
    e->setup = "true";
    e->prepare = "echo $SLOTWISE_ARM";
    e->cleanup = "rm -f \x1b[2J";
    e->margin = 0.02;
    e->gates = "cpu_per_request>+3%";
    e->floor_count = 1;
    e->floors = slw_arena_array(e->arena, 1, sizeof(e->floors[0]));
    e->floors[0] = (struct slw_floor){"cpu_per_request", 20, -0.001, -0.01, 0.02, 0.02, 5, true};
    e->floor_absent = "no";
    return e;
}

static struct slw_experiment *again(const struct slw_buf *text)
{
    struct slw_experiment *e = NULL;

    assert_int_equal(slw_experiment_from_json("x", text->data, text->length, &e, NULL), 0);
    return e;
}

static void what_is_written_is_read_back(void **state)
{
    struct slw_experiment *e = full();
    struct slw_buf a = {0}, b = {0};

    (void)state;
    assert_int_equal(slw_experiment_to_json(e, &a, NULL), 0);
    struct slw_experiment *r = again(&a);
    assert_int_equal(slw_experiment_to_json(r, &b, NULL), 0);
    assert_string_equal(a.data, b.data);
    assert_int_equal(r->seed, UINT64_MAX);
    assert_int_equal(r->block_count, 3);
    assert_memory_equal(r->order, e->order, 6 * sizeof(e->order[0]));
    assert_string_equal(r->arms[0].command, e->arms[0].command);
    assert_string_equal(r->arms[0].parameters[1].name, "depth");
    assert_string_equal(r->cleanup, e->cleanup);
    assert_true(r->floors[0].low == -0.01 && r->floors[0].differs && r->floors[0].tests == 5);
    assert_int_equal(r->stopped, SLW_STOPPED_BUDGET);
    slw_experiment_free(e);
    slw_experiment_free(r);
    slw_buf_release(&a);
    slw_buf_release(&b);
}

/* The document of full() with one thing changed by `change`. */
static int with(void (*change)(json_t *), struct slw_error *err)
{
    struct slw_experiment *e = full(), *r = NULL;
    struct slw_buf text = {0};

    assert_int_equal(slw_experiment_to_json(e, &text, NULL), 0);
    json_t *j = json_loads(text.data, 0, NULL);
    change(j);
    char *changed = json_dumps(j, 0);
    int rc = slw_experiment_from_json("x", changed, strlen(changed), &r, err);
    free(changed);
    json_decref(j);
    slw_buf_release(&text);
    slw_experiment_free(e);
    slw_experiment_free(r);
    return rc;
}

static void leave_the_directory(json_t *j)
{
    json_t *arm = json_array_get(json_object_get(j, "arms"), 1);

    json_object_set_new(arm, "directory", json_string("../elsewhere"));
}

static void run_one_arm_twice(json_t *j)
{
    json_array_set_new(json_array_get(json_object_get(j, "order"), 1), 0, json_integer(0));
}

static void name_an_arm_there_is_not(json_t *j)
{
    json_array_set_new(json_array_get(json_object_get(j, "order"), 1), 0, json_integer(2));
}

static void lose_an_arm(json_t *j)
{
    json_array_remove(json_object_get(j, "arms"), 1);
}

static void lose_all_arms(json_t *j)
{
    json_object_del(j, "arms");
}

static void lose_the_order(json_t *j)
{
    json_object_del(j, "order");
}

static void be_newer(json_t *j)
{
    json_object_set_new(j, "schema", json_integer(SLW_EXPERIMENT_SCHEMA + 1));
}

static void go_on_for_ever(json_t *j)
{
    json_t *order = json_object_get(j, "order");

    while (json_array_size(order) <= SLW_MAX_BLOCKS)
        json_array_append(order, json_array_get(order, 0));
}

static void have_a_word_for_a_number(json_t *j)
{
    json_object_set_new(j, "margin", json_string("2 %"));
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        void (*change)(json_t *);
        enum slw_code code;
        const char *word;
    } cases[] = {{leave_the_directory, SLW_E_FORMAT, "arms[1]"},
                 {run_one_arm_twice, SLW_E_FORMAT, "order[1]"},
                 {name_an_arm_there_is_not, SLW_E_FORMAT, "order[1]"},
                 {lose_an_arm, SLW_E_FORMAT, "arms"},
                 {lose_all_arms, SLW_E_FORMAT, "arms"},
                 {lose_the_order, SLW_E_FORMAT, "order"},
                 {be_newer, SLW_E_VERSION, "newer"},
                 {go_on_for_ever, SLW_E_LIMIT, "order"},
                 {have_a_word_for_a_number, SLW_E_FORMAT, "margin"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_error err = {0};

        assert_int_equal(with(cases[i].change, &err), -(int)cases[i].code);
        assert_non_null(strstr(err.text, cases[i].word));
        assert_true(err.where[0]);
    }
}

static void what_is_cut_off_is_refused(void **state)
{
    struct slw_experiment *e = full(), *r = NULL;
    struct slw_buf text = {0};

    (void)state;
    assert_int_equal(slw_experiment_to_json(e, &text, NULL), 0);
    for (size_t length = 0; length + 2 < text.length; length += 7) {
        struct slw_error err = {0};

        assert_int_equal(slw_experiment_from_json("x", text.data, length, &r, &err), -SLW_E_FORMAT);
        assert_null(r);
    }
    slw_buf_release(&text);
    slw_experiment_free(e);
}

/* ---- the schema ---- */

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
    return kind == SLW_FIELD_NAME || kind == SLW_FIELD_U64 || kind == SLW_FIELD_ENUM;
}

static void compare_enum(const struct slw_field *f, const json_t *property)
{
    const json_t *names = json_object_get(property, "enum");
    size_t count = 0;

    for (; f->names[count]; count++)
        assert_string_equal(json_string_value(json_array_get(names, count)), f->names[count]);
    assert_int_equal(json_array_size(names), count);
}

static void compare(const struct slw_field *fields, const json_t *object, const char *prose,
                    size_t more)
{
    const json_t *properties = json_object_get(object, "properties");
    size_t count = 0;

    for (const struct slw_field *f = fields; f->kind != SLW_FIELD_END; f++, count++) {
        const json_t *property = json_object_get(properties, f->key);
        char quoted[64];

        (void)snprintf(quoted, sizeof(quoted), "`%s`", f->key);
        if (!property || !strstr(prose, quoted))
            fail_msg("%s is not documented", f->key);
        /* No experiment is without arms. */
        if (is_required(object, f->key) != (always_written(f->kind) || strcmp(f->key, "arms") == 0))
            fail_msg("%s: the schema and the code disagree on whether it may be missing", f->key);
        if (f->kind == SLW_FIELD_ARRAY) {
            assert_int_equal(json_integer_value(json_object_get(property, "maxItems")),
                             f->list->max);
            compare(f->list->fields, json_object_get(property, "items"), prose, 0);
        }
        if (f->kind == SLW_FIELD_ENUM)
            compare_enum(f, property);
    }
    assert_int_equal(json_object_size(properties), count + more);
}

static void the_schema_lists_the_fields_of_the_code(void **state)
{
    json_t *schema = json_load_file(SLW_TEST_DIR "/../docs/experiment.schema.json",
                                    JSON_REJECT_DUPLICATES, NULL);
    char *prose = NULL;

    (void)state;
    assert_non_null(schema);
    assert_int_equal(
        slw_file_read(SLW_TEST_DIR "/../docs/run-format.md", 1 << 20, &prose, NULL, NULL), 0);
    assert_true(is_required(schema, "schema") && is_required(schema, "order"));
    compare(slw_experiment_fields, schema, prose, 2);
    free(prose);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(what_is_cut_off_is_refused),
        cmocka_unit_test(the_schema_lists_the_fields_of_the_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
