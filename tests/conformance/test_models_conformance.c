/* SPDX-License-Identifier: MIT */
/* What every model compiled in must hold, beyond what the parser refuses. */
#include "models/model.h"

#include "base/file.h"

#include "tests/unit/cmocka_int.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 192

static void over_all_models(void (*check)(const struct slw_model *m))
{
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        struct slw_error err = {0};
        struct slw_model *m = NULL;
        if (slw_model_builtin(slw_model_builtin_name(i), &m, &err) < 0)
            fail_msg("%s %s", err.where, err.text);
        check(m);
        slw_model_free(m);
    }
}

static void sentence(const struct slw_model *m, const char *node, const char *text)
{
    const size_t length = text ? strlen(text) : 0;

    if (length < 30 || text[length - 1] != '.' || text[0] < 'A' || text[0] > 'Z')
        fail_msg("%s %s: no plain sentence: %s", m->name, node, text ? text : "(none)");
}

static void check_prose(const struct slw_model *m)
{
    assert_true(m->source && m->version && m->date && m->title);
    if (m->match_count > 0 && !m->match_source)
        fail_msg("%s: nobody says that these are its CPUs", m->name);
    for (size_t i = 0; i < m->node_count; i++) {
        const struct slw_model_node *n = &m->nodes[i];

        sentence(m, n->name, n->prose.what);
        sentence(m, n->name, n->prose.look_at);
        assert_true(n->low < n->high);
        assert_true(strlen(n->unit) > 0 && strlen(n->title) > 0);
    }
}

