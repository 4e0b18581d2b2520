/* SPDX-License-Identifier: MIT */
/* Requests of clients that nothing can be preloaded into: processes that run already, static and
 * setuid programs, Go. A BPF program copies what they move over sockets (socket/), the decoders of
 * the wire tap count. Not for: what is inside TLS. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "collector/procfs.h"
#include "collector/sys.h"
#include "collector/tap.h"
#include "collector/taps/bpf/files.h"
#include "collector/taps/socket/bpf.h"
#include "collector/taps/socket/existing.h"
#include "collector/taps/socket/flows.h"
#include "collector/taps/socket/tls.h"
#include "collector/taps/wire.h"
#include "collector/target.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define POLL_MS 10 /* a client sends some 100 MB/s at most, which is 1 MiB in this time */

#define MAX_TLS_FILES 64 /* copies of TLS libraries */

struct slw_tap_state {
    const struct slw_session_options *opts;
    struct slw_live_target *target;
    struct slw_run *run;
    struct slw_socket_bpf *bpf;
    struct slw_flows *flows;
    uint64_t unseen_sockets, not_followed;
    uint32_t pid; /* being looked at */
    bool tls_refused;
    struct {
        dev_t dev;
        ino_t inode;
    } tls_files[MAX_TLS_FILES];
    size_t tls_file_count;
};

/* ---- what the flows ask ---- */

static bool kept(void *ctx, uint64_t inode, struct slw_socket_kept *ret_kept)
{
    struct slw_tap_state *s = ctx;

    return slw_socket_bpf_kept(s->bpf, inode, ret_kept);
}

static void forget(void *ctx, uint64_t inode)
{
    struct slw_tap_state *s = ctx;

    slw_socket_bpf_forget(s->bpf, inode);
}

static void quiet(void *ctx, uint64_t inode, bool on)
{
    struct slw_tap_state *s = ctx;

    slw_socket_bpf_quiet(s->bpf, inode, on);
}

