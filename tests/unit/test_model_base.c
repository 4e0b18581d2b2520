/* SPDX-License-Identifier: MIT */
/* A model told as another one and the differences: what is taken over, what is not, and that a
 * mistake is reported in the file that made it. Prose shared between models. */
#include "models/model.h"

#include "models/model_int.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROSE "\"what\": \"w\", \"look_at\": \"l\""

static const char base_text[] =
    "{\n"
    "  \"name\": \"old\", \"title\": \"Old CPU\", \"arch\": \"x86_64\", \"pmu\": \"cpu\",\n"
    "  \"libpfm\": \"old\",\n"
    "  \"source\": {\"document\": \"old\", \"version\": \"1\", \"date\": \"then\"},\n"
    "  \"cpu\": {\"slots_per_cycle\": 4, \"general_counters\": 4, \"fixed_counters\": 3},\n"
    "  \"match\": [{\"vendor\": \"Tiny\", \"family\": 6, \"model\": 1}],\n"
    "  \"relatives\": [{\"vendor\": \"Tiny\", \"family\": 6, \"why\": \"kin\"}],\n"
    "  \"events\": {\n"
    "    \"cycles\": {\"event\": \"0x3c\", \"libpfm\": \"CYCLES\"},\n"
    "    \"bubbles\": {\"event\": \"0x9c\"},\n"
    "    \"misses\": {\"event\": \"0x10\"}\n"
    "  },\n"
    "  \"let\": {\"SLOTS\": \"4 * cycles\"},\n"
    "  \"tree\": [\n"
    "    {\"name\": \"front\", \"title\": \"Front\", \"level\": 1, \"formula\": \"bubbles / "
    "SLOTS\",\n"
    "     \"unit\": \"slots\", \"threshold\": {\"above\": 0.2}, " PROSE "},\n"
    "    {\"name\": \"latency\", \"title\": \"Latency\", \"level\": 2, \"parent\": \"front\",\n"
    "     \"formula\": \"misses / SLOTS\", \"unit\": \"slots\", " PROSE "},\n"
    "    {\"name\": \"back\", \"title\": \"Back\", \"level\": 1, \"formula\": \"1 - front\",\n"
    "     \"unit\": \"slots\", " PROSE "}\n"
    "  ],\n"
    "  \"metrics\": [{\"name\": \"mpc\", \"title\": \"M\", \"formula\": \"misses / cycles\",\n"
    "    \"unit\": \"ratio\", \"range\": [0, 9], " PROSE "}],\n"
    "  \"checks\": [{\"why\": \"hand-computed: x\", \"counts\": {\"cycles\": 100, \"bubbles\": "
    "100},\n"
    "    \"expect\": {\"front\": [0.25, 1e-9]}}]\n"
    "}\n";

static const char new_text[] =
    "{\n"
    "  \"name\": \"new\", \"title\": \"New CPU\", \"based_on\": \"old\",\n"
    "  \"source\": {\"document\": \"new\", \"version\": \"2\", \"date\": \"now\"},\n"
    "  \"match\": [{\"vendor\": \"Tiny\", \"family\": 6, \"model\": 2}],\n"
    "  \"remove\": [\"misses\", \"latency\"],\n"
    "  \"events\": {\"bubbles\": {\"event\": \"0x9d\"}, \"waits\": {\"event\": \"0x11\"}},\n"
    "  \"let\": {\"SLOTS\": \"5 * cycles\"},\n"
    "  \"tree\": [\n"
    "    {\"name\": \"front\", \"threshold\": {\"above\": 0.3}},\n"
    "    {\"name\": \"wait\", \"title\": \"Wait\", \"level\": 2, \"parent\": \"front\",\n"
    "     \"formula\": \"waits / SLOTS\", \"unit\": \"slots\", " PROSE "}\n"
    "  ],\n"
    "  \"metrics\": [{\"name\": \"mpc\", \"formula\": \"waits / cycles\"}],\n"
    "  \"checks\": [{\"why\": \"hand-computed: y\", \"counts\": {\"cycles\": 100, \"bubbles\": "
    "100},\n"
    "    \"expect\": {\"front\": [0.2, 1e-9]}}]\n"
    "}\n";