static void every_node_says_what_it_means(void **state)
{
    (void)state;
    over_all_models(check_prose);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_event(const struct slw_model *m, const char *name, size_t length)
{
    for (size_t i = 0; i < m->event_count; i++)
        if (strncmp(m->events[i].name, name, length) == 0)
            return true;
    return false;
}

/* Words with '_' in them are names; a reader follows them with `slotwise explain`. perf's own are
 * of another program. */
static void names_exist(const struct slw_model *m, const char *node, const char *text)
{
    for (const char *c = text; *c;) {
        char name[64];
        size_t length = 0;

        while (is_name_char(c[length]))
            length++;
        if (length == 0) {
            c++;
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, c);
        if (strchr(name, '_') && strncmp(name, "tma_", 4) != 0 &&
            slw_model_find_node(m, name) < 0 && !is_event(m, name, length))
            fail_msg("%s %s: sends the reader to %s, which this model has not", m->name, node,
                     name);
        c += length;
    }
}

static void check_names(const struct slw_model *m)
{
    for (size_t i = 0; i < m->node_count; i++) {
        names_exist(m, m->nodes[i].name, m->nodes[i].prose.what);
        names_exist(m, m->nodes[i].name, m->nodes[i].prose.look_at);
    }
}

static void prose_names_only_what_the_model_has(void **state)
{
    (void)state;
    over_all_models(check_names);
}

static bool says_any(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

/* look_at is advice for people who write database clients: it must name something of theirs, or
 * send them to the node that does. */
static void check_advice(const struct slw_model *m)
{
    static const char *const words[] = {
        "request", "row",    "batch", "client", "protocol", "hash",     "buffer", "result",
        "lock",    "thread", "code",  "branch", "query",    "instruct", "loop",   "load"};

    for (size_t i = 0; i < m->node_count; i++) {
        const char *text = m->nodes[i].prose.look_at;

        if (!says_any(text, words, sizeof(words) / sizeof(words[0])) && !strchr(text, '_') &&
            m->nodes[i].level > 0)
            fail_msg("%s %s: advice for nobody: %s", m->name, m->nodes[i].name, text);
    }
}

static void advice_is_for_database_clients(void **state)
{
    (void)state;
    over_all_models(check_advice);
}

static void check_tree(const struct slw_model *m)
{
    int deepest = 0;

    for (size_t i = 0; i < m->node_count; i++) {
        const struct slw_model_node *n = &m->nodes[i];

        deepest = n->level > deepest ? n->level : deepest;
        if (n->level <= 1)
            assert_int_equal(n->parent, -1);
        else
            assert_int_equal(m->nodes[n->parent].level, n->level - 1);
        /* A child flags only with its parent, as far as thresholds are published. */
        if (n->level > 1 && n->has_threshold && strcmp(n->name, "fetch_bandwidth") != 0 &&
            strcmp(n->name, "light_operations") != 0 && strcmp(n->name, "heavy_operations") != 0) {
            bool needs_parent = false;
            for (size_t k = 0; k < n->threshold_need_count; k++)
                needs_parent |= n->threshold_needs[k] == n->parent;
            if (!needs_parent)
                fail_msg("%s %s flags without its parent", m->name, n->name);
        }
        if (n->level > 0)
            assert_true(n->low >= 0 && n->high <= 1);
    }
    assert_int_equal(deepest, m->max_level);
    /* A model that is for several CPUs, and so matches none, may leave open how wide they are. */
    if (m->match_count > 0 || m->slots_per_cycle > 0)
        assert_int_equal(m->max_level > 0, m->slots_per_cycle > 0);
}

static void the_tree_is_well_formed(void **state)
{
    (void)state;
    over_all_models(check_tree);
}

static void check_events(const struct slw_model *m)
{
    bool needed[MAX] = {false};

    assert_true(m->event_count <= MAX);
    for (size_t i = 0; i < m->node_count; i++)
        slw_model_needs(m, i, needed);
    for (size_t i = 0; i < m->event_count; i++) {
        const struct slw_model_event *e = &m->events[i];

        if (!needed[i])
            fail_msg("%s: no formula uses %s", m->name, e->name);
        /* The same code twice would be counted twice for nothing. */
        for (size_t k = 0; k < i; k++)
            if (m->events[k].type == e->type && m->events[k].config == e->config &&
                m->events[k].config1 == e->config1)
                fail_msg("%s: %s and %s are one event", m->name, e->name, m->events[k].name);
        if (e->fixed >= 0)
            assert_true(e->fixed < m->fixed_counters);
        if (e->counters && !(e->counters & ((UINT64_C(1) << m->general_counters) - 1)))
            fail_msg("%s: %s fits no counter", m->name, e->name);
        if (e->role == SLW_EVENT_PERF_METRIC)
            assert_non_null(e->sysfs);
    }
}

static void every_event_is_used_and_can_be_counted(void **state)
{
    (void)state;
    over_all_models(check_events);
}

static void check_slots(const struct slw_model *m)
{
    size_t slots = 0, metrics = 0;

    for (size_t i = 0; i < m->event_count; i++) {
        slots += m->events[i].role == SLW_EVENT_SLOTS;
        metrics += m->events[i].role == SLW_EVENT_PERF_METRIC;
    }
    assert_true(metrics == 0 ? slots <= 1 : slots == 1);
}

static void perf_metrics_come_with_one_slots_event(void **state)
{
    (void)state;
    over_all_models(check_slots);
}

static void check_metrics(const struct slw_model *m)
{
    static const char *const wanted[] = {"ipc", "icache_mpki", "branch_mpki"};

    for (size_t i = 0; i < 3; i++) {
        const int node = slw_model_find_node(m, wanted[i]);
        if (node < 0 || m->nodes[node].level != 0)
            fail_msg("%s has no %s", m->name, wanted[i]);
    }
}

static void the_common_metrics_are_there(void **state)
{
    (void)state;
    over_all_models(check_metrics);
}

static void check_coverage(const struct slw_model *m)
{
    bool covered[MAX] = {false};

    for (size_t i = 0; i < m->check_count; i++) {
        const struct slw_model_check *c = &m->checks[i];
        if (strncmp(c->why, "recording: ", 11) != 0 && strncmp(c->why, "hand-computed: ", 15) != 0)
            fail_msg("%s: a check must say where it is from: %s", m->name, c->why);
        for (size_t k = 0; k < c->expect_count; k++)
            covered[slw_model_find_node(m, c->expect_names[k])] = true;
    }
    for (size_t i = 0; i < m->node_count; i++)
        if (!covered[i])
            fail_msg("%s: no check covers %s", m->name, m->nodes[i].name);
}

static void every_node_is_covered_by_a_check(void **state)
{
    (void)state;
    over_all_models(check_coverage);
}

/* Reference CPU and the model that is made of it. */
static const char *const published[][2] = {
    {"HSW", "haswell"},       {"HSX", "haswell"},        {"BDW", "broadwell"},
    {"BDX", "broadwell"},     {"SKL", "skylake"},        {"SKX", "skylakex"},
    {"CLX", "cascadelake"},   {"ICL", "icelake"},        {"ICX", "icelake_sp"},
    {"TGL", "tigerlake"},     {"SPR", "sapphirerapids"}, {"EMR", "emeraldrapids"},
    {"GNR", "graniterapids"}, {"ADL-P", "alderlake_p"},
};

static size_t check_errata(const char *cpu, const char *name, const json_t *events)
{
    struct slw_model *m = NULL;
    size_t count = 0;

    assert_int_equal(slw_model_builtin(name, &m, NULL), 0);
    for (size_t i = 0; i < m->event_count; i++) {
        const struct slw_model_event *e = &m->events[i];
        const json_t *other = json_object_get(events, e->name);
        const char *wanted = json_string_value(json_object_get(other, "errata"));
        if (wanted && !*wanted)
            wanted = NULL;
        if (other && (wanted ? !e->errata || strcmp(wanted, e->errata) != 0 : e->errata != NULL))
            fail_msg("%s %s: %s, %s has %s", cpu, e->name, wanted ? wanted : "none", name,
                     e->errata ? e->errata : "none");
        count += wanted != NULL;
    }
    slw_model_free(m);
    return count;
}

static void models_mark_the_published_errata(void **state)
{
    char *text = NULL;
    size_t length = 0, count = 0;
    (void)state;
    if (slw_file_read(SLW_SHARED_DIR "/reference/topdown-models.json", (size_t)16 << 20, &text,
                      &length, NULL) < 0) {
        print_message("skipped: no ../shared\n");
        skip();
    }
    json_t *root = json_loadb(text, length, 0, NULL);
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        const json_t *cpu = json_object_get(root, published[i][0]);
        assert_non_null(cpu);
        count += check_errata(published[i][0], published[i][1], json_object_get(cpu, "events"));
    }
    assert_int_equal(count, 2 * 9 + 2 * 4 + 3 * 2);
    json_decref(root);
    free(text);
}

static size_t users(const char *node, const char *key, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        struct slw_model *m = NULL;
        assert_int_equal(slw_model_builtin(slw_model_builtin_name(i), &m, NULL), 0);
        const int n = slw_model_find_node(m, node);
        const struct slw_model_prose *p = n >= 0 ? &m->nodes[n].prose : NULL;
        if (p)
            count += strcmp(strcmp(key, "what") == 0 ? p->what : p->look_at, text) == 0;
        slw_model_free(m);
    }
    return count;
}

