/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "base/file.h"
#include "tests/unit/run_fixture_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    char root[32], dir[64], json[96], profile[96];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    strcpy(p->root, "/tmp/slw-run-XXXXXX");
    if (!mkdtemp(p->root))
        return -1;
    (void)snprintf(p->dir, sizeof(p->dir), "%s/a.slotwise", p->root);
    (void)snprintf(p->json, sizeof(p->json), "%s/run.json", p->dir);
    (void)snprintf(p->profile, sizeof(p->profile), "%s/profile.pb.gz", p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    (void)unlink(p->json);
    (void)unlink(p->profile);
    (void)rmdir(p->dir);
    int rc = rmdir(p->root); /* fails when a temporary was left behind */
    free(p);
    return rc;
}

static void save(const struct place *p, bool with_profile)
{
    struct slw_run *run = rich_run();
    struct slw_stacks *s = rich_stacks();

    assert_int_equal(slw_run_dir_create(p->dir, NULL), 0);
    assert_int_equal(slw_run_dir_save(p->dir, run, with_profile ? s : NULL, NULL), 0);
    slw_run_free(run);
    slw_stacks_free(s);
}

static void expect_load(const char *path, int expected, const char *text)
{
    struct slw_run *run = NULL;
    struct slw_stacks *s = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_run_dir_load(path, &run, &s, &err), expected);
    assert_null(run);
    assert_null(s);
    if (!strstr(err.text, text) && !strstr(err.where, text))
        fail_msg("'%s' (%s) does not say '%s'", err.text, err.where, text);
}

static void a_saved_run_is_loaded(void **state)
{
    const struct place *p = *state;
    struct slw_run *run = rich_run(), *again = NULL;
    struct slw_stacks *s = rich_stacks(), *t = NULL;

    save(p, true);
    assert_int_equal(slw_run_dir_load(p->dir, &again, &t, NULL), 0);
    assert_same_run(run, again);
    assert_same_stacks(s, t);
    slw_run_free(run);
    slw_run_free(again);
    slw_stacks_free(s);
    slw_stacks_free(t);
}

static void a_run_without_profile_has_no_stacks(void **state)
{
    const struct place *p = *state;
    struct slw_run *run = NULL;
    struct slw_stacks *s = (struct slw_stacks *)(void *)&run;

    save(p, false);
    assert_int_equal(slw_run_dir_load(p->dir, &run, &s, NULL), 0);
    assert_null(s);
    slw_run_free(run);
}

static void run_json_alone_is_a_run(void **state)
{
    const struct place *p = *state;
    struct slw_run *run = NULL;
    struct slw_stacks *s = (struct slw_stacks *)(void *)&run;

    save(p, false);
    assert_int_equal(slw_run_dir_load(p->json, &run, &s, NULL), 0);
    assert_null(s);
    slw_run_free(run);
}

static void a_name_that_is_taken_is_refused(void **state)
{
    const struct place *p = *state;
    struct slw_error err = {0};

    assert_int_equal(slw_run_dir_create(p->dir, NULL), 0);
    assert_int_equal(slw_run_dir_create(p->dir, &err), -SLW_E_EXISTS);
    assert_non_null(strstr(err.text, p->dir));
    assert_int_equal(slw_run_dir_create("/nonexistent/x", NULL), -SLW_E_NOTFOUND);
    assert_int_equal(slw_run_dir_create("/dev/null/x", NULL), -SLW_E_NOTFOUND);
}

static void what_is_no_run_directory_is_named(void **state)
{
    const struct place *p = *state;

    expect_load(p->dir, -SLW_E_NOTFOUND, "a.slotwise");
    assert_int_equal(slw_run_dir_create(p->dir, NULL), 0);
    expect_load(p->dir, -SLW_E_NOTFOUND, "holds no run.json");
    assert_int_equal(slw_file_write(p->json, "PERFILE2", 8, NULL), 0);
    expect_load(p->json, -SLW_E_FORMAT, "run.json:1:");
    expect_load(p->dir, -SLW_E_FORMAT, p->json);
    assert_int_equal(unlink(p->json), 0);
    assert_int_equal(mkdir(p->json, 0700), 0);
    expect_load(p->dir, -SLW_E_IO, "run.json");
    assert_int_equal(rmdir(p->json), 0);
}

