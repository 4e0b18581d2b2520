/* SPDX-License-Identifier: MIT */
/* Every mistake a model file can hold, and the place the error must name. */
#include "models/model.h"

#include "models/model_int.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char good[] =
    "{\n"
    "  \"name\": \"tiny\",\n"
    "  \"title\": \"Tiny CPU\",\n"
    "  \"arch\": \"x86_64\",\n"
    "  \"pmu\": \"cpu\",\n"
    "  \"source\": {\"document\": \"none\", \"version\": \"1\", \"date\": \"today\"},\n"
    "  \"cpu\": {\"slots_per_cycle\": 4, \"general_counters\": 4, \"fixed_counters\": 3},\n"
    "  \"match\": [{\"vendor\": \"Tiny\", \"family\": 6, \"model\": [\"0x10\", 31], \"stepping\": "
    "[0, 4]}],\n"
    "  \"events\": {\n"
    "    \"cycles\": {\"event\": \"0x3c\", \"fixed\": 1},\n"
    "    \"bubbles\": {\"event\": \"0x9c\", \"umask\": 1, \"counters\": \"0-3,6\"},\n"
    "    \"retired\": {\"config\": \"0x2c2\", \"errata\": \"T1\"}\n"
    "  },\n"
    "  \"let\": {\n"
    "    \"SLOTS\": \"4 * cycles\"\n"
    "  },\n"
    "  \"tree\": [\n"
    "    {\"name\": \"front\", \"title\": \"Front\", \"level\": 1,\n"
    "     \"formula\": \"bubbles / SLOTS\", \"unit\": \"slots\",\n"
    "     \"threshold\": {\"above\": 0.15}, \"what\": \"w\", \"look_at\": \"l\"},\n"
    "    {\"name\": \"latency\", \"title\": \"Latency\", \"level\": 2, \"parent\": \"front\",\n"
    "     \"formula\": \"front - 0.1\", \"unit\": \"slots\",\n"
    "     \"threshold\": {\"above\": 0.1, \"needs\": [\"front\"]}, \"what\": \"w\", \"look_at\": "
    "\"l\"}\n"
    "  ],\n"
    "  \"metrics\": [\n"
    "    {\"name\": \"upc\", \"title\": \"Uops\", \"formula\": \"retired / cycles\", \"unit\": "
    "\"per "
    "cycle\",\n"
    "     \"range\": [0, 4], \"what\": \"w\", \"look_at\": \"l\"}\n"
    "  ],\n"
    "  \"checks\": [\n"
    "    {\"why\": \"hand-computed\", \"counts\": {\"cycles\": 100, \"bubbles\": 100, \"retired\": "
    "50},\n"
    "     \"expect\": {\"front\": [0.25, 1e-9], \"latency\": [0.15, 1e-9]}}\n"
    "  ]\n"
    "}\n";

static void the_good_file_is_good(void **state)
{
    struct slw_error err = {0};
    struct slw_model *m = NULL;
    (void)state;
    if (slw_model_parse(good, strlen(good), "good.json", &m, &err) < 0)
        fail_msg("%s %s", err.where, err.text);
    assert_string_equal(m->name, "tiny");
    assert_int_equal(m->event_count, 3);
    assert_int_equal(m->events[0].config, 0x3c);
    assert_int_equal(m->events[0].fixed, 1);
    assert_int_equal(m->events[1].config, 0x019c);
    assert_int_equal(m->events[1].fixed, -1);
    assert_int_equal(m->events[1].counters, 0x4f);
    assert_string_equal(m->events[2].errata, "T1");
    assert_int_equal(m->max_level, 2);
    assert_int_equal(m->nodes[1].parent, 0);
    assert_int_equal(m->nodes[2].level, 0);
    assert_int_equal(m->nodes[2].parent, -1);
    assert_int_equal(m->matches[0].model, 0x10);
    assert_int_equal(m->matches[0].model_high, 31);
    assert_int_equal(m->matches[0].stepping_high, 4);
    slw_model_free(m);
    slw_model_free(NULL);
}

/* `from` in the good file becomes `to`; '@' in `to` marks the place the error must name. */
struct mistake {
    const char *from, *to, *says;
};