static const char prose_text[] = "{\"front\": {\"what\": \"Shared.\"}}";

static int get(void *context, const char *name, struct slw_model_text *ret_text,
               struct slw_error *err)
{
    const struct {
        const char *name, *text, *origin;
    } files[] = {{"old", context ? context : base_text, "old.json"},
                 {"new", new_text, "new.json"},
                 {"broken", "{\n  \"name\": ,\n}", "broken.json"},
                 {"prose", prose_text, "prose.json"}};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (strcmp(files[i].name, name) == 0) {
            *ret_text =
                (struct slw_model_text){files[i].text, strlen(files[i].text), files[i].origin};
            return 0;
        }
    }
    return slw_fail(err, SLW_E_NOTFOUND, "none");
}

static const struct slw_model_library library = {.get = get};

/* `text` with the first `from` changed to `to`, whose '@' is dropped and its place reported. */
static char *change(const char *text, const char *from, const char *to, unsigned *ret_line,
                    unsigned *ret_column)
{
    const char *at = strstr(text, from), *mark = strchr(to, '@');
    char *out = calloc(1, strlen(text) + strlen(to) + 1);

    assert_non_null(at);
    assert_non_null(out);
    memcpy(out, text, (size_t)(at - text));
    const size_t before = mark ? (size_t)(mark - to) : strlen(to);
    memcpy(out + strlen(out), to, before);
    *ret_line = *ret_column = 1;
    for (const char *c = out; *c; c++) {
        *ret_column = *c == '\n' ? 1 : *ret_column + 1;
        *ret_line += *c == '\n';
    }
    if (mark)
        memcpy(out + strlen(out), mark + 1, strlen(mark + 1));
    memcpy(out + strlen(out), at + strlen(from), strlen(at + strlen(from)));
    return out;
}

static struct slw_model *load(const char *text)
{
    struct slw_error err = {0};
    struct slw_model *m = NULL;

    if (slw_model_parse_with(text, strlen(text), "new.json", &library, &m, &err) < 0)
        fail_msg("%s %s", err.where, err.text);
    return m;
}

static void the_rest_is_the_base(void **state)
{
    struct slw_model *m = load(new_text);
    (void)state;
    assert_string_equal(m->arch, "x86_64");
    assert_string_equal(m->pmu, "cpu");
    assert_int_equal(m->general_counters, 4);
    assert_int_equal(m->event_count, 3);
    assert_int_equal(slw_model_find_event(m, "misses"), -1);
    assert_int_equal(m->events[slw_model_find_event(m, "cycles")].config, 0x3c);
    assert_int_equal(m->events[slw_model_find_event(m, "bubbles")].config, 0x9d);
    assert_string_equal(m->lets[0].text, "5 * cycles");
    assert_string_equal(m->nodes[slw_model_find_node(m, "mpc")].text, "waits / cycles");
    assert_string_equal(m->nodes[slw_model_find_node(m, "mpc")].prose.what, "w");
    slw_model_free(m);
}

