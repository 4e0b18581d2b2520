/* SPDX-License-Identifier: MIT */
#include "collector/taps/replay/tape.h"

#include <stdio.h>
#include <string.h>

static const char magic[] = "slotwise-replay 1\npeer ";

struct entry {
    uint8_t kind;
    uint32_t length;
    const uint8_t *bytes;
};

/* The entry at `at`; false: there is no whole one. */
static bool read_entry(const struct slw_tape *t, size_t at, struct entry *ret_entry)
{
    if (at > t->size || t->size - at < SLW_TAPE_ENTRY)
        return false;
    const uint8_t *b = t->bytes + at;

    ret_entry->kind = b[0];
    ret_entry->length =
        (uint32_t)b[1] | (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 24;
    ret_entry->bytes = b + SLW_TAPE_ENTRY;
    return ret_entry->length <= t->size - at - SLW_TAPE_ENTRY;
}

static size_t after(size_t at, const struct entry *e)
{
    return at + SLW_TAPE_ENTRY + e->length;
}

static const char *fault_of(const struct entry *e)
{
    switch (e->kind) {
    case SLW_TAPE_CLIENT:
    case SLW_TAPE_SERVER:
        return NULL;
    case SLW_TAPE_END:
        return e->length ? "an end with bytes in it" : NULL;
    case SLW_TAPE_FAILED:
        return e->length == 1 && e->bytes[0] ? NULL : "a failure without a reason";
    default:
        return "an entry of no known kind";
    }
}

const char *slw_tape_open(struct slw_tape *t, const uint8_t *bytes, size_t size)
{
    const size_t head = sizeof(magic) - 1;
    struct entry e;

    *t = (struct slw_tape){.bytes = bytes, .size = size};
    if (size > SLW_TAPE_MAX_BYTES)
        return "larger than a recorded connection may be";
    if (size < head || memcmp(bytes, magic, head) != 0)
        return "not a recorded connection, or of a later version";
    const uint8_t *end = memchr(bytes + head, '\n', size - head);

    if (!end || (size_t)(end - bytes) - head >= sizeof(t->peer))
        return "the name of the peer is missing or too long";
    memcpy(t->peer, bytes + head, (size_t)(end - bytes) - head);
    t->first = (size_t)(end - bytes) + 1;
    size_t at = t->first;

    for (; read_entry(t, at, &e); at = after(at, &e))
        if (fault_of(&e))
            return fault_of(&e);
    t->size = at;
    return NULL;
}

int slw_tape_failure(const struct slw_tape *t)
{
    struct entry e;

    return read_entry(t, t->first, &e) && e.kind == SLW_TAPE_FAILED ? e.bytes[0] : 0;
}

/* A TLS record of the kind "handshake" begins like this. */
bool slw_tape_is_encrypted(const struct slw_tape *t)
{
    struct entry e;

    for (size_t at = t->first; read_entry(t, at, &e); at = after(at, &e))
        if (e.kind == SLW_TAPE_CLIENT && e.length > 2 && e.bytes[0] == 0x16 && e.bytes[1] == 3)
            return true;
    return false;
}

size_t slw_tape_head(char *to, size_t size, const char *peer)
{
    const int length = snprintf(to, size, "%s%s\n", magic, peer);

    return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

size_t slw_tape_entry_head(uint8_t to[SLW_TAPE_ENTRY], enum slw_tape_kind kind, uint32_t length)
{
    to[0] = (uint8_t)kind;
    for (unsigned i = 0; i < 4; i++)
        to[1 + i] = (uint8_t)(length >> (8 * i));
    return SLW_TAPE_ENTRY;
}

/* ---- playing ---- */

void slw_player_begin(struct slw_player *p, const struct slw_tape *tape)
{
    *p = (struct slw_player){.tape = tape, .client_at = tape->first, .server_at = tape->first};
}

bool slw_player_send(struct slw_player *p, const uint8_t *bytes, size_t count)
{
    struct entry e;

    while (count > 0) {
        if (!read_entry(p->tape, p->client_at, &e))
            return false;
        const size_t left = e.kind == SLW_TAPE_CLIENT ? e.length - p->client_used : 0;
        const size_t part = count < left ? count : left;

        if (part == 0) {
            p->client_at = after(p->client_at, &e);
            p->client_used = 0;
            continue;
        }
        for (size_t i = 0; i < part; i++) {
            if (bytes[i] != e.bytes[p->client_used])
                return false;
            p->client_used++;
            p->sent++;
        }
        bytes += part;
        count -= part;
    }
    return true;
}

/* The entry of the server that is next; what has to be sent before it is in p->needs. */
static enum slw_player_state next_of_server(struct slw_player *p, struct entry *ret_entry)
{
    while (read_entry(p->tape, p->server_at, ret_entry)) {
        if (ret_entry->kind == SLW_TAPE_END)
            return p->needs <= p->sent ? SLW_PLAYER_ENDED : SLW_PLAYER_WAITS;
        if (ret_entry->kind == SLW_TAPE_SERVER && p->server_used < ret_entry->length)
            return p->needs <= p->sent ? SLW_PLAYER_READY : SLW_PLAYER_WAITS;
        if (ret_entry->kind == SLW_TAPE_CLIENT)
            p->needs += ret_entry->length;
        p->server_at = after(p->server_at, ret_entry);
        p->server_used = 0;
    }
    return SLW_PLAYER_OVER;
}

enum slw_player_state slw_player_state(struct slw_player *p)
{
    struct entry e;

    return next_of_server(p, &e);
}

size_t slw_player_receive(struct slw_player *p, uint8_t *to, size_t size, bool peek)
{
    struct slw_player at = *p;
    struct entry e;
    size_t used = 0;

    while (used < size && next_of_server(&at, &e) == SLW_PLAYER_READY) {
        const size_t left = e.length - at.server_used;
        const size_t part = size - used < left ? size - used : left;

        memcpy(to + used, e.bytes + at.server_used, part);
        at.server_used += part;
        used += part;
    }
    if (!peek)
        *p = at;
    return used;
}
