/* SPDX-License-Identifier: MIT */
#include "collector/taps/stage/bpf.h"

#include "collector/taps/bpf/load.h"
#include "collector/taps/bpf/uprobes.h"
#include "collector/taps/stage/stage.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BATCH             64
#define OTHER_DESCRIPTORS 1024 /* of events on every CPU */

struct multi_marks;

struct slw_stage_prog {
    struct slw_stage_skeleton *skeleton;
    int stats;      /* while it is open the kernel measures the time of BPF programs; -1: refused */
    bool has_multi; /* then the marks are links of these descriptors, */
    int fds[SLW_STAGE_MAX_MARKS];
    size_t fd_count;
    struct multi_marks *multi;
    struct bpf_link **links; /* else of these */
    size_t link_count;
    int cpu_max; /* as the kernel counts per-CPU values */
    uint32_t tids[BATCH];
    struct slw_stage_thread threads[BATCH];
};

struct multi_marks {
    uint64_t offsets[SLW_STAGE_MAX_MARKS], semaphores[SLW_STAGE_MAX_MARKS],
        cookies[SLW_STAGE_MAX_MARKS];
};

/* A descriptor, or -errno. */
static int link_marks(const struct slw_stage_prog *p, const char *path, const struct multi_marks *m,
                      size_t first, size_t count)
{
    const struct slw_uprobes u = {.path = path,
                                  .offsets = &m->offsets[first],
                                  .semaphores = &m->semaphores[first],
                                  .cookies = &m->cookies[first],
                                  .count = count};

    return slw_uprobes_link(bpf_program__fd(p->skeleton->progs.on_mark), &u);
}

/* ---- loading ---- */

static int load_as(struct slw_stage_prog *p, size_t counter_count, bool multi,
                   struct slw_error *err)
{
    p->skeleton = slw_stage_skeleton__open();
    if (!p->skeleton)
        return slw_bpf_refused(errno, "open", err);
    p->skeleton->rodata->counter_count = (uint32_t)counter_count;
    if (multi)
        (void)bpf_program__set_expected_attach_type(p->skeleton->progs.on_mark,
                                                    (enum bpf_attach_type)SLW_UPROBES_ATTACH_TYPE);
    int rc = slw_stage_skeleton__load(p->skeleton);
    return rc < 0 ? slw_bpf_refused(-rc, "load", err) : 0;
}

static int load(struct slw_stage_prog *p, size_t counter_count, bool many, struct slw_error *err)
{
    int rc = many ? load_as(p, counter_count, true, NULL) : 0;

    p->has_multi = many && rc == 0 && slw_uprobes_work(bpf_program__fd(p->skeleton->progs.on_mark));
    if (!p->has_multi) {
        slw_stage_skeleton__destroy(p->skeleton);
        p->skeleton = NULL;
        rc = load_as(p, counter_count, false, err);
    }
    if (rc < 0)
        return rc;
    p->stats = bpf_enable_stats(BPF_STATS_RUN_TIME); /* as good without: then nobody knows */
    rc = slw_stage_skeleton__attach(p->skeleton);    /* to the scheduler; marks have no place yet */
    return rc < 0 ? slw_bpf_refused(-rc, "attach", err) : 0;
}

int slw_stage_prog_open(size_t counter_count, bool many, struct slw_stage_prog **ret_prog,
                        struct slw_error *err)
{
    struct slw_stage_prog *p = calloc(1, sizeof(*p));

    if (!p)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the stage tap");
    p->stats = -1;
    p->links = calloc(SLW_STAGE_MAX_MARKS, sizeof(struct bpf_link *));
    p->multi = calloc(1, sizeof(*p->multi));
    p->cpu_max = libbpf_num_possible_cpus();
    libbpf_print_fn_t before = libbpf_set_print(slw_bpf_say_nothing);
    int rc = p->links && p->multi && p->cpu_max > 0
                 ? load(p, counter_count, many, err)
                 : slw_fail(err, SLW_E_NOMEM, "no memory for the stage tap");
    (void)libbpf_set_print(before);
    if (rc < 0) {
        slw_stage_prog_close(p);
        return rc;
    }
    *ret_prog = p;
    return 0;
}

void slw_stage_prog_close(struct slw_stage_prog *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->link_count; i++)
        (void)bpf_link__destroy(p->links[i]);
    for (size_t i = 0; i < p->fd_count; i++)
        (void)close(p->fds[i]);
    if (p->stats >= 0)
        (void)close(p->stats);
    free(p->links);
    free(p->multi);
    slw_stage_skeleton__destroy(p->skeleton);
    free(p);
}

