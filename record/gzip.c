/* SPDX-License-Identifier: MIT */
#include "record/gzip_int.h"

#include <limits.h>
#include <string.h>

#define GZIP_WINDOW_BITS (15 + 16) /* the largest window, and a gzip header around it */
#define PIECE_BYTES      (64 * 1024)

int slw_gzip_init(struct slw_gzip *g, struct slw_buf *out)
{
    memset(&g->z, 0, sizeof(g->z));
    g->out = out;
    g->used = 0;
    if (deflateInit2(&g->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return -SLW_E_NOMEM;
    return 0;
}

static void deflate_pending(struct slw_gzip *g, int flush)
{
    uint8_t out[PIECE_BYTES];

    g->z.next_in = g->in;
    g->z.avail_in = (uInt)g->used;
    do {
        g->z.next_out = out;
        g->z.avail_out = sizeof(out);
        (void)deflate(&g->z, flush); /* cannot fail: there is always room to write */
        slw_buf_put(g->out, out, sizeof(out) - g->z.avail_out);
    } while (g->z.avail_out == 0);
    g->used = 0;
}

void slw_gzip_put(struct slw_gzip *g, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;

    while (length > 0) {
        size_t n = sizeof(g->in) - g->used;

        if (n > length)
            n = length;
        memcpy(g->in + g->used, p, n);
        g->used += n;
        p += n;
        length -= n;
        if (g->used == sizeof(g->in))
            deflate_pending(g, Z_NO_FLUSH);
    }
}

int slw_gzip_finish(struct slw_gzip *g)
{
    deflate_pending(g, Z_FINISH);
    return slw_buf_failed(g->out) ? -SLW_E_NOMEM : 0;
}

void slw_gzip_release(struct slw_gzip *g)
{
    (void)deflateEnd(&g->z);
}

bool slw_gzip_recognise(const void *bytes, size_t length)
{
    return length >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

static int inflate_failed(int z, size_t offset, struct slw_error *err)
{
    int rc;

    if (z == Z_MEM_ERROR)
        return slw_fail(err, SLW_E_NOMEM, "no memory to decompress");
    if (z == Z_BUF_ERROR)
        rc = slw_fail(err, SLW_E_FORMAT, "the gzip data end too soon: the file is truncated");
    else
        rc = slw_fail(err, SLW_E_FORMAT, "the gzip data are corrupt");
    slw_error_at(err, "gzip data, offset 0x%zx", offset);
    return rc;
}

/* One call of inflate; Z_MEM_ERROR also when out cannot grow. */
static int inflate_piece(z_stream *z, struct slw_buf *out)
{
    uint8_t piece[PIECE_BYTES];

    z->next_out = piece;
    z->avail_out = sizeof(piece);
    int status = inflate(z, Z_NO_FLUSH);
    slw_buf_put(out, piece, sizeof(piece) - z->avail_out);
    return slw_buf_failed(out) ? Z_MEM_ERROR : status;
}

/* A gzip file may hold several members; the next one follows the trailer of the last. */
static bool next_member(z_stream *z)
{
    return slw_gzip_recognise(z->next_in, z->avail_in) && inflateReset(z) == Z_OK;
}

static int inflate_all(z_stream *z, size_t length, size_t limit_bytes, struct slw_buf *out,
                       struct slw_error *err)
{
    size_t start = out->length;

    for (;;) {
        int status = inflate_piece(z, out);

        if (out->length - start > limit_bytes)
            return slw_fail(err, SLW_E_LIMIT, "the gzip data unpack to more than %zu bytes",
                            limit_bytes);
        if (status == Z_STREAM_END && z->avail_in == 0)
            return 0;
        if (status == Z_STREAM_END ? !next_member(z) : status != Z_OK)
            return inflate_failed(status == Z_STREAM_END ? Z_DATA_ERROR : status,
                                  length - z->avail_in, err);
    }
}

int slw_gunzip(const void *bytes, size_t length, size_t limit_bytes, struct slw_buf *out,
               struct slw_error *err)
{
    z_stream z = {0};

    if (length > UINT_MAX)
        return slw_fail(err, SLW_E_LIMIT, "more than %u bytes of gzip data", UINT_MAX);
    if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK)
        return slw_fail(err, SLW_E_NOMEM, "no memory to decompress");
    z.next_in = bytes;
    z.avail_in = (uInt)length;
    int rc = inflate_all(&z, length, limit_bytes, out, err);
    (void)inflateEnd(&z);
    return rc;
}
