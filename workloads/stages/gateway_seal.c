/* SPDX-License-Identifier: MIT */
/* The stages that pack, seal and sum up an answer, and the way back. */
#include "workloads/load.h"
#include "workloads/stages/gateway_int.h"

#include <slotwise/stage.h>

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define KEY_BYTES 32
#define SALT      4 /* of the nonce; the rest is the sequence, so that none is used twice */

/* From the seed, so that the same run gives the same bytes: this protects nothing. */
static void make_key(uint64_t seed, uint8_t key[KEY_BYTES], uint8_t nonce[12])
{
    struct slw_random r = {seed};

    for (size_t i = 0; i < KEY_BYTES; i += 8)
        slw_gateway_put(key + i, slw_random_next(&r), 8);
    memset(nonce, 0, 12);
    slw_gateway_put(nonce, slw_random_next(&r), SALT);
}

int slw_gateway_open_seal(struct slw_gateway *g, uint64_t seed, struct slw_error *err)
{
    uint8_t key[KEY_BYTES];

    make_key(seed, key, g->nonce);
    g->lz4 = LZ4_createStream();
    g->cipher = EVP_CIPHER_CTX_new();
    g->md = EVP_MD_CTX_new();
    g->sha = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!g->lz4 || !g->cipher || !g->md)
        return slw_fail(err, SLW_E_NOMEM, "no memory for LZ4 and OpenSSL");
    if (!g->sha || EVP_EncryptInit_ex(g->cipher, EVP_aes_256_gcm(), NULL, key, g->nonce) != 1)
        return slw_fail(err, SLW_E_UNSUPPORTED, "OpenSSL does not give AES-256-GCM and SHA-256");
    return 0;
}

void slw_gateway_close_seal(struct slw_gateway *g)
{
    (void)LZ4_freeStream(g->lz4);
    EVP_CIPHER_CTX_free(g->cipher);
    EVP_MD_CTX_free(g->md);
    EVP_MD_free(g->sha);
    g->lz4 = NULL;
    g->cipher = NULL;
    g->md = NULL;
    g->sha = NULL;
}

/* Each answer is packed by itself; the table of the stream is made fresh without clearing it. */
static void compress_text(struct slw_gateway *g, struct slw_gateway_call *c)
{
    const size_t room = slw_gateway_answer_capacity(g->payload);

    LZ4_resetStream_fast(g->lz4);
    const int n =
        LZ4_compress_fast_continue(g->lz4, c->text, c->packed, (int)c->text_length, (int)room, 1);
    if (n <= 0) {
        slw_gateway_fail(g, "compress an answer");
        return;
    }
    c->packed_length = (size_t)n;
}

static void seal(struct slw_gateway *g, struct slw_gateway_call *c)
{
    uint8_t *sealed = c->answer + SLW_GATEWAY_ANSWER_HEAD;
    uint8_t *tag = sealed + c->packed_length;
    int n = 0;
    int rest = 0;

    c->answer_length = SLW_GATEWAY_ANSWER_HEAD + c->packed_length + SLW_GATEWAY_TRAILER;
    slw_gateway_put(c->answer, c->answer_length, 4);
    slw_gateway_put(c->answer + 4, c->sequence, 8);
    slw_gateway_put(c->answer + 12, c->text_length, 4);
    slw_gateway_put(g->nonce + SALT, c->sequence, 8);
    if (EVP_EncryptInit_ex(g->cipher, NULL, NULL, NULL, g->nonce) != 1 ||
        EVP_EncryptUpdate(g->cipher, sealed, &n, (const uint8_t *)c->packed,
                          (int)c->packed_length) != 1 ||
        EVP_EncryptFinal_ex(g->cipher, sealed + n, &rest) != 1 ||
        (size_t)n + (size_t)rest != c->packed_length ||
        EVP_CIPHER_CTX_ctrl(g->cipher, EVP_CTRL_GCM_GET_TAG, SLW_GATEWAY_TAG, tag) != 1)
        slw_gateway_fail(g, "seal an answer");
}

static void digest(struct slw_gateway *g, struct slw_gateway_call *c)
{
    const uint8_t *sealed = c->answer + SLW_GATEWAY_ANSWER_HEAD;
    const size_t length = c->packed_length + SLW_GATEWAY_TAG;

    if (EVP_DigestInit_ex(g->md, g->sha, NULL) != 1 ||
        EVP_DigestUpdate(g->md, sealed, length) != 1 ||
        EVP_DigestFinal_ex(g->md, c->answer + SLW_GATEWAY_ANSWER_HEAD + length, NULL) != 1)
        slw_gateway_fail(g, "take the digest of an answer");
}