int slw_stage_prog_counter(struct slw_stage_prog *p, size_t counter, int cpu, int perf_fd,
                           struct slw_error *err)
{
    const struct bpf_map *maps[SLW_STAGE_COUNTERS] = {
        p->skeleton->maps.counter_0, p->skeleton->maps.counter_1, p->skeleton->maps.counter_2,
        p->skeleton->maps.counter_3, p->skeleton->maps.counter_4};
    uint32_t key = (uint32_t)cpu;
    int rc = bpf_map_update_elem(bpf_map__fd(maps[counter]), &key, &perf_fd, BPF_ANY);

    return rc < 0 ? slw_fail_sys(err, SLW_E_IO, -rc, "cannot hand a counter to BPF") : 0;
}

/* ---- marks ---- */

struct attached {
    uint64_t failed;
    int error; /* the last */
};

/* A mark that is a perf event takes two descriptors. The client does not inherit the limit: it is
 * there already. */
static void make_room(size_t mark_count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max ||
        limit.rlim_cur >= mark_count * 2 + OTHER_DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static uint64_t cookie_of(const struct slw_stage_mark *mark)
{
    return (uint64_t)mark->stage << 1 | (mark->end ? SLW_STAGE_COOKIE_END : 0);
}

static int attach_mark(struct slw_stage_prog *p, const struct slw_stage_marks *m,
                       const struct slw_stage_mark *mark)
{
    const struct bpf_uprobe_opts opts = {.sz = sizeof(opts),
                                         .ref_ctr_offset = (size_t)mark->semaphore_offset,
                                         .bpf_cookie = cookie_of(mark)};
    struct bpf_link *link = bpf_program__attach_uprobe_opts(
        p->skeleton->progs.on_mark, -1, m->files[mark->file], (size_t)mark->offset, &opts);

    if (!link)
        return -errno;
    p->links[p->link_count++] = link;
    return 0;
}

static void attach_each(struct slw_stage_prog *p, const struct slw_stage_marks *m,
                        struct attached *a)
{
    make_room(m->mark_count);
    for (size_t i = 0; i < m->mark_count; i++) {
        int rc = attach_mark(p, m, &m->marks[i]);

        a->failed += rc < 0;
        a->error = rc < 0 ? rc : a->error;
    }
}

/* The marks first .. first + count - 1, which are of one file: together, or, where one of them
 * cannot be, each alone. */
static void attach_file(struct slw_stage_prog *p, const char *path, size_t first, size_t count,
                        struct attached *a)
{
    int fd = link_marks(p, path, p->multi, first, count);

    if (fd >= 0) {
        p->fds[p->fd_count++] = fd;
        return;
    }
    for (size_t i = first; i < first + count; i++) {
        fd = link_marks(p, path, p->multi, i, 1);
        if (fd >= 0)
            p->fds[p->fd_count++] = fd;
        a->failed += fd < 0;
        a->error = fd < 0 ? fd : a->error;
    }
}

static void attach_files(struct slw_stage_prog *p, const struct slw_stage_marks *m,
                         struct attached *a)
{
    size_t first = 0;

    for (size_t i = 0; i < m->mark_count; i++) {
        p->multi->offsets[i] = m->marks[i].offset;
        p->multi->semaphores[i] = m->marks[i].semaphore_offset;
        p->multi->cookies[i] = cookie_of(&m->marks[i]);
    }
    for (size_t i = 1; i <= m->mark_count; i++)
        if (i == m->mark_count || m->marks[i].file != m->marks[first].file) {
            attach_file(p, m->files[m->marks[first].file], first, i - first, a);
            first = i;
        }
}

int slw_stage_prog_attach(struct slw_stage_prog *p, const struct slw_stage_marks *m,
                          uint64_t *ret_failed, struct slw_error *err)
{
    libbpf_print_fn_t before = libbpf_set_print(slw_bpf_say_nothing);
    struct attached a = {0};

    if (p->has_multi)
        attach_files(p, m, &a);
    else
        attach_each(p, m, &a);
    (void)libbpf_set_print(before);
    if (a.failed == m->mark_count || a.error == -EMFILE)
        return slw_bpf_refused(-a.error, "uprobe", err);
    *ret_failed = a.failed;
    return 0;
}

int slw_stage_prog_follow(struct slw_stage_prog *p, uint32_t pid, uint32_t tid,
                          struct slw_error *err)
{
    int rc = bpf_map_update_elem(bpf_map__fd(p->skeleton->maps.followed), &tid, &pid, BPF_ANY);

    if (rc == -E2BIG)
        return slw_fail(err, SLW_E_LIMIT, "no room to follow thread %u", tid);
    return rc < 0 ? slw_fail_sys(err, SLW_E_IO, -rc, "cannot follow thread %u", tid) : 0;
}

void slw_stage_prog_phase(struct slw_stage_prog *p, uint32_t phase)
{
    p->skeleton->bss->phase = phase;
}

/* ---- results ---- */

static void count_open(const struct slw_stage_thread *t, uint32_t phase,
                       uint64_t counts[SLW_STAGE_MAX])
{
    for (uint32_t i = 0; t->phase == phase && i < t->depth && i < SLW_STAGE_DEPTH; i++)
        counts[t->frames[i].stage % SLW_STAGE_MAX]++;
}

/* In batches of whole hash buckets: walking key by key starts over when a key goes away. */
void slw_stage_prog_open_calls(struct slw_stage_prog *p, uint32_t phase,
                               uint64_t counts[SLW_STAGE_MAX])
{
    int fd = bpf_map__fd(p->skeleton->maps.threads);
    uint32_t place = 0;
    bool more = true;

    for (int i = 0; i < SLW_STAGE_IN_STAGES && more; i++) {
        uint32_t count = BATCH;

        more = bpf_map_lookup_batch(fd, i == 0 ? NULL : &place, &place, p->tids, p->threads, &count,
                                    NULL) == 0;
        for (uint32_t k = 0; k < count && k < BATCH; k++)
            count_open(&p->threads[k], phase, counts);
    }
}

static void add_sum(struct slw_stage_sum *sum, const struct slw_stage_sum *one)
{
    sum->calls += one->calls;
    sum->requests += one->requests;
    sum->max_batch = one->max_batch > sum->max_batch ? one->max_batch : sum->max_batch;
    sum->wall_ns += one->wall_ns;
    sum->self_ns += one->self_ns;
    sum->cpu_ns += one->cpu_ns;
    for (size_t i = 0; i < SLW_STAGE_COUNTERS; i++)
        sum->counts.values[i] += one->counts.values[i];
    sum->counts.enabled_ns += one->counts.enabled_ns;
    sum->counts.running_ns += one->counts.running_ns;
    sum->missed_begins += one->missed_begins;
    sum->missed_ends += one->missed_ends;
}

int slw_stage_prog_sums(struct slw_stage_prog *p, struct slw_stage_sum *sums, size_t count,
                        struct slw_error *err)
{
    struct slw_stage_sum *each = calloc((size_t)p->cpu_max, sizeof(*each));
    int rc = each ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for the sums of stages");

    for (uint32_t i = 0; i < count && rc == 0; i++) {
        rc = bpf_map_lookup_elem(bpf_map__fd(p->skeleton->maps.sums), &i, each);
        if (rc < 0)
            rc = slw_fail_sys(err, SLW_E_IO, -rc, "cannot read the sums of stages");
        sums[i] = (struct slw_stage_sum){0};
        for (int cpu = 0; cpu < p->cpu_max && rc == 0; cpu++)
            add_sum(&sums[i], &each[cpu]);
    }
    free(each);
    return rc;
}

struct slw_stage_losses slw_stage_prog_losses(const struct slw_stage_prog *p, uint64_t *ret_skipped)
{
    struct bpf_program *program;
    uint64_t skipped = 0;

    bpf_object__for_each_program(program, p->skeleton->obj)
    {
        struct bpf_prog_info info = {0};
        uint32_t length = sizeof(info);

        if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) == 0)
            skipped += info.recursion_misses;
    }
    *ret_skipped = skipped;
    return p->skeleton->bss->losses;
}

uint64_t slw_stage_prog_bytes(const struct slw_stage_prog *p)
{
    struct bpf_map *map;
    uint64_t bytes = 0;

    bpf_object__for_each_map(map, p->skeleton->obj)
    {
        uint64_t each = bpf_map__key_size(map) + bpf_map__value_size(map);

        bytes += bpf_map__max_entries(map) * each *
                 (bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY ? (uint64_t)p->cpu_max : 1);
    }
    return bytes;
}

uint64_t slw_stage_prog_time_ns(const struct slw_stage_prog *p)
{
    return slw_bpf_time_ns(p->skeleton->obj);
}
