/* SPDX-License-Identifier: MIT */
/* Functions of a shared library that is opened when it is needed, so that slotwise runs where it is
 * not installed. Not for: opening it, which each user words in its own way. */
#ifndef SLW_BASE_LIBRARY_H
#define SLW_BASE_LIBRARY_H

#include "base/error.h"

#include <dlfcn.h>
#include <string.h>

/* The address of `name` in an open library, which errors call `file`, as the pointer to a function
 * at ret_function. 0 or -SLW_E_UNSUPPORTED: it has none. Source: dlsym(3). */
static inline int slw_library_find(void *library, const char *file, const char *name,
                                   void *ret_function, struct slw_error *err)
{
    void *symbol = dlsym(library, name);

    if (!symbol)
        return slw_fail(err, SLW_E_UNSUPPORTED, "%s has no function %s", file, name);
    /* ISO C has no cast from void * to a function; POSIX says that the bytes are the same. */
    memcpy(ret_function, &symbol, sizeof(symbol));
    return 0;
}

#endif
