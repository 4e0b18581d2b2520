/* SPDX-License-Identifier: MIT */
/* CPU time by kind of core, on the real kernel: the CPUs of this machine play two kinds. */
#include "collector/perf_int.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/live_int.h"

#include <sched.h>

#define SPIN_MS 200

static const struct slw_perf_event cpu_clock = {"cpu-clock", "nanoseconds", SLW_SOURCE_SOFTWARE,
                                                PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK};
static struct slw_error error;

static struct slw_core_kind kind_of_cpu(const char *pmu, size_t cpu)
{
    struct slw_core_kind k = {.first_cpu = (int)cpu};

    (void)snprintf(k.pmu, sizeof(k.pmu), "%s", pmu);
    k.cpus[cpu / 64] = UINT64_C(1) << (cpu % 64);
    return k;
}

/* The CPU this process is on from now on; -1: it may not choose. */
static int stay(void)
{
    const int cpu = sched_getcpu();
    cpu_set_t one;

    CPU_ZERO(&one);
    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return -1;
    CPU_SET((size_t)cpu, &one);
    return sched_setaffinity(0, sizeof(one), &one) == 0 ? cpu : -1;
}

/* Counts of a spinning process whose CPU is of the first kind, its neighbour of the second. */
static int measure(struct slw_run *run, const struct slw_core_kind *kinds)
{
    const struct slw_session_options options = {.target = SLW_TARGET_PID, .pid = getpid()};
    struct slw_plan_options plan_options = {0};
    struct slw_live_target *target = NULL;
    struct slw_backend_state *backend = NULL;
    struct slw_plan *plan = NULL;
    int rc = slw_target_open(&slw_sys_real, &options, &target, &error);

    if (rc == 0)
        rc = slw_plan_new(&plan_options, &plan, &error);
    if (rc == 0) {
        plan->kinds = kinds;
        plan->kind_count = 2;
        rc = slw_perf_open(&options, target, NULL, plan, &cpu_clock, NULL, run, &backend, &error);
    }
    if (rc == 0)
        rc = slw_perf_start(backend, &error);
    if (rc == 0)
        live_spin(SPIN_MS);
    if (rc == 0)
        rc = slw_perf_stop(backend, &error);
    if (rc == 0)
        rc = slw_perf_collect(backend, run, &error);
    slw_perf_close(backend);
    slw_plan_free(plan);
    slw_target_close(target);
    return rc;
}

static uint64_t clock_of(const struct slw_run *run, const char *pmu)
{
    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];

        if (strcmp(c->event, "task-clock") != 0 || !c->pmu != !pmu ||
            (pmu && strcmp(c->pmu, pmu) != 0))
            continue;
        assert_null(c->absent);
        return c->raw;
    }
    fail_msg("no task-clock of %s", pmu ? pmu : "the whole");
    return 0;
}

static void time_belongs_to_the_kind_it_was_spent_on(void **state)
{
    struct slw_run *run = NULL;
    int cpu = stay();

    (void)state;
    if (!live_perf_works() || cpu < 0) {
        print_message("skipped: perf_event_open or sched_setaffinity is refused here\n");
        skip();
    }
    const struct slw_core_kind kinds[] = {kind_of_cpu("here", (size_t)cpu),
                                          kind_of_cpu("there", cpu == 0 ? 1 : 0)};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    if (measure(run, kinds) < 0)
        fail_msg("%s", error.text);
    const uint64_t all = clock_of(run, NULL), here = clock_of(run, "here");

    assert_true(all >= SPIN_MS * UINT64_C(900000));
    assert_int_equal(clock_of(run, "there"), 0);
    /* The clocks are started and stopped one after the other. */
    assert_true(here <= all + all / 10 && here + all / 10 >= all);
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(time_belongs_to_the_kind_it_was_spent_on)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
