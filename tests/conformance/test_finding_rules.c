/* SPDX-License-Identifier: MIT */
/* Every rule of findings.def: fires on its run with numbers, stays silent on the run just short of
 * its threshold, and has all its texts. */
#include "tests/finding_runs.h"

static const struct {
    const char *id;
    enum slw_sure sure;
    const char *title, *advice;
} rules[] = {
#define SLW_FINDING(id, rule, sure, title, advice) {id, SLW_##sure, title, advice},
#include "analyzer/findings.def"
#undef SLW_FINDING
};
#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static const struct slw_finding *find(const struct slw_report *r, const char *id)
{
    for (size_t i = 0; i < r->finding_count; i++)
        if (strcmp(r->findings[i].id, id) == 0)
            return &r->findings[i];
    return NULL;
}

static const struct slw_report *report_of(struct fixture *f, void (*make)(struct fixture *f),
                                          void (*patch)(struct slw_report *r))
{
    *f = fixture_new();
    make(f);
    (void)fixture_report(f);
    if (patch) {
        patch(f->report);
        f->report->finding_count = 0;
        assert_int_equal(slw_findings_fill(f->report, NULL), 0);
    }
    return f->report;
}

static void every_rule_has_its_runs(void **state)
{
    (void)state;
    assert_int_equal(RULE_COUNT, FINDING_RUN_COUNT);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        assert_string_equal(rules[i].id, finding_runs[i].id);
        assert_non_null(finding_runs[i].fires);
        assert_non_null(finding_runs[i].near);
        assert_true(finding_runs[i].fires != finding_runs[i].near ||
                    finding_runs[i].patch != finding_runs[i].near_patch);
    }
}

static void every_rule_fires_on_its_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < FINDING_RUN_COUNT; i++) {
        const struct finding_run *run = &finding_runs[i];
        struct fixture f;
        const struct slw_finding *found = find(report_of(&f, run->fires, run->patch), run->id);

        if (!found) {
            fail_msg("%s does not fire", run->id);
            return;
        }
        if (!strstr(found->evidence, run->number))
            fail_msg("%s: \"%s\" does not cite %s", run->id, found->evidence, run->number);
        assert_int_equal(found->sure, rules[i].sure);
        assert_true(found->weight >= 0 && found->weight <= 1);
        fixture_free(&f);
    }
}

static void every_rule_is_silent_just_short_of_its_threshold(void **state)
{
    (void)state;
    for (size_t i = 0; i < FINDING_RUN_COUNT; i++) {
        const struct finding_run *run = &finding_runs[i];
        struct fixture f;
        const struct slw_finding *found = find(report_of(&f, run->near, run->near_patch), run->id);

        if (found)
            fail_msg("%s fires: \"%s\"", run->id, found->evidence);
        fixture_free(&f);
    }
}

/* Samples of families and counts are of one rule each; traffic and threads may be of several. */
static void rules_about_cpu_time_fire_alone(void **state)
{
    (void)state;
    for (size_t i = 0; strcmp(finding_runs[i].id, "one-request-per-flush") != 0; i++) {
        struct fixture f;
        const struct slw_report *r = report_of(&f, finding_runs[i].fires, NULL);

        if (r->finding_count != 1)
            fail_msg("%s: %zu findings, the last is %s", finding_runs[i].id, r->finding_count,
                     r->finding_count ? r->findings[r->finding_count - 1].id : "none");
        fixture_free(&f);
    }
}

static bool is_kebab(const char *id)
{
    return id[0] && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(id);
}

static void every_rule_has_its_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const char *advice = rules[i].advice, *title = rules[i].title;

        assert_true(is_kebab(rules[i].id));
        assert_true(strlen(title) > 10 && title[strlen(title) - 1] != '.');
        assert_true(strlen(advice) > 40 && advice[strlen(advice) - 1] == '.');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(rules[i].id, rules[k].id);
    }
}

static void findings_come_the_surest_and_largest_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < FINDING_RUN_COUNT; i++) {
        struct fixture f;
        const struct slw_report *r = report_of(&f, finding_runs[i].fires, finding_runs[i].patch);

        for (size_t k = 1; k < r->finding_count; k++) {
            const struct slw_finding *a = &r->findings[k - 1], *b = &r->findings[k];
            assert_true(a->sure < b->sure || (a->sure == b->sure && a->weight >= b->weight));
        }
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_its_runs),
        cmocka_unit_test(every_rule_fires_on_its_run),
        cmocka_unit_test(every_rule_is_silent_just_short_of_its_threshold),
        cmocka_unit_test(rules_about_cpu_time_fire_alone),
        cmocka_unit_test(every_rule_has_its_texts),
        cmocka_unit_test(findings_come_the_surest_and_largest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
