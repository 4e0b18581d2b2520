/* SPDX-License-Identifier: MIT */
/* Counters read with the samples, on the real kernel with software events: a function that touches
 * new pages is charged with the faults, one that spins is not. And kernels that do not do it. */
#include "analyzer/samples.h"
#include "collector/perf_int.h"
#include "collector/session_int.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/live_int.h"

#include <limits.h>

#define ROUNDS      4
#define PART_MS     30
#define PAGES       2000 /* touched in each call of slw_live_touch */
#define PAGE        4096
#define THREADS     2
#define FAULTS_EACH (UINT64_C(1) * ROUNDS * PAGES)

static char self[PATH_MAX], folder[] = "/tmp/slw-perfn-XXXXXX", spool_path[PATH_MAX];
static struct slw_run *run;
static struct slw_stacks *stacks;
static struct slw_error error;

/* New pages, slowly enough for samples to meet it: work between the pages. */
__attribute__((noinline)) void slw_live_touch(volatile char *pages);
void slw_live_touch(volatile char *pages)
{
    for (size_t i = 0; i < PAGES; i++) {
        pages[i * PAGE] = 1;
        for (int k = 0; k < 20000; k++)
            __asm__ volatile("" ::: "memory");
    }
}

/* live_spin under a name that no compiler clones. */
__attribute__((noinline)) void slw_live_spin(int ms);
void slw_live_spin(int ms)
{
    struct timespec start, now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    do {
        for (int i = 0; i < 200000; i++)
            __asm__ volatile("" ::: "memory");
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

static void *touch_and_spin(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        void *pages = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        slw_live_spin(PART_MS);
        if (pages == MAP_FAILED)
            return NULL;
        /* One fault a page, whatever the machine thinks of huge ones. */
        (void)madvise(pages, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
        slw_live_touch(pages);
        (void)munmap(pages, (size_t)PAGES * PAGE);
    }
    return NULL;
}

/* Two threads, and a child of its own. */
static int client_main(void)
{
    pthread_t threads[THREADS];
    pid_t child = fork();

    if (child == 0) {
        (void)touch_and_spin(NULL);
        _exit(0);
    }
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, touch_and_spin, NULL) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    (void)waitpid(child, NULL, 0);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    (void)unlink(spool_path);
    error = (struct slw_error){0};
    stacks = NULL;
    return slw_run_new(&run, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    slw_stacks_free(stacks);
    slw_run_free(run);
    return 0;
}

static void need_perf(void)
{
    if (!live_perf_works()) {
        print_message("skipped: perf_event_open is refused here\n");
        skip();
    }
}

static const char *note(const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return run->notes[i].text;
    return NULL;
}

static void profile(const struct slw_sys *sys)
{
    static char flag[] = "--client";
    char *client[] = {self, flag, NULL};
    const struct slw_samples_options load = {.symbols = true};
    const struct slw_session_options options = {.target = SLW_TARGET_COMMAND,
                                                .argv = client,
                                                .envp = environ,
                                                .sample = true,
                                                .per_function = true,
                                                .frequency_hz = 1997,
                                                .call_graph = SLW_CALL_GRAPH_FP,
                                                .backend = "swclock",
                                                .spool_path = spool_path};

    if (slw_session_run_on(sys, &options, run, &error) < 0 ||
        slw_samples_load(spool_path, &load, run, &stacks, &error) < 0)
        fail_msg("%s", error.text);
    assert_non_null(stacks);
}

/* Weight of a column in stacks that hold the function anywhere: the faulting instruction is the
 * function's, the sample may be in the kernel below it. */
static uint64_t weight_in(int column, const char *function)
{
    uint64_t sum = 0;

    assert_true(column >= 0);
    for (size_t i = 0; i < slw_stacks_count(stacks); i++) {
        struct slw_stack s = slw_stacks_get(stacks, i);
        bool in = false;

        for (size_t k = 0; k < s.depth; k++)
            in |= strcmp(slw_stacks_frame(stacks, s.frames[k]).function, function) == 0;
        sum += in ? s.weights[column] : 0;
    }
    return sum;
}

static int column(const char *event)
{
    return slw_stacks_find_column(stacks, event, "events");
}

#if defined(__has_feature)
#define THREAD_SANITIZER __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

/* Its run-time library keeps a shadow of every page, which faults in functions of its own. */
static void need_own_faults(void)
{
    if (THREAD_SANITIZER) {
        print_message("skipped: ThreadSanitizer adds page faults\n");
        skip();
    }
}

static bool old_kernel(void)
{
    const char *why = note("no-per-function");

    if (why)
        print_message("skipped: %s\n", why);
    return why != NULL;
}

static void page_faults_go_to_the_function_that_touches_pages(void **state)
{
    (void)state;
    need_perf();
    need_own_faults();
    profile(&slw_sys_real);
    if (old_kernel())
        skip();
    uint64_t faults = (THREADS + 1) * FAULTS_EACH;
    uint64_t touched = weight_in(column("page-faults"), "slw_live_touch");
    uint64_t spun = weight_in(column("page-faults"), "slw_live_spin");
    uint64_t all = slw_stacks_total(stacks, (size_t)column("page-faults"));

    print_message("of %llu faults %llu are of slw_live_touch, %llu of slw_live_spin\n",
                  (unsigned long long)all, (unsigned long long)touched, (unsigned long long)spun);
    /* The upper bound leaves room for what the program touched before its first sample. */
    assert_true(touched > faults * 90 / 100 && touched < faults * 120 / 100);
    assert_true(spun < faults * 5 / 100); /* what was touched before the first sample in it */
    /* The same number as the counting group that ran beside it. */
    const struct slw_count *counted = slw_run_find_count(run, "page-faults");
    assert_non_null(counted);
    assert_null(counted->absent);
    assert_true(all <= counted->raw && all + 50 >= counted->raw);
}

/* Between two samples in one function only that function ran: the spinner has not one fault. */
static void within_one_function_there_are_only_its_own_events(void **state)
{
    (void)state;
    need_perf();
    need_own_faults();
    profile(&slw_sys_real);
    if (old_kernel())
        skip();
    uint64_t spun = weight_in(column("page-faults" SLW_WITHIN_SUFFIX), "slw_live_spin");
    int reads = slw_stacks_find_column(stacks, "cpu-clock" SLW_WITHIN_SUFFIX, "count");

    print_message("%llu faults in %llu reads within slw_live_spin\n", (unsigned long long)spun,
                  (unsigned long long)weight_in(reads, "slw_live_spin"));
    assert_true(weight_in(reads, "slw_live_spin") > 100);
    assert_true(spun < 20);
    assert_true(weight_in(column("page-faults" SLW_WITHIN_SUFFIX), "slw_live_touch") > 1000);
}

/* ---- kernels that do not ---- */

static int open_as_before_6_12(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                               unsigned long flags)
{
    if (attr->inherit && (attr->sample_type & PERF_SAMPLE_READ))
        return -EINVAL;
    return slw_sys_real.perf_event_open(attr, pid, cpu, group_fd, flags);
}

static void an_older_kernel_samples_without_counters_and_says_so(void **state)
{
    struct slw_sys sys = slw_sys_real;

    (void)state;
    need_perf();
    sys.perf_event_open = open_as_before_6_12;
    profile(&sys);
    assert_non_null(note("no-per-function"));
    assert_true(slw_stacks_find_column(stacks, "page-faults", NULL) == -1);
    assert_true(slw_stacks_total(stacks, 0) > 100);
}

static uint64_t open_groups;

static ssize_t read_of_a_group_that_never_ran(int fd, void *data, size_t length)
{
    ssize_t n = slw_sys_real.read(fd, data, length);
    uint64_t words[3];

    if (n < (ssize_t)sizeof(words))
        return n;
    memcpy(words, data, sizeof(words));
    if (words[0] == 3 && open_groups++ == 0)
        memset((char *)data + 16, 0, 8); /* the first group of three read is the probe's */
    return n;
}

static void a_group_that_opens_and_never_runs_is_noticed(void **state)
{
    struct slw_sys sys = slw_sys_real;

    (void)state;
    need_perf();
    open_groups = 0;
    sys.read = read_of_a_group_that_never_ran;
    profile(&sys);
    if (!note("no-per-function"))
        fail_msg("no note");
    if (open_groups > 0)
        assert_non_null(strstr(note("no-per-function"), "never ran together"));
    assert_true(slw_stacks_total(stacks, 0) > 100);
}

/* ---- another event leads: what PERF_METRICS need ---- */

static const struct slw_sample_group led_by_another = {
    .event_count = 3,
    .sampling = 1,
    .events = {{.name = "task-clock",
                .unit = "ns",
                .type = PERF_TYPE_SOFTWARE,
                .config = PERF_COUNT_SW_TASK_CLOCK},
               {.name = "cpu-clock",
                .unit = "nanoseconds",
                .type = PERF_TYPE_SOFTWARE,
                .config = PERF_COUNT_SW_CPU_CLOCK},
               {.name = "page-faults",
                .unit = "events",
                .type = PERF_TYPE_SOFTWARE,
                .config = PERF_COUNT_SW_PAGE_FAULTS}}};
static const struct slw_perf_event cpu_clock = {"cpu-clock", "nanoseconds", SLW_SOURCE_SOFTWARE,
                                                PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK};

/* This very process, for as long as it touches and spins. */
static int measure_self(const struct slw_session_options *options)
{
    struct slw_plan_options plan_options = {0};
    struct slw_live_target *target = NULL;
    struct slw_backend_state *backend = NULL;
    struct slw_spool *spool = NULL;
    struct slw_plan *plan = NULL;
    int rc = slw_target_open(&slw_sys_real, options, &target, &error);

    if (rc == 0)
        rc = slw_spool_open(&slw_sys_real, spool_path, &spool, &error);
    if (rc == 0)
        rc = slw_plan_new(&plan_options, &plan, &error);
    if (rc == 0)
        rc = slw_perf_open(options, target, spool, plan, &cpu_clock, &led_by_another, run, &backend,
                           &error);
    if (rc == 0)
        rc = slw_perf_start(backend, &error);
    if (rc == 0)
        (void)touch_and_spin(NULL);
    if (rc == 0)
        rc = slw_perf_stop(backend, &error);
    if (rc == 0)
        rc = slw_perf_collect(backend, run, &error);
    if (rc == 0)
        rc = slw_spool_finish(spool, 0, UINT64_MAX, &error);
    slw_perf_close(backend);
    slw_spool_close(spool);
    slw_plan_free(plan);
    slw_target_close(target);
    return rc;
}

static void another_event_than_the_sampled_one_may_lead(void **state)
{
    const struct slw_samples_options load = {.symbols = true};
    const struct slw_session_options options = {.target = SLW_TARGET_PID,
                                                .pid = getpid(),
                                                .sample = true,
                                                .per_function = true,
                                                .frequency_hz = 1997,
                                                .spool_path = spool_path};

    (void)state;
    need_perf();
    if (measure_self(&options) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(slw_samples_load(spool_path, &load, run, &stacks, &error), 0);
    if (old_kernel())
        skip();
    assert_non_null(stacks);
    uint64_t clock = slw_stacks_total(
        stacks, (size_t)slw_stacks_find_column(stacks, "cpu-clock", "nanoseconds"));
    uint64_t task = slw_stacks_total(
        stacks, (size_t)slw_stacks_find_column(stacks, "task-clock", "nanoseconds"));
    uint64_t touched = weight_in(column("page-faults"), "slw_live_touch");

    assert_true(clock > (uint64_t)ROUNDS * PART_MS * 1000000);
    assert_true(task > clock / 100 * 95 && task < clock / 100 * 105);
    assert_true(touched > FAULTS_EACH * 90 / 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(page_faults_go_to_the_function_that_touches_pages, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(within_one_function_there_are_only_its_own_events, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_older_kernel_samples_without_counters_and_says_so,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_that_opens_and_never_runs_is_noticed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_event_than_the_sampled_one_may_lead, set_up,
                                        tear_down),
    };

    if (argc > 1 && strcmp(argv[1], "--client") == 0)
        return client_main();
    if (!realpath(argv[0], self) || !mkdtemp(folder))
        return 1;
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(spool_path);
    (void)rmdir(folder);
    return failed;
}
