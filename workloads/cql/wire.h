/* SPDX-License-Identifier: MIT */
/* The notations of the CQL native protocol: reading them from bytes nobody vouches for, and writing
 * them. Pure: no I/O. Source: native_protocol_v5.spec of Apache Cassandra, section 3 (the same in
 * native_protocol_v4.spec). Not for: what a message is made of (message.h). */
#ifndef SLW_WORKLOADS_CQL_WIRE_H
#define SLW_WORKLOADS_CQL_WIRE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are lent. NULL with length 0: there are none. */
struct slw_cql_text {
    const char *bytes;
    size_t length;
};
#define SLW_CQL_TEXT(literal) ((struct slw_cql_text){(literal), sizeof(literal) - 1})
struct slw_cql_text slw_cql_text(const char *s);
bool slw_cql_same(struct slw_cql_text a, const char *b);
bool slw_cql_equal(struct slw_cql_text a, struct slw_cql_text b);

/* [bytes] and [value]: length -1 is null, -2 "not set". */
struct slw_cql_value {
    const uint8_t *bytes;
    int32_t length;
};
#define SLW_CQL_NULL  (-1)
#define SLW_CQL_UNSET (-2)

/* Where we read. What is beyond the end reads as 0 or as nothing, and makes the rest `bad`: read
 * all fields, then look once. */
struct slw_cql_in {
    const uint8_t *at, *end;
    bool bad;
};
struct slw_cql_in slw_cql_in(const void *bytes, size_t length);
size_t slw_cql_left(const struct slw_cql_in *in);
uint8_t slw_cql_get_byte(struct slw_cql_in *in);
uint16_t slw_cql_get_short(struct slw_cql_in *in);
int32_t slw_cql_get_int(struct slw_cql_in *in);
int64_t slw_cql_get_long(struct slw_cql_in *in);
const uint8_t *slw_cql_get_raw(struct slw_cql_in *in, size_t length); /* NULL: not there */
struct slw_cql_text slw_cql_get_string(struct slw_cql_in *in);
struct slw_cql_text slw_cql_get_long_string(struct slw_cql_in *in);
struct slw_cql_text slw_cql_get_short_bytes(struct slw_cql_in *in);
struct slw_cql_value slw_cql_get_bytes(struct slw_cql_in *in); /* any negative length: null */
struct slw_cql_value slw_cql_get_value(struct slw_cql_in *in); /* below -2: bad */
void slw_cql_skip_string_list(struct slw_cql_in *in);
void slw_cql_skip_bytes_map(struct slw_cql_in *in);

/* A string, a short or a list that is too long for its notation is a bug of the caller (assert);
 * running out of memory is sticky in the buffer. */
void slw_cql_put_byte(struct slw_buf *b, uint8_t value);
void slw_cql_put_short(struct slw_buf *b, size_t value);
void slw_cql_put_int(struct slw_buf *b, int32_t value);
void slw_cql_put_long(struct slw_buf *b, int64_t value);
void slw_cql_put_string(struct slw_buf *b, struct slw_cql_text s);
void slw_cql_put_long_string(struct slw_buf *b, struct slw_cql_text s);
void slw_cql_put_short_bytes(struct slw_buf *b, struct slw_cql_text s);
void slw_cql_put_value(struct slw_buf *b, struct slw_cql_value v);
void slw_cql_put_bytes(struct slw_buf *b, const void *bytes, size_t length);

/* The same in place: for numbers written before they are known. */
void slw_cql_store_int(void *place, uint32_t value);
void slw_cql_store_long(void *place, uint64_t value);
uint64_t slw_cql_load_long(const void *place);

#endif
