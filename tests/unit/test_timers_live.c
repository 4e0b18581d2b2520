/* SPDX-License-Identifier: MIT */
/* The filter of samples by itself: more processes than it has room for, and those that end. Skipped
 * where the kernel does not permit BPF. */
#include "collector/sys.h"
#include "collector/target.h"
#include "collector/timers/filter.h"
#include "tests/unit/cmocka_int.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM     32
#define CHILDREN 100

static struct slw_timer_filter *filter;

static int set_up(void **state)
{
    const struct slw_live_target self = {
        .sys = &slw_sys_real, .kind = SLW_TARGET_PID, .pid = getpid(), .cgroup_fd = -1};
    struct slw_error err = {0};
    int rc = slw_timer_filter_open(&self, ROOM, &filter, &err);

    (void)state;
    if (rc < 0)
        (void)printf("skipped: %s\n", err.text);
    return rc == -SLW_E_PERM || rc == -SLW_E_UNSUPPORTED ? 0 : rc;
}

static int tear_down(void **state)
{
    (void)state;
    slw_timer_filter_close(filter);
    filter = NULL;
    return 0;
}

static pid_t start_child(void)
{
    pid_t child = fork();

    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    assert_true(child > 0);
    return child;
}

static void end_child(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void processes_beyond_the_map_are_counted_as_lost(void **state)
{
    pid_t children[CHILDREN];

    (void)state;
    if (!filter)
        skip();
    for (int i = 0; i < CHILDREN; i++)
        children[i] = start_child();
    const uint64_t lost = slw_timer_filter_lost(filter);
    for (int i = 0; i < CHILDREN; i++)
        end_child(children[i]);
    assert_int_equal(lost, CHILDREN - (ROOM - 1)); /* and ourselves */
}

/* The kernel frees a process a moment after it was waited for. */
static void processes_that_ended_make_room(void **state)
{
    const struct timespec moment = {.tv_nsec = 3000000};

    (void)state;
    if (!filter)
        skip();
    for (int i = 0; i < CHILDREN; i++) {
        end_child(start_child());
        (void)nanosleep(&moment, NULL);
    }
    assert_true(slw_timer_filter_lost(filter) < CHILDREN - ROOM);
}

static void a_process_that_is_not_there_is_gone(void **state)
{
    const struct slw_live_target nobody = {
        .sys = &slw_sys_real, .kind = SLW_TARGET_PID, .pid = 0x3fffffff, .cgroup_fd = -1};
    struct slw_timer_filter *other = NULL;

    (void)state;
    if (!filter)
        skip();
    assert_int_equal(slw_timer_filter_open(&nobody, ROOM, &other, NULL), -SLW_E_GONE);
    assert_null(other);
}

#define TIMERS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIMERS_TEST(processes_beyond_the_map_are_counted_as_lost),
        TIMERS_TEST(processes_that_ended_make_room),
        TIMERS_TEST(a_process_that_is_not_there_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
