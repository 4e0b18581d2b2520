/* SPDX-License-Identifier: MIT */
/* The mappings of one address space, disjoint and sorted. Shared between a parent and its forked
 * children until one of them changes: servers fork per connection, and few children remap. */
#ifndef SLW_ANALYZER_MAPSET_H
#define SLW_ANALYZER_MAPSET_H

#include "analyzer/procstate.h"

struct slw_mapset; /* NULL is the empty set */

struct slw_mapset *slw_mapset_share(struct slw_mapset *s);
void slw_mapset_put(struct slw_mapset *s); /* NULL allowed */

/* Add a mapping; what it covers of older ones is cut away or split. *set is replaced when it was
 * shared. 0, -SLW_E_NOMEM, or -SLW_E_LIMIT (SLW_MAX_MAPS; *set is unchanged). */
int slw_mapset_add(struct slw_mapset **set, const struct slw_map *map);

const struct slw_map *slw_mapset_find(const struct slw_mapset *s, uint64_t address);

#endif
