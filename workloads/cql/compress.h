/* SPDX-License-Identifier: MIT */
/* LZ4 blocks, where this was built with LZ4. */
#ifndef SLW_WORKLOADS_CQL_COMPRESS_H
#define SLW_WORKLOADS_CQL_COMPRESS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

bool slw_cql_lz4_available(void);

/* Append the block to `to`; false when it would not be shorter than `length`, or without LZ4. */
bool slw_cql_lz4_pack(struct slw_buf *to, const void *bytes, size_t length);

/* Append exactly `whole` bytes; false when the block is not that, or without LZ4. What is claimed
 * and cannot be (LZ4 makes at most 255 bytes of one) costs no memory. */
bool slw_cql_lz4_unpack(struct slw_buf *to, const void *block, size_t length, size_t whole);

#endif
