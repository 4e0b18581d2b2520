/* SPDX-License-Identifier: MIT */
/* Counts of single threads from records played into the rings of a kernel that is not there. */
#include "tests/unit/cmocka_int.h"

#include "collector/perf_tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNTERS 2
#define COMMAND  100
#define FIRST_FD 500

static struct {
    int opened, closed, mapped;
    size_t granted_bytes; /* largest ring */
    int refuse;           /* errno of SET_OUTPUT; 0: allowed */
    struct perf_event_attr attrs[64];
} kernel;

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                     unsigned long flags)
{
    (void)flags;
    assert_int_equal(pid, COMMAND);
    assert_int_equal(group_fd, -1);
    assert_int_equal(attr->inherit, cpu >= 0); /* of all CPUs: it may not have a ring else */
    kernel.attrs[kernel.opened] = *attr;
    return FIRST_FD + kernel.opened++;
}

static int fake_ioctl(int fd, unsigned long request, void *argument)
{
    if (request == PERF_EVENT_IOC_SET_OUTPUT && kernel.refuse)
        return -kernel.refuse;
    if (request == PERF_EVENT_IOC_ID)
        *(uint64_t *)argument = 7000 + (uint64_t)fd;
    return 0;
}

static int fake_mmap(size_t length, int fd, void **ret_base)
{
    (void)fd;
    if (length > kernel.granted_bytes)
        return -EPERM;
    *ret_base = aligned_alloc(4096, length);
    assert_non_null(*ret_base);
    memset(*ret_base, 0, length);
    kernel.mapped++;
    return 0;
}

static void fake_munmap(void *base, size_t length)
{
    (void)length;
    kernel.mapped--;
    free(base);
}

static void fake_close(int fd)
{
    (void)fd;
    kernel.closed++;
}

static const struct slw_sys fakes = {.perf_event_open = fake_open,
                                     .ioctl = fake_ioctl,
                                     .mmap = fake_mmap,
                                     .munmap = fake_munmap,
                                     .close = fake_close};

struct world {
    struct slw_run *run;
    struct slw_session_options opts;
    struct slw_live_target target;
    int cpus[1], fds[COUNTERS];
    struct slw_perf_env env;
    struct slw_counter counters[COUNTERS];
    struct slw_counted totals[COUNTERS];
    struct slw_counting counting;
    struct slw_tasks tasks;
};

static void world_open(struct world *w, enum slw_per per)
{
    static const char *const names[COUNTERS] = {"task-clock", "instructions"};

    *w = (struct world){.opts = {.per = per}, .cpus = {0}, .fds = {10, 11}};
    kernel.opened = kernel.closed = kernel.mapped = 0;
    assert_int_equal(slw_run_new(&w->run, NULL), 0);
    w->run->host.kernel = "6.18.1";
    w->target = (struct slw_live_target){
        .kind = SLW_TARGET_COMMAND, .pid = COMMAND, .cpus = w->cpus, .cpu_count = 1};
    w->env =
        (struct slw_perf_env){.opts = &w->opts, .sys = &fakes, .target = &w->target, .run = w->run};
    for (size_t i = 0; i < COUNTERS; i++)
        w->counters[i] =
            (struct slw_counter){.event = {.name = names[i], .unit = "events"}, .kind = -1};
    w->counting = (struct slw_counting){.counters = w->counters,
                                        .counter_count = COUNTERS,
                                        .spot_count = 1,
                                        .fds = w->fds,
                                        .totals = w->totals};
    w->env.records = slw_tasks_records(&w->env);
    assert_int_equal(slw_tasks_open(&w->env, &w->counting, &w->tasks, NULL), 0);
}

static int open_world(void **state)
{
    static struct world w;

    memset(&kernel, 0, sizeof(kernel));
    kernel.granted_bytes = (size_t)1 << 20;
    *state = &w;
    return 0;
}

static void world_close(struct world *w)
{
    slw_tasks_close(&w->env, &w->tasks);
    slw_run_free(w->run);
    assert_int_equal(kernel.closed, kernel.opened);
    assert_int_equal(kernel.mapped, 0);
}

