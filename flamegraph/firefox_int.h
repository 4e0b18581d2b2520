/* SPDX-License-Identifier: MIT */
/* The state of writing one Firefox profile, shared by exporters/firefox.c (the profile) and
 * firefox_thread.c (the tables of a thread). */
#ifndef SLW_FLAMEGRAPH_FIREFOX_INT_H
#define SLW_FLAMEGRAPH_FIREFOX_INT_H

#include "base/strtab.h"
#include "flamegraph/export_parts.h"

/* Places in the list of categories that the profile starts with. */
enum { SLW_FIREFOX_USER, SLW_FIREFOX_KERNEL, SLW_FIREFOX_OTHER };

/* One thread's part of the profile: its paths, the frames on them and their strings. */
struct slw_firefox_part {
    uint32_t thread;       /* id or SLW_NO_THREAD */
    const uint32_t *paths; /* callers first, without the thread itself */
    uint32_t path_count;
    const uint32_t *ends; /* stacks of this thread that weigh something */
    uint32_t end_count;
    struct slw_strtab strings;
    uint32_t *frames, frame_count;       /* frame ids in the order met */
    uint32_t *depths;                    /* of each frame: into how many it was inlined */
    uint32_t *functions, function_count; /* the same, a frame of each function */
};

struct slw_firefox {
    const struct slw_stacks *stacks;
    const struct slw_run *run;
    size_t column;
    bool time;
    struct slw_buf *out;
    uint32_t *place_of_path;  /* in the stack table of its thread */
    uint32_t *function_of;    /* per frame: what the profiler shall take for one function */
    uint32_t *place_of_frame; /* in the frame table of the thread being written, + 1; 0: not yet */
    uint32_t *place_of_function; /* the same, by function_of */
    uint32_t *thread_of_path;    /* its root's; threads count from 0, none is last */
    uint32_t *paths, *path_starts;
    uint32_t *ends, *end_starts;
    uint32_t thread_count; /* those of the profile, and one for no thread */
};

/* Is the path a thread, without any frame? */
static inline bool slw_firefox_is_root(const struct slw_path *p)
{
    return p->caller == SLW_NO_PATH;
}

static inline uint64_t slw_firefox_weight(const struct slw_firefox *w, uint32_t stack)
{
    return slw_stacks_weights(w->stacks, stack)[w->column];
}

/* Nanoseconds as milliseconds, exactly. */
void slw_firefox_put_ms(struct slw_buf *out, uint64_t ns);

/* What the profiler shows behind a function; its path is told too. */
const char *slw_firefox_lib_name(const struct slw_mapping *m);

/* The object of one thread. 0 or -SLW_E_NOMEM. */
int slw_firefox_put_thread(struct slw_firefox *w, struct slw_firefox_part *p);

#endif
