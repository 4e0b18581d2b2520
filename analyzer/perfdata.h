/* SPDX-License-Identifier: MIT */
/* Reader of perf.data, any perf from 3.x on: file and pipe mode, either byte order, zstd. Gives
 * decoded records in time order; what they mean for processes and symbols is not its business.
 * Source: linux tools/perf/Documentation/perf.data-file-format.txt, perf_event_open(2).
 *
 * Order: every CPU's buffer is written in runs, so a file is nearly but not quite sorted. Records
 * are handed out sorted by (time, position in the file). A record stamped 0 was synthesized by the
 * recorder to describe what was there before: it comes first. A record without a time field keeps
 * its place behind the record before it. */
#ifndef SLW_ANALYZER_PERFDATA_H
#define SLW_ANALYZER_PERFDATA_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_perfdata;

/* The parts of perf_event_attr that matter to a reader; fields an old attr lacks are 0. */
struct slw_perf_attr {
    uint32_t type;
    uint32_t size; /* as recorded */
    uint64_t config;
    uint64_t period_or_freq;
    uint64_t sample_type;
    uint64_t read_format;
    uint64_t flags; /* the bit field, bit 0 = disabled; see SLW_PERF_ATTR_* */
    uint64_t branch_sample_type;
    uint64_t sample_regs_user;
    uint32_t sample_stack_user;
    int32_t clockid; /* meant with SLW_PERF_ATTR_USE_CLOCKID */
    uint64_t sample_regs_intr;
};

#define SLW_PERF_ATTR_INHERIT        (UINT64_C(1) << 1)
#define SLW_PERF_ATTR_EXCLUDE_USER   (UINT64_C(1) << 4)
#define SLW_PERF_ATTR_EXCLUDE_KERNEL (UINT64_C(1) << 5)
#define SLW_PERF_ATTR_MMAP           (UINT64_C(1) << 8)
#define SLW_PERF_ATTR_FREQ           (UINT64_C(1) << 10)
#define SLW_PERF_ATTR_SAMPLE_ID_ALL  (UINT64_C(1) << 18)
#define SLW_PERF_ATTR_USE_CLOCKID    (UINT64_C(1) << 25)
#define SLW_PERF_ATTR_BUILD_ID       (UINT64_C(1) << 34)

struct slw_perf_event {
    const char *name; /* never NULL */
    struct slw_perf_attr attr;
    uint64_t sample_count; /* SAMPLE records of this event; counted when the file is opened */
};

/* What the recorder said about itself and its machine; NULL or 0: nothing. */
struct slw_perf_meta {
    const char *hostname, *os_release, *version, *arch, *cpu_desc, *cpu_id;
    const char **argv;
    size_t argc;
    uint32_t cpus_online;
    uint64_t start_ns; /* of the recording, on the clock of its records; 0: not told */
};

/* What a mapped file was identified by when the recording ended. */
struct slw_perf_build_id {
    const char *path;
    const char *build_id; /* lower-case hex */
};

enum slw_perf_kind {
    SLW_PERF_SAMPLE,
    SLW_PERF_MMAP,
    SLW_PERF_COMM,
    SLW_PERF_FORK,
    SLW_PERF_EXIT,
    SLW_PERF_LOST,         /* count records did not fit the ring */
    SLW_PERF_LOST_SAMPLES, /* count samples were lost */
    SLW_PERF_THROTTLE,
    SLW_PERF_UNTHROTTLE,
    SLW_PERF_READ /* counter values outside a sample; in `sample`, its read fields only */
};

struct slw_perf_mmap {
    uint64_t start, length, offset;
    uint32_t major, minor;
    uint64_t inode;       /* 0 unknown */
    uint8_t build_id[20]; /* first build_id_bytes are meaningful */
    uint32_t build_id_bytes;
    const char *path; /* lent during the callback; NUL-terminated */
    bool data;        /* not executable */
};

/* u64 values inside a record: unaligned, in the file's byte order. Read with slw_perf_value. */
struct slw_perf_values {
    const uint8_t *bytes;
    uint64_t count;
    bool swap;
};

#define SLW_PERF_BRANCH_VALUES 3 /* of each branch: from, to, flags */

