/* SPDX-License-Identifier: MIT */
/* Bad days on the real kernel: full disks, missing rights, filters; each in a child process of its
 * own, because limits, users and filters cannot be taken back. */
#include "tests/unit/cmocka_int.h"

#include "tests/unit/live_int.h"

#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define SKIPPED 77

static char folder[] = "/tmp/slw-limits-XXXXXX", spool_path[PATH_MAX], self[PATH_MAX];
static char *client[5];

/* Run `body` in a child; its status is what it returns. */
static int in_child(int (*body)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(body());
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static void check_child(int (*body)(void), const char *why_skipped)
{
    int status = in_child(body);

    if (status == SKIPPED) {
        print_message("skipped: %s\n", why_skipped);
        skip();
    }
    assert_int_equal(status, 0); /* else: the number of the check that failed */
}

static const struct slw_count *find(const struct slw_run *run, const char *event)
{
    return slw_run_find_count(run, event);
}

static bool counted(const struct slw_run *run, const char *event)
{
    const struct slw_count *c = find(run, event);

    return c && !c->absent && c->raw > 0;
}

static bool has_note(const struct slw_run *run, const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return true;
    return false;
}

static int read_paranoid(void)
{
    FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
    char text[16] = "";

    if (!f || !fgets(text, sizeof(text), f))
        text[0] = '9';
    if (f)
        (void)fclose(f);
    return atoi(text);
}

static struct slw_session_options spin_options(uint64_t frequency_hz)
{
    static char flag[] = "--client", kind[] = "spin", ms[] = "400";

    client[0] = self;
    client[1] = flag;
    client[2] = kind;
    client[3] = ms;
    return (struct slw_session_options){.target = SLW_TARGET_COMMAND,
                                        .argv = client,
                                        .envp = environ,
                                        .sample = true,
                                        .frequency_hz = frequency_hz,
                                        .call_graph = SLW_CALL_GRAPH_FP,
                                        .spool_path = spool_path};
}

static int measure(const struct slw_session_options *options, struct slw_run **ret_run,
                   struct slw_error *err)
{
    if (slw_run_new(ret_run, err) < 0)
        return 99;
    (*ret_run)->host.perf_event_paranoid = read_paranoid();
    return slw_session_run(options, *ret_run, err);
}

/* ---- no room ---- */

/* The session told of the full disk, kept the counts, and what it wrote is whole. */
static int check_full(size_t limit_bytes)
{
    struct slw_session_options options = spin_options(20000);
    static struct live_spool spool;
    struct slw_run *run = NULL;
    struct slw_error err = {0};
    int rc = measure(&options, &run, &err);

    if (rc != -SLW_E_FULL || err.code != SLW_E_FULL)
        return 2;
    if (!counted(run, "task-clock") || find(run, "task-clock")->raw < 300000000)
        return 3;
    if (run->command.exit != SLW_EXIT_STATUS || run->command.exit_value != 0)
        return 4;
    if (!live_load(spool_path, &spool) || spool.broken)
        return 5;
    if (spool.sample_count < 100 || spool.length > limit_bytes)
        return 6;
    if (spool.header.features[0] == 0) /* room was kept for them */
        return 7;
    if (run->self.spool_bytes != spool.header.data.offset + spool.header.data.size)
        return 8;
    free(spool.bytes);
    slw_run_free(run);
    return 0;
}

static int on_a_tiny_disk(void)
{
    int rc;

    if (geteuid() != 0 || !live_perf_works() ||
        mount("slotwise-test", folder, "tmpfs", 0, "size=256k") < 0)
        return SKIPPED;
    rc = check_full((size_t)256 << 10);
    (void)umount2(folder, MNT_DETACH);
    return rc;
}

static void a_full_disk_keeps_counts_and_whole_records(void **state)
{
    (void)state;
    check_child(on_a_tiny_disk, "needs root to mount a small tmpfs");
}

static int under_a_file_size_limit(void)
{
    struct rlimit limit = {200000, 200000};

    if (!live_perf_works())
        return SKIPPED;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        return SKIPPED;
    return check_full(200000);
}

static void a_file_size_limit_is_a_full_disk(void **state)
{
    (void)state;
    check_child(under_a_file_size_limit, "needs perf_event_open");
}

/* ---- not permitted ---- */

static int as_nobody(void)
{
    struct slw_session_options options = spin_options(997);
    struct slw_run *run = NULL;
    struct slw_error err = {0};
    int paranoid = read_paranoid();

    if (geteuid() != 0 || paranoid < 2 || setgid(65534) < 0 || setuid(65534) < 0)
        return SKIPPED;
    if (access(self, X_OK) < 0) /* below a home folder, which is private */
        return SKIPPED;
    /* A process that changed its user may not even look at its own children. */
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    int rc = measure(&options, &run, &err);
    if (rc != 0)
        return 2;
    if (!live_perf_works()) /* distributions with paranoid 3 refuse everything */
        return has_note(run, "perf-refused") && counted(run, "user-time") ? 0 : 3;
    if (!has_note(run, "kernel-hidden") || run->sampling_count != 1 ||
        run->samplings[0].mode != SLW_MODE_USER)
        return 4;
    const struct slw_count *switches = find(run, "context-switches");
    if (!switches || !switches->absent || !strstr(switches->absent, "paranoid"))
        return 5;
    if (!counted(run, "task-clock") || find(run, "task-clock")->mode != SLW_MODE_ALL ||
        find(run, "page-faults")->mode != SLW_MODE_USER)
        return 6;
    static struct live_spool spool;
    if (!live_load(spool_path, &spool) || spool.broken || spool.sample_count < 100)
        return 7;
    for (size_t i = 0; i < spool.sample_count; i++)
        if (!spool.samples[i].user)
            return 8;
    slw_run_free(run);
    return 0;
}

static void without_rights_user_mode_is_measured_and_marked(void **state)
{
    (void)state;
    assert_int_equal(chmod(folder, 0777), 0);
    (void)unlink(spool_path);
    check_child(as_nobody, "needs root, perf_event_paranoid of 2 or more, and a build that another "
                           "user may run");
}

static int filtered(int refusal)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* seccomp_data.nr */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)refusal),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = code};
    struct slw_session_options options = spin_options(997);
    struct slw_run *run = NULL;
    struct slw_error err = {0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return SKIPPED;
    if (measure(&options, &run, &err) != 0)
        return 2;
    if (!has_note(run, "perf-refused") || !has_note(run, "no-samples"))
        return 3;
    if (!counted(run, "user-time") || !counted(run, "max-rss") || run->sampling_count != 0)
        return 4;
    if (access(spool_path, F_OK) == 0)
        return 5;
    slw_run_free(run);
    return 0;
}

