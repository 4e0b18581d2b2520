/* SPDX-License-Identifier: MIT */
/* The parameters of a row as a protocol would send them: each with its length in front, big endian,
 * as CQL's [value] is. */
#include "workloads/load.h"
#include "workloads/submit/submit_int.h"

#include <endian.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 40

static void put_u32(struct slw_buf *b, uint32_t v)
{
    v = htobe32(v);
    slw_buf_put(b, &v, sizeof(v));
}

/* As a serializer that knows one type at a time does it: a call and an append for each number. */
static __attribute__((noinline)) void put_float(struct slw_buf *b, float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof(bits));
    put_u32(b, bits);
}

static void put_vector(const struct slw_submit_source *s, struct slw_buf *b, uint64_t id)
{
    const size_t n = s->how->dimensions;
    const uint32_t salt = htobe32((uint32_t)id);

    switch (s->how->vector) {
    case SLW_VECTOR_ELEMENTS:
        for (size_t i = 0; i < n; i++)
            put_float(b, s->vector[i]);
        break;
    case SLW_VECTOR_BULK: {
        const size_t at = b->length;

        slw_buf_put(b, s->vector, n * sizeof(float));
        if (slw_buf_failed(b))
            return;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, b->data + at + i * sizeof(bits), sizeof(bits));
            bits = htobe32(bits);
            memcpy(b->data + at + i * sizeof(bits), &bits, sizeof(bits));
        }
        break;
    }
    case SLW_VECTOR_PASSED:
        slw_buf_put(b, s->encoded, n * sizeof(float));
        break;
    }
    /* Rows differ, or compression would see the same one again and again. */
    if (n > 0 && !slw_buf_failed(b))
        memcpy(b->data + b->length - sizeof(salt), &salt, sizeof(salt));
}

static void put_parameters(const struct slw_submit_source *s, struct slw_buf *b, uint64_t id)
{
    char text[TEXT_BYTES];
    const uint64_t key = htobe64(id);

    slw_payload_fill(s->seed, id, text, sizeof(text));
    put_u32(b, sizeof(key));
    slw_buf_put(b, &key, sizeof(key));
    put_u32(b, sizeof(text));
    slw_buf_put(b, text, sizeof(text));
    put_u32(b, (uint32_t)(s->how->dimensions * sizeof(float)));
    put_vector(s, b, id);
}

/* One by one: each parameter is made alone and then copied into the frame. */
static void put_one_by_one(const struct slw_submit_source *s, struct slw_buf *out, uint64_t id)
{
    struct slw_buf key = {0}, text = {0}, vector = {0};
    struct slw_buf *const parts[] = {&key, &text, &vector};
    char bytes[TEXT_BYTES];
    const uint64_t big = htobe64(id);

    slw_payload_fill(s->seed, id, bytes, sizeof(bytes));
    slw_buf_put(&key, &big, sizeof(big));
    slw_buf_put(&text, bytes, sizeof(bytes));
    put_vector(s, &vector, id);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        put_u32(out, (uint32_t)parts[i]->length);
        if (parts[i]->length)
            slw_buf_put(out, parts[i]->data, parts[i]->length);
        out->failed = out->failed || slw_buf_failed(parts[i]);
        slw_buf_release(parts[i]);
    }
}

/* As CQL does it: the length before compression, then an LZ4 block. */
static int compress(struct slw_buf *b)
{
    const int bound = LZ4_compressBound((int)b->length);
    char *packed = malloc((size_t)bound + sizeof(uint32_t));
    const uint32_t length = htobe32((uint32_t)b->length);

    if (!packed)
        return -SLW_E_NOMEM;
    memcpy(packed, &length, sizeof(length));
    const int n = LZ4_compress_default(b->data, packed + sizeof(length), (int)b->length, bound);
    b->length = 0;
    slw_buf_put(b, packed, (size_t)n + sizeof(length));
    free(packed);
    return n > 0 ? 0 : -SLW_E_INTERNAL;
}

int slw_submit_serialize(const struct slw_submit_source *s, uint64_t id, char **ret_bytes,
                         size_t *ret_length)
{
    struct slw_buf b = {0};
    int rc = 0;

    if (s->how->joined)
        put_parameters(s, &b, id);
    else
        put_one_by_one(s, &b, id);
    if (s->how->compressed && !slw_buf_failed(&b))
        rc = compress(&b);
    if (rc < 0 || slw_buf_failed(&b)) {
        slw_buf_release(&b);
        return rc < 0 ? rc : -SLW_E_NOMEM;
    }
    *ret_length = b.length;
    *ret_bytes = slw_buf_take(&b);
    return 0;
}

int slw_submit_source_init(struct slw_submit_source *s, const struct slw_submit_how *how,
                           uint64_t seed)
{
    struct slw_random r = {seed};
    const size_t n = how->dimensions ? how->dimensions : 1;

    *s = (struct slw_submit_source){.how = how, .seed = seed};
    s->vector = calloc(n, sizeof(*s->vector));
    s->encoded = calloc(n, sizeof(*s->encoded));
    if (!s->vector || !s->encoded)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < how->dimensions; i++) {
        uint32_t bits;

        s->vector[i] = (float)(slw_random_unit(&r) * 2 - 1);
        memcpy(&bits, &s->vector[i], sizeof(bits));
        s->encoded[i] = htobe32(bits);
    }
    return 0;
}

void slw_submit_source_release(struct slw_submit_source *s)
{
    free(s->vector);
    free(s->encoded);
}
