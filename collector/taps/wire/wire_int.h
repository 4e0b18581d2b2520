/* SPDX-License-Identifier: MIT */
/* What slotwise holds of a wire tap. Only for collector/taps/wire/. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_WIRE_INT_H
#define SLW_COLLECTOR_TAPS_WIRE_WIRE_INT_H

#include <stdbool.h>

struct slw_wire_map;

/* Tells the library in the client where the mapping is. */
#define SLW_WIRE_VARIABLE "SLOTWISE_WIRE"

struct slw_wire {
    struct slw_wire_map *map;
    int fd;
    bool unlink_path;
    char path[64];
    char variable[96];
    char *preload;
    char **envp; /* the strings are lent but the last two */
};

#endif
