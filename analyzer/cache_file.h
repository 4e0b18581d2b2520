/* SPDX-License-Identifier: MIT */
/* What files have in common that are kept because it is costly to find out again what they hold:
 * only files of our own are believed, and only whole ones. */
#ifndef SLW_ANALYZER_CACHE_FILE_H
#define SLW_ANALYZER_CACHE_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Finds damage of disks and writers, no forgery. */
uint64_t slw_cache_checksum(const void *data, size_t length);

/* False: a file that another user could have written, an empty one, or more than max_bytes. */
bool slw_cache_is_ours(int fd, size_t max_bytes, size_t *ret_length);

/* The last two components: $XDG_CACHE_HOME itself may not be there yet. */
int slw_cache_make_dir(const char *dir, struct slw_error *err);

/* Remove the oldest files of a folder until half of either limit is left, once one is passed. */
void slw_cache_trim(const char *dir, size_t max_files, uint64_t max_bytes);

#endif
