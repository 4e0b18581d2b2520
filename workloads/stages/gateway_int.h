/* SPDX-License-Identifier: MIT */
/* What the stages of the workload do with one request: a gateway in front of a database. A request
 * goes through some 90 KiB of instructions, most of them once; in each stage through less than the
 * 32 KiB that a first-level instruction cache has. Not for: queueing (workloads/execution.h), the
 * loop and its connection (loop_int.h). */
#ifndef SLW_WORKLOADS_STAGES_GATEWAY_INT_H
#define SLW_WORKLOADS_STAGES_GATEWAY_INT_H

#include "base/error.h"
#include "workloads/execution.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <lz4.h>
#include <openssl/evp.h>
#include <pcre2.h>
#include <sqlite3.h>

#include <stdbool.h>

/* In the order a request goes through them. */
#define SLW_GATEWAY_STAGES(X)                                                                      \
    X(decode, "check the head of the request")                                                     \
    X(parse, "match the statement (PCRE2)")                                                        \
    X(bind, "make typed values of its parameters")                                                 \
    X(plan, "look up what is prepared for it")                                                     \
    X(select, "read the row (SQLite)")                                                             \
    X(update, "update it (SQLite)")                                                                \
    X(encode, "write the answer as text")                                                          \
    X(compress, "LZ4")                                                                             \
    X(seal, "AES-256-GCM")                                                                         \
    X(digest, "SHA-256 of what was sealed")                                                        \
    X(sum, "CRC-32 and Adler-32 of the rest")                                                      \
    X(send, "write it to the connection")

enum slw_gateway_stage {
#define X(name, text) SLW_GATEWAY_##name,
    SLW_GATEWAY_STAGES(X)
#undef X
        SLW_GATEWAY_STAGE_COUNT
};

/* A request: length of all (4 bytes, little-endian), sequence (8), statement. */
#define SLW_GATEWAY_HEAD          12
#define SLW_GATEWAY_MAX_STATEMENT 96
#define SLW_GATEWAY_MAX_REQUEST   (SLW_GATEWAY_HEAD + SLW_GATEWAY_MAX_STATEMENT)

/* An answer: length of all (4), sequence (8), length before LZ4 (4), what is sealed, tag (16),
 * SHA-256 of both (32), CRC-32 of head, tag and SHA-256 (4), Adler-32 of the last two (4). */
#define SLW_GATEWAY_ANSWER_HEAD 16
#define SLW_GATEWAY_TAG         16
#define SLW_GATEWAY_DIGEST      32
#define SLW_GATEWAY_TRAILER     (SLW_GATEWAY_TAG + SLW_GATEWAY_DIGEST + 8)
#define SLW_GATEWAY_MAX_TEXT    160 /* of the answer's text, besides the row's payload */

/* One request in flight. The buffers belong to whoever has the array (loop_int.h). */
struct slw_gateway_call {
    uint64_t sequence;
    uint8_t *frame; /* the request as it came */
    size_t frame_length;
    const char *verb, *key_text, *user_text, *price_text; /* parse: into frame */
    size_t verb_length, key_length, user_length, price_length;
    uint64_t key, user;
    double price;
    bool updates; /* plan */
    int64_t score;
    const char *row; /* the text of the row; in `answer` until it is overwritten */
    size_t row_length, text_length;
    char *text;      /* the answer before LZ4 */
    char *packed;    /* after it */
    uint8_t *answer; /* the frame */
    size_t packed_length, answer_length;
};
size_t slw_gateway_text_capacity(size_t payload);
size_t slw_gateway_answer_capacity(size_t payload); /* of `packed`, too */

/* What the stages work with. A failure of a library is remembered, and the stages after it do
 * nothing: the loop looks at `failed` and ends. */
struct slw_gateway {
    sqlite3 *db;
    sqlite3_stmt *select, *update;
    pcre2_code *pattern;
    pcre2_match_data *match;
    EVP_CIPHER_CTX *cipher;
    EVP_MD_CTX *md;
    EVP_MD *sha;
    LZ4_stream_t *lz4;
    uint8_t nonce[12];
    size_t payload;
    bool failed;
    struct slw_error error;
    /* Hands a frame to the connection; negative: `error` says why. */
    int (*send)(void *ctx, struct slw_gateway_call *call, struct slw_error *err);
    void *send_ctx;
};

int slw_gateway_open(struct slw_gateway *g, uint64_t rows, size_t payload, uint64_t seed,
                     struct slw_error *err);
void slw_gateway_close(struct slw_gateway *g); /* half-opened, too */
void slw_gateway_fail(struct slw_gateway *g, const char *what);

/* All updates that were done. */
int slw_gateway_updates(struct slw_gateway *g, uint64_t *ret_updates, struct slw_error *err);

/* The text of row `key`: what the database was filled with. Of slw_gateway_text_capacity(). */
size_t slw_gateway_row(uint64_t seed, uint64_t key, size_t payload, char *text);

/* As it is handed to slw_execution_init, each with the limit 1. */
void slw_gateway_kinds(struct slw_gateway *g,
                       struct slw_execution_kind ret_kinds[SLW_GATEWAY_STAGE_COUNT]);

#define X(name, text) void slw_gateway_run_##name(void *ctx, void *const *calls, size_t count);
SLW_GATEWAY_STAGES(X)
#undef X

/* Defines one of them: a mark, the calls one by one, a mark. */
#define SLW_GATEWAY_RUN(stage, function)                                                           \
    void slw_gateway_run_##stage(void *ctx, void *const *calls, size_t count)                      \
    {                                                                                              \
        struct slw_gateway *g = ctx;                                                               \
        SLOTWISE_STAGE_BEGIN(stage, count);                                                        \
        for (size_t i = 0; i < count && !g->failed; i++)                                           \
            function(g, calls[i]);                                                                 \
        SLOTWISE_STAGE_END(stage);                                                                 \
    }

/* The database (gateway_sql.c) and the sealing (gateway_seal.c). */
int slw_gateway_open_sql(struct slw_gateway *g, uint64_t rows, uint64_t seed,
                         struct slw_error *err);
void slw_gateway_close_sql(struct slw_gateway *g);
int slw_gateway_open_seal(struct slw_gateway *g, uint64_t seed, struct slw_error *err);
void slw_gateway_close_seal(struct slw_gateway *g);

/* The other way: what an answer says, for a client that looks (loop_int.h). Checks sums, digest and
 * tag, unpacks into `text` of slw_gateway_text_capacity(). SLW_E_FORMAT. */
struct slw_gateway_opener {
    EVP_CIPHER_CTX *cipher;
    uint8_t nonce[12];
    char *packed;
    size_t capacity, text_capacity;
};
int slw_gateway_opener_init(struct slw_gateway_opener *o, size_t payload, uint64_t seed,
                            struct slw_error *err);
void slw_gateway_opener_release(struct slw_gateway_opener *o);
int slw_gateway_open_answer(struct slw_gateway_opener *o, const uint8_t *answer, size_t length,
                            char *text, size_t *ret_length, struct slw_error *err);

/* Numbers in frames. */
static inline void slw_gateway_put(uint8_t *p, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t slw_gateway_get(const uint8_t *p, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

#endif
