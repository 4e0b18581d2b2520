/* SPDX-License-Identifier: MIT */
/* The on-disk layout of perf.data, shared by the writer (collector) and the reader (analyzer).
 * Source: linux tools/perf/Documentation/perf.data-file-format.txt, perf_event_open(2),
 * tools/lib/perf/include/perf/event.h. Kernel record types come from <linux/perf_event.h>. */
#ifndef SLW_RECORD_PERF_LAYOUT_H
#define SLW_RECORD_PERF_LAYOUT_H

#include <stdint.h>

#define SLW_PERF_MAGIC2 UINT64_C(0x32454c4946524550) /* "PERFILE2" read little-endian */
#define SLW_PERF_MAGIC1 "PERFFILE"

struct slw_perf_section {
    uint64_t offset, size; /* in bytes from the start of the file */
};

struct slw_perf_header {
    uint64_t magic;
    uint64_t header_bytes; /* 104 in files; a 16-byte header means pipe mode */
    uint64_t attr_bytes;   /* size of one attr entry: perf_event_attr + a section of ids */
    struct slw_perf_section attrs, data, event_types;
    uint64_t features[4]; /* 256-bit set; a section per set bit follows the data, in bit order */
};

/* Bits of header.features (tools/perf/util/header.h). */
enum slw_perf_feature {
    SLW_PERF_TRACING_DATA = 1,
    SLW_PERF_BUILD_ID = 2,
    SLW_PERF_HOSTNAME = 3,
    SLW_PERF_OSRELEASE = 4,
    SLW_PERF_VERSION = 5,
    SLW_PERF_ARCH = 6,
    SLW_PERF_NRCPUS = 7,
    SLW_PERF_CPUDESC = 8,
    SLW_PERF_CPUID = 9,
    SLW_PERF_TOTAL_MEM = 10,
    SLW_PERF_CMDLINE = 11,
    SLW_PERF_EVENT_DESC = 12,
    SLW_PERF_CPU_TOPOLOGY = 13,
    SLW_PERF_NUMA_TOPOLOGY = 14,
    SLW_PERF_BRANCH_STACK = 15,
    SLW_PERF_PMU_MAPPINGS = 16,
    SLW_PERF_GROUP_DESC = 17,
    SLW_PERF_SAMPLE_TIME = 21,
    SLW_PERF_CLOCKID = 23,
    SLW_PERF_COMPRESSED = 27,
    SLW_PERF_CLOCK_DATA = 29
};

/* PERF_RECORD_MISC_*: newer than the oldest kernel headers we build with, or perf's own. */
#define SLW_PERF_MISC_MMAP_BUILD_ID (1 << 14) /* of MMAP2: a build id for device and inode */
#define SLW_PERF_MISC_BUILD_ID_SIZE (1 << 15) /* of a build id: byte 20 is its length */

/* Records of user space (type >= 64) that follow the kernel's. */
enum slw_perf_user_record {
    SLW_PERF_RECORD_HEADER_ATTR = 64,
    SLW_PERF_RECORD_HEADER_EVENT_TYPE = 65,
    SLW_PERF_RECORD_HEADER_TRACING_DATA = 66,
    SLW_PERF_RECORD_HEADER_BUILD_ID = 67,
    SLW_PERF_RECORD_FINISHED_ROUND = 68,
    SLW_PERF_RECORD_ID_INDEX = 69,
    SLW_PERF_RECORD_AUXTRACE_INFO = 70,
    SLW_PERF_RECORD_AUXTRACE = 71,
    SLW_PERF_RECORD_AUXTRACE_ERROR = 72,
    SLW_PERF_RECORD_THREAD_MAP = 73,
    SLW_PERF_RECORD_CPU_MAP = 74,
    SLW_PERF_RECORD_STAT_CONFIG = 75,
    SLW_PERF_RECORD_STAT = 76,
    SLW_PERF_RECORD_STAT_ROUND = 77,
    SLW_PERF_RECORD_EVENT_UPDATE = 78,
    SLW_PERF_RECORD_TIME_CONV = 79,
    SLW_PERF_RECORD_HEADER_FEATURE = 80,
    SLW_PERF_RECORD_COMPRESSED = 81,
    SLW_PERF_RECORD_FINISHED_INIT = 82,
    SLW_PERF_RECORD_COMPRESSED2 = 83
};

#endif