static const struct mistake mistakes[] = {
    {"\"pmu\": \"cpu\"", "@\"pnu\": \"cpu\"", "unknown key 'pnu'"},
    {"\"event\": \"0x3c\"", "@\"evnt\": 3", "unknown key 'evnt'"},
    {"\"event\": \"0x3c\"", "\"event\": @\"3c\"", "\"0x...\""},
    {"\"event\": \"0x3c\"", "\"event\": @4096", "from 0 to 4095"},
    {"\"umask\": 1", "\"umask\": @-1", "whole number"},
    {"[0, 4]", "[0, @\"0xzz\"]", "whole number"},
    {"\"counters\": \"0-3,6\"", "\"counters\": @\"0-3,\"", "0-3"},
    {"\"counters\": \"0-3,6\"", "\"counters\": @\"a\"", "0-3"},
    {"\"counters\": \"0-3,6\"", "\"counters\": @\"3-0\"", "0-3"},
    {"\"counters\": \"0-3,6\"", "\"counters\": @\"0-99\"", "0-3"},
    {"{\"config\": \"0x2c2\"", "@{\"event\": 1, \"config\": 2", "either 'event'"},
    {"{\"config\": \"0x2c2\"", "@{\"umask\": 1", "either 'event'"},
    {"\"config\": \"0x2c2\"", "\"type\": @\"rawish\", \"config\": 1", "'type' must be"},
    {"\"config\": \"0x2c2\"", "\"role\": @\"boss\", \"config\": 1", "'role' must be"},
    {"  \"source\": {\"document\": \"none\", \"version\": \"1\", \"date\": \"today\"},\n", "",
     "'source' is missing"},
    {"{\"document\": \"none\", ", "@{", "'document' is missing"},
    {"\"date\": \"today\"", "\"date\": @\"\"", "non-empty"},
    {"\"arch\": \"x86_64\"", "\"arch\": @\"vax\"", "'arch' must be"},
    {"\"slots_per_cycle\": 4", "\"slots_per_cycle\": @4.5", "whole number"},
    {"\"family\": 6, ", "\"family\": @-6, ", "whole number"},
    {"{\"vendor\": \"Tiny\", \"family\": 6, ", "@{\"vendor\": \"Tiny\", ", "'family', 'part' or"},
    {"[\"0x10\", 31]", "@[\"0x20\", 31]", "range is empty"},
    {"[0, 4]", "[0, @300]", "0 to 0xff"},
    {"4 * cycles", "4 * @cicles", "'cicles' is no event"},
    {"bubbles / SLOTS", "bubbles / @/ SLOTS", "'/' where a value"},
    {"bubbles / SLOTS", "(bubbles / SLOTS@", "')' expected"},
    {"4 * cycles", "4 * cycles + front", "cycle"},
    {"front - 0.1", "front - @latency", "cycle"},
    {"\"name\": \"latency\"", "\"name\": \"cycles\"", "taken"},
    {"\"name\": \"latency\"", "\"name\": \"single_task\"", "taken"},
    {"\"why\": \"hand-computed\"", "\"single_task\": @1, \"why\": \"hand-computed\"",
     "true or false"},
    {"\"SLOTS\": \"4 * cycles\"", "\"SLOTS\": \"4 * cycles\", @\"SLOTS\": \"1\"", "duplicate"},
    {"\"SLOTS\": \"4 * cycles\"", "\"SLOTS\": @4", "a formula"},
    {"\"level\": 2, \"parent\": \"front\"", "\"level\": 2, \"parent\": @\"back\"", "no node above"},
    {"\"level\": 2, \"parent\": \"front\"", "\"level\": 3, \"parent\": @\"front\"", "level-2"},
    {"{\"name\": \"latency\", \"title\": \"Latency\", \"level\": 2, \"parent\": \"front\"",
     "@{\"name\": \"latency\", \"title\": \"Latency\", \"level\": 2", "'parent' is missing"},
    {"\"level\": 1,", "\"level\": 1, \"parent\": @\"latency\",", "no parent"},
    {"\"needs\": [\"front\"]", "\"needs\": [@\"back\"]", "no node"},
    {"\"needs\": [\"front\"]", "\"needs\": [@\"upc\"]", "no threshold"},
    {"\"needs\": [\"front\"]", "\"needs\": @3", "an array"},
    {"\"above\": 0.15", "\"above\": @\"a lot\"", "must be a number"},
    {"\"range\": [0, 4]", "\"range\": @[4, 0]", "[low, high]"},
    {"     \"range\": [0, 4], ", "     ", "'range' is missing"},
    {"\"what\": \"w\", \"look_at\": \"l\"}\n  ],\n  \"checks\"",
     "\"what\": \"w\"}\n  ],\n  \"checks\"", "'look_at' is missing"},
    {"\"cycles\": 100", "@\"cicles\": 100", "'cicles' is no event"},
    {"\"cycles\": 100", "\"cycles\": @-100", "a count"},
    {"\"latency\": [0.15, 1e-9]", "@\"lat\": [0.15, 1e-9]", "no node"},
    {"\"latency\": [0.15, 1e-9]", "\"latency\": @0.15", "[value, tolerance]"},
    {"\"latency\": [0.15, 1e-9]", "@\"latency\": [0.16, 1e-9]", "check fails: latency is 0.15"},
    {"\"latency\": [0.15, 1e-9]", "@\"upc\": [0.6, 1e-9]", "check fails: upc is 0.5"},
    {"\"cycles\": 100", "\"cycles\": 0", "division by zero: SLOTS is 0"},
    {"\"bubbles\": 100, ", "", "front has no value (bubbles)"},
    {"Tiny CPU\",", "Tiny CPU\"@", ""},
    {"\"title\": \"Tiny CPU\"", "\"title\": \"\xc3\xa4\xe2\x82\xac\", @\"x\": 1",
     "unknown key 'x'"},
    {"bubbles / SLOTS", "bubbles / \\u0053LOTS + @x", "'x' is no event"},
};

