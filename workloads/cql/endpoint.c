/* SPDX-License-Identifier: MIT */
/* Sockets of the endpoint: one thread, poll(2). In each round requests of all clients are read and
 * done, the log is synced once, and only then answers leave. */
#include "workloads/cql/endpoint_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (256u << 10)

static void client_free(struct slw_cql_client *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        (void)close(c->fd);
    slw_cql_decoder_release(&c->in);
    slw_cql_encoder_release(&c->out);
    free(c);
}

void slw_cql_endpoint_stop(struct slw_cql_endpoint *e)
{
    const uint64_t one = 1;

    atomic_store(&e->stop, true);
    ssize_t unused = write(e->wake, &one, sizeof(one));
    (void)unused;
}

void slw_cql_endpoint_close(struct slw_cql_endpoint *e)
{
    if (!e)
        return;
    if (e->threaded) {
        slw_cql_endpoint_stop(e);
        (void)pthread_join(e->thread, NULL);
    }
    for (size_t i = 0; i < e->client_count; i++)
        client_free(e->clients[i]);
    for (size_t i = 0; i < SLW_CQL_PREPAREDS; i++)
        slw_cql_statement_free(e->known[i].statement);
    slw_cql_store_release(&e->store);
    slw_cql_log_release(&e->log);
    if (e->listener >= 0)
        (void)close(e->listener);
    if (e->wake >= 0)
        (void)close(e->wake);
    free(e);
}

uint16_t slw_cql_endpoint_port(const struct slw_cql_endpoint *e)
{
    return e->port;
}

static int listen_on(struct slw_cql_endpoint *e, struct slw_error *err)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(e->options.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(a);
    const int on = 1;

    e->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (e->wake < 0 || e->listener < 0 ||
        setsockopt(e->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(e->listener, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
        listen(e->listener, SLW_CQL_CLIENTS) < 0 ||
        getsockname(e->listener, (struct sockaddr *)&a, &length) < 0)
        return slw_fail_sys(err, errno == EACCES ? SLW_E_PERM : SLW_E_IO, errno,
                            "cannot listen on 127.0.0.1:%u", e->options.port);
    e->port = ntohs(a.sin_port);
    return 0;
}

int slw_cql_endpoint_open(const struct slw_cql_endpoint_options *options,
                          struct slw_cql_endpoint **ret, struct slw_error *err)
{
    struct slw_cql_endpoint *e = calloc(1, sizeof(*e));

    if (!e)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the endpoint");
    e->options = *options;
    e->log.fd = e->listener = e->wake = -1;
    int rc = 0;
    if (options->durable)
        rc = slw_cql_log_open(options->durable, slw_cql_replay, e, &e->log, err);
    if (rc == 0)
        rc = listen_on(e, err);
    if (rc < 0) {
        slw_cql_endpoint_close(e);
        return rc;
    }
    e->options.durable = NULL; /* was borrowed */
    *ret = e;
    return 0;
}

/* ---- clients ---- */

static void accept_client(struct slw_cql_endpoint *e)
{
    const int on = 1;
    int fd = accept4(e->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    struct slw_cql_client *c = e->client_count < SLW_CQL_CLIENTS ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c->fd = fd;
    c->in.limit = SLW_CQL_REQUEST_BODY;
    e->clients[e->client_count++] = c;
}

static void read_client(struct slw_cql_endpoint *e, struct slw_cql_client *c, char *bytes)
{
    struct slw_error err = {0};
    ssize_t got = recv(c->fd, bytes, READ_BYTES, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || slw_cql_decoder_feed(&c->in, bytes, (size_t)got, &err) < 0) {
        c->closing = true;
        c->out.out.length = c->sent; /* nobody is there to read */
        return;
    }
    slw_cql_session(e, c);
}

static void write_client(struct slw_cql_client *c)
{
    const size_t left = c->out.out.length - c->sent;
    ssize_t put = left ? send(c->fd, c->out.out.data + c->sent, left, MSG_NOSIGNAL) : 0;

    if (put < 0 && errno != EAGAIN && errno != EINTR) {
        c->closing = true;
        c->out.out.length = c->sent;
    }
    c->sent += put > 0 ? (size_t)put : 0;
    if (c->sent == c->out.out.length)
        c->sent = c->out.out.length = 0;
}

static bool is_over(const struct slw_cql_client *c)
{
    return c->closing && c->out.out.length == 0;
}

/* ---- rounds ---- */

/* Someone has requests left that there is room to answer again. */
static bool is_stalled(const struct slw_cql_client *c)
{
    return c->stalled && !c->closing && slw_cql_waiting(c) < SLW_CQL_OUT_MARK;
}

static bool any_stalled(const struct slw_cql_endpoint *e)
{
    for (size_t i = 0; i < e->client_count; i++)
        if (is_stalled(e->clients[i]))
            return true;
    return false;
}

static size_t fill(const struct slw_cql_endpoint *e, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = e->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = e->listener, .events = POLLIN};
    for (size_t i = 0; i < e->client_count; i++) {
        const struct slw_cql_client *c = e->clients[i];
        const size_t waiting = slw_cql_waiting(c);
        const bool reads = !c->closing && !c->stalled;

        fds[2 + i] = (struct pollfd){
            .fd = c->fd, .events = (short)((reads ? POLLIN : 0) | (waiting ? POLLOUT : 0))};
    }
    return 2 + e->client_count;
}

static void drop_clients(struct slw_cql_endpoint *e)
{
    for (size_t i = e->client_count; i > 0; i--) {
        if (!is_over(e->clients[i - 1]))
            continue;
        client_free(e->clients[i - 1]);
        e->clients[i - 1] = e->clients[--e->client_count];
    }
}

static int serve_round(struct slw_cql_endpoint *e, const struct pollfd *fds, char *bytes,
                       struct slw_error *err)
{
    const size_t count = e->client_count;

    for (size_t i = 0; i < count; i++) {
        if (is_stalled(e->clients[i]))
            slw_cql_session(e, e->clients[i]);
        else if (fds[2 + i].revents & (POLLIN | POLLHUP | POLLERR))
            read_client(e, e->clients[i], bytes);
    }
    int rc = slw_cql_log_sync(&e->log, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        write_client(e->clients[i]);
    drop_clients(e);
    if (fds[1].revents)
        accept_client(e);
    return rc;
}

int slw_cql_endpoint_serve(struct slw_cql_endpoint *e, struct slw_error *err)
{
    struct pollfd fds[2 + SLW_CQL_CLIENTS];
    char *bytes = malloc(READ_BYTES);
    int rc = bytes ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for the endpoint");

    while (rc == 0 && !atomic_load(&e->stop)) {
        const size_t count = fill(e, fds);

        if (poll(fds, count, any_stalled(e) ? 0 : -1) >= 0)
            rc = serve_round(e, fds, bytes, err);
        else if (errno != EINTR)
            rc = slw_fail_sys(err, SLW_E_IO, errno, "cannot wait for clients");
    }
    free(bytes);
    return rc;
}

static void *serve_thread(void *endpoint)
{
    struct slw_error err = {0};

    (void)slw_cql_endpoint_serve(endpoint, &err);
    return NULL;
}

int slw_cql_endpoint_start(struct slw_cql_endpoint *e, struct slw_error *err)
{
    int rc = pthread_create(&e->thread, NULL, serve_thread, e);

    if (rc != 0)
        return slw_fail_sys(err, SLW_E_IO, rc, "cannot start a thread for the endpoint");
    e->threaded = true;
    return 0;
}
