/* SPDX-License-Identifier: MIT */
/* What went over one connection, in the order the client saw it, and playing it: the client's bytes
 * are compared, the server's are given as soon as the client has sent what came before them. Bytes
 * in, bytes out: sockets are the library's (library.c). No allocation; nothing in a tape is
 * believed.
 *
 * A tape is "slotwise-replay 1\n", "peer NAME\n", then entries: one byte that says what, four with
 * a length (little-endian), and that many bytes. */
#ifndef SLW_COLLECTOR_TAPS_REPLAY_TAPE_H
#define SLW_COLLECTOR_TAPS_REPLAY_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLW_TAPE_MAX_BYTES ((size_t)1 << 30)
#define SLW_TAPE_MAX_PEER  512u
#define SLW_TAPE_ENTRY     5u /* bytes before an entry's own */

enum slw_tape_kind {
    SLW_TAPE_CLIENT = 'C', /* the client sent these bytes */
    SLW_TAPE_SERVER = 'S', /* it received these */
    SLW_TAPE_END = 'E',    /* the server closed its side; no bytes */
    SLW_TAPE_FAILED = 'F', /* connecting failed; one byte: errno */
};

struct slw_tape {
    const uint8_t *bytes;
    size_t size;
    size_t first; /* where the entries begin */
    char peer[SLW_TAPE_MAX_PEER];
};

/* NULL: it is a whole tape; else what is wrong. Ends inside of an entry are what a killed client
 * leaves: that entry is not there. */
const char *slw_tape_open(struct slw_tape *t, const uint8_t *bytes, size_t size);

int slw_tape_failure(const struct slw_tape *t);       /* errno of its connecting; 0: it worked */
bool slw_tape_is_encrypted(const struct slw_tape *t); /* the client began TLS */

/* The head of a new tape, and of an entry; the number of bytes. */
size_t slw_tape_head(char *to, size_t size, const char *peer);
size_t slw_tape_entry_head(uint8_t to[SLW_TAPE_ENTRY], enum slw_tape_kind kind, uint32_t length);

struct slw_player {
    const struct slw_tape *tape;
    size_t client_at, client_used; /* the entry that is compared next, bytes of it that were */
    size_t server_at, server_used;
    uint64_t sent;  /* by the client */
    uint64_t needs; /* bytes sent before the server's next entry */
};

enum slw_player_state {
    SLW_PLAYER_READY,
    SLW_PLAYER_WAITS, /* for the client to send more */
    SLW_PLAYER_ENDED, /* the server has closed */
    SLW_PLAYER_OVER,  /* nothing more was recorded */
};

void slw_player_begin(struct slw_player *p, const struct slw_tape *tape);

/* False: it is not what was recorded; how many bytes were is in p->sent. */
bool slw_player_send(struct slw_player *p, const uint8_t *bytes, size_t count);

enum slw_player_state slw_player_state(struct slw_player *p);

/* As many bytes as there are now; `peek`: they come again. */
size_t slw_player_receive(struct slw_player *p, uint8_t *to, size_t size, bool peek);

#endif