static bool alive(void *ctx, uint32_t pid)
{
    (void)ctx;
    return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* ---- whom to follow ---- */

static void join(void *ctx, uint64_t inode, const struct sockaddr *to, socklen_t length)
{
    struct slw_tap_state *s = ctx;

    if (slw_socket_bpf_add(s->bpf, inode))
        slw_flows_join(s->flows, inode, s->pid, to, length);
    else
        slw_flows_drop(s->flows, 1);
}

/* First the process, then what it has open: what is connected between the two is told twice. */
static int follow(struct slw_tap_state *s, uint32_t pid, struct slw_error *err)
{
    int rc = slw_socket_bpf_follow(s->bpf, pid, err);

    if (rc == -SLW_E_LIMIT) {
        s->not_followed++;
        return 0;
    }
    s->pid = pid;
    if (rc == 0)
        s->unseen_sockets += slw_existing_sockets(pid, join, s);
    return rc;
}

/* Processes that are in the group now, and what they start. One that is moved in later is missed.
 */
static int follow_cgroup(struct slw_tap_state *s, struct slw_error *err)
{
    int fd = openat(s->target->cgroup_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *SLW_AUTO(fclose) list = fd < 0 ? NULL : fdopen(fd, "r");
    char line[32];
    int rc = 0;

    if (!list) {
        if (fd >= 0)
            (void)close(fd);
        return slw_fail(err, SLW_E_UNSUPPORTED, "the processes of the cgroup cannot be listed");
    }
    for (int i = 0; i < SLW_SOCKET_PROCESSES && rc == 0 && fgets(line, sizeof(line), list); i++) {
        line[strcspn(line, "\n")] = '\0';
        uint32_t pid = (uint32_t)slw_proc_parse_id(line);

        if (pid != 0)
            rc = follow(s, pid, err);
    }
    return rc;
}

/* Each file once, under whatever names: its text would be counted twice. */
static bool is_new_file(struct slw_tap_state *s, const char *path)
{
    struct stat st;

    if (s->tls_file_count == MAX_TLS_FILES || stat(path, &st) < 0)
        return false;
    for (size_t i = 0; i < s->tls_file_count; i++)
        if (s->tls_files[i].dev == st.st_dev && s->tls_files[i].inode == st.st_ino)
            return false;
    s->tls_files[s->tls_file_count].dev = st.st_dev;
    s->tls_files[s->tls_file_count++].inode = st.st_ino;
    return true;
}

/* Functions that cannot be watched leave the connections that use them lost, which is told. */
static int watch_tls(void *ctx, const char *path, struct slw_error *err)
{
    struct slw_tap_state *s = ctx;
    struct slw_socket_tls_file file;
    struct slw_error why = {0};

    if (!slw_socket_tls_find(path, &file) || !is_new_file(s, path) ||
        slw_socket_bpf_tls(s->bpf, &file, &why) >= 0)
        return 0;
    if (!s->tls_refused &&
        slw_run_note(s->run, SLW_NOTE_INFO, "wire-tls-unseen", why.hint[0] ? why.hint : NULL,
                     "what goes through the TLS library in '%s' cannot be seen: "
                     "%s",
                     path, why.text) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    s->tls_refused = true;
    return 0;
}

/* Those a target has, and, as a command may load others later, those of the system. */
static int watch_all_tls(struct slw_tap_state *s, struct slw_error *err)
{
    char path[PATH_MAX];
    int rc = slw_tap_files(s->opts, s->target, watch_tls, s, err);

    if (s->target->kind != SLW_TARGET_COMMAND)
        return rc;
    for (size_t i = 0; rc == 0 && slw_socket_tls_library(i, path); i++)
        rc = watch_tls(s, path, err);
    return rc;
}

static int open_all(struct slw_tap_state *s, struct slw_error *err)
{
    const struct slw_flow_kernel kernel = {
        .ctx = s, .kept = kept, .forget = forget, .quiet = quiet, .alive = alive};
    const struct slw_socket_bpf_options opts = {.ring_bytes = (uint32_t)s->opts->ring_bytes};

    if (s->target->kind == SLW_TARGET_ALL)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "the socket tap follows a command, a process or a cgroup, not a machine");
    int rc = slw_flows_new(&kernel, &s->flows, err);
    if (rc == 0)
        rc = slw_socket_bpf_open(&opts, &s->bpf, err);
    if (rc < 0)
        return rc;
    rc = watch_all_tls(s, err);
    if (rc < 0)
        return rc;
    s->target->wake_fds[s->target->wake_count++] = slw_socket_bpf_wake_fd(s->bpf);
    if (s->target->kind == SLW_TARGET_CGROUP)
        return follow_cgroup(s, err);
    return follow(s, (uint32_t)s->target->pid, err);
}

/* ---- the seam ---- */

static void close_tap(struct slw_tap_state *s)
{
    if (!s)
        return;
    slw_socket_bpf_close(s->bpf);
    slw_flows_free(s->flows);
    free(s);
}

static int note_route(struct slw_run *run, const char *not_preloaded, struct slw_error *err)
{
    if (slw_run_note(run, SLW_NOTE_INFO, "wire-bpf", NULL,
                     "requests are counted by BPF on socket calls: %s", not_preloaded) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    return 0;
}

/* It was not asked for by name: a note, and nothing is counted. */
static int do_without(const struct slw_session_options *opts, struct slw_run *run,
                      const struct slw_error *why, struct slw_error *err)
{
    const char *first = opts->not_preloaded, *hint = why->hint[0] ? why->hint : NULL;
    struct slw_buf text = {0};

    slw_buf_printf(&text, "%s%s%s", first ? first : "", first ? "; " : "", why->text);
    const char *reason = slw_run_str(run, text.data);
    slw_buf_release(&text);
    if (!reason || slw_run_note(run, SLW_NOTE_INFO, "no-wire", hint, "requests are not counted: %s",
                                reason) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    run->requests.absent = reason;
    return 0;
}

static int open_tap(const struct slw_session_options *opts, struct slw_live_target *target,
                    struct slw_spool *spool, struct slw_run *run, struct slw_tap_state **ret_state,
                    struct slw_error *err)
{
    struct slw_error why = {0};

    (void)spool;
    if (opts->socket == SLW_SOCKET_NO)
        return 0;
    struct slw_tap_state *s = calloc(1, sizeof(*s));
    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the socket tap");
    *s = (struct slw_tap_state){.opts = opts, .target = target, .run = run};
    int rc = open_all(s, &why);
    if (rc == 0 && opts->not_preloaded)
        rc = note_route(run, opts->not_preloaded, &why);
    if (rc == 0) {
        *ret_state = s;
        return 0;
    }
    close_tap(s);
    if (opts->socket == SLW_SOCKET_AUTO && why.code != SLW_E_NOMEM)
        return do_without(opts, run, &why, err);
    if (err && err->code == SLW_E_OK)
        *err = why;
    return rc;
}

static void take(void *ctx, const void *record, size_t size)
{
    slw_flows_record(ctx, record, size);
}

static int poll_tap(struct slw_tap_state *s, struct slw_error *err)
{
    (void)err;
    slw_socket_bpf_records(s->bpf, take, s->flows);
    return 0;
}

static void keep(void *ctx, uint64_t inode, const struct slw_socket_kept *of_kernel)
{
    slw_flows_keep(ctx, inode, of_kernel);
}

/* What is in no record. */
static void settle(struct slw_tap_state *s)
{
    if (slw_socket_bpf_losses(s->bpf).records > 0)
        slw_socket_bpf_each(s->bpf, keep, s->flows);
    slw_flows_settle(s->flows);
}

static int start(struct slw_tap_state *s, struct slw_error *err)
{
    int rc = poll_tap(s, err);

    settle(s);
    slw_flows_count(s->flows, true);
    return rc;
}

static int stop(struct slw_tap_state *s, struct slw_error *err)
{
    int rc = poll_tap(s, err);

    settle(s);
    slw_flows_count(s->flows, false);
    return rc;
}

static int note_losses(struct slw_tap_state *s)
{
    uint64_t processes = s->not_followed + slw_socket_bpf_losses(s->bpf).processes;
    int rc = 0;

    if (processes > 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "wire-processes-lost", NULL,
                          "%llu processes could not be followed: their requests are missing",
                          (unsigned long long)processes);
    if (rc >= 0 && s->unseen_sockets > 0)
        rc = slw_run_note(s->run, SLW_NOTE_INFO, "wire-sockets-unseen", NULL,
                          "%llu sockets that were open before could not be looked at: what goes "
                          "over them is in no number",
                          (unsigned long long)s->unseen_sockets);
    if (rc >= 0 && slw_socket_bpf_losses(s->bpf).by_ring > 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "wire-io-uring", NULL,
                          "%llu operations on sockets went through io_uring: what they moved is "
                          "in no number",
                          (unsigned long long)slw_socket_bpf_losses(s->bpf).by_ring);
    return rc;
}

static int collect(struct slw_tap_state *s, struct slw_run *run, struct slw_error *err)
{
    struct slw_socket_losses lost = slw_socket_bpf_losses(s->bpf);

    slw_flows_drop(s->flows, lost.sockets + (lost.by_ring > 0)); /* on one socket at least */
    run->self.ring_bytes += slw_socket_bpf_bytes(s->bpf);
    slw_tap_tell_bpf_time(run, slw_socket_bpf_time_ns(s->bpf));
    if (note_losses(s) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    return slw_wire_read(slw_flows_map(s->flows), run, err);
}

const struct slw_tap slw_tap_socket = {
    .name = "socket",
    .summary = "requests on connections, by BPF on socket calls",
    .poll_ms = POLL_MS,
    .open = open_tap,
    .start = start,
    .poll = poll_tap,
    .stop = stop,
    .collect = collect,
    .close = close_tap,
};