/* Of the head and of the tag and the digest, which in turn cover what lies between. */
static void sum_of(const uint8_t *answer, size_t length, uint8_t sums[8])
{
    const size_t covered = SLW_GATEWAY_TAG + SLW_GATEWAY_DIGEST;
    const uint8_t *trailer = answer + length - SLW_GATEWAY_TRAILER;
    const uLong crc = crc32(0, answer, SLW_GATEWAY_ANSWER_HEAD);

    slw_gateway_put(sums, crc32(crc, trailer, (uInt)covered), 4);
    slw_gateway_put(sums + 4, adler32(1, trailer, (uInt)covered), 4);
}

static void sum(struct slw_gateway *g, struct slw_gateway_call *c)
{
    (void)g;
    sum_of(c->answer, c->answer_length, c->answer + c->answer_length - 8);
}

SLW_GATEWAY_RUN(compress, compress_text)
SLW_GATEWAY_RUN(seal, seal)
SLW_GATEWAY_RUN(digest, digest)
SLW_GATEWAY_RUN(sum, sum)

int slw_gateway_opener_init(struct slw_gateway_opener *o, size_t payload, uint64_t seed,
                            struct slw_error *err)
{
    uint8_t key[KEY_BYTES];

    *o = (struct slw_gateway_opener){.capacity = slw_gateway_answer_capacity(payload),
                                     .text_capacity = slw_gateway_text_capacity(payload)};
    make_key(seed, key, o->nonce);
    o->cipher = EVP_CIPHER_CTX_new();
    o->packed = malloc(o->capacity);
    if (!o->cipher || !o->packed ||
        EVP_DecryptInit_ex(o->cipher, EVP_aes_256_gcm(), NULL, key, o->nonce) != 1) {
        slw_gateway_opener_release(o);
        return slw_fail(err, SLW_E_NOMEM, "no memory to open answers");
    }
    return 0;
}

void slw_gateway_opener_release(struct slw_gateway_opener *o)
{
    EVP_CIPHER_CTX_free(o->cipher);
    free(o->packed);
    *o = (struct slw_gateway_opener){0};
}

static bool unseal(struct slw_gateway_opener *o, const uint8_t *answer, size_t length)
{
    const uint8_t *sealed = answer + SLW_GATEWAY_ANSWER_HEAD;
    uint8_t tag[SLW_GATEWAY_TAG];
    int n = 0;
    int rest = 0;

    memcpy(tag, sealed + length, sizeof(tag));
    memcpy(o->nonce + SALT, answer + 4, 8);
    return EVP_DecryptInit_ex(o->cipher, NULL, NULL, NULL, o->nonce) == 1 &&
           EVP_DecryptUpdate(o->cipher, (uint8_t *)o->packed, &n, sealed, (int)length) == 1 &&
           EVP_CIPHER_CTX_ctrl(o->cipher, EVP_CTRL_GCM_SET_TAG, SLW_GATEWAY_TAG, tag) == 1 &&
           EVP_DecryptFinal_ex(o->cipher, (uint8_t *)o->packed + n, &rest) == 1;
}

/* Of `length` bytes, which are at least a head and a trailer. */
static bool sums_are_right(const uint8_t *answer, size_t length)
{
    const size_t digested = length - SLW_GATEWAY_ANSWER_HEAD - SLW_GATEWAY_DIGEST - 8;
    uint8_t sums[8];
    uint8_t sha[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    sum_of(answer, length, sums);
    return memcmp(sums, answer + length - 8, 8) == 0 &&
           EVP_Digest(answer + SLW_GATEWAY_ANSWER_HEAD, digested, sha, &n, EVP_sha256(), NULL) ==
               1 &&
           memcmp(sha, answer + SLW_GATEWAY_ANSWER_HEAD + digested, SLW_GATEWAY_DIGEST) == 0;
}

int slw_gateway_open_answer(struct slw_gateway_opener *o, const uint8_t *answer, size_t length,
                            char *text, size_t *ret_length, struct slw_error *err)
{
    if (length <= SLW_GATEWAY_ANSWER_HEAD + SLW_GATEWAY_TRAILER || length > o->capacity ||
        slw_gateway_get(answer, 4) != length || !sums_are_right(answer, length))
        return slw_fail(err, SLW_E_FORMAT, "an answer's sums are wrong");
    const size_t packed = length - SLW_GATEWAY_ANSWER_HEAD - SLW_GATEWAY_TRAILER;
    const uint64_t told = slw_gateway_get(answer + 12, 4);
    if (!unseal(o, answer, packed))
        return slw_fail(err, SLW_E_FORMAT, "an answer was not sealed with our key");
    const int n = LZ4_decompress_safe(o->packed, text, (int)packed, (int)o->text_capacity);
    if (n < 0 || (uint64_t)n != told)
        return slw_fail(err, SLW_E_FORMAT, "an answer cannot be unpacked");
    *ret_length = (size_t)n;
    return 0;
}