static void an_unreadable_profile_is_an_error_not_an_absence(void **state)
{
    const struct place *p = *state;

    save(p, true);
    assert_int_equal(truncate(p->profile, 40), 0);
    expect_load(p->dir, -SLW_E_FORMAT, "truncated");
    assert_int_equal(unlink(p->profile), 0);
    assert_int_equal(symlink("/nonexistent/profile", p->profile), 0);
    expect_load(p->dir, -SLW_E_NOTFOUND, "profile.pb.gz");
}

static void saving_needs_the_directory(void **state)
{
    const struct place *p = *state;
    struct slw_run *run = rich_run();

    assert_int_equal(slw_run_dir_save(p->dir, run, NULL, NULL), -SLW_E_NOTFOUND);
    slw_run_free(run);
}

/* RLIMIT_FSIZE stands in for a disk that refuses more: EFBIG where a full one says ENOSPC. */
static int save_with_file_limit(const struct place *p, const struct slw_run *run)
{
    const struct rlimit limit = {100, 100};
    struct slw_error err = {0};

    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        return 1;
    return slw_run_dir_save(p->dir, run, NULL, &err) == -SLW_E_IO && err.sys == EFBIG ? 0 : 2;
}

static void a_failed_save_keeps_the_old_run(void **state)
{
    const struct place *p = *state;
    struct slw_run *run = rich_run();
    struct slw_run *again = NULL;
    struct slw_stacks *s = NULL;
    int status;

    save(p, false);
    pid_t pid = fork();
    if (pid == 0)
        _exit(save_with_file_limit(p, run));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(slw_run_dir_load(p->dir, &again, &s, NULL), 0);
    assert_same_run(run, again);
    slw_run_free(run);
    slw_run_free(again);
}

enum { MAY_NOT_MOUNT = 77 };

static bool write_proc(const char *path, const char *text)
{
    int SLW_AUTO(close) fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && slw_write_all(fd, text, strlen(text)) == 0;
}

/* Mount rights: our own as root, else those of a user namespace in which we are root. */
static bool may_mount(void)
{
    char users[64], groups[64];

    (void)snprintf(users, sizeof(users), "0 %u 1", (unsigned)geteuid());
    (void)snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
    if (geteuid() != 0 &&
        (unshare(CLONE_NEWUSER) < 0 || !write_proc("/proc/self/uid_map", users) ||
         !write_proc("/proc/self/setgroups", "deny") || !write_proc("/proc/self/gid_map", groups)))
        return false;
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* In a child: a file system of one page over the run directory. */
static int save_on_a_full_disk(const struct place *p, const struct slw_run *run,
                               const struct slw_stacks *stacks)
{
    struct slw_error err = {0};

    if (!may_mount() || mount("none", p->dir, "tmpfs", 0, "size=8192") < 0)
        return MAY_NOT_MOUNT;
    if (slw_run_dir_save(p->dir, run, stacks, &err) != -SLW_E_FULL || err.sys != ENOSPC)
        return 1;
    return access(p->json, F_OK) == 0 ? 2 : 0; /* no half run may stand there */
}

static void a_full_disk_is_told(void **state)
{
    const struct place *p = *state;
    struct slw_run *run = rich_run();
    struct slw_stacks *s = rich_stacks();
    int status;

    for (int i = 0; i < 100; i++)
        assert_int_equal(slw_run_add_label(run, "some key", "some value", NULL), 0);
    assert_int_equal(slw_run_dir_create(p->dir, NULL), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(save_on_a_full_disk(p, run, s));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    slw_run_free(run);
    slw_stacks_free(s);
    if (WIFEXITED(status) && WEXITSTATUS(status) == MAY_NOT_MOUNT)
        skip();
    assert_int_equal(status, 0);
}

static void paths_are_joined_with_one_slash(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a", "a/run.json"}, {"a/", "a/run.json"}, {"/", "/run.json"}, {"", "run.json"}};
    for (size_t i = 0; i < 4; i++) {
        char *path = slw_run_dir_file(cases[i][0], SLW_RUN_JSON);
        assert_string_equal(path, cases[i][1]);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_saved_run_is_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_without_profile_has_no_stacks, setup, teardown),
        cmocka_unit_test_setup_teardown(run_json_alone_is_a_run, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_is_taken_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_run_directory_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unreadable_profile_is_an_error_not_an_absence, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(saving_needs_the_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_save_keeps_the_old_run, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, setup, teardown),
        cmocka_unit_test(paths_are_joined_with_one_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