/* ---- what the kernel writes ---- */

static void put(struct world *w, size_t ring, uint32_t type, const void *body, size_t length)
{
    struct slw_ring *r = &w->tasks.rings[ring];
    struct perf_event_header h = {.type = type, .size = (uint16_t)(sizeof(h) + length)};
    uint8_t *data = (uint8_t *)(uintptr_t)r->data;
    uint64_t at = r->page->data_head % r->size_bytes;

    assert_true(at + h.size <= r->size_bytes);
    memcpy(data + at, &h, sizeof(h));
    memcpy(data + at + sizeof(h), body, length);
    r->page->data_head += h.size;
}

/* As Linux 6.18 does it: the events that ended before this one are still in its group, or not. */
static void put_read(struct world *w, size_t counter, int pid, int tid, uint64_t raw)
{
    const uint64_t own = 7000 + (uint64_t)w->fds[counter];
    struct {
        int32_t pid, tid;
        uint64_t count, enabled, running, other, other_id, raw, id;
    } body = {pid, tid, 2, 2 * raw, raw, 424242, 1, raw, own};

    put(w, counter, PERF_RECORD_READ, &body, sizeof(body));
}

static void put_task(struct world *w, uint32_t type, int pid, int tid)
{
    const int32_t body[6] = {pid, COMMAND, tid, COMMAND};

    put(w, COUNTERS, type, body, sizeof(body));
}

static void put_comm(struct world *w, int pid, int tid, const char *name)
{
    struct {
        int32_t pid, tid;
        char comm[16];
    } body = {pid, tid, ""};

    (void)strcpy(body.comm, name);
    put(w, COUNTERS, PERF_RECORD_COMM, &body, sizeof(body));
}

static void put_thread(struct world *w, int pid, int tid, uint64_t raw)
{
    put_task(w, PERF_RECORD_FORK, pid, tid);
    for (size_t k = 0; k < COUNTERS; k++)
        put_read(w, k, pid, tid, raw * (k + 1));
    put_task(w, PERF_RECORD_EXIT, pid, tid);
}

static void collect(struct world *w, uint64_t total)
{
    for (size_t k = 0; k < COUNTERS; k++) {
        w->totals[k] = (struct slw_counted){total * (k + 1), 2 * total * (k + 1), total * (k + 1)};
        assert_int_equal(slw_counting_add(&w->env, &w->counters[k], &w->totals[k], -1, -1, NULL),
                         0);
    }
    assert_int_equal(slw_tasks_collect(&w->env, &w->tasks, &w->counting, NULL), 0);
}

static const struct slw_count *count_of(const struct world *w, int pid, int tid, const char *event)
{
    for (size_t i = 0; i < w->run->count_count; i++) {
        const struct slw_count *c = &w->run->counts[i];
        if (c->pid == pid && c->tid == tid && strcmp(c->event, event) == 0)
            return c;
    }
    return NULL;
}

static void assert_raw(const struct world *w, int pid, int tid, uint64_t raw)
{
    const struct slw_count *clock = count_of(w, pid, tid, "task-clock"),
                           *instructions = count_of(w, pid, tid, "instructions");

    assert_non_null(clock);
    assert_non_null(instructions);
    assert_true(clock->raw == raw && clock->running_ns == raw && clock->enabled_ns == 2 * raw);
    assert_true(instructions->raw == 2 * raw);
}

static bool noted(const struct world *w, const char *code)
{
    for (size_t i = 0; i < w->run->note_count; i++)
        if (strcmp(w->run->notes[i].code, code) == 0)
            return true;
    return false;
}

/* ---- tests ---- */

static void what_no_thread_told_is_the_commands(void **state)
{
    struct world *w = *state;

    world_open(w, SLW_PER_THREAD);
    put_comm(w, COMMAND, COMMAND, "client");
    put_thread(w, COMMAND, 101, 3000);
    put_thread(w, COMMAND, 102, 500);
    put_comm(w, COMMAND, 102, "worker");
    put_task(w, PERF_RECORD_EXIT, COMMAND, COMMAND);
    collect(w, 4000);
    assert_int_equal(w->run->task_count, 3);
    assert_raw(w, COMMAND, 101, 3000);
    assert_raw(w, COMMAND, 102, 500);
    assert_raw(w, COMMAND, COMMAND, 500);
    assert_string_equal(w->run->tasks[0].comm, "client"); /* it has its parent's name */
    assert_int_equal(w->run->tasks[0].tid, 101);
    assert_true(w->run->tasks[2].task_count == 1);
    assert_false(noted(w, "tasks-untold"));
    world_close(w);
}

