/* SPDX-License-Identifier: MIT */
#include "collector/taps/socket/bpf.h"

#include "collector/taps/bpf/load.h"
#include "collector/taps/bpf/uprobes.h"
#include "collector/taps/socket/socket.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_TLS_LINKS 512 /* files and functions of TLS libraries that are watched */

struct slw_socket_bpf {
    struct slw_socket_skeleton *skeleton;
    int stats;      /* while it is open the kernel measures the time of BPF programs; -1: refused */
    bool has_multi; /* TLS functions are links of these descriptors, */
    int fds[MAX_TLS_LINKS];
    struct bpf_link *links[MAX_TLS_LINKS]; /* else of these */
    size_t link_count;
    struct ring_buffer *records;
    int wake_fd;              /* epoll */
    slw_socket_record_fn *fn; /* during slw_socket_bpf_records */
    void *ctx;
    size_t left; /* bytes until the end of this turn */
};

static const struct {
    int number;
    enum slw_socket_call call;
} calls[] = {
    {SYS_write, SLW_SOCKET_WRITE},
    {SYS_sendto, SLW_SOCKET_SEND},
    {SYS_writev, SLW_SOCKET_SEND_VECTOR},
    {SYS_sendmsg, SLW_SOCKET_SEND_MESSAGE},
    {SYS_sendmmsg, SLW_SOCKET_SEND_MESSAGES},
    {SYS_sendfile, SLW_SOCKET_SEND_FILE},
    {SYS_splice, SLW_SOCKET_SEND_SPLICE},
    {SYS_read, SLW_SOCKET_READ},
    {SYS_recvfrom, SLW_SOCKET_RECEIVE},
    {SYS_readv, SLW_SOCKET_RECEIVE_VECTOR},
    {SYS_recvmsg, SLW_SOCKET_RECEIVE_MESSAGE},
    {SYS_recvmmsg, SLW_SOCKET_RECEIVE_MESSAGES},
    {SYS_connect, SLW_SOCKET_CONNECT},
    {SYS_close, SLW_SOCKET_CLOSE},
};

static int on_record(void *ctx, void *data, size_t size)
{
    struct slw_socket_bpf *b = ctx;

    b->fn(b->ctx, data, size);
    b->left -= size < b->left ? size : b->left;
    return b->left == 0 ? -EAGAIN : 0; /* a client that is faster than we would hold us forever */
}

static void configure(struct slw_socket_skeleton *s, const struct slw_socket_bpf_options *opts)
{
    uint8_t table[SLW_SOCKET_SYSCALLS] = {0};

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        table[calls[i].number] = (uint8_t)calls[i].call;
    memcpy((void *)s->rodata->calls, table, sizeof(table)); /* not mapped read-only yet */
    if (opts->ring_bytes > 0)
        (void)bpf_map__set_max_entries(s->maps.records, opts->ring_bytes);
    s->rodata->wake_bytes = bpf_map__max_entries(s->maps.records) / 8;
}

/* Edge-triggered: the ring is readable as soon as there is anything in it, but only when it was
 * woken for does it tell. */
static int watch(struct slw_socket_bpf *b)
{
    int ring = bpf_map__fd(b->skeleton->maps.records);
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};

    b->wake_fd = epoll_create1(EPOLL_CLOEXEC);
    return b->wake_fd < 0 || epoll_ctl(b->wake_fd, EPOLL_CTL_ADD, ring, &e) < 0 ? -errno : 0;
}

static int load_as(struct slw_socket_bpf *b, const struct slw_socket_bpf_options *opts, bool multi,
                   struct slw_error *err)
{
    b->skeleton = slw_socket_skeleton__open();
    if (!b->skeleton)
        return slw_bpf_refused(errno, "open", err);
    configure(b->skeleton, opts);
    if (libbpf_find_vmlinux_btf_id("io_uring_submit_req", BPF_TRACE_RAW_TP) <= 0)
        (void)bpf_program__set_autoload(b->skeleton->progs.on_ring, false);
    const enum bpf_attach_type type = (enum bpf_attach_type)SLW_UPROBES_ATTACH_TYPE;
    if (multi) {
        (void)bpf_program__set_expected_attach_type(b->skeleton->progs.on_tls_begin, type);
        (void)bpf_program__set_expected_attach_type(b->skeleton->progs.on_tls_end, type);
    }
    int rc = slw_socket_skeleton__load(b->skeleton);
    return rc < 0 ? slw_bpf_refused(-rc, "load", err) : 0;
}

