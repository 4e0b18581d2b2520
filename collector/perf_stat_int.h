/* SPDX-License-Identifier: MIT */
/* What the files that turn perf stat's rows into a run share. */
#ifndef SLW_COLLECTOR_PERF_STAT_INT_H
#define SLW_COLLECTOR_PERF_STAT_INT_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/int128.h"
#include "collector/perf_stat.h"

/* One event of the command line that was recorded: the n-th of its name. */
struct slw_perf_slot {
    const char *name, *pmu; /* pmu NULL: none printed */
    enum slw_mode mode;
    bool software;
    size_t occurrence; /* 0: the first of this name */
    bool carries;      /* a metric stands next to it */
    int covered_bp;    /* of its first row */
    bool counted;
    int group;
    size_t line, column; /* of its first row */
};

/* What is summed up for one slot in one place: over intervals, and over cores of --per-core. */
struct slw_perf_cell {
    size_t slot;
    int32_t cpu, tid; /* -1: the whole target */
    const char *unit;
    uint64_t value, running_ns, enabled_ns;
    int covered_bp;     /* the least of its rows */
    bool times;         /* every row had running_ns */
    const char *absent; /* why there is no sum */
    const char *spread; /* "0.05" of -r; NULL */
    size_t rows;
};

struct slw_perf_printed {
    const char *name, *value, *unit, *threshold;
    size_t cell; /* SIZE_MAX: stood alone */
};

struct slw_perf_seen { /* how often a name was met in this interval and place */
    const char *key;
    uint64_t interval;
    size_t count;
};

struct slw_perf_stat {
    const char *path, *format;
    struct slw_arena *arena;
    struct slw_perf_slot *slots;
    size_t slot_count;
    struct slw_perf_cell *cells;
    size_t cell_count;
    struct slw_perf_printed *printed;
    size_t printed_count;
    struct slw_perf_seen *seen;
    size_t seen_count;
    struct slw_index slot_index, cell_index, seen_index;
    size_t last_cell; /* SIZE_MAX: no row yet */
    const char *time; /* of the interval the last row belongs to; NULL: none */
    uint64_t interval_count;
    uint64_t wall_ns; /* 0: unknown */
    const char *target;
    uint64_t user_ns, system_ns;
    bool have_user, have_system;
    bool places, summed; /* -A or --per-thread; --per-core and the like */
    bool rounded;        /* some mean of -r was no whole number */
    bool repeated;       /* -r */
};

struct slw_perf_place {
    int32_t cpu, tid; /* -1: not of one */
    bool summed;      /* a core, die, socket, node: no number of ours says which; added up */
};

/* Where a row was counted. False: its place is none perf prints. */
bool slw_perf_place_read(const struct slw_perf_row *row, struct slw_perf_place *ret);

/* Number the groups that were counted together, from what was printed. */
void slw_perf_stat_group(struct slw_perf_stat *s);

/* Do the rows come from one machine and one output? -SLW_E_FORMAT at the row that does not. */
int slw_perf_stat_check(const struct slw_perf_stat *s, struct slw_error *err);

#endif