static int filtered_eperm(void)
{
    return filtered(EPERM);
}

static int filtered_enosys(void)
{
    return filtered(ENOSYS);
}

static void behind_a_seccomp_filter_getrusage_counts(void **state)
{
    (void)state;
    check_child(filtered_eperm, "seccomp filters cannot be installed here");
    check_child(filtered_enosys, "seccomp filters cannot be installed here");
}

/* ---- cgroup ---- */

static const char *cgroup_mount(void)
{
    static const char *const mounts[] = {"/sys/fs/cgroup/perf_event", "/sys/fs/cgroup/unified",
                                         "/sys/fs/cgroup"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/cgroup.procs", mounts[i]);
        if (access(path, W_OK) == 0)
            return mounts[i];
    }
    return NULL;
}

static bool join_cgroup(const char *path)
{
    char file[PATH_MAX + 32];

    (void)snprintf(file, sizeof(file), "%s/cgroup.procs", path);
    FILE *f = fopen(file, "we");
    return f && fprintf(f, "0") == 1 && fclose(f) == 0;
}

static int check_cgroup(const char *name, pid_t inside)
{
    struct slw_session_options options = {.target = SLW_TARGET_CGROUP,
                                          .cgroup = name,
                                          .sample = true,
                                          .frequency_hz = 997,
                                          .duration_ms = 300,
                                          .spool_path = spool_path};
    static struct live_spool spool;
    struct slw_run *run = NULL;
    struct slw_error err = {0};

    if (measure(&options, &run, &err) != 0)
        return 2;
    if (!live_load(spool_path, &spool) || spool.broken || spool.sample_count < 20)
        return 3;
    for (size_t i = 0; i < spool.sample_count; i++)
        if (spool.samples[i].pid != (uint32_t)inside)
            return 4;
    if (!run->command.cgroup || strcmp(run->command.cgroup, name) != 0)
        return 5;
    slw_run_free(run);
    return 0;
}

static int one_cgroup(void)
{
    const char *mount_path = geteuid() == 0 && live_perf_works() ? cgroup_mount() : NULL;
    char name[64], path[PATH_MAX];

    if (!mount_path)
        return SKIPPED;
    (void)snprintf(name, sizeof(name), "slotwise-test-%d", getpid());
    (void)snprintf(path, sizeof(path), "%s/%s", mount_path, name);
    if (mkdir(path, 0755) < 0)
        return SKIPPED;
    pid_t pid = fork();
    if (pid == 0) {
        if (join_cgroup(path))
            live_spin(3000);
        _exit(0);
    }
    pid_t outside = fork();
    if (outside == 0) {
        live_spin(1000);
        _exit(0);
    }
    (void)poll(NULL, 0, 50);
    int rc = check_cgroup(name, pid);
    (void)kill(pid, SIGKILL);
    (void)kill(outside, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)waitpid(outside, NULL, 0);
    (void)rmdir(path);
    return rc;
}

static void a_cgroup_is_measured_alone(void **state)
{
    (void)state;
    check_child(one_cgroup, "needs root and a cgroup hierarchy that can be written");
}

static int no_such_cgroup(void)
{
    struct slw_session_options options = {
        .target = SLW_TARGET_CGROUP, .cgroup = "slotwise/none", .duration_ms = 10};
    struct slw_run *run = NULL;
    struct slw_error err = {0};
    int rc = measure(&options, &run, &err);

    slw_run_free(run);
    return rc == -SLW_E_UNSUPPORTED ? SKIPPED : rc != -SLW_E_NOTFOUND;
}

static void a_missing_cgroup_is_not_found(void **state)
{
    (void)state;
    check_child(no_such_cgroup, "no cgroup hierarchy is mounted");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_keeps_counts_and_whole_records),
        cmocka_unit_test(a_file_size_limit_is_a_full_disk),
        cmocka_unit_test(without_rights_user_mode_is_measured_and_marked),
        cmocka_unit_test(behind_a_seccomp_filter_getrusage_counts),
        cmocka_unit_test(a_cgroup_is_measured_alone),
        cmocka_unit_test(a_missing_cgroup_is_not_found),
    };

    if (argc == 4 && strcmp(argv[1], "--client") == 0)
        _exit(live_client(argv[2], atoi(argv[3]))); /* no leak checker: it forks */
    if (!mkdtemp(folder) || !realpath("/proc/self/exe", self))
        return 1;
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(spool_path);
    (void)rmdir(folder);
    return failed;
}
