/* SPDX-License-Identifier: MIT */
/* Every built-in CPU model can be planned: groups fit, nothing that is needed is forgotten. */
#include "tests/unit/cmocka_int.h"

#include "collector/plan.h"

#include <stdlib.h>
#include <string.h>

static void mark(const struct slw_plan *p, bool *planned)
{
    for (size_t g = 0; g < p->group_count; g++)
        for (size_t i = 0; i < p->groups[g].event_count; i++)
            if (p->groups[g].events[i].model_event >= 0)
                planned[p->groups[g].events[i].model_event] = true;
    for (size_t i = 0; i < p->gap_count; i++)
        if (p->gaps[i].model_event >= 0)
            planned[p->gaps[i].model_event] = true;
}

static void check_groups(const struct slw_model *m, const struct slw_plan *p, int reserved)
{
    for (size_t g = 1; g < p->group_count; g++) {
        const struct slw_plan_group *group = &p->groups[g];
        int events[SLW_MAX_GROUP_EVENTS];

        for (size_t i = 0; i < group->event_count; i++) {
            events[i] = group->events[i].model_event;
            if (group->events[i].role == SLW_EVENT_PERF_METRIC)
                assert_int_equal(group->events[0].role, SLW_EVENT_SLOTS);
        }
        assert_true(slw_plan_fits(m, events, group->event_count, reserved));
    }
}

static void check_model(const struct slw_model *m, int level, int reserved)
{
    struct slw_plan_options o = {.model = m,
                                 .level = level,
                                 .reserved_counters = reserved,
                                 .hardware = true,
                                 .needs = slw_model_needs};
    bool *needed = calloc(m->event_count + 1, sizeof(bool));
    bool *planned = calloc(m->event_count + 1, sizeof(bool));
    struct slw_plan *p = NULL;
    struct slw_error err = {0};

    assert_true(needed && planned);
    if (slw_plan_new(&o, &p, &err) < 0)
        fail_msg("%s: %s", m->name, err.text);
    check_groups(m, p, reserved);
    mark(p, planned);
    for (size_t i = 0; i < m->node_count; i++)
        if (m->nodes[i].level <= level)
            slw_model_needs(m, i, needed);
    for (size_t i = 0; i < m->event_count; i++)
        if (needed[i] && !planned[i])
            fail_msg("%s: %s is needed and in no group", m->name, m->events[i].name);
    print_message("%s level %d, %d taken: %zu groups, %zu gaps\n", m->name, level, reserved,
                  p->group_count - 1, p->gap_count);
    slw_plan_free(p);
    free(needed);
    free(planned);
}

static void every_model_plans_at_every_level(void **state)
{
    (void)state;
    assert_true(slw_model_builtin_count() > 0);
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        struct slw_model *m = NULL;

        assert_int_equal(slw_model_builtin(slw_model_builtin_name(i), &m, NULL), 0);
        for (int level = 0; level <= m->max_level; level++)
            for (int reserved = 0; reserved <= 2; reserved++)
                check_model(m, level, reserved);
        slw_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_model_plans_at_every_level)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
