/* SPDX-License-Identifier: MIT */
/* The stages that files mark with include/slotwise/stage.h, and where. The same provider and name
 * are the same stage, in whatever file and however often the compiler copied the mark. */
#ifndef SLW_COLLECTOR_TAPS_STAGE_MARKS_H
#define SLW_COLLECTOR_TAPS_STAGE_MARKS_H

#include "base/error.h"
#include "collector/taps/stage/sdt.h"

#include <linux/types.h>
#include <sys/stat.h>

#include "collector/taps/stage/layout.h"

#define SLW_STAGE_MAX_NAME  64   /* with its end; longer ones are not readable in a table */
#define SLW_STAGE_MAX_MARKS 4096 /* each is a uprobe, and takes 0.1 ms to attach */
#define SLW_STAGE_MAX_FILES 512

struct slw_stage_name {
    char provider[SLW_STAGE_MAX_NAME]; /* "" where the program does not say who it is */
    char name[SLW_STAGE_MAX_NAME];
};

struct slw_stage_mark {
    uint16_t file;  /* of slw_stage_marks.files */
    uint16_t stage; /* of slw_stage_marks.stages */
    bool end;
    uint64_t offset, semaphore_offset;
};

struct slw_stage_marks {
    struct slw_stage_name stages[SLW_STAGE_MAX];
    size_t stage_count;
    struct slw_stage_mark marks[SLW_STAGE_MAX_MARKS];
    size_t mark_count;
    char *files[SLW_STAGE_MAX_FILES]; /* paths as we can open them; heap */
    size_t file_count;
    uint64_t unusable; /* marks that cannot be read */
    uint64_t left_out; /* marks beyond the limits */
};

void slw_stage_marks_release(struct slw_stage_marks *m);

/* Add the marks of a file that is read through `read`. `path` is copied when it has any. As
 * slw_sdt_probes. */
int slw_stage_marks_read(struct slw_stage_marks *m, const char *path, slw_sdt_read_fn *read,
                         void *read_ctx, struct slw_error *err);

/* The same of the file at `path`. One that cannot be opened or is no regular file has none. */
int slw_stage_marks_file(struct slw_stage_marks *m, const char *path, struct slw_error *err);

/* Is it, under whatever name, a file whose marks are among them? */
bool slw_stage_marks_know(const struct slw_stage_marks *m, const struct stat *file);

#endif
