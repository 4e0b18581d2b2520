/* SPDX-License-Identifier: MIT */
/* Scope cleanup for local temporaries: `char *SLW_AUTO(free) text = NULL;` frees at scope end.
 * Never for results a function returns. */
#ifndef SLW_BASE_CLEANUP_H
#define SLW_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SLW_AUTO(how) __attribute__((cleanup(slw_auto_##how)))

static inline void slw_auto_free(void *slot)
{
    void **p = (void **)slot;
    free(*p);
}

static inline void slw_auto_close(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void slw_auto_fclose(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

#endif
