/* SPDX-License-Identifier: MIT */
/* Requests that could not be sent, in a folder of bounded size, one file each. Several processes
 * may use one folder: a file belongs to whoever holds its lock (flock(2)), and is complete from the
 * moment it has its name. Files of others, broken ones, and full disks are expected. */
#ifndef SLW_PUSH_SPOOL_H
#define SLW_PUSH_SPOOL_H

#include "push/entry.h"

struct slw_push_spool {
    const char *folder;   /* absolute or not; made when first needed, for its owner alone */
    uint64_t limit_bytes; /* of all files together; the oldest go first */
};
#define SLW_PUSH_MAX_FILES 1000 /* in the folder; the oldest go first as well */

/* A file that is ours as long as fd is open; fd -1: none. */
struct slw_push_slot {
    char name[64];
    int fd;
};

/* Keep a request. *ret_dropped: how many older ones had to go for it. SLW_E_FULL, SLW_E_LIMIT (it
 * alone is larger than the limit), SLW_E_PERM, SLW_E_IO, SLW_E_NOMEM: it was not kept. */
int slw_spool_store(const struct slw_push_spool *spool, const struct slw_push_entry *entry,
                    struct slw_push_slot *ret_slot, size_t *ret_dropped, struct slw_error *err);

/* The files there are, oldest first. */
struct slw_push_file {
    char name[64];
    uint64_t bytes, time_ns;
};
struct slw_push_files {
    struct slw_push_file *files; /* heap; free it */
    size_t count;
    uint64_t bytes;
};
/* A folder that is not there has none. SLW_E_PERM, SLW_E_IO, SLW_E_NOMEM. */
int slw_spool_list(const struct slw_push_spool *spool, struct slw_push_files *ret_files,
                   struct slw_error *err);

/* Lock and read a file. SLW_E_NOTFOUND: it is gone, or in the hands of another. Else it is ours
 * whatever is returned: SLW_E_FORMAT, nobody will ever be able to read it; SLW_E_VERSION,
 * SLW_E_NOMEM, SLW_E_IO, another may. *ret_bytes: heap, what the entry lends
 * from. */
int slw_spool_take(const struct slw_push_spool *spool, const char *name,
                   struct slw_push_slot *ret_slot, char **ret_bytes,
                   struct slw_push_entry *ret_entry, struct slw_error *err);

/* Give a file back, or remove it. A slot without a file is allowed. */
void slw_spool_leave(struct slw_push_slot *slot);
void slw_spool_remove(const struct slw_push_spool *spool, struct slw_push_slot *slot);

#endif
