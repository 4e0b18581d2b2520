/* SPDX-License-Identifier: MIT */
/* Errata: every number computed from an event its CPU counts wrongly says so, in every renderer. */
#include "analyzer/legend.h"
#include "analyzer/renderer.h"

#include "tests/report_fixture.h"

#include <jansson.h>
#include <string.h>

static void count(struct fixture *f, const char *event, double value)
{
    const struct slw_count c = {.event = event,
                                .unit = "events",
                                .mode = SLW_MODE_ALL,
                                .group = -1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = (uint64_t)(value + 0.5),
                                .enabled_ns = 1000000000,
                                .running_ns = 1000000000};
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

/* A run with the counts of the model's last check, the one of most nodes. */
static struct fixture run_of(const char *name, struct slw_model **ret_model)
{
    struct fixture f = fixture_new();

    assert_int_equal(slw_model_builtin(name, ret_model, NULL), 0);
    const struct slw_model_check *c = &(*ret_model)->checks[(*ret_model)->check_count - 1];
    f.run->host.cpu.smt = c->smt_on;
    for (size_t i = 0; i < c->input_count; i++)
        count(&f, c->input_names[i], c->input_values[i]);
    slw_report_free(f.report);
    assert_int_equal(slw_report_new(f.run, f.stacks, *ret_model, &f.report, NULL), 0);
    return f;
}

static char *rendered(const struct slw_report *r, const char *renderer)
{
    const struct slw_render_options opts = {.width = 100};
    struct slw_buf b = {0};

    assert_int_equal(slw_renderer_find(renderer)->render(r, &opts, &b, NULL), 0);
    return slw_buf_take(&b);
}

static bool has_erratum(const struct slw_model *m, size_t node, bool smt_on)
{
    const struct slw_model_vars vars = {.smt_on = smt_on};
    bool needed[256] = {false};
    bool found = false;

    slw_model_needs_with(m, node, &vars, needed);
    for (size_t i = 0; i < m->event_count; i++)
        found |= needed[i] && m->events[i].errata;
    return found;
}

static void every_node_with_such_an_event_is_marked(void **state)
{
    size_t marked = 0;
    (void)state;
    for (size_t b = 0; b < slw_model_builtin_count(); b++) {
        struct slw_model *m = NULL;
        struct fixture f = run_of(slw_model_builtin_name(b), &m);
        bool any = false;

        for (size_t i = 0; i < f.report->node_count; i++) {
            const struct slw_report_node *n = &f.report->nodes[i];
            const bool wanted = !n->value.absent && has_erratum(m, i, f.run->host.cpu.smt == 1);
            if ((n->errata != NULL) != wanted)
                fail_msg("%s %s: %s", m->name, n->name, n->errata ? n->errata : "not marked");
            any |= wanted;
            marked += wanted;
        }
        assert_int_equal(f.report->errata != NULL, any);
        fixture_free(&f);
        slw_model_free(m);
    }
    assert_true(marked > 25);
}

static void renderers_show_the_mark_and_its_meaning(void **state)
{
    struct slw_model *m = NULL;
    struct fixture f = run_of("haswell", &m);
    (void)state;
    char *term = rendered(f.report, "term");
    char *md = rendered(f.report, "md");
    const char *line = strstr(term, "L3 Bound");
    assert_non_null(line);
    assert_true(strstr(line, "ᵉ") < strchr(line, '\n'));
    line = strstr(term, "Store Bound"); /* resource_stalls.sb has none */
    assert_non_null(line);
    assert_true(strstr(line, "ᵉ") > strchr(line, '\n'));
    assert_non_null(strstr(term, "ᵉ computed from events with a known erratum"));
    assert_non_null(strstr(term, "HSM63, HSM80"));
    line = strstr(md, "L3 Bound");
    assert_non_null(line);
    assert_true(strstr(line, "<sup>e</sup>") < strchr(line, '\n'));
    assert_non_null(strstr(md, "; <sup>e</sup> computed from events"));
    free(md);
    free(term);
    fixture_free(&f);
    slw_model_free(m);
}

static void json_names_the_events(void **state)
{
    struct slw_model *m = NULL;
    struct fixture f = run_of("neoverse_n2", &m);
    (void)state;
    char *text = rendered(f.report, "json");
    json_t *root = json_loads(text, 0, NULL);
    const json_t *nodes = json_object_get(json_object_get(root, "topdown"), "nodes");
    const int node = slw_model_find_node(m, "frontend_bound");
    const char *errata =
        json_string_value(json_object_get(json_array_get(nodes, (size_t)node), "errata"));
    assert_non_null(errata);
    assert_non_null(strstr(errata, "stall_slot_frontend (Arm SDEN1982442"));
    const int ipc = slw_model_find_node(m, "ipc");
    assert_true(json_is_null(json_object_get(json_array_get(nodes, (size_t)ipc), "errata")));
    json_decref(root);
    free(text);
    fixture_free(&f);
    slw_model_free(m);
}

static void without_errata_nothing_is_said(void **state)
{
    struct slw_model *m = NULL;
    struct fixture f = run_of("zen4", &m);
    (void)state;
    char *term = rendered(f.report, "term");
    char *md = rendered(f.report, "md");
    assert_null(f.report->errata);
    assert_null(strstr(term, "ᵉ"));
    assert_null(strstr(md, "<sup>e</sup>"));
    free(md);
    free(term);
    fixture_free(&f);
    slw_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_with_such_an_event_is_marked),
        cmocka_unit_test(renderers_show_the_mark_and_its_meaning),
        cmocka_unit_test(json_names_the_events),
        cmocka_unit_test(without_errata_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
