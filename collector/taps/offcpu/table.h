/* SPDX-License-Identifier: MIT */
/* The table of threads that the BPF program and its reader share, as the reader sees it. The
 * program's side is in threads.bpf.h. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_TABLE_H
#define SLW_COLLECTOR_TAPS_OFFCPU_TABLE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "collector/taps/offcpu/layout.h"

struct slw_off_table {
    struct slw_off_bucket *buckets;
    __u32 bucket_count; /* a power of two */
    struct slw_off_thread *records;
    size_t record_count;
};

/* How many buckets serve so many threads. */
__u32 slw_off_bucket_count(size_t thread_max);

enum slw_off_put { SLW_OFF_PUT, SLW_OFF_THERE, SLW_OFF_FULL };

/* Put a thread in, while the program may do the same. */
enum slw_off_put slw_off_table_put(struct slw_off_table *table, const struct slw_off_thread *t);

/* The thread at place `i` of bucket_count * SLW_OFF_WAYS; false: there is none, or it is another
 * one meanwhile. */
bool slw_off_table_get(const struct slw_off_table *table, size_t i,
                       struct slw_off_thread *ret_thread);

#endif
