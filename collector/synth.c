/* SPDX-License-Identifier: MIT */
#include "collector/synth.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "collector/procfs.h"
#include "collector/ring.h"
#include "collector/spool.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* TID, TIME, CPU and IDENTIFIER, which attr.sample_id_all puts behind every record. */
#define SAMPLE_ID_BYTES 32
#define MAX_PROC_BYTES  ((size_t)64 << 20) /* maps of a process with a million mappings */
#define FLUSH_BYTES     ((size_t)256 << 10)
#define MAX_NAME_BYTES  4096 /* PATH_MAX, what the kernel itself puts into a record */

static int flush(struct slw_spool *spool, struct slw_buf *b, struct slw_error *err)
{
    struct iovec part = {b->data, b->length};
    uint64_t written = 0;

    if (slw_buf_failed(b))
        return slw_fail(err, SLW_E_NOMEM, "no memory for records of running processes");
    if (b->length == 0)
        return 0;
    int rc = slw_spool_write(spool, &part, 1, &written);
    b->length = 0;
    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "%s", slw_spool_failure(spool)->text) : 0;
}

/* A record: fixed part (its header's size is set here), a NUL-padded name, the sample id. */
static void put_record(struct slw_buf *b, void *fixed, size_t fixed_bytes, const char *name,
                       size_t name_length)
{
    static const char zeros[8 + SAMPLE_ID_BYTES];
    struct perf_event_header header;
    size_t length = name_length < MAX_NAME_BYTES ? name_length : MAX_NAME_BYTES;
    size_t padding = name ? 8 - length % 8 : 0; /* at least the NUL */

    memcpy(&header, fixed, sizeof(header));
    header.size = (uint16_t)(fixed_bytes + (name ? length : 0) + padding + SAMPLE_ID_BYTES);
    memcpy(fixed, &header, sizeof(header));
    slw_buf_put(b, fixed, fixed_bytes);
    if (name)
        slw_buf_put(b, name, length);
    slw_buf_put(b, zeros, padding + SAMPLE_ID_BYTES);
}

static void put_kernel_mmap(struct slw_buf *b, uint64_t start, uint64_t length, uint64_t offset,
                            const char *name)
{
    struct {
        struct perf_event_header header;
        uint32_t pid, tid;
        uint64_t start, length, offset;
    } r = {{PERF_RECORD_MMAP, PERF_RECORD_MISC_KERNEL, 0}, UINT32_MAX, 0, start, length, offset};

    put_record(b, &r, sizeof(r), name, strlen(name));
}

static void put_mmap2(struct slw_buf *b, int pid, const struct slw_proc_mapping *m)
{
    const uint16_t misc =
        PERF_RECORD_MISC_USER | (m->prot & PROT_EXEC ? 0 : PERF_RECORD_MISC_MMAP_DATA);
    struct {
        struct perf_event_header header;
        uint32_t pid, tid;
        uint64_t start, length, offset;
        uint32_t major, minor;
        uint64_t inode, generation;
        uint32_t prot, flags;
    } r = {{PERF_RECORD_MMAP2, misc, 0},
           (uint32_t)pid,
           (uint32_t)pid,
           m->start,
           m->end - m->start,
           m->offset,
           m->major,
           m->minor,
           m->inode,
           0,
           m->prot,
           m->flags};

    if (m->name_length > 0)
        put_record(b, &r, sizeof(r), m->name, m->name_length);
    else
        put_record(b, &r, sizeof(r), "//anon", 6); /* as the kernel names them */
}

static void put_comm(struct slw_buf *b, int pid, int tid, const char *comm)
{
    struct {
        struct perf_event_header header;
        uint32_t pid, tid;
    } r = {{PERF_RECORD_COMM, 0, 0}, (uint32_t)pid, (uint32_t)tid};

    put_record(b, &r, sizeof(r), comm, strcspn(comm, "\n"));
}

static void put_fork(struct slw_buf *b, int pid, int tid)
{
    struct {
        struct perf_event_header header;
        uint32_t pid, ppid, tid, ptid;
        uint64_t time;
    } r = {{PERF_RECORD_FORK, 0, 0}, (uint32_t)pid, (uint32_t)pid, (uint32_t)tid, (uint32_t)pid, 0};

    put_record(b, &r, sizeof(r), NULL, 0);
}

/* ---- the kernel ---- */

/* What one read of /proc/kallsyms gives; stdio would take a quarter of it at a time. */
#define KALLSYMS_READ_BYTES 4096

