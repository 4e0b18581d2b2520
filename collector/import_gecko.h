/* SPDX-License-Identifier: MIT */
/* Threads of a Gecko profile, as the browser sends it, in the form of a processed one: rows become
 * columns, and places in code, which are text there, become functions, files and libraries. Source:
 * the Firefox Profiler's developer document "Gecko profile format". Only for collector/. */
#ifndef SLW_COLLECTOR_IMPORT_GECKO_H
#define SLW_COLLECTOR_IMPORT_GECKO_H

#include <jansson.h>
#include <stdbool.h>

/* Tables with a schema. */
bool slw_gecko_is_thread(const json_t *thread);

/* libs: those of its process, where its addresses are found. A thread for json_decref; NULL when
 * out of memory. What makes no sense is left for the reader of processed profiles to refuse. */
json_t *slw_gecko_thread(const json_t *thread, const json_t *libs);

/* What stands in the place of "libs": a list, or in older profiles the text of one. For
 * json_decref; NULL when out of memory. */
json_t *slw_gecko_libs(const json_t *libs);

#endif
