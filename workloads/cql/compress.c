/* SPDX-License-Identifier: MIT */
#include "workloads/cql/compress.h"

#ifdef SLW_HAVE_LZ4
#include <limits.h>
#include <lz4.h>
#include <stdlib.h>

#define MAX_RATIO 255u

bool slw_cql_lz4_available(void)
{
    return true;
}

bool slw_cql_lz4_pack(struct slw_buf *to, const void *bytes, size_t length)
{
    char *block = NULL;
    int packed = 0;

    if (length < 2 || length > LZ4_MAX_INPUT_SIZE)
        return false;
    block = malloc(length);
    if (block) /* no room for what is not shorter */
        packed = LZ4_compress_default(bytes, block, (int)length, (int)length - 1);
    if (packed > 0)
        slw_buf_put(to, block, (size_t)packed);
    free(block);
    return packed > 0 && !slw_buf_failed(to);
}

bool slw_cql_lz4_unpack(struct slw_buf *to, const void *block, size_t length, size_t whole)
{
    char *bytes = NULL;
    bool good = false;

    if (length > INT_MAX || whole > INT_MAX || whole / MAX_RATIO > length)
        return false;
    bytes = malloc(whole + 1);
    good = bytes && LZ4_decompress_safe(block, bytes, (int)length, (int)whole) == (int)whole;
    if (good)
        slw_buf_put(to, bytes, whole);
    free(bytes);
    return good && !slw_buf_failed(to);
}
#else
bool slw_cql_lz4_available(void)
{
    return false;
}

bool slw_cql_lz4_pack(struct slw_buf *to, const void *bytes, size_t length)
{
    (void)to, (void)bytes, (void)length;
    return false;
}

bool slw_cql_lz4_unpack(struct slw_buf *to, const void *block, size_t length, size_t whole)
{
    (void)to, (void)block, (void)length, (void)whole;
    return false;
}
#endif
