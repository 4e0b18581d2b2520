/* SPDX-License-Identifier: MIT */
#include "collector/perf_int.h"
#include "tests/unit/cmocka_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel has the same word for an unknown event and for a group that was removed. */
static void a_control_group_that_was_removed_is_gone(void **state)
{
    char dir[] = "/tmp/slw-cgroup-XXXXXX";
    const struct slw_session_options opts = {.cgroup = "shop/worker"};
    struct slw_error there = {0}, gone = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    struct slw_live_target target = {.kind = SLW_TARGET_CGROUP,
                                     .cgroup_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const struct slw_perf_env env = {.opts = &opts, .target = &target};

    assert_true(target.cgroup_fd >= 0);
    const int file = openat(target.cgroup_fd, "cgroup.procs", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(slw_perf_fail(&env, "cycles", ENOENT, &there), -SLW_E_UNSUPPORTED);
    assert_int_equal(close(file), 0);
    assert_int_equal(unlinkat(target.cgroup_fd, "cgroup.procs", 0), 0);
    assert_int_equal(slw_perf_fail(&env, "cycles", ENOENT, &gone), -SLW_E_GONE);
    assert_non_null(strstr(gone.text, "shop/worker"));
    assert_int_equal(close(target.cgroup_fd), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_control_group_that_was_removed_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