/* Where the kernel's text starts and ends; false when the addresses are hidden. */
static bool find_kernel_text(uint64_t *ret_start, uint64_t *ret_end)
{
    char line[1024], buffer[KALLSYMS_READ_BYTES];
    FILE *SLW_AUTO(fclose) f = fopen("/proc/kallsyms", "re");
    uint64_t start = 0, end = 0;

    if (!f)
        return false;
    (void)setvbuf(f, buffer, _IOFBF, sizeof(buffer));
    while (end == 0 && fgets(line, sizeof(line), f)) {
        size_t length = strcspn(line, "\n");
        uint64_t address;

        if (start == 0 && slw_proc_parse_symbol(line, length, "_stext", &address)) {
            if (address == 0)
                return false; /* kptr_restrict: all are zero */
            start = address;
        } else if (start != 0) {
            (void)slw_proc_parse_symbol(line, length, "_etext", &end);
        }
    }
    if (start == 0 || end <= start)
        return false;
    *ret_start = start;
    *ret_end = end;
    return true;
}

static void put_modules(struct slw_buf *b)
{
    FILE *SLW_AUTO(fclose) f = fopen("/proc/modules", "re");
    char line[4096];

    while (f && fgets(line, sizeof(line), f)) {
        struct slw_proc_module m;
        char name[256];

        if (!slw_proc_parse_module(line, strcspn(line, "\n"), &m) || m.address == 0)
            continue;
        (void)snprintf(name, sizeof(name), "[%.*s]", (int)(m.name_length & 0xff), m.name);
        put_kernel_mmap(b, m.address, m.size_bytes, 0, name);
    }
}

int slw_synth_kernel(struct slw_spool *spool, struct slw_error *err)
{
    struct slw_buf b = {0};
    uint64_t start, end;

    if (!find_kernel_text(&start, &end))
        return 0;
    put_kernel_mmap(&b, start, end - start, start, "[kernel.kallsyms]_text");
    put_modules(&b);
    int rc = flush(spool, &b, err);
    slw_buf_release(&b);
    return rc;
}

/* ---- processes ---- */

static bool read_proc(int pid, const char *what, char **ret_text, size_t *ret_length)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
    return slw_file_read(path, MAX_PROC_BYTES, ret_text, ret_length, NULL) == 0;
}

static int put_mappings(struct slw_spool *spool, struct slw_buf *b, int pid, bool data,
                        struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    size_t length = 0;
    struct slw_proc_mapping m;
    int rc = 0;

    if (!read_proc(pid, "maps", &text, &length))
        return 0;
    for (const char *line = text, *end = text + length; line < end && rc == 0;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t line_length = (size_t)((stop ? stop : end) - line);

        if (slw_proc_parse_mapping(line, line_length, &m) && (data || (m.prot & PROT_EXEC)))
            put_mmap2(b, pid, &m);
        if (b->length >= FLUSH_BYTES)
            rc = flush(spool, b, err);
        line += line_length + 1;
    }
    return rc;
}

static void put_threads(struct slw_buf *b, int pid)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char *SLW_AUTO(free) comm = NULL;
        int tid = slw_proc_parse_id(e->d_name);

        (void)snprintf(path, sizeof(path), "task/%d/comm", tid);
        if (tid <= 0 || tid == pid || !read_proc(pid, path, &comm, NULL))
            continue;
        put_fork(b, pid, tid);
        put_comm(b, pid, tid, comm);
    }
    if (d)
        (void)closedir(d);
}

static int put_process(struct slw_spool *spool, struct slw_buf *b, int pid, bool data,
                       struct slw_error *err)
{
    char *SLW_AUTO(free) comm = NULL;

    if (!read_proc(pid, "comm", &comm, NULL))
        return 0;
    put_comm(b, pid, pid, comm);
    int rc = put_mappings(spool, b, pid, data, err);
    put_threads(b, pid);
    return rc;
}

int slw_synth_process(struct slw_spool *spool, int pid, bool data, struct slw_error *err)
{
    struct slw_buf b = {0};
    int rc = put_process(spool, &b, pid, data, err);

    if (rc == 0)
        rc = flush(spool, &b, err);
    slw_buf_release(&b);
    return rc;
}

int slw_synth_all(struct slw_spool *spool, bool data, struct slw_error *err)
{
    struct slw_buf b = {0};
    DIR *d = opendir("/proc");
    int rc = 0;

    for (struct dirent *e = d ? readdir(d) : NULL; e && rc == 0; e = readdir(d)) {
        int pid = slw_proc_parse_id(e->d_name);

        if (pid > 0)
            rc = put_process(spool, &b, pid, data, err);
        if (rc == 0 && b.length >= FLUSH_BYTES)
            rc = flush(spool, &b, err);
    }
    if (d)
        (void)closedir(d);
    if (rc == 0)
        rc = flush(spool, &b, err);
    slw_buf_release(&b);
    return rc;
}
