/* SPDX-License-Identifier: MIT */
/* Compressed records: one zstd stream runs through all of them, and a record inside may begin in
 * one and end in the next, so everything is unpacked into one growing buffer. */
#include "analyzer/perfdata_int.h"

#include <stdlib.h>
#include <zstd.h>

struct slw_perf_unpacker {
    ZSTD_DStream *stream;
};

void slw_perf_unpacker_free(struct slw_perf_unpacker *u)
{
    if (!u)
        return;
    (void)ZSTD_freeDStream(u->stream);
    free(u);
}

static int start(struct slw_perfdata *pd)
{
    if (pd->unpacker)
        return 0;
    pd->unpacker = calloc(1, sizeof(*pd->unpacker));
    if (!pd->unpacker)
        return -SLW_E_NOMEM;
    pd->unpacker->stream = ZSTD_createDStream();
    return pd->unpacker->stream ? 0 : -SLW_E_NOMEM;
}

static int make_room(struct slw_perfdata *pd)
{
    size_t room = pd->unpacked_capacity - pd->unpacked_length;

    if (room >= ZSTD_DStreamOutSize())
        return 0;
    if (pd->unpacked_length > pd->unpacked_limit)
        return -SLW_E_LIMIT;
    size_t bigger = pd->unpacked_capacity * 2 + 2 * ZSTD_DStreamOutSize();
    uint8_t *grown = realloc(pd->unpacked, bigger);
    if (!grown)
        return -SLW_E_NOMEM;
    pd->unpacked = grown;
    pd->unpacked_capacity = bigger;
    return 0;
}

int slw_perf_unpack(struct slw_perfdata *pd, const uint8_t *packed, size_t length)
{
    ZSTD_inBuffer in = {packed, length, 0};
    int rc = start(pd);
    bool more = true;

    /* After all input is taken the stream may still hold output that found no room. */
    while (rc == 0 && (in.pos < in.size || more)) {
        rc = make_room(pd);
        if (rc < 0)
            break;
        ZSTD_outBuffer out = {pd->unpacked, pd->unpacked_capacity, pd->unpacked_length};
        size_t status = ZSTD_decompressStream(pd->unpacker->stream, &out, &in);
        if (ZSTD_isError(status))
            return -SLW_E_FORMAT;
        more = out.pos == out.size;
        pd->unpacked_length = out.pos;
    }
    return rc;
}
