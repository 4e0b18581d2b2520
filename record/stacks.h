/* SPDX-License-Identifier: MIT */
/* The stack profile: distinct call stacks with one weight per column, already symbolized. The
 * in-memory twin of pprof's Profile message (mapping, function, location, sample), so that
 * profile.pb.gz is a plain dump of it. Aggregates on insert: equal stacks with equal labels are one
 * sample. Not thread safe. */
#ifndef SLW_RECORD_STACKS_H
#define SLW_RECORD_STACKS_H

#include "base/error.h"
#include "record/run.h"

struct slw_stacks;

/* A weight column. By convention, for every sampled event a pair: (event, "count") number of
 * samples, then (event, unit) their summed periods. Columns are never added to each other. */
struct slw_column {
    const char *event; /* "cpu-clock" */
    const char *unit;  /* "count" (of samples) | "nanoseconds" (clocks) | "events" (the rest) */
    struct slw_provenance from;
};

/* Events read together with the sampled one (sampled group reads) have a second pair, named with
 * this suffix: of the first pair, what was counted between two samples in the same function. */
#define SLW_WITHIN_SUFFIX ":within"
/* The function of a stack for what such events counted after the last sample of their thread. */
#define SLW_AFTER_LAST_SAMPLE "[after last sample]"

/* The event whose weight is time off-CPU. It is no share of CPU time: a report never takes it for
 * its main column. Its samples are distinct stacks, not waits. */
#define SLW_EVENT_OFFCPU "offcpu-time"

#define SLW_MAX_COLUMNS     128
#define SLW_MAX_STACK_DEPTH 2048 /* frames of one stack; deeper stacks are cut at the root end */

/* Heap, free with slw_stacks_free (NULL allowed). Copies the columns. -SLW_E_NOMEM, -SLW_E_LIMIT.
 */
int slw_stacks_new(const struct slw_column *columns, size_t column_count,
                   struct slw_stacks **ret_stacks, struct slw_error *err);
void slw_stacks_free(struct slw_stacks *s);

/* ---- filling; ids are dense from 0 and stay valid; equal input gives the same id ---- */

enum slw_frame_kind { SLW_FRAME_USER, SLW_FRAME_KERNEL, SLW_FRAME_OTHER };

/* A mapped file (or "[kernel.kallsyms]", "[vdso]", "[unknown]"). build_id: hex or "". */
struct slw_mapping {
    const char *path;
    const char *build_id;
    uint64_t start, limit, offset; /* as mapped; 0 when unknown or when several differ */
};

/* One resolved frame. function == "" means no symbol was found; renderers then show the module. */
struct slw_frame {
    const char *function; /* as shown to people */
    const char *linkage;  /* mangled name, "" when the same */
    const char *file;     /* source file, "" unknown */
    uint32_t line;        /* 0 unknown */
    uint32_t mapping;     /* id, or SLW_NO_MAPPING */
    uint64_t address;     /* offset in the mapped file; absolute for the kernel, anonymous and
                             unknown memory; 0 when folded text had none */
    enum slw_frame_kind kind;
    bool inlined; /* inlined into the next frame towards the root */
};
#define SLW_NO_MAPPING UINT32_MAX

int slw_stacks_add_mapping(struct slw_stacks *s, const struct slw_mapping *m, uint32_t *ret_id);
int slw_stacks_add_frame(struct slw_stacks *s, const struct slw_frame *f, uint32_t *ret_id);

/* Who was running. comm "" and ids -1 when unknown. */
struct slw_thread {
    const char *comm; /* thread name at that time */
    int32_t pid, tid;
};
int slw_stacks_add_thread(struct slw_stacks *s, const struct slw_thread *t, uint32_t *ret_id);
#define SLW_NO_THREAD UINT32_MAX

/* Add weights (one per column) to the stack frames[0..depth-1], LEAF FIRST. depth 0 is allowed: a
 * sample with no stack. 0, -SLW_E_NOMEM, -SLW_E_LIMIT, or -SLW_E_RANGE (a weight would pass 2^63).
 */
int slw_stacks_add(struct slw_stacks *s, const uint32_t *frames, size_t depth, uint32_t thread,
                   const uint64_t *weights);

/* The same from the root, a step at a time, for a caller that knows where stacks part: a path is a
 * thread and the frames from there on, and stacks that begin alike share it. Equal input gives the
 * same path. 0, -SLW_E_NOMEM or -SLW_E_LIMIT. */