struct slw_perf_sample {
    uint64_t ip, address, id, stream_id, period;
    bool has_ip, has_period, has_chain;
    struct slw_perf_values chain;        /* with context markers, leaf first */
    uint64_t read_count;                 /* values of PERF_SAMPLE_READ; 0: none */
    struct slw_perf_values read;         /* read_count groups of read_stride values */
    uint32_t read_stride, read_id_index; /* index of the id in a group; 0: there is no id */
    bool has_read_times;                 /* of the counters of the read, all the same: */
    uint64_t read_enabled_ns, read_running_ns;
    uint64_t branch_count;
    struct slw_perf_values branches; /* the latest first */
    struct slw_perf_values regs_user;
    uint64_t regs_user_abi;
    const uint8_t *stack_user; /* stack_user_bytes of them were really copied */
    uint64_t stack_user_bytes;
    uint64_t stack_user_room; /* that could have been copied */
};

struct slw_perf_record {
    enum slw_perf_kind kind;
    uint16_t misc;
    uint64_t offset; /* in the file; of the compressed record it came from for unpacked ones */
    uint64_t time;   /* 0 unknown */
    int32_t pid, tid;
    int32_t cpu;   /* -1 unknown */
    int32_t event; /* index, -1 unknown; meaningful for samples */
    union {
        struct slw_perf_sample sample;
        struct slw_perf_mmap mmap;
        struct {
            const char *name; /* lent during the callback */
            bool exec;
        } comm;
        struct {
            int32_t ppid, ptid;
        } fork; /* also of EXIT */
        uint64_t lost;
    };
};

/* What could not be read, and where. */
struct slw_perf_damage {
    uint64_t unreadable_bytes;
    uint64_t first_offset;
    char reason[160];        /* empty: nothing is wrong */
    uint64_t unknown_events; /* samples whose id belongs to no event */
    bool unfinished;         /* the recorder never completed the header: killed */
    uint64_t trace_bytes;    /* of hardware traces (AUX area), which are stepped over */
};

#define SLW_MAX_PERF_EVENTS 4096 /* far more than perf can open descriptors for on one CPU */
/* zstd packs up to 1:1000s; more than this is a bomb, not a recording. */
#define SLW_MAX_PERF_UNPACKED_BYTES ((uint64_t)16 << 30)

/* Open a file (or read a pipe to its end) and index its records. SLW_E_NOTFOUND, SLW_E_PERM,
 * SLW_E_IO, SLW_E_NOMEM; SLW_E_FORMAT: not perf.data, version 1, or damaged before the first
 * sample (err->where names the offset). Damage behind a sample is no error: see
 * slw_perfdata_damage. */
int slw_perfdata_open(const char *path, struct slw_perfdata **ret_pd, struct slw_error *err);

/* The same from memory, lent until slw_perfdata_close. */
int slw_perfdata_open_bytes(const void *bytes, size_t length, uint64_t unpacked_limit,
                            struct slw_perfdata **ret_pd, struct slw_error *err);
void slw_perfdata_close(struct slw_perfdata *pd);

size_t slw_perfdata_event_count(const struct slw_perfdata *pd);
const struct slw_perf_event *slw_perfdata_event(const struct slw_perfdata *pd, size_t index);
/* Was any sample taken in the kernel? */
bool slw_perfdata_has_kernel(const struct slw_perfdata *pd);
const struct slw_perf_meta *slw_perfdata_meta(const struct slw_perfdata *pd);
size_t slw_perfdata_build_id_count(const struct slw_perfdata *pd);
const struct slw_perf_build_id *slw_perfdata_build_id(const struct slw_perfdata *pd, size_t index);
const struct slw_perf_damage *slw_perfdata_damage(const struct slw_perfdata *pd);

/* Position of an id (0 .. slw_perfdata_id_count-1) and the event it belongs to, for values of
 * PERF_SAMPLE_READ. False: nobody's. */
size_t slw_perfdata_id_count(const struct slw_perfdata *pd);
bool slw_perfdata_find_id(const struct slw_perfdata *pd, uint64_t id, uint32_t *ret_position,
                          uint32_t *ret_event);

/* Call fn for every record in time order, until it returns non-zero (which is returned). A record
 * that cannot be decoded is counted as damage and skipped. May be called again. */
typedef int (*slw_perf_record_fn)(void *ctx, const struct slw_perf_record *record);
int slw_perfdata_each(struct slw_perfdata *pd, slw_perf_record_fn fn, void *ctx);

static inline uint64_t slw_perf_value(const struct slw_perf_values *v, uint64_t index)
{
    uint64_t value;

    __builtin_memcpy(&value, v->bytes + index * sizeof(value), sizeof(value));
    return v->swap ? __builtin_bswap64(value) : value;
}

#endif
