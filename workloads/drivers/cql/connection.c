/* SPDX-License-Identifier: MIT */
/* The socket of a connection, and questions that are waited for. */
#include "base/clock.h"
#include "workloads/drivers/cql/cql_int.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)

void slw_cql_break(struct slw_cql_connection *c, const char *fmt, ...)
{
    va_list ap;

    if (c->broken)
        return;
    c->broken = true;
    va_start(ap, fmt);
    (void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
    va_end(ap);
}

int slw_cql_gone(const struct slw_cql_connection *c, struct slw_error *err)
{
    slw_error_at(err, "%s", c->where);
    return slw_fail(err, SLW_E_GONE, "the connection to the CQL server broke: %s", c->why);
}

/* ---- connecting ---- */

static void remaining(uint64_t deadline_ns, int *ret_ms)
{
    const uint64_t now = slw_clock_monotonic_ns();

    *ret_ms = now < deadline_ns ? (int)((deadline_ns - now) / 1000000) + 1 : 0;
}

/* 0 or an errno. */
static int try_address(struct slw_cql_connection *c, const struct addrinfo *a, uint64_t deadline_ns)
{
    const int on = 1;
    int error = 0, timeout_ms;
    socklen_t length = sizeof(error);

    c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return errno;
    if (connect(c->fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
        return errno;
    struct pollfd p = {.fd = c->fd, .events = POLLOUT};
    do
        remaining(deadline_ns, &timeout_ms);
    while (poll(&p, 1, timeout_ms) < 0 && errno == EINTR);
    if (p.revents == 0)
        return ETIMEDOUT;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        return errno;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return error;
}

void slw_cql_disconnect(struct slw_cql_connection *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    slw_cql_decoder_release(&c->in);
    slw_cql_encoder_release(&c->out);
    c->in = (struct slw_cql_decoder){.response = true};
    c->out = (struct slw_cql_encoder){.version = c->version};
    c->sent = 0;
    c->broken = false;
    slw_cql_forget(c);
}

int slw_cql_connect(struct slw_cql_connection *c, struct slw_error *err)
{
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM};
    const uint64_t deadline_ns = slw_clock_monotonic_ns() + SLW_CQL_OPEN_MS * UINT64_C(1000000);
    struct addrinfo *all = NULL;
    char port[8];
    int error = ECONNREFUSED;

    slw_cql_disconnect(c);
    (void)snprintf(port, sizeof(port), "%u", c->port);
    int rc = getaddrinfo(c->host, port, &want, &all);
    if (rc != 0) {
        slw_error_hint(err, "name the server with --connect HOST:PORT");
        return slw_fail(err, SLW_E_GONE, "there is no host '%s': %s", c->host, gai_strerror(rc));
    }
    for (const struct addrinfo *a = all; a && error != 0; a = a->ai_next) {
        if (c->fd >= 0)
            (void)close(c->fd);
        c->fd = -1;
        error = try_address(c, a, deadline_ns);
    }
    freeaddrinfo(all);
    if (error == 0)
        return 0;
    slw_error_at(err, "%s", c->where);
    slw_error_hint(err, "start a server, or name one with --connect HOST:PORT");
    return slw_fail_sys(err, SLW_E_GONE, error, "no CQL server answers");
}

/* ---- bytes ---- */

void slw_cql_push(struct slw_cql_connection *c)
{
    if (slw_cql_encoder_failed(&c->out))
        slw_cql_break(c, "out of memory");
    if (c->broken)
        return;
    struct slw_buf *out = &c->out.out;
    const size_t left = out->length - c->sent;
    ssize_t put = left ? send(c->fd, out->data + c->sent, left, MSG_NOSIGNAL) : 0;

    if (put < 0 && errno != EAGAIN && errno != EINTR)
        slw_cql_break(c, "writing failed (errno %d)", errno);
    c->sent += put > 0 ? (size_t)put : 0;
    if (c->sent == out->length)
        c->sent = out->length = 0;
}

static void read_some(struct slw_cql_connection *c)
{
    struct slw_error err = {0};
    char bytes[READ_BYTES];
    ssize_t got = recv(c->fd, bytes, sizeof(bytes), 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0)
        slw_cql_break(c, "reading failed (errno %d)", errno);
    else if (got == 0)
        slw_cql_break(c, "the server closed it");
    else if (slw_cql_decoder_feed(&c->in, bytes, (size_t)got, &err) < 0)
        slw_cql_break(c, "%s", err.text);
    c->heard_ns = slw_clock_monotonic_ns();
}

void slw_cql_pump(struct slw_cql_connection *c, int timeout_ms)
{
    slw_cql_push(c);
    struct pollfd p = {.fd = c->fd,
                       .events = (short)(POLLIN | (c->out.out.length > c->sent ? POLLOUT : 0))};
    if (c->broken || poll(&p, 1, timeout_ms) <= 0)
        return;
    if (p.revents & (POLLIN | POLLHUP | POLLERR))
        read_some(c);
    if (p.revents & POLLOUT && !c->broken)
        slw_cql_push(c);
}

int slw_cql_take(struct slw_cql_connection *c, struct slw_cql_envelope *ret)
{
    struct slw_error err = {0};
    int rc = slw_cql_decoder_next(&c->in, ret, &err);

    if (rc < 0)
        slw_cql_break(c, "%s", err.text);
    return rc > 0;
}

/* ---- questions ---- */

struct slw_buf *slw_cql_ask(struct slw_cql_connection *c, uint8_t opcode)
{
    return slw_cql_encoder_begin(&c->out, SLW_CQL_STREAM_ASK, opcode);
}

int slw_cql_said(struct slw_cql_connection *c, const struct slw_cql_failure *f,
                 struct slw_error *err)
{
    const bool denied = f->code == SLW_CQL_E_BAD_CREDENTIALS || f->code == SLW_CQL_E_UNAUTHORIZED;

    c->said = f->code;
    slw_error_at(err, "%s", c->where);
    if (denied)
        slw_error_hint(err, "say who you are with --user and --password-file");
    return slw_fail(err, denied ? SLW_E_PERM : SLW_E_INVAL, "the CQL server says: %s: %.*s",
                    slw_cql_code_text(f->code), (int)(f->text.length < 300 ? f->text.length : 300),
                    f->text.length ? f->text.bytes : "");
}

int slw_cql_await(struct slw_cql_connection *c, int timeout_ms, struct slw_cql_envelope *ret,
                  struct slw_error *err)
{
    const uint64_t deadline_ns =
        slw_clock_monotonic_ns() + (uint64_t)timeout_ms * UINT64_C(1000000);
    struct slw_cql_failure f;
    int left_ms = timeout_ms;

    slw_cql_encoder_end(&c->out);
    slw_cql_encoder_flush(&c->out);
    for (;;) {
        /* What is here comes before what broke. Other streams are events, or of questions that
         * nobody waits for any more. */
        while (slw_cql_take(c, ret)) {
            struct slw_cql_in in = slw_cql_in(ret->body, ret->length);

            if (ret->stream != SLW_CQL_STREAM_ASK)
                continue;
            if (ret->opcode != SLW_CQL_ERROR)
                return 0;
            if (slw_cql_skip_prefix(&in, ret->flags) && slw_cql_get_failure(&in, &f))
                return slw_cql_said(c, &f, err);
            slw_cql_break(c, "an error message that is malformed");
        }
        if (left_ms == 0)
            slw_cql_break(c, "no answer within %d s", timeout_ms / 1000);
        if (c->broken)
            return slw_cql_gone(c, err);
        slw_cql_pump(c, left_ms);
        remaining(deadline_ns, &left_ms);
    }
}

int slw_cql_do(struct slw_cql_connection *c, struct slw_error *err, const char *fmt, ...)
{
    const struct slw_cql_parameters p = {.consistency = c->consistency};
    struct slw_cql_envelope m;
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct slw_buf *b = slw_cql_ask(c, SLW_CQL_QUERY);
    slw_cql_put_query(b, slw_cql_text(text));
    slw_cql_put_parameters(b, c->version, &p, NULL, 0);
    return slw_cql_await(c, SLW_CQL_SILENCE_MS, &m, err);
}