static void shared_prose_is_shared(void **state)
{
    char *text = NULL;
    const char *node, *key;
    size_t length = 0;
    json_t *entry, *value;
    (void)state;
    assert_int_equal(
        slw_file_read(SLW_TEST_DIR "/../models/prose.json", 1 << 20, &text, &length, NULL), 0);
    json_t *root = json_loadb(text, length, 0, NULL);
    assert_true(json_object_size(root) > 30);
    json_object_foreach(root, node, entry)
    {
        json_object_foreach(entry, key, value)
        {
            if (users(node, key, json_string_value(value)) < 2)
                fail_msg("%s of %s serves fewer than two models", key, node);
        }
    }
    json_decref(root);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_says_what_it_means),
        cmocka_unit_test(prose_names_only_what_the_model_has),
        cmocka_unit_test(advice_is_for_database_clients),
        cmocka_unit_test(the_tree_is_well_formed),
        cmocka_unit_test(every_event_is_used_and_can_be_counted),
        cmocka_unit_test(perf_metrics_come_with_one_slots_event),
        cmocka_unit_test(the_common_metrics_are_there),
        cmocka_unit_test(every_node_is_covered_by_a_check),
        cmocka_unit_test(models_mark_the_published_errata),
        cmocka_unit_test(shared_prose_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
