/* SPDX-License-Identifier: MIT */
/* Tables kept in files, one for each build id: what is in the cache needs no binary. Writers put a
 * whole file in place at once; what is damaged, of another version or somebody else's is made anew.
 * The numbers in a file are those of the machine that wrote it. */
#ifndef SLW_ANALYZER_UNWIND_CFI_CACHE_H
#define SLW_ANALYZER_UNWIND_CFI_CACHE_H

#include "analyzer/unwind/cfi.h"

/* Smaller tables are made sooner than read. */
#define SLW_MIN_CFI_CACHE_ROWS 256

/* `dir`: the cache's; build_id: lower-case hex. False: there is none that can be believed, or no
 * memory. Release with slw_cfi_table_release. */
bool slw_cfi_cache_load(const char *dir, const char *build_id, struct slw_cfi_table *ret_table);

/* Makes what is missing of `dir`, and removes the oldest tables once there are too many.
 * -SLW_E_INVAL: no build id, or no table worth keeping; -SLW_E_NOMEM; what the disk says. */
int slw_cfi_cache_store(const char *dir, const char *build_id, const struct slw_cfi_table *table,
                        struct slw_error *err);

/* The table in the bytes of a file, which are taken in any case: heap. */
bool slw_cfi_cache_take(void *data, size_t length, const char *build_id,
                        struct slw_cfi_table *ret_table);
/* Put the right sum into the bytes of such a file, for tests that damage one. */
void slw_cfi_cache_seal(void *data, size_t length);

#endif
