/* SPDX-License-Identifier: MIT */
/* Equal samples are resolved once: a client runs through few distinct call chains many times. The
 * memo maps the raw chain, with everything its frames depend on, to the frames, and sums the
 * weights. It is emptied into the stacks when it is full and at the end. */
#include "analyzer/samples_int.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES ((size_t)1 << 16)
#define SLOTS       (4 * MAX_ENTRIES) /* power of two; a quarter full at most */
#define MAX_FRAMES  (4U << 20)        /* frame ids and chain words: 16 and 32 MiB */
#define FREE_SLOT   UINT32_MAX

struct slw_memo {
    struct slw_memo_entry *entries;
    uint64_t *weights; /* entry-major */
    uint32_t *slots;   /* positions of entries */
    uint32_t *frames;
    uint64_t *words; /* the chains, as recorded: the recording's own pages may be dropped */
    size_t count, frame_count, frame_capacity, word_count, word_capacity, columns;
};

struct slw_memo *slw_memo_new(size_t columns)
{
    struct slw_memo *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->columns = columns;
    m->entries = malloc(MAX_ENTRIES * sizeof(*m->entries));
    m->weights = malloc(MAX_ENTRIES * columns * sizeof(*m->weights));
    m->slots = malloc(SLOTS * sizeof(*m->slots));
    if (!m->entries || !m->weights || !m->slots) {
        slw_memo_free(m);
        return NULL;
    }
    memset(m->slots, 0xff, SLOTS * sizeof(*m->slots));
    return m;
}

void slw_memo_free(struct slw_memo *m)
{
    if (!m)
        return;
    free(m->entries);
    free(m->weights);
    free(m->slots);
    free(m->frames);
    free(m->words);
    free(m);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    /* The multiplier is 2^64 / golden ratio; the shift brings the high bits back down. */
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static uint64_t key_hash(const struct slw_memo_key *k)
{
    uint64_t h = mix(mix(k->generation, k->ip),
                     (uint64_t)k->thread << 32 ^ (uint64_t)k->event << 16 ^ k->misc);

    for (uint64_t i = 0; i < k->chain.count; i++) {
        uint64_t word;
        memcpy(&word, k->chain.bytes + i * sizeof(word), sizeof(word));
        h = mix(h, word);
    }
    return h;
}

static bool key_equal(const struct slw_memo *m, const struct slw_memo_entry *e,
                      const struct slw_memo_key *b)
{
    const struct slw_memo_key *a = &e->key;

    return a->generation == b->generation && a->ip == b->ip && a->thread == b->thread &&
           a->event == b->event && a->misc == b->misc && a->has_ip == b->has_ip &&
           a->chain.count == b->chain.count &&
           (a->chain.count == 0 || memcmp(m->words + e->first_word, b->chain.bytes,
                                          a->chain.count * sizeof(*m->words)) == 0);
}

struct slw_memo_entry *slw_memo_find(struct slw_memo *m, struct slw_memo_key *key)
{
    key->hash = key_hash(key);
    for (size_t i = key->hash & (SLOTS - 1);; i = (i + 1) & (SLOTS - 1)) {
        if (m->slots[i] == FREE_SLOT)
            return NULL;
        struct slw_memo_entry *e = &m->entries[m->slots[i]];
        if (e->key.hash == key->hash && key_equal(m, e, key))
            return e;
    }
}

static int reserve(void **array, size_t need, size_t *capacity, size_t bytes)
{
    size_t bigger = *capacity ? *capacity : 4096;

    if (*array && need <= *capacity)
        return 0;
    while (bigger < need)
        bigger *= 2;
    void *grown = realloc(*array, bigger * bytes);
    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    *capacity = bigger;
    return 0;
}

bool slw_memo_is_full(const struct slw_memo *m, size_t depth, uint64_t words)
{
    return m->count == MAX_ENTRIES || m->frame_count + depth > MAX_FRAMES ||
           m->word_count + words > MAX_FRAMES;
}

struct slw_memo_entry *slw_memo_add(struct slw_memo *m, const struct slw_memo_entry *entry,
                                    const uint32_t *frames)
{
    size_t i = entry->key.hash & (SLOTS - 1);
    size_t words = (size_t)entry->key.chain.count;

    if (reserve((void **)&m->frames, m->frame_count + entry->depth, &m->frame_capacity,
                sizeof(*m->frames)) < 0 ||
        reserve((void **)&m->words, m->word_count + words, &m->word_capacity, sizeof(*m->words)) <
            0)
        return NULL;
    while (m->slots[i] != FREE_SLOT)
        i = (i + 1) & (SLOTS - 1);
    m->slots[i] = (uint32_t)m->count;
    struct slw_memo_entry *e = &m->entries[m->count];
    *e = *entry;
    e->first_frame = m->frame_count;
    if (entry->depth > 0)
        memcpy(m->frames + m->frame_count, frames, entry->depth * sizeof(*frames));
    m->frame_count += entry->depth;
    e->first_word = m->word_count;
    if (words > 0)
        memcpy(m->words + m->word_count, entry->key.chain.bytes, words * sizeof(*m->words));
    m->word_count += words;
    memset(m->weights + m->count * m->columns, 0, m->columns * sizeof(*m->weights));
    m->count++;
    return e;
}

bool slw_memo_weigh(struct slw_memo *m, const struct slw_memo_entry *e, const uint64_t *weights)
{
    uint64_t *row = m->weights + (size_t)(e - m->entries) * m->columns;

    for (size_t i = 0; i < m->columns; i++)
        if (weights[i] > INT64_MAX || row[i] > (uint64_t)INT64_MAX - weights[i])
            return false;
    for (size_t i = 0; i < m->columns; i++)
        row[i] += weights[i];
    return true;
}

int slw_memo_flush(struct slw_memo *m, slw_memo_flush_fn fn, void *ctx)
{
    int rc = 0;

    for (size_t i = 0; i < m->count && rc == 0; i++)
        rc = fn(ctx, &m->entries[i], m->frames + m->entries[i].first_frame,
                m->weights + i * m->columns);
    m->count = m->frame_count = m->word_count = 0;
    memset(m->slots, 0xff, SLOTS * sizeof(*m->slots));
    return rc;
}