static void a_new_node_stands_below_its_parent(void **state)
{
    static const char *const order[] = {"front", "wait", "back", "mpc"};
    struct slw_model *m = load(new_text);
    (void)state;
    assert_int_equal(m->node_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(m->nodes[i].name, order[i]);
    assert_int_equal(m->nodes[1].parent, 0);
    assert_true(m->nodes[0].threshold > 0.29 && m->nodes[0].threshold < 0.31);
    slw_model_free(m);
}

static void which_cpu_and_whose_word_are_never_taken_over(void **state)
{
    struct slw_model *m = load(new_text);
    (void)state;
    assert_string_equal(m->title, "New CPU");
    assert_string_equal(m->source, "new");
    assert_int_equal(m->match_count, 1);
    assert_int_equal(m->matches[0].model, 2);
    assert_int_equal(m->relative_count, 0);
    /* libpfm4's names belong to the base's PMU. */
    assert_null(m->libpfm_pmu);
    assert_null(m->events[slw_model_find_event(m, "cycles")].libpfm);
    slw_model_free(m);
}

static void the_base_keeps_its_checks_where_none_are_given(void **state)
{
    static const char text[] = "{\"name\": \"n\", \"title\": \"N\", \"based_on\": \"old\","
                               " \"source\": {\"document\": \"d\", \"version\": \"1\","
                               " \"date\": \"x\"}}";
    struct slw_model *m = load(text);
    (void)state;
    assert_int_equal(m->check_count, 1);
    assert_int_equal(m->match_count, 0);
    assert_int_equal(m->node_count, 4);
    slw_model_free(m);
}

struct mistake {
    const char *from, *to, *says;
};

/* In the new file; the place is there. */
static const struct mistake mistakes[] = {
    {"\"based_on\": \"old\"", "\"based_on\": @\"odd\"", "no model is called 'odd'"},
    {"\"based_on\": \"old\"", "\"based_on\": @\"../old\"", "no model is called"},
    {"\"based_on\": \"old\"", "\"based_on\": @\"prose\"", "no model is called"},
    {"\"based_on\": \"old\"", "\"based_on\": @3", "non-empty string"},
    {"\"based_on\": \"old\"", "\"based_on\": @\"new\"", "itself based on 'old'"},
    {"\"based_on\": \"old\",", "@\"title2\": 1, \"based_on\": \"old\",", "unknown key 'title2'"},
    {"\"misses\", \"latency\"", "\"misses\", @\"latent\"", "'latent' is no event"},
    {"\"misses\", \"latency\"", "@7", "'this' is no event"},
    {"[\"misses\", \"latency\"]", "@\"misses\"", "an array"},
    {"\"event\": \"0x9d\"", "@\"evnt\": 1", "unknown key 'evnt'"},
    {"\"5 * cycles\"", "\"5 * @cicles\"", "'cicles' is no event"},
    {"\"waits / cycles\"", "\"waits / @misses\"", "'misses' is no event"},
    {"\"waits / SLOTS\"", "\"waits / @latency\"", "'latency' is no event"},
    {"{\"above\": 0.3}", "{@\"abov\": 0.3}", "unknown key 'abov'"},
    {"\"level\": 2, \"parent\": \"front\"", "\"level\": 2, \"parent\": @\"side\"", "no node above"},
    {"{\"name\": \"wait\", ", "{\"name\": \"wait\", @\"kind\": 1, ", "unknown key 'kind'"},
    {"{\"name\": \"wait\", \"title\": \"Wait\", ", "@{\"name\": \"wait\", ", "'title' is missing"},
    {"{\"name\": \"wait\", ", "@{", "'name' is missing"},
    {"\"front\": [0.2", "@\"front\": [0.3", "check fails"},
    {"\"metrics\": [", "\"metrics\": @4, \"x\": [", ""},
    {"\"source\": {\"document\": \"new\", \"version\": \"2\", \"date\": \"now\"},", "",
     "'source' is missing"},
};

static void check_place(const char *text, const struct slw_model_library *lib, const char *origin,
                        unsigned line, unsigned column, const struct mistake *c)
{
    char place[64];
    struct slw_error err = {0};
    struct slw_model *m = NULL;

    const int rc = slw_model_parse_with(text, strlen(text), "new.json", lib, &m, &err);
    if (rc != -SLW_E_FORMAT || !strstr(err.text, c->says))
        fail_msg("%s: %d %s: %s", c->to, rc, err.where, err.text);
    (void)snprintf(place, sizeof(place), "%s:%u:%u", origin, line, column);
    if (line > 0 && strcmp(err.where, place) != 0)
        fail_msg("%s: %s, not %s (%s)", c->to, err.where, place, err.text);
}

static void a_mistake_of_the_new_file_is_reported_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const struct mistake *c = &mistakes[i];
        unsigned line, column;
        char *text = change(new_text, c->from, c->to, &line, &column);

        check_place(text, &library, "new.json", strchr(c->to, '@') && *c->says ? line : 0, column,
                    c);
        free(text);
    }
}

