/* SPDX-License-Identifier: MIT */
/* The wire tap: requests counted on the connections of an unmodified client, through a preloaded
 * library and a mapping it shares with us. slotwise's side: make the mapping, give the client an
 * environment, read what was counted. Not for: the client's side (wire/preload/). */
#ifndef SLW_COLLECTOR_TAPS_WIRE_H
#define SLW_COLLECTOR_TAPS_WIRE_H

#include "record/run.h"

#include <stdbool.h>

struct slw_wire;
struct slw_wire_map;

struct slw_wire_options {
    const char *library; /* path of the preloaded library */
    const char *program; /* path of the client; NULL: not known */
    char *const *envp;   /* the client's environment without us */
};

/* Prepare. SLW_E_UNSUPPORTED with the reason where this client cannot be preloaded or the mapping
 * not be made; then the run goes on without. Free with slw_wire_close. */
int slw_wire_open(const struct slw_wire_options *opts, struct slw_wire **ret_wire,
                  struct slw_error *err);
void slw_wire_close(struct slw_wire *wire);

/* The client's environment with us; lent, NULL-terminated. */
char *const *slw_wire_environment(const struct slw_wire *wire);

/* Count, or only follow the protocols. Starts off. NULL: nothing to do. */
void slw_wire_count(struct slw_wire *wire, bool on);

/* What was counted so far -> run->connections, latencies, requests and notes. */
int slw_wire_finish(const struct slw_wire *wire, struct slw_run *run, struct slw_error *err);

/* The same from a mapping; for slw_wire_finish and tests. */
int slw_wire_read(const struct slw_wire_map *map, struct slw_run *run, struct slw_error *err);

#endif
