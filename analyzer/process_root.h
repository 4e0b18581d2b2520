/* SPDX-License-Identifier: MIT */
/* Files as a process that still runs sees them: its mounts may be others than ours. */
#ifndef SLW_ANALYZER_PROCESS_ROOT_H
#define SLW_ANALYZER_PROCESS_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is known of a process; false: it is gone, or not to be looked at. */
struct slw_process_root {
    int32_t pid;
    int32_t own_pid;     /* what it calls itself: the number in its innermost namespace */
    uid_t uid;           /* effective */
    uint64_t started_ns; /* realtime clock; 0 unknown */
    bool other_files;    /* its mounts or its root directory are not ours */
    char path[32];       /* "/proc/PID/root" */
};
bool slw_process_root_of(int32_t pid, struct slw_process_root *ret_root);

/* `path` as the process sees it, by way of ours; false: too long. */
bool slw_process_root_path(const struct slw_process_root *root, const char *path,
                           char ret_path[PATH_MAX]);

#endif
