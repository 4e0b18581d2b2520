/* SPDX-License-Identifier: MIT */
/* Differences between successive readings of counters that samples carry (PERF_SAMPLE_READ). Pure
 * bookkeeping: who counted what up to when, and which differences cannot be true. Not for: decoding
 * (perfdata.h) or whom a difference is put down to (samples_reads.c).
 *
 * With inherit the kernel reads the sampled thread's own counter, under the id of the event it was
 * inherited from, and that id is of one CPU: the key is (thread, id). Without inherit an id is one
 * counter: the key is the id. Source: perf_event_open(2); Linux commit 7e8b255650fc; measured in
 * docs/per-function.md. */
#ifndef SLW_ANALYZER_GROUP_READS_H
#define SLW_ANALYZER_GROUP_READS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_group_reads;

/* Threads x CPUs x events of the largest run seen, twice over; a state is 40 bytes. */
#define SLW_MAX_READ_STATES (4U << 20)

#define SLW_SHARED_COUNTER INT32_MIN /* as tid: the counter is no thread's own */

/* One value of a reading. */
struct slw_counter_reading {
    int32_t tid; /* whose counter, or SLW_SHARED_COUNTER */
    uint32_t id; /* position of its id, slw_perfdata_find_id */
    uint64_t value;
    bool has_times;
    uint64_t enabled_ns, running_ns;
};

enum slw_reading_state {
    SLW_READING_GOOD,
    SLW_READING_BACKWARDS,  /* below the last one: a counter only grows */
    SLW_READING_IMPLAUSIBLE /* more events than a CPU can have in the time the counter ran */
};

struct slw_group_reads *slw_group_reads_new(void); /* NULL: out of memory */
void slw_group_reads_free(struct slw_group_reads *g);

/* Would the reading give a true difference? Changes nothing. */
enum slw_reading_state slw_group_reads_check(const struct slw_group_reads *g,
                                             const struct slw_counter_reading *r);

/* Remember the reading. *ret_delta: events since the last one, or since the thread began (0 when
 * the check says no); *ret_running_ns: how long they were counted, 0 without times.
 * -SLW_E_NOMEM, -SLW_E_LIMIT (SLW_MAX_READ_STATES). */
int slw_group_reads_take(struct slw_group_reads *g, const struct slw_counter_reading *r,
                         uint64_t *ret_delta, uint64_t *ret_running_ns);

/* A sample of `thread` at the frame `leaf`, to be told once per sample, with the first reading it
 * carries and before that is taken. True when the last reading of this counter and the last sample
 * of the thread were the same thread's, at leaves that same_function says are of the same function:
 * then the difference is that function's alone, as far as anybody can see. False also when out of
 * memory: nothing is claimed. */
typedef bool (*slw_same_function)(const void *ctx, uint32_t leaf_a, uint32_t leaf_b);
bool slw_group_reads_begin(struct slw_group_reads *g, const struct slw_counter_reading *r,
                           int32_t thread, uint32_t leaf, slw_same_function same_function,
                           const void *ctx);
#define SLW_NO_LEAF UINT32_MAX /* nothing is known of where the sample was */

/* A sample whose readings do not check; r is the first of them. True: leave them all untaken, the
 * next sample then covers this interval too. False: it is the second in a row, so that it is the
 * readings before that were wrong, or the counters began anew; take these. */
bool slw_group_reads_distrust(struct slw_group_reads *g, const struct slw_counter_reading *r);

/* A thread began or ended: its counters start from 0, whoever had the number before. */
void slw_group_reads_forget(struct slw_group_reads *g, int32_t tid);

/* Time threads wanted their counters, and time they had them, over all readings taken so far. The
 * clock of a per-CPU counter of a thread goes on while the thread runs on other CPUs, so that its
 * own running / enabled says nothing about sharing; over all CPUs of the thread it does. Shared
 * counters are left out. */
void slw_group_reads_times(const struct slw_group_reads *g, uint64_t *ret_enabled_ns,
                           uint64_t *ret_running_ns);

#endif