static int load(struct slw_socket_bpf *b, const struct slw_socket_bpf_options *opts,
                struct slw_error *err)
{
    int rc = load_as(b, opts, true, NULL);

    b->has_multi = rc == 0 && slw_uprobes_work(bpf_program__fd(b->skeleton->progs.on_tls_begin));
    if (!b->has_multi) {
        slw_socket_skeleton__destroy(b->skeleton);
        b->skeleton = NULL;
        rc = load_as(b, opts, false, err);
    }
    if (rc < 0)
        return rc;
    b->records = ring_buffer__new(bpf_map__fd(b->skeleton->maps.records), on_record, b, NULL);
    if (!b->records)
        return slw_bpf_refused(errno, "ring", err);
    rc = watch(b);
    b->stats = bpf_enable_stats(BPF_STATS_RUN_TIME); /* as good without: then nobody knows */
    if (rc == 0)
        rc = slw_socket_skeleton__attach(b->skeleton);
    return rc < 0 ? slw_bpf_refused(-rc, "attach", err) : 0;
}

int slw_socket_bpf_open(const struct slw_socket_bpf_options *opts, struct slw_socket_bpf **ret_bpf,
                        struct slw_error *err)
{
    struct slw_socket_bpf *b = calloc(1, sizeof(*b));

    if (!b)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the socket tap");
    b->wake_fd = -1;
    b->stats = -1;
    libbpf_print_fn_t before = libbpf_set_print(slw_bpf_say_nothing);
    int rc = load(b, opts, err);
    (void)libbpf_set_print(before);
    if (rc < 0) {
        slw_socket_bpf_close(b);
        return rc;
    }
    *ret_bpf = b;
    return 0;
}

bool slw_socket_bpf_allowed(void)
{
    const struct slw_socket_bpf_options opts = {.ring_bytes = (uint32_t)getpagesize()};
    struct slw_socket_bpf *b = NULL;

    if (slw_socket_bpf_open(&opts, &b, NULL) < 0)
        return false;
    slw_socket_bpf_close(b);
    return true;
}

void slw_socket_bpf_close(struct slw_socket_bpf *b)
{
    if (!b)
        return;
    if (b->wake_fd >= 0)
        (void)close(b->wake_fd);
    for (size_t i = 0; i < b->link_count; i++)
        if (b->has_multi)
            (void)close(b->fds[i]);
        else
            (void)bpf_link__destroy(b->links[i]);
    ring_buffer__free(b->records);
    if (b->stats >= 0)
        (void)close(b->stats);
    slw_socket_skeleton__destroy(b->skeleton);
    free(b);
}

int slw_socket_bpf_follow(struct slw_socket_bpf *b, uint32_t pid, struct slw_error *err)
{
    uint8_t one = 1;
    int rc = bpf_map_update_elem(bpf_map__fd(b->skeleton->maps.processes), &pid, &one, BPF_ANY);

    if (rc == -E2BIG)
        return slw_fail(err, SLW_E_LIMIT, "no room to follow process %u", pid);
    return rc < 0 ? slw_fail_sys(err, SLW_E_IO, -rc, "cannot follow process %u", pid) : 0;
}

/* Entries and returns are links of their own. */
static int attach_together(struct slw_socket_bpf *b, const struct slw_socket_tls_file *file,
                           const struct bpf_program *program, bool at_return)
{
    const struct slw_uprobes u = {.path = file->path,
                                  .offsets = file->offsets,
                                  .cookies = file->functions,
                                  .count = file->count,
                                  .at_return = at_return};
    int fd =
        b->link_count < MAX_TLS_LINKS ? slw_uprobes_link(bpf_program__fd(program), &u) : -ENOSPC;

    if (fd >= 0)
        b->fds[b->link_count++] = fd;
    return fd < 0 ? fd : 0;
}

