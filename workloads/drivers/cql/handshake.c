/* SPDX-License-Identifier: MIT */
/* The beginning of a connection: the version both speak, compression, who we are. Source:
 * native_protocol_v5.spec, sections 2.3 and 4.1.1 to 4.1.2. */
#include "workloads/drivers/cql/cql_int.h"

#include <stdio.h>
#include <string.h>

static int authenticate(struct slw_cql_connection *c, struct slw_error *err)
{
    struct slw_cql_envelope m;

    if (!c->user) {
        slw_error_at(err, "%s", c->where);
        slw_error_hint(err, "say who you are with --user and --password-file");
        return slw_fail(err, SLW_E_PERM, "the CQL server asks for a user and a password");
    }
    slw_cql_put_credentials(slw_cql_ask(c, SLW_CQL_AUTH_RESPONSE), slw_cql_text(c->user),
                            slw_cql_text(c->password ? c->password : ""));
    int rc = slw_cql_await(c, SLW_CQL_OPEN_MS, &m, err);
    if (rc == 0 && m.opcode != SLW_CQL_AUTH_SUCCESS) {
        slw_error_at(err, "%s", c->where);
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "the CQL server wants more than a user and a password");
    }
    return rc;
}

/* After the answer to STARTUP, which itself travels as before. */
static void agree(struct slw_cql_connection *c)
{
    if (c->version >= 5)
        c->in.format = c->lz4 ? SLW_CQL_FRAMES_LZ4 : SLW_CQL_FRAMES;
    else
        c->in.format = c->lz4 ? SLW_CQL_ENVELOPES_LZ4 : SLW_CQL_ENVELOPES;
    c->out.format = c->in.format;
}

static int start(struct slw_cql_connection *c, uint8_t version, struct slw_error *err)
{
    struct slw_cql_envelope m;

    c->version = version;
    int rc = slw_cql_connect(c, err);
    if (rc < 0)
        return rc;
    if (c->lz4 && version < 5)
        c->in.format = SLW_CQL_ENVELOPES_LZ4; /* so may the answer to STARTUP be already */
    slw_cql_put_startup(slw_cql_ask(c, SLW_CQL_STARTUP), c->lz4);
    rc = slw_cql_await(c, SLW_CQL_OPEN_MS, &m, err);
    if (rc < 0)
        return rc;
    if ((m.version & 0x7f) != version ||
        (m.opcode != SLW_CQL_READY && m.opcode != SLW_CQL_AUTHENTICATE)) {
        slw_error_at(err, "%s", c->where);
        return slw_fail(err, SLW_E_FORMAT, "what answers is no CQL server that we understand");
    }
    agree(c);
    return m.opcode == SLW_CQL_AUTHENTICATE ? authenticate(c, err) : 0;
}

int slw_cql_handshake(struct slw_cql_connection *c, uint8_t newest, uint8_t oldest,
                      struct slw_error *err)
{
    for (uint8_t version = newest;; version--) {
        struct slw_error why = {0};
        int rc = start(c, version, &why);

        /* A server that does not know the version says "protocol error", or just hangs up. */
        const bool other = rc == -SLW_E_INVAL || rc == -SLW_E_FORMAT || (rc < 0 && c->broken);
        if (rc == 0)
            return 0;
        if (!other || version == oldest) {
            slw_error_at(err, "%s", why.where);
            if (why.hint[0])
                slw_error_hint(err, "%s", why.hint);
            (void)slw_fail(err, why.code, "%s", why.text);
            return rc;
        }
    }
}
