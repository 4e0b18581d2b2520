/* SPDX-License-Identifier: MIT */
/* What importers of JSON profiles have in common: numbers that must be whole, weights in units of
 * time, and names that are text. Only for collector/. */
#ifndef SLW_COLLECTOR_IMPORT_JSON_H
#define SLW_COLLECTOR_IMPORT_JSON_H

#include "collector/import_stacks.h"

#include <jansson.h>

/* The whole file as one JSON value, freed with json_decref. SLW_E_FORMAT at line and column. */
int slw_import_json_load(struct slw_stack_import *in, const void *bytes, size_t length,
                         json_t **ret_json);

/* The index `value` is, of a table that has `count` entries; false: it is none. */
bool slw_import_json_index(const json_t *value, size_t count, size_t *ret_index);

/* A weight of `scale` units each, to nearest: what JSON writes as 1.5 (ms) is 1500000 (ns). False:
 * no number, below 0, or more than 63 bits; without a scale (1) also when it is not whole. */
bool slw_import_json_weight(const json_t *value, double scale, uint64_t *ret_weight);

/* Text, with the bytes that our exporters escaped put back; "" for anything else. In the arena;
 * NULL when out of memory. */
const char *slw_import_json_text(struct slw_stack_import *in, const json_t *value);

/* Has the head of a file a JSON object at its start, and this word in it? */
bool slw_import_json_has(const void *head, size_t length, const char *word);

#endif
