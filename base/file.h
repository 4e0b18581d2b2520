/* SPDX-License-Identifier: MIT */
/* Whole files and exact writes: EINTR and short transfers handled once, here. */
#ifndef SLW_BASE_FILE_H
#define SLW_BASE_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Read all of `path` (at most limit_bytes; more is SLW_E_LIMIT) into a NUL-terminated heap buffer
 * the caller frees. Missing: SLW_E_NOTFOUND. Not allowed: SLW_E_PERM. Other: SLW_E_IO. Works on
 * pipes and on /proc and /sys files, whose size is not known beforehand. */
int slw_file_read(const char *path, size_t limit_bytes, char **ret_data, size_t *ret_length,
                  struct slw_error *err);

/* Write `length` bytes to `path` so that a reader sees the old file or the whole new one: a
 * temporary in the same directory is written and renamed over it. SLW_E_FULL, SLW_E_PERM,
 * SLW_E_IO; the temporary is removed on failure. */
int slw_file_write(const char *path, const void *data, size_t length, struct slw_error *err);

/* The same, and only the owner may read it. */
int slw_file_write_private(const char *path, const void *data, size_t length,
                           struct slw_error *err);

/* write(2)/pwrite(2)/read(2) until done. slw_write_all*: 0 or -errno. slw_read_full: bytes read (0
 * = end of file, fewer than asked only at the end) or -errno. */
int slw_write_all(int fd, const void *data, size_t length);
int slw_write_all_at(int fd, const void *data, size_t length, uint64_t offset);
long long slw_read_full(int fd, void *data, size_t length);

#endif
