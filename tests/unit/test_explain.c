/* SPDX-License-Identifier: MIT */
/* What `slotwise explain` finds for a name, for every name there is. */
#include "cli/explain.h"

#include "tests/unit/cmocka_int.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

static struct slw_model *load(const char *name)
{
    struct slw_model *m = NULL;

    assert_int_equal(slw_model_builtin(name, &m, NULL), 0);
    return m;
}

static struct slw_explained find(const struct slw_explain_scope *scope, const char *name)
{
    struct slw_explained e;
    struct slw_error err = {0};

    if (slw_explain_find(scope, name, &e, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return e;
}

/* Says what it is, and in JSON has the keys that are promised. */
static void check_both_forms(const struct slw_explain_scope *scope, const struct slw_explained *e,
                             const char *must_say)
{
    struct slw_buf text = {0}, json = {0};

    slw_explain_text(e, 80, &text);
    assert_false(slw_buf_failed(&text));
    if (!strstr(text.data, must_say))
        fail_msg("nothing of '%s' in: %s", must_say, text.data);
    assert_int_equal(slw_explain_json(scope, e, &json, NULL), 0);
    json_t *root = json_loads(json.data, 0, NULL);
    const json_t *x = json_object_get(root, "explained");
    assert_true(json_string_length(json_object_get(x, "name")) > 0);
    if (strcmp(json_string_value(json_object_get(x, "kind")), "event") != 0)
        assert_true(json_string_length(json_object_get(x, "look_at")) > 0);
    json_decref(root);
    slw_buf_release(&json);
    slw_buf_release(&text);
}

static void every_node_and_event_of_every_model_is_explained(void **state)
{
    (void)state;
    for (size_t b = 0; b < slw_model_builtin_count(); b++) {
        struct slw_model *m = load(slw_model_builtin_name(b));
        const struct slw_explain_scope scope = {.model = m, .chosen = true};

        for (size_t i = 0; i < m->node_count; i++) {
            struct slw_explained e = find(&scope, m->nodes[i].name);
            assert_ptr_equal(e.model, m);
            assert_int_equal(e.node, (int)i);
            assert_null(e.own);
            check_both_forms(&scope, &e, m->nodes[i].level > 0 ? "In the tree" : "a metric");
            slw_explained_release(&e);
        }
        for (size_t i = 0; i < m->event_count; i++) {
            struct slw_explained e = find(&scope, m->events[i].name);
            assert_int_equal(e.event, (int)i);
            check_both_forms(&scope, &e, m->events[i].errata ? "erratum: " : "an event");
            slw_explained_release(&e);
        }
        slw_model_free(m);
    }
}

static void every_listed_name_is_explained_without_a_model(void **state)
{
    const struct slw_explain_scope scope = {.why_none = "unknown CPU", .hint = "h"};
    const char *name;
    size_t count = 0;
    (void)state;
    for (; (name = slw_explain_name(count)) != NULL; count++) {
        struct slw_explained e = find(&scope, name);
        check_both_forms(&scope, &e, e.term ? "a word of the reports" : "unknown CPU");
        assert_true(e.term || e.own);
        slw_explained_release(&e);
    }
    assert_true(count > 120);
}

static void names_are_found_however_they_are_written(void **state)
{
    static const char *const rows[][2] = {
        {"Frontend Bound", "frontend_bound"},     {"FRONTEND-BOUND", "frontend_bound"},
        {"tma_frontend_bound", "frontend_bound"}, {"IPC", "ipc"},
        {"icache MPKI", "icache_mpki"},           {"Instructions per Cycle", "ipc"},
    };
    struct slw_model *m = load("skylake");
    const struct slw_explain_scope scope = {.model = m};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slw_explained e = find(&scope, rows[i][0]);
        assert_true(e.node >= 0);
        assert_string_equal(e.model->nodes[e.node].name, rows[i][1]);
        slw_explained_release(&e);
    }
    slw_model_free(m);
}

static void another_vendor_is_the_last_choice(void **state)
{
    struct slw_model *m = load("zen3");
    const struct slw_explain_scope scope = {.model = m};
    (void)state;
    struct slw_explained e = find(&scope, "frontend_bound");
    assert_string_equal(e.model->name, "zen4");
    check_both_forms(&scope, &e, "zen3 has nothing of this name");
    slw_explained_release(&e);
    e = find(&scope, "amx_busy");
    assert_string_equal(e.model->name, "sapphirerapids");
    slw_explained_release(&e);
    slw_model_free(m);
}

static void an_unknown_name_gets_the_nearest(void **state)
{
    static const char *const rows[][2] = {{"frotnend_bound", "frontend_bound"},
                                          {"contex-switches", "context-switches"},
                                          {"amx_bus", "amx_busy"},
                                          {"blockchain", "without a name lists them"},
                                          {"", "without a name lists them"}};
    struct slw_model *m = load("zen4");
    const struct slw_explain_scope scope = {.model = m};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slw_explained e;
        struct slw_error err = {0};
        assert_int_equal(slw_explain_find(&scope, rows[i][0], &e, &err), -SLW_E_NOTFOUND);
        if (!strstr(err.hint, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], err.hint);
    }
    slw_model_free(m);
}