static void a_node_given_twice_is_refused(void **state)
{
    const struct mistake c = {"{\"name\": \"front\",",
                              "{\"name\": \"back\"}, {\"name\": \"back\"},"
                              " {\"name\": \"front\",",
                              ""};
    struct slw_model *m = NULL;
    unsigned line, column;
    (void)state;
    char *text = change(new_text, c.from, c.to, &line, &column);
    assert_int_equal(slw_model_parse_with(text, strlen(text), "new.json", &library, &m, NULL),
                     -SLW_E_FORMAT);
    free(text);
}

/* What the new file leaves alone, or breaks by removing, is reported where the base says it. */
static void a_mistake_of_the_base_is_reported_in_the_base(void **state)
{
    static const struct mistake cases[] = {
        {"\"1 - front\"", "\"1 - @frond\"", "'frond' is no event"},
        {"\"general_counters\": 4", "\"general_counters\": @400", "from 0 to 64"},
        {"{\"name\": \"back\", \"title\": \"Back\", ", "@{\"name\": \"back\", ",
         "'title' is missing"},
        {"\"1 - front\"", "\"1 - front - 0 * @misses\"", "'misses' is no event"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned line, column;
        char *text = change(base_text, cases[i].from, cases[i].to, &line, &column);
        const struct slw_model_library lib = {.get = get, .context = text};

        check_place(new_text, &lib, "old.json", line, column, &cases[i]);
        free(text);
    }
}

static void a_base_that_is_no_json_is_reported_there(void **state)
{
    const struct mistake c = {"\"based_on\": \"old\"", "\"based_on\": \"broken\"", ""};
    struct slw_error err = {0};
    struct slw_model *m = NULL;
    unsigned line, column;
    (void)state;
    char *text = change(new_text, c.from, c.to, &line, &column);
    assert_int_equal(slw_model_parse_with(text, strlen(text), "new.json", &library, &m, &err),
                     -SLW_E_FORMAT);
    assert_int_equal(strncmp(err.where, "broken.json:2:", 14), 0);
    free(text);
}

static void remove_alone_is_a_mistake(void **state)
{
    const struct mistake c = {"\"libpfm\": \"old\",", "@\"remove\": [],", "needs 'based_on'"};
    unsigned line, column;
    (void)state;
    char *text = change(base_text, c.from, c.to, &line, &column);
    check_place(text, &library, "new.json", line, column, &c);
    free(text);
}

static void left_out_prose_is_the_shared_one(void **state)
{
    const struct mistake missing = {"\"threshold\": {\"above\": 0.2}, " PROSE "}",
                                    "\"threshold\": {\"above\": 0.2}, \"what\": \"w\"}",
                                    "'look_at' is missing, and prose.json has none for 'front'"};
    unsigned line, column;
    (void)state;
    char *text =
        change(base_text, "\"above\": 0.2}, \"what\": \"w\",", "\"above\": 0.2},", &line, &column);
    struct slw_model *m = load(text);
    assert_string_equal(m->nodes[0].prose.what, "Shared.");
    assert_string_equal(m->nodes[0].prose.look_at, "l");
    slw_model_free(m);
    free(text);
    text = change(base_text, missing.from, missing.to, &line, &column);
    check_place(text, &library, "new.json", 0, 0, &missing);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_is_the_base),
        cmocka_unit_test(a_new_node_stands_below_its_parent),
        cmocka_unit_test(which_cpu_and_whose_word_are_never_taken_over),
        cmocka_unit_test(the_base_keeps_its_checks_where_none_are_given),
        cmocka_unit_test(a_mistake_of_the_new_file_is_reported_there),
        cmocka_unit_test(a_node_given_twice_is_refused),
        cmocka_unit_test(a_mistake_of_the_base_is_reported_in_the_base),
        cmocka_unit_test(a_base_that_is_no_json_is_reported_there),
        cmocka_unit_test(remove_alone_is_a_mistake),
        cmocka_unit_test(left_out_prose_is_the_shared_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
