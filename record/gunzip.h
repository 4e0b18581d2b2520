/* SPDX-License-Identifier: MIT */
/* Unpacking gzip in memory: profiles of many tools are stored so. */
#ifndef SLW_RECORD_GUNZIP_H
#define SLW_RECORD_GUNZIP_H

#include "base/buf.h"
#include "base/error.h"

bool slw_gzip_recognise(const void *bytes, size_t length);

/* Append the content of all members of a gzip file to out, at most limit_bytes. SLW_E_FORMAT
 * (truncated, corrupt), SLW_E_LIMIT, SLW_E_NOMEM. */
int slw_gunzip(const void *bytes, size_t length, size_t limit_bytes, struct slw_buf *out,
               struct slw_error *err);

#endif