/* The kernel may have exchanged the events of two threads when it switched between them. */
static void a_thread_that_ended_with_our_events_gets_the_rest(void **state)
{
    struct world *w = *state;

    world_open(w, SLW_PER_THREAD);
    put_task(w, PERF_RECORD_FORK, COMMAND, 101);
    put_task(w, PERF_RECORD_EXIT, COMMAND, 101);
    for (size_t k = 0; k < COUNTERS; k++)
        put_read(w, k, COMMAND, COMMAND, 100 * (k + 1));
    collect(w, 1000);
    assert_raw(w, COMMAND, COMMAND, 100);
    assert_raw(w, COMMAND, 101, 900);
    world_close(w);
}

static void threads_that_still_run_are_told_together(void **state)
{
    struct world *w = *state;

    world_open(w, SLW_PER_THREAD);
    put_thread(w, COMMAND, 101, 300);
    put_task(w, PERF_RECORD_FORK, COMMAND, 102);
    put_task(w, PERF_RECORD_FORK, COMMAND, 103);
    collect(w, 1000);
    assert_int_equal(w->run->task_count, 2);
    assert_raw(w, COMMAND, COMMAND, 700);
    assert_true(w->run->tasks[0].task_count == 3);
    world_close(w);
}

static void threads_of_a_process_are_added(void **state)
{
    struct world *w = *state;

    world_open(w, SLW_PER_PROCESS);
    put_comm(w, COMMAND, COMMAND, "parent");
    put_thread(w, COMMAND, 101, 300);
    put_thread(w, 200, 201, 50);
    put_thread(w, 200, 200, 60);
    put_comm(w, 200, 200, "child");
    collect(w, 1000);
    assert_int_equal(w->run->task_count, 2);
    assert_raw(w, COMMAND, -1, 890);
    assert_raw(w, 200, -1, 110);
    assert_string_equal(w->run->tasks[1].comm, "child");
    assert_true(w->run->tasks[1].task_count == 2);
    world_close(w);
}

static void lost_records_are_told(void **state)
{
    const uint64_t lost[2] = {0, 5};
    struct world *w = *state;

    world_open(w, SLW_PER_THREAD);
    put_thread(w, COMMAND, 101, 300);
    put(w, 0, PERF_RECORD_LOST, lost, sizeof(lost));
    collect(w, 1000);
    assert_true(noted(w, "tasks-untold"));
    assert_true(w->run->tasks[0].task_count == 6);
    world_close(w);
}

static void a_kernel_that_writes_no_records_is_told(void **state)
{
    struct world *w = *state;

    world_open(w, SLW_PER_THREAD);
    for (int tid = 101; tid < 104; tid++) {
        put_task(w, PERF_RECORD_FORK, COMMAND, tid);
        put_task(w, PERF_RECORD_EXIT, COMMAND, tid);
    }
    collect(w, 1000);
    assert_int_equal(w->run->task_count, 0);
    assert_true(noted(w, "tasks-not-counted"));
    world_close(w);
}

static void an_old_kernel_is_not_asked(void **state)
{
    struct world *w = *state;

    world_open(w, SLW_PER_THREAD);
    slw_tasks_close(&w->env, &w->tasks);
    w->run->host.kernel = "5.10.0-28-amd64";
    assert_false(slw_tasks_records(&w->env));
    assert_true(noted(w, "tasks-not-counted"));
    w->run->host.kernel = "5.13.1";
    assert_true(slw_tasks_records(&w->env));
    w->target.kind = SLW_TARGET_ALL;
    assert_false(slw_tasks_records(&w->env));
    w->target.kind = SLW_TARGET_PID; /* its threads have events of their own */
    assert_false(slw_tasks_records(&w->env));
    w->target.kind = SLW_TARGET_COMMAND;
    world_close(w);
}