static int attach_each(struct slw_socket_bpf *b, const struct slw_socket_tls_file *file,
                       const struct bpf_program *program, bool at_return)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct bpf_uprobe_opts opts = {
            .sz = sizeof(opts), .bpf_cookie = file->functions[i], .retprobe = at_return};

        if (b->link_count == MAX_TLS_LINKS)
            return -ENOSPC;
        struct bpf_link *link = bpf_program__attach_uprobe_opts(program, -1, file->path,
                                                                (size_t)file->offsets[i], &opts);
        if (!link)
            return -errno;
        b->links[b->link_count++] = link;
    }
    return 0;
}

int slw_socket_bpf_tls(struct slw_socket_bpf *b, const struct slw_socket_tls_file *file,
                       struct slw_error *err)
{
    int (*attach)(struct slw_socket_bpf *, const struct slw_socket_tls_file *,
                  const struct bpf_program *, bool) = b->has_multi ? attach_together : attach_each;
    libbpf_print_fn_t before = libbpf_set_print(slw_bpf_say_nothing);

    /* The ends first: a call whose beginning was seen must not go on being open. */
    int rc = attach(b, file, b->skeleton->progs.on_tls_end, true);
    if (rc == 0)
        rc = attach(b, file, b->skeleton->progs.on_tls_begin, false);
    (void)libbpf_set_print(before);
    if (rc == 0)
        b->skeleton->bss->with_tls = 1;
    return rc < 0 ? slw_bpf_refused(-rc, "uprobe", err) : 0;
}

bool slw_socket_bpf_add(struct slw_socket_bpf *b, uint64_t inode)
{
    const struct slw_socket_kept none = {0};
    int rc =
        bpf_map_update_elem(bpf_map__fd(b->skeleton->maps.sockets), &inode, &none, BPF_NOEXIST);

    return rc == 0 || rc == -EEXIST; /* it was connected meanwhile */
}

void slw_socket_bpf_quiet(struct slw_socket_bpf *b, uint64_t inode, bool on)
{
    uint32_t *at = &b->skeleton->bss->quiet[inode & (SLW_SOCKET_QUIET - 1)];

    if (on || *at == (uint32_t)inode)
        __atomic_store_n(at, on ? (uint32_t)inode : 0, __ATOMIC_RELAXED);
}

bool slw_socket_bpf_kept(struct slw_socket_bpf *b, uint64_t inode, struct slw_socket_kept *ret_kept)
{
    return bpf_map_lookup_elem(bpf_map__fd(b->skeleton->maps.sockets), &inode, ret_kept) == 0;
}

void slw_socket_bpf_forget(struct slw_socket_bpf *b, uint64_t inode)
{
    (void)bpf_map_delete_elem(bpf_map__fd(b->skeleton->maps.sockets), &inode);
}

void slw_socket_bpf_each(struct slw_socket_bpf *b, slw_socket_kept_fn *fn, void *ctx)
{
    int fd = bpf_map__fd(b->skeleton->maps.sockets);
    uint64_t inode = 0, next;
    struct slw_socket_kept kept;

    for (int i = 0; i < SLW_SOCKET_SOCKETS; i++) {
        if (bpf_map_get_next_key(fd, i == 0 ? NULL : &inode, &next) < 0)
            return;
        inode = next;
        if (bpf_map_lookup_elem(fd, &inode, &kept) == 0)
            fn(ctx, inode, &kept);
    }
}

int slw_socket_bpf_wake_fd(const struct slw_socket_bpf *b)
{
    return b->wake_fd;
}

void slw_socket_bpf_records(struct slw_socket_bpf *b, slw_socket_record_fn *fn, void *ctx)
{
    struct epoll_event e;

    b->fn = fn;
    b->ctx = ctx;
    (void)epoll_wait(b->wake_fd, &e, 1, 0); /* takes back the wake-up */
    b->left = bpf_map__max_entries(b->skeleton->maps.records);
    (void)ring_buffer__consume(b->records);
}

struct slw_socket_losses slw_socket_bpf_losses(const struct slw_socket_bpf *b)
{
    return b->skeleton->bss->losses;
}

uint64_t slw_socket_bpf_bytes(const struct slw_socket_bpf *b)
{
    return slw_bpf_map_bytes(b->skeleton->obj);
}

uint64_t slw_socket_bpf_time_ns(const struct slw_socket_bpf *b)
{
    return slw_bpf_time_ns(b->skeleton->obj);
}