static char *replaced(const struct mistake *c, unsigned *line, unsigned *column)
{
    const char *at = strstr(good, c->from);
    char *out = calloc(1, sizeof(good) + strlen(c->to) + 1);

    assert_non_null(at);
    assert_non_null(out);
    memcpy(out, good, (size_t)(at - good));
    strcat(out, c->to);
    strcat(out, at + strlen(c->from));
    char *mark = strchr(out, '@');
    *line = *column = 0;
    if (!mark)
        return out;
    *line = *column = 1;
    for (const char *p = out; p < mark; p++) {
        *column += ((unsigned char)*p & 0xc0) != 0x80;
        if (*p == '\n') {
            ++*line;
            *column = 1;
        }
    }
    memmove(mark, mark + 1, strlen(mark));
    return out;
}

static void each_mistake_names_its_line_and_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const struct mistake *c = &mistakes[i];
        struct slw_error err = {0};
        struct slw_model *m = NULL;
        unsigned line, column, got_line = 0, got_column = 0;
        char *text = replaced(c, &line, &column);

        const int rc = slw_model_parse(text, strlen(text), "bad.json", &m, &err);
        assert_null(m);
        if (rc >= 0 || !strstr(err.text, c->says))
            fail_msg("%s: %d %s: %s", c->to, rc, err.where, err.text);
        if (sscanf(err.where, "bad.json:%u:%u", &got_line, &got_column) != 2)
            fail_msg("%s: no place: %s %s", c->to, err.where, err.text);
        /* jansson places its own errors at the end of what it did not expect. */
        const bool by_jansson = strlen(c->says) == 0 || strcmp(c->says, "duplicate") == 0;
        if (line && !by_jansson && (line != got_line || column != got_column))
            fail_msg("%s: %s, not %u:%u (%s)", c->to, err.where, line, column, err.text);
        free(text);
    }
}

static void a_cut_file_is_an_error_everywhere(void **state)
{
    (void)state;
    for (size_t length = 0; length + 2 < sizeof(good); length++) {
        struct slw_error err = {0};
        struct slw_model *m = NULL;
        char *exact = malloc(length + 1); /* so that a read past the end is seen */

        memcpy(exact, good, length);
        assert_int_equal(slw_model_parse(exact, length, "cut.json", &m, &err), -SLW_E_FORMAT);
        assert_non_null(strstr(err.where, "cut.json:"));
        free(exact);
    }
}

static void errors_are_found_without_an_error_object(void **state)
{
    struct slw_model *m = NULL;
    (void)state;
    assert_int_equal(slw_model_parse("{}", 2, "x", &m, NULL), -SLW_E_FORMAT);
}

static void too_large_is_a_limit(void **state)
{
    const size_t length = SLW_MODEL_MAX_BYTES + 1;
    struct slw_model *m = NULL;
    char *big = malloc(length);
    (void)state;
    memset(big, ' ', length);
    assert_int_equal(slw_model_parse(big, length, "x", &m, NULL), -SLW_E_LIMIT);
    free(big);
}

static int allocations_left;

static void *failing_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* Wherever the JSON reader runs out of memory, the model is refused and nothing leaks. jansson
 * calls some of these places a syntax error, so the code is not always SLW_E_NOMEM. */
static void out_of_memory_in_the_json_reader_is_an_error(void **state)
{
    int rc = -1, rounds = 0;
    (void)state;
    json_set_alloc_funcs(failing_malloc, free);
    while (rc < 0 && rounds < 10000) {
        struct slw_error err = {0};
        struct slw_model *m = NULL;

        allocations_left = rounds++;
        rc = slw_model_parse(good, strlen(good), "good.json", &m, &err);
        if (rc < 0) {
            assert_null(m);
            assert_true(strlen(err.text) > 0);
            assert_true(rc == -SLW_E_NOMEM || rc == -SLW_E_FORMAT);
        }
        slw_model_free(m);
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(rc, 0);
    assert_true(rounds > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_file_is_good),
        cmocka_unit_test(each_mistake_names_its_line_and_column),
        cmocka_unit_test(a_cut_file_is_an_error_everywhere),
        cmocka_unit_test(errors_are_found_without_an_error_object),
        cmocka_unit_test(too_large_is_a_limit),
        cmocka_unit_test(out_of_memory_in_the_json_reader_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
