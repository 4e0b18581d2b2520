/* SPDX-License-Identifier: MIT */
/* A request that waits on the disk: one line of JSON, then the body as it will be sent. No secrets:
 * those of the run that sends it are used. Pure: no I/O. */
#ifndef SLW_PUSH_ENTRY_H
#define SLW_PUSH_ENTRY_H

#include "push/kind.h"

#define SLW_PUSH_MAX_LINE 65536 /* a URL, and labels in its suffix */

struct slw_push_entry {
    const struct slw_push_kind *kind;
    const char *url, *suffix; /* of an endpoint, without secrets; lent, or from `owned` */
    const void *body;         /* lent */
    size_t length;
    char *owned[2]; /* of one that was read; else NULL */
};

/* Append. SLW_E_NOMEM. */
int slw_push_entry_write(const struct slw_push_entry *e, struct slw_buf *out,
                         struct slw_error *err);

/* SLW_E_FORMAT with what is wrong, also of one that was cut off; SLW_E_VERSION; SLW_E_NOMEM.
 * Release. */
int slw_push_entry_read(const void *bytes, size_t length, struct slw_push_entry *ret_entry,
                        struct slw_error *err);
void slw_push_entry_release(struct slw_push_entry *e);

#endif
