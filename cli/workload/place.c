/* SPDX-License-Identifier: MIT */
#include "cli/workload/workload_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int slw_workload_place_make(struct slw_workload_place *p, struct slw_error *err)
{
    const char *tmp = getenv("TMPDIR");
    struct slw_workload_place made = {{0}, {0}};
    int n = snprintf(made.folder, sizeof(made.folder), "%s/slotwise-workload.XXXXXX",
                     tmp && tmp[0] ? tmp : "/tmp");

    if (n < 0 || (size_t)n >= sizeof(made.folder)) {
        slw_error_hint(err, "name a file with --connect");
        return slw_fail(err, SLW_E_INVAL, "the path in TMPDIR is too long");
    }
    if (!mkdtemp(made.folder)) {
        slw_error_hint(err, "name a file with --connect");
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot make a folder like %s", made.folder);
    }
    (void)snprintf(made.file, sizeof(made.file), "%s/database", made.folder);
    *p = made;
    return 0;
}

/* A database leaves its log and other files beside itself: all are in a folder of their own. */
void slw_workload_place_remove(const struct slw_workload_place *p)
{
    DIR *d = p->folder[0] ? opendir(p->folder) : NULL;
    const struct dirent *e;

    if (!d)
        return;
    while ((e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
    (void)rmdir(p->folder);
}
