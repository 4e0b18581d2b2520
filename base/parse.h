/* SPDX-License-Identifier: MIT */
/* Strict parsing of numbers people type: all of the text or an error, never a silent 0. */
#ifndef SLW_BASE_PARSE_H
#define SLW_BASE_PARSE_H

#include "base/error.h"

#include <stdint.h>

/* Decimal or 0x hexadecimal, within [min, max]. -SLW_E_INVAL with a text naming `what`. */
int slw_parse_u64(const char *text, const char *what, uint64_t min, uint64_t max,
                  uint64_t *ret_value, struct slw_error *err);

/* A duration such as "250ms", "10s", "2m", "1.5s"; a bare number means milliseconds. */
int slw_parse_duration_ms(const char *text, const char *what, uint64_t *ret_ms,
                          struct slw_error *err);

/* The value of a digit of lower-case hexadecimal; -1: it is none. */
int slw_hex_digit(char c);

#endif
