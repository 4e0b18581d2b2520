/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* Half of the hash says where to look and rules out nearly all others there, in half the memory. */
struct slw_index_slot {
    uint32_t hash;
    uint32_t position_plus_1; /* 0: empty */
};

/* MurmurHash3 fmix64. */
static uint64_t avalanche(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

uint64_t slw_hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (size_t i = 0; i < length; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return avalanche(h);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
    return h ^ h >> 32;
}

uint64_t slw_hash_key(const void *bytes, size_t length, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t h = mix(seed, length), word;

    for (; length >= sizeof(word); p += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        h = mix(h, word);
    }
    word = 0;
    for (size_t i = 0; i < length; i++)
        word = word << 8 | p[i];
    return avalanche(mix(h, word));
}

bool slw_index_find(const struct slw_index *ix, uint64_t hash, slw_index_equal equal,
                    const void *ctx, const void *key, uint32_t *ret_position)
{
    if (!ix->slots)
        return false;
    for (uint32_t i = (uint32_t)hash & ix->mask;; i = (i + 1) & ix->mask) {
        const struct slw_index_slot *s = &ix->slots[i];

        if (s->position_plus_1 == 0)
            return false;
        if (s->hash == (uint32_t)hash && equal(ctx, s->position_plus_1 - 1, key)) {
            *ret_position = s->position_plus_1 - 1;
            return true;
        }
    }
}

static void place(struct slw_index_slot *slots, uint32_t mask, uint32_t hash, uint32_t plus_1)
{
    uint32_t i = hash & mask;

    while (slots[i].position_plus_1 != 0)
        i = (i + 1) & mask;
    slots[i] = (struct slw_index_slot){.hash = hash, .position_plus_1 = plus_1};
}

static int grow(struct slw_index *ix)
{
    uint32_t slots_count = ix->slots ? ix->mask + 1 : 0;

    if (slots_count > UINT32_MAX / 4)
        return -SLW_E_NOMEM;
    uint32_t bigger = slots_count ? slots_count * 2 : 64;
    struct slw_index_slot *slots = calloc(bigger, sizeof(*slots));
    if (!slots)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; i < slots_count; i++)
        if (ix->slots[i].position_plus_1 != 0)
            place(slots, bigger - 1, ix->slots[i].hash, ix->slots[i].position_plus_1);
    free(ix->slots);
    ix->slots = slots;
    ix->mask = bigger - 1;
    return 0;
}

int slw_index_add(struct slw_index *ix, uint64_t hash, uint32_t position)
{
    /* Keep at least a quarter of the slots empty, so that a miss ends soon. */
    if (!ix->slots || ix->count >= ix->mask - ix->mask / 4) {
        int rc = grow(ix);
        if (rc < 0)
            return rc;
    }
    place(ix->slots, ix->mask, (uint32_t)hash, position + 1);
    ix->count++;
    return 0;
}

void slw_index_release(struct slw_index *ix)
{
    free(ix->slots);
    *ix = (struct slw_index){0};
}
