/* SPDX-License-Identifier: MIT */
#ifndef SLW_STATIC
#include "push/curl.h"

#include "base/library.h"

#define LIBRARY "libcurl.so.4"

int slw_curl_open(struct slw_curl *ret_curl, struct slw_error *err)
{
    struct slw_curl c = {.object = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    int rc = 0;

    if (!c.object) {
        const char *why = dlerror();

        slw_error_hint(err, "apt-get install libcurl4");
        return slw_fail(err, SLW_E_UNSUPPORTED, "pushing needs " LIBRARY ": %.200s",
                        why ? why : "it cannot be loaded");
    }
#define X(type, name, parameters)                                                                  \
    rc = rc < 0 ? rc : slw_library_find(c.object, LIBRARY, "curl_" #name, &c.name, err);
    SLW_CURL_FUNCTIONS(X)
#undef X
    if (rc < 0)
        slw_curl_close(&c);
    else
        *ret_curl = c;
    return rc;
}

void slw_curl_close(struct slw_curl *c)
{
    if (c->object)
        (void)dlclose(c->object);
    c->object = NULL;
}
#else
extern int slw_curl_none;
int slw_curl_none;
#endif
