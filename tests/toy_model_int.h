/* SPDX-License-Identifier: MIT */
/* A CPU model of two events and counts for it, for tests of what becomes of counts. */
#ifndef SLW_TESTS_TOY_MODEL_INT_H
#define SLW_TESTS_TOY_MODEL_INT_H

#include "tests/report_fixture.h"

static const char toy_model_text[] =
    "{\"name\":\"toy\",\"title\":\"Toy\",\"arch\":\"any\",\"pmu\":\"cpu\","
    "\"source\":{\"document\":\"hand-made\",\"version\":\"1\",\"date\":\"2026-01-01\"},"
    "\"cpu\":{\"slots_per_cycle\":4,\"general_counters\":4,\"fixed_counters\":0},"
    "\"libpfm\":\"perf\","
    "\"events\":{\"slots\":{\"type\":\"raw\",\"config\":\"0x1\"},"
    "\"stalled\":{\"type\":\"raw\",\"config\":\"0x2\"},"
    "\"missed\":{\"type\":\"raw\",\"config\":\"0x3\"}},"
    "\"tree\":[{\"name\":\"backend_bound\",\"title\":\"Backend Bound\",\"level\":1,"
    "\"formula\":\"stalled / slots\",\"unit\":\"slots\","
    "\"threshold\":{\"above\":0.2},\"what\":\"w\",\"look_at\":\"l\"},"
    "{\"name\":\"retiring\",\"title\":\"Retiring\",\"level\":1,\"formula\":\"1 - backend_bound\","
    "\"unit\":\"slots\",\"threshold\":{\"above\":0.2},\"what\":\"w\","
    "\"look_at\":\"l\"}],\"metrics\":[{\"name\":\"miss_ratio\",\"title\":\"Miss ratio\","
    "\"formula\":\"missed / slots\",\"unit\":\"ratio\",\"range\":[0,16],\"what\":\"w\","
    "\"look_at\":\"l\"}],"
    "\"checks\":[{\"why\":\"hand-computed\",\"counts\":{\"slots\":100,\"stalled\":60,"
    "\"missed\":50},\"expect\":{\"backend_bound\":[0.6,1e-9],\"retiring\":[0.4,1e-9],"
    "\"miss_ratio\":[0.5,1e-9]}}]}";

enum { TOY_BACKEND, TOY_RETIRING, TOY_MISS_RATIO };

static inline struct slw_model *toy_model(void)
{
    struct slw_model *m = NULL;
    struct slw_error err = {0};

    if (slw_model_parse(toy_model_text, sizeof(toy_model_text) - 1, "toy", &m, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    return m;
}

struct toy_count {
    const char *event;
    uint64_t raw;
    int group, round, pass;
    uint64_t enabled_ns, running_ns; /* 0: all of a second */
};

static inline void toy_add(struct fixture *f, struct toy_count t)
{
    const uint64_t enabled_ns = t.enabled_ns ? t.enabled_ns : 1000000000;
    const struct slw_count c = {.event = t.event,
                                .unit = "events",
                                .group = t.group,
                                .round = t.round,
                                .pass = t.pass,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = t.raw,
                                .enabled_ns = enabled_ns,
                                .running_ns = t.running_ns ? t.running_ns : enabled_ns};
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static inline const struct slw_report *toy_report(struct fixture *f, const struct slw_model *m)
{
    slw_report_free(f->report);
    f->report = NULL;
    assert_int_equal(slw_report_new(f->run, f->stacks, m, &f->report, NULL), 0);
    return f->report;
}

#endif
