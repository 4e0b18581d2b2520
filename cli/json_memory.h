/* SPDX-License-Identifier: MIT */
/* What jansson does without memory. */
#ifndef SLW_CLI_JSON_MEMORY_H
#define SLW_CLI_JSON_MEMORY_H

/* From now on the program ends with an error and status 70 when there is no memory for JSON:
 * libjansson 2.14 dereferences NULL when its lexer has none, and what is built of many values would
 * lose some of them without a word. */
void slw_json_memory(void);

#endif
