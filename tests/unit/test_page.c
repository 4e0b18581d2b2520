/* SPDX-License-Identifier: MIT */
/* Pages as bytes, and the call tree they carry. What a reader sees: tests/browser. */
#include "analyzer/page/page_int.h"
#include "tests/awkward_runs.h"

#include <jansson.h>

static char *page_of(const struct slw_page *page)
{
    struct slw_error err = {0};
    struct slw_buf out = {0};

    if (slw_page_write(page, &out, &err) < 0)
        fail_msg("%s", err.text);
    return slw_buf_take(&out);
}

static size_t times(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

static char *run_page(struct fixture *f, const char *title)
{
    const struct slw_report *r = fixture_report(f);
    const struct slw_page page = {.title = title,
                                  .kind = "run",
                                  .sides = {{.report = r, .stacks = f->stacks}},
                                  .side_count = 1};
    return page_of(&page);
}

static void names_end_no_script(void **state)
{
    (void)state;
    struct fixture f = awkward_hostile();
    fixture_add(&f, 5, SLW_NO_THREAD, "u:</script>:</script><!--<script>");
    char *text = run_page(&f, "</title><script>alert(1)</script>");

    assert_int_equal(times(text, "<script"), 2);
    assert_int_equal(times(text, "</script"), 2);
    assert_int_equal(times(text, "</title"), 1);
    assert_int_equal(times(text, "<!--"), 0);
    assert_non_null(strstr(text, "\\u003c/script\\u003e\\u003c!--"));
    free(text);
    fixture_free(&f);
}

static void a_run_gives_the_same_bytes_every_time(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();
    char *one = run_page(&f, "t"), *two = run_page(&f, "t");

    assert_string_equal(one, two);
    free(one);
    free(two);
    fixture_free(&f);
}

/* The JSON between the tags is JSON. */
static void the_data_can_be_read(void **state)
{
    (void)state;
    struct fixture runs[] = {fixture_sqlite(), awkward_empty(), awkward_huge(), awkward_hostile(),
                             awkward_long_names()};
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        char *text = run_page(&runs[i], "t");
        char *data = strstr(text, "id=\"slw-data\">") + strlen("id=\"slw-data\">");
        *strstr(data, "</script>") = '\0';
        json_t *json = json_loads(data, 0, NULL);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "kind")), "run");
        assert_int_equal(json_array_size(json_object_get(json, "sides")), 1);
        json_decref(json);
        free(text);
        fixture_free(&runs[i]);
    }
}

static struct slw_page two_sides(struct fixture *a, struct fixture *b)
{
    return (struct slw_page){
        .title = "t",
        .kind = "comparison",
        .sides = {{.name = "A", .report = fixture_report(a), .stacks = a->stacks},
                  {.name = "B", .report = fixture_report(b), .stacks = b->stacks}},
        .side_count = 2};
}

static const struct slw_page_node *node_called(const struct slw_page_tree *t, const char *name)
{
    for (uint32_t i = 0; i < t->node_count; i++)
        if (strcmp(t->frames[t->nodes[i].frame].name, name) == 0)
            return &t->nodes[i];
    fail_msg("no node %s", name);
    return NULL;
}

static void equal_stacks_of_both_sides_are_one_node(void **state)
{
    (void)state;
    struct fixture a = fixture_new(), b = fixture_new();
    struct slw_page_tree t = {0};

    fixture_add(&a, 30, SLW_NO_THREAD, "u:/old/client:send u:/old/client:main");
    fixture_add(&a, 10, SLW_NO_THREAD, "u:/old/client:gone u:/old/client:main");
    fixture_add(&b, 20, SLW_NO_THREAD, "u:/new/client:send u:/new/client:main");
    fixture_add(&b, 5, SLW_NO_THREAD, "u:/new/client:fresh u:/new/client:main");
    const struct slw_page page = two_sides(&a, &b);
    assert_int_equal(slw_page_tree_build(&t, &page, NULL), 0);
    assert_int_equal(t.node_count, 5); /* all, main, send, gone, fresh */
    const struct slw_page_node *send = node_called(&t, "send");
    assert_int_equal(send->samples[0], 30);
    assert_int_equal(send->samples[1], 20);
    assert_int_equal(node_called(&t, "gone")->samples[1], 0);
    assert_int_equal(node_called(&t, "fresh")->samples[0], 0);
    assert_int_equal(node_called(&t, "fresh")->weight[1], 5 * FIXTURE_PERIOD_NS);
    slw_page_tree_release(&t);
    fixture_free(&a);
    fixture_free(&b);
}

/* Callers before callees, callees in the alphabet, each node once. */
static void nodes_are_written_in_the_order_they_are_drawn(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_page_tree t = {0};
    static const char *const wanted[] = {"all", "main", "a", "z", "b", "other"};

    fixture_add(&f, 1, SLW_NO_THREAD, "u:/m:b u:/m:main");
    fixture_add(&f, 1, SLW_NO_THREAD, "u:/m:z u:/m:a u:/m:main");
    fixture_add(&f, 1, SLW_NO_THREAD, "u:/m:other");
    const struct slw_page page = {.title = "t",
                                  .kind = "run",
                                  .sides = {{.report = fixture_report(&f), .stacks = f.stacks}},
                                  .side_count = 1};
    assert_int_equal(slw_page_tree_build(&t, &page, NULL), 0);
    assert_int_equal(t.node_count, 6);
    for (uint32_t i = 0; i < t.node_count; i++) {
        assert_string_equal(t.frames[t.nodes[t.order[i]].frame].name, wanted[i]);
        assert_int_equal(t.place[t.order[i]], i);
    }
    slw_page_tree_release(&t);
    fixture_free(&f);
}

static void what_weighs_nothing_is_no_node(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_page_tree t = {0};

    fixture_add(&f, 0, SLW_NO_THREAD, "u:/m:idle u:/m:main");
    const struct slw_page page = {.title = "t",
                                  .kind = "run",
                                  .sides = {{.report = fixture_report(&f), .stacks = f.stacks}},
                                  .side_count = 1};
    assert_int_equal(slw_page_tree_build(&t, &page, NULL), 0);
    assert_int_equal(t.node_count, 1);
    slw_page_tree_release(&t);
    fixture_free(&f);
}

static void varints_are_leb128(void **state)
{
    (void)state;
    struct slw_buf b = {0};

    slw_page_varint(&b, 0);
    slw_page_varint(&b, 127);
    slw_page_varint(&b, 300);
    slw_page_varint(&b, UINT64_MAX);
    assert_int_equal(b.length, 1 + 1 + 2 + 10);
    assert_memory_equal(b.data, "\x00\x7f\xac\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 14);
    slw_buf_release(&b);
}

static void base64_is_that_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_buf b = {0};
        slw_buf_puts(&b, cases[i][0]);
        json_t *text = slw_page_base64(&b);
        assert_string_equal(json_string_value(text), cases[i][1]);
        json_decref(text);
        slw_buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_end_no_script),
        cmocka_unit_test(a_run_gives_the_same_bytes_every_time),
        cmocka_unit_test(the_data_can_be_read),
        cmocka_unit_test(equal_stacks_of_both_sides_are_one_node),
        cmocka_unit_test(nodes_are_written_in_the_order_they_are_drawn),
        cmocka_unit_test(what_weighs_nothing_is_no_node),
        cmocka_unit_test(varints_are_leb128),
        cmocka_unit_test(base64_is_that_of_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