int slw_stacks_root(struct slw_stacks *s, uint32_t thread, uint32_t *ret_path);
int slw_stacks_step(struct slw_stacks *s, uint32_t caller, uint32_t frame, uint32_t *ret_path);
/* Add weights to the stack that ends at the path. As slw_stacks_add; when refused, nothing was
 * added. */
int slw_stacks_weigh(struct slw_stacks *s, uint32_t path, const uint64_t *weights);

/* One more column, in which every stack weighs 0. 0, -SLW_E_NOMEM or -SLW_E_LIMIT. */
int slw_stacks_add_column(struct slw_stacks *s, const struct slw_column *column);

/* ---- reading; everything returned is lent until slw_stacks_free, but for the frames of a stack
 * ---- */

struct slw_stack {
    const uint32_t *frames; /* leaf first; until the next slw_stacks_get of this profile */
    size_t depth;
    uint32_t thread;         /* id or SLW_NO_THREAD */
    const uint64_t *weights; /* column_count of them */
};

size_t slw_stacks_column_count(const struct slw_stacks *s);
const struct slw_column *slw_stacks_column(const struct slw_stacks *s, size_t index);
/* Index of the column with this event and unit (unit NULL: the first not "count", else "count");
 * event NULL: the first event. -1: none. */
int slw_stacks_find_column(const struct slw_stacks *s, const char *event, const char *unit);

size_t slw_stacks_count(const struct slw_stacks *s);
struct slw_stack slw_stacks_get(const struct slw_stacks *s, size_t index);
/* Parts of a stack without the walk that its frames cost. */
struct slw_stack slw_stacks_at(const struct slw_stacks *s, uint32_t path); /* no weights: NULL */
uint32_t slw_stacks_leaf(const struct slw_stacks *s, size_t index);        /* the path it ends at */
const uint64_t *slw_stacks_weights(const struct slw_stacks *s, size_t index);

/* All paths, callers before what they call. */
struct slw_path {
    uint32_t caller; /* path; SLW_NO_PATH: this one is a thread */
    uint32_t id;     /* of a frame, or of a thread (or SLW_NO_THREAD) */
};
#define SLW_NO_PATH UINT32_MAX
size_t slw_stacks_path_count(const struct slw_stacks *s);
struct slw_path slw_stacks_path(const struct slw_stacks *s, uint32_t path);

/* slw_stacks_frame(s, id).inlined, without the rest. */
bool slw_stacks_is_inlined(const struct slw_stacks *s, uint32_t id);

/* The function a stack is in, as tables of functions count: the position of its first frame that is
 * not inlined (only hot addresses tell what was inlined, so inlined frames would take from their
 * function what its other addresses keep); 0 where all are. depth > 0. */
size_t slw_stack_function(const struct slw_stacks *s, const struct slw_stack *k);
/* The same for a path: itself, or a caller of it. */
uint32_t slw_stacks_function(const struct slw_stacks *s, uint32_t path);

size_t slw_stacks_frame_count(const struct slw_stacks *s);
struct slw_frame slw_stacks_frame(const struct slw_stacks *s, uint32_t id);
size_t slw_stacks_mapping_count(const struct slw_stacks *s);
struct slw_mapping slw_stacks_mapping(const struct slw_stacks *s, uint32_t id);
size_t slw_stacks_thread_count(const struct slw_stacks *s);
struct slw_thread slw_stacks_thread(const struct slw_stacks *s, uint32_t id);

/* The id that slw_stacks_add_x, _root or _step would give; false: there is none yet. */
bool slw_stacks_find_mapping(const struct slw_stacks *s, const struct slw_mapping *m,
                             uint32_t *ret_id);
bool slw_stacks_find_frame(const struct slw_stacks *s, const struct slw_frame *f, uint32_t *ret_id);
bool slw_stacks_find_thread(const struct slw_stacks *s, const struct slw_thread *t,
                            uint32_t *ret_id);
bool slw_stacks_find_path(const struct slw_stacks *s, struct slw_path path, uint32_t *ret_path);

/* Sum of a column over all stacks (saturating at UINT64_MAX; adds are range-checked anyway). */
uint64_t slw_stacks_total(const struct slw_stacks *s, size_t column);

#endif