static void a_refusal_leaves_the_whole(void **state)
{
    struct world *w = *state;

    kernel.refuse = EINVAL;
    world_open(w, SLW_PER_THREAD);
    assert_true(noted(w, "tasks-not-counted"));
    collect(w, 1000);
    assert_int_equal(w->run->count_count, COUNTERS);
    world_close(w);
}

static void small_rings_are_better_than_none(void **state)
{
    struct world *w = *state;

    kernel.granted_bytes = 8192;
    world_open(w, SLW_PER_THREAD);
    assert_true(w->tasks.rings[0].size_bytes == 4096);
    put_thread(w, COMMAND, 101, 300);
    collect(w, 1000);
    assert_raw(w, COMMAND, COMMAND, 700);
    world_close(w);
}

static void records_of_wrong_sizes_are_left_alone(void **state)
{
    struct world *w = *state;
    const uint64_t body[12] = {0x0000006500000064, UINT64_MAX, 5, 5, 5};

    world_open(w, SLW_PER_THREAD);
    for (size_t length = 0; length <= sizeof(body); length += 8) {
        put(w, 0, PERF_RECORD_READ, body, length);
        put(w, COUNTERS, PERF_RECORD_READ, body, length);
    }
    for (size_t length = 0; length < 16; length += 8) {
        put(w, COUNTERS, PERF_RECORD_FORK, body, length);
        put(w, COUNTERS, PERF_RECORD_EXIT, body, length);
        put(w, COUNTERS, PERF_RECORD_LOST, body, length);
    }
    put(w, COUNTERS, PERF_RECORD_COMM, body, 8);
    collect(w, 1000);
    assert_int_equal(w->run->task_count, 1);
    assert_raw(w, COMMAND, COMMAND, 1000);
    world_close(w);
}

/* More than are listed: the smallest are one task, and nothing is missing. */
static void small_tasks_are_pooled(void **state)
{
    struct world *w = *state;
    uint64_t sum = 0;

    world_open(w, SLW_PER_THREAD);
    for (int i = 0; i < 1500; i++) {
        put_thread(w, COMMAND, 1000 + i, 10 + (uint64_t)i);
        slw_tasks_drain(&w->env, &w->tasks);
        for (size_t r = 0; r <= COUNTERS; r++) { /* the next records start at the front again */
            w->tasks.rings[r].page->data_head = 0;
            w->tasks.rings[r].tail = 0;
        }
    }
    collect(w, 2000000);
    assert_int_equal(w->run->task_count, SLW_MAX_TASKS);
    const struct slw_counted_task *pool = &w->run->tasks[SLW_MAX_TASKS - 1];
    assert_int_equal(pool->pid, 0);
    assert_int_equal(pool->tid, 0);
    assert_true(pool->task_count == 1501 - (SLW_MAX_TASKS - 1));
    for (size_t i = 0; i < w->run->count_count; i++)
        if (w->run->counts[i].tid >= 0 && strcmp(w->run->counts[i].event, "task-clock") == 0)
            sum += w->run->counts[i].raw;
    assert_true(sum == 2000000);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_no_thread_told_is_the_commands, open_world),
        cmocka_unit_test_setup(a_thread_that_ended_with_our_events_gets_the_rest, open_world),
        cmocka_unit_test_setup(threads_that_still_run_are_told_together, open_world),
        cmocka_unit_test_setup(threads_of_a_process_are_added, open_world),
        cmocka_unit_test_setup(lost_records_are_told, open_world),
        cmocka_unit_test_setup(a_kernel_that_writes_no_records_is_told, open_world),
        cmocka_unit_test_setup(an_old_kernel_is_not_asked, open_world),
        cmocka_unit_test_setup(a_refusal_leaves_the_whole, open_world),
        cmocka_unit_test_setup(small_rings_are_better_than_none, open_world),
        cmocka_unit_test_setup(records_of_wrong_sizes_are_left_alone, open_world),
        cmocka_unit_test_setup(small_tasks_are_pooled, open_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