static void a_formula_names_the_terms_and_nodes_in_it(void **state)
{
    struct slw_model *m = load("skylake");
    const int node = slw_model_find_node(m, "memory_bound");
    bool lets[64] = {false}, nodes[192] = {false};
    size_t let_count = 0, node_count = 0;
    (void)state;
    slw_model_parts(m, (size_t)node, lets, nodes);
    for (size_t i = 0; i < m->let_count; i++)
        let_count += lets[i];
    for (size_t i = 0; i < m->node_count; i++)
        node_count += nodes[i];
    assert_int_equal(let_count, 0);
    assert_int_equal(node_count, 2);
    assert_true(nodes[slw_model_find_node(m, "backend_bound")]);
    assert_true(nodes[slw_model_find_node(m, "retiring")]);
    slw_model_parts(m, (size_t)slw_model_find_node(m, "frontend_bound"), lets, nodes);
    for (size_t i = 0; i < m->let_count; i++)
        let_count += lets[i];
    assert_int_equal(let_count, 3); /* SLOTS, and through it CORE_CLKS and CLKS */
    slw_model_free(m);
}

static void lines_stay_within_the_width(void **state)
{
    struct slw_model *m = load("skylake");
    const struct slw_explain_scope scope = {.model = m};
    struct slw_buf out = {0};
    (void)state;
    assert_int_equal(slw_explain_list(&scope, 60, &out, NULL), 0);
    for (const char *line = out.data; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 60 && line[0] == ' ')
            fail_msg("%.*s", (int)strcspn(line, "\n"), line);
    slw_buf_release(&out);
    slw_model_free(m);
}

static void terms_are_plain_sentences(void **state)
{
    const struct slw_term *t;
    (void)state;
    for (size_t i = 0; (t = slw_term_at(i)) != NULL; i++) {
        assert_true(isupper((unsigned char)t->what[0]));
        assert_int_equal(t->what[strlen(t->what) - 1], '.');
        assert_int_equal(t->look_at[strlen(t->look_at) - 1], '.');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_and_event_of_every_model_is_explained),
        cmocka_unit_test(every_listed_name_is_explained_without_a_model),
        cmocka_unit_test(names_are_found_however_they_are_written),
        cmocka_unit_test(another_vendor_is_the_last_choice),
        cmocka_unit_test(an_unknown_name_gets_the_nearest),
        cmocka_unit_test(a_formula_names_the_terms_and_nodes_in_it),
        cmocka_unit_test(lines_stay_within_the_width),
        cmocka_unit_test(terms_are_plain_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
