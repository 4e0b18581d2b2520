/* SPDX-License-Identifier: MIT */
/* Which processes of the client the library is in, and which programs were started without it. Only
 * for the preloaded library. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PRELOAD_PROCESSES_H
#define SLW_COLLECTOR_TAPS_WIRE_PRELOAD_PROCESSES_H

#include "collector/taps/wire/map.h"

/* The library was loaded; a process was forked; it is about to become another program, or has not;
 * another process was started with one. The last three may be called in a vfork child. */
void slw_process_loaded(struct slw_wire_map *map, int32_t pid);
void slw_process_forked(struct slw_wire_map *map, int32_t pid);
void slw_process_execs(struct slw_wire_map *map, int32_t pid);
void slw_process_exec_failed(struct slw_wire_map *map, int32_t pid);
void slw_process_spawned(struct slw_wire_map *map, int32_t pid);

#endif
