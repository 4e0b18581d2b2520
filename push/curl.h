/* SPDX-License-Identifier: MIT */
/* libcurl, opened at run time: see CMakeLists.txt. Private to http.c. */
#ifndef SLW_PUSH_CURL_H
#define SLW_PUSH_CURL_H

#include "base/error.h"

#include <curl/curl.h>

/* Named as in curl.h without "curl_". */
#define SLW_CURL_FUNCTIONS(X)                                                                      \
    X(CURL *, easy_init, (void))                                                                   \
    X(CURLcode, easy_setopt, (CURL *, CURLoption, ...))                                            \
    X(CURLcode, easy_perform, (CURL *))                                                            \
    X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...))                                             \
    X(void, easy_cleanup, (CURL *))                                                                \
    X(const char *, easy_strerror, (CURLcode))                                                     \
    X(struct curl_slist *, slist_append, (struct curl_slist *, const char *))                      \
    X(void, slist_free_all, (struct curl_slist *))

struct slw_curl {
    void *object;
#define X(type, name, parameters) type(*name) parameters;
    SLW_CURL_FUNCTIONS(X)
#undef X
};

/* SLW_E_UNSUPPORTED with the package to install. The code stays loaded behind close: libraries
 * below libcurl leave functions to be called at exit. */
int slw_curl_open(struct slw_curl *ret_curl, struct slw_error *err);
void slw_curl_close(struct slw_curl *c);

#endif
