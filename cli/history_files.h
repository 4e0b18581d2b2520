/* SPDX-License-Identifier: MIT */
/* Saved runs below folders, for `slotwise history`. What of a run a history does not need is let go
 * again: there may be thousands. */
#ifndef SLW_CLI_HISTORY_FILES_H
#define SLW_CLI_HISTORY_FILES_H

#include "analyzer/history/history.h"

#define SLW_MAX_HISTORY_LABELS 32

struct slw_history_files {
    struct slw_history_run *runs; /* with their observations of the metric */
    size_t count;
    size_t unreadable; /* named on standard error */
};

/* Read all runs at and below the paths. A file that cannot be read is named and skipped. A folder
 * without a run is SLW_E_NODATA, a path that is not there SLW_E_NOTFOUND; -SLW_E_LIMIT,
 * -SLW_E_NOMEM. */
int slw_history_files_read(char *const *paths, size_t path_count, const char *metric,
                           struct slw_history_files *ret_files, struct slw_error *err);
void slw_history_files_release(struct slw_history_files *f);

#endif
