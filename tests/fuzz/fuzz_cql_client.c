/* SPDX-License-Identifier: MIT */
/* Any bytes as what a CQL server sends. The first byte says how the connection travels; bit 7: the
 * rest is one body, of the opcode in the second byte, so that it need not pass the checksums. */
#include "workloads/cql/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_columns(struct slw_cql_metadata m)
{
    struct slw_cql_column c;

    for (size_t i = 0; !(m.flags & SLW_CQL_M_NONE) && i < m.column_count; i++)
        must(slw_cql_get_column(&m, &c)); /* it was walked over already */
}

static uint64_t sum(struct slw_cql_value v)
{
    uint64_t total = 0;

    for (int32_t i = 0; i < v.length; i++)
        total += v.bytes[i];
    return total;
}

static void read_result(struct slw_cql_in *in, uint8_t version)
{
    const int32_t kind = slw_cql_get_int(in);
    struct slw_cql_prepared p;
    struct slw_cql_rows r;
    uint64_t total = 0;

    if (kind == SLW_CQL_ROWS && slw_cql_get_rows(in, &r)) {
        read_columns(r.metadata);
        for (size_t i = 0; i < r.row_count * r.metadata.column_count; i++)
            total += sum(slw_cql_get_bytes(&r.content));
        must(!r.content.bad && slw_cql_left(&r.content) == 0);
    }
    if (kind == SLW_CQL_PREPARED && slw_cql_get_prepared(in, version, &p)) {
        read_columns(p.bound);
        read_columns(p.result);
    }
    must(total <= UINT64_MAX / 2);
}

static void read_message(const struct slw_cql_envelope *m)
{
    struct slw_cql_in in = slw_cql_in(m->body, m->length);
    struct slw_cql_failure f;

    if (!slw_cql_skip_prefix(&in, m->flags))
        return;
    if (m->opcode == SLW_CQL_RESULT)
        read_result(&in, m->version & 0x7f);
    if (m->opcode == SLW_CQL_ERROR && slw_cql_get_failure(&in, &f))
        must(f.text.length <= UINT16_MAX && slw_cql_code_text(f.code)[0]);
}

/* How many messages there are, and how it ends, when `piece` bytes come at a time. */
static int replay(enum slw_cql_format format, const uint8_t *data, size_t size, size_t piece,
                  size_t *ret_count)
{
    struct slw_cql_decoder d = {.format = format, .response = true, .limit = 1u << 20};
    struct slw_cql_envelope m;
    int rc = 0;

    for (size_t at = 0; at < size && rc >= 0; at += piece) {
        must(slw_cql_decoder_feed(&d, data + at, size - at < piece ? size - at : piece, NULL) == 0);
        while ((rc = slw_cql_decoder_next(&d, &m, NULL)) > 0) {
            read_message(&m);
            ++*ret_count;
        }
    }
    slw_cql_decoder_release(&d);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t whole = 0, pieces = 0;

    if (size < 2)
        return 0;
    if (data[0] & 0x80) {
        const struct slw_cql_envelope m = {.version = (uint8_t)(0x84 + (data[0] & 1)),
                                           .flags = data[0] & 0x0e,
                                           .opcode = data[1],
                                           .body = data + 2,
                                           .length = size - 2};
        read_message(&m);
        return 0;
    }
    const enum slw_cql_format format = (enum slw_cql_format)(data[0] & 3);
    const int rc = replay(format, data + 1, size - 1, SIZE_MAX / 2, &whole);
    must(rc == replay(format, data + 1, size - 1, 3, &pieces) && whole == pieces);
    return 0;
}
