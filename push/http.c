/* SPDX-License-Identifier: MIT */
#include "push/http.h"

#ifdef SLW_STATIC
int slw_http_send(const struct slw_http_request *request, struct slw_http_answer *ret_answer,
                  struct slw_error *err)
{
    (void)request;
    (void)ret_answer;
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise is static and cannot push");
}
#else
#include "push/curl.h"
#include "push/reply.h"

#include <stdio.h>
#include <string.h>

struct call {
    struct slw_curl curl;
    CURL *easy;
    struct curl_slist *headers;
    struct slw_reply reply;
    bool out_of_memory;
    char why[CURL_ERROR_SIZE];
};

/* ---- what comes back ---- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct call *c = ctx;

    return slw_reply_body(&c->reply, data, size * count) ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct call *c = ctx;

    return slw_reply_header(&c->reply, line, size * count) ? size * count : 0;
}

/* ---- what is sent ---- */

static void add_header(struct call *c, const char *header)
{
    struct curl_slist *longer = c->curl.slist_append(c->headers, header);

    if (longer)
        c->headers = longer;
    else
        c->out_of_memory = true;
}

/* Settings that libcurl copies: without one of them the request would be another. */
static void set_text(struct call *c, CURLoption option, const char *text)
{
    if (c->curl.easy_setopt(c->easy, option, text) == CURLE_OUT_OF_MEMORY)
        c->out_of_memory = true;
}

static void set_headers(struct call *c, const struct slw_push_endpoint *e)
{
    char type[128];

    (void)snprintf(type, sizeof(type), "Content-Type: %s", e->kind->content_type);
    add_header(c, type);
    add_header(c, "Expect:"); /* no round trip before the body */
    if (e->kind->grpc)
        add_header(c, "TE: trailers");
    for (size_t i = 0; i < e->header_count; i++)
        add_header(c, e->headers[i]);
    c->curl.easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
}

static void set_limits(struct call *c, const struct slw_http_request *r)
{
    set_text(c, CURLOPT_PROTOCOLS_STR, "http,https");
    c->curl.easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
    c->curl.easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    c->curl.easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    c->curl.easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->timeout_ms / 2 + 1));
    c->curl.easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
    c->curl.easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
    c->curl.easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    c->curl.easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    c->curl.easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->why);
}

static void set_identity(struct call *c, const struct slw_push_endpoint *e)
{
    set_text(c, CURLOPT_USERAGENT, "slotwise/" SLW_VERSION);
    if (e->ca_file)
        set_text(c, CURLOPT_CAINFO, e->ca_file);
    if (!e->user)
        return;
    c->curl.easy_setopt(c->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    set_text(c, CURLOPT_USERNAME, e->user);
    set_text(c, CURLOPT_PASSWORD, e->password);
}

static void set_request(struct call *c, const struct slw_http_request *r, const char *url)
{
    const bool clear = strncmp(url, "http://", 7) == 0;

    set_text(c, CURLOPT_URL, url);
    c->curl.easy_setopt(c->easy, CURLOPT_POST, 1L);
    set_text(c, CURLOPT_CUSTOMREQUEST, r->endpoint->kind->method);
    c->curl.easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->length);
    c->curl.easy_setopt(c->easy, CURLOPT_POSTFIELDS, r->length ? r->body : "");
    if (r->endpoint->kind->grpc)
        c->curl.easy_setopt(
            c->easy, CURLOPT_HTTP_VERSION,
            (long)(clear ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS));
}

/* ---- the call ---- */

static bool is_trust(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR || code == CURLE_URL_MALFORMAT;
}

static int conclude(struct call *c, CURLcode code, const struct slw_push_endpoint *e,
                    struct slw_error *err)
{
    long status = 0;

    if (code == CURLE_OUT_OF_MEMORY)
        return slw_fail(err, SLW_E_NOMEM, "no memory to push");
    (void)c->curl.easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->reply.answer.status = (int)status;
    c->reply.answer.broken = is_trust(code);
    slw_reply_finish(&c->reply, e,
                     code == CURLE_OK ? NULL
                     : c->why[0]      ? c->why
                                      : c->curl.easy_strerror(code));
    return 0;
}

static int perform(struct call *c, const struct slw_http_request *r, struct slw_error *err)
{
    struct slw_buf url = {0};
    int rc = -SLW_E_NOMEM;

    slw_buf_puts(&url, r->endpoint->url);
    slw_buf_puts(&url, r->suffix);
    c->easy = c->curl.easy_init();
    if (c->easy && !slw_buf_failed(&url)) {
        set_limits(c, r);
        set_identity(c, r->endpoint);
        set_request(c, r, url.data);
        set_headers(c, r->endpoint);
    }
    if (c->easy && !slw_buf_failed(&url) && !c->out_of_memory)
        rc = conclude(c, c->curl.easy_perform(c->easy), r->endpoint, err);
    else
        (void)slw_fail(err, SLW_E_NOMEM, "no memory to push");
    c->curl.slist_free_all(c->headers);
    if (c->easy)
        c->curl.easy_cleanup(c->easy);
    slw_buf_release(&url);
    return rc;
}

int slw_http_send(const struct slw_http_request *request, struct slw_http_answer *ret_answer,
                  struct slw_error *err)
{
    struct call c = {.reply = {.answer = {.grpc_status = -1}}};
    int rc = slw_curl_open(&c.curl, err);

    if (rc < 0)
        return rc;
    rc = perform(&c, request, err);
    slw_curl_close(&c.curl);
    if (rc >= 0)
        *ret_answer = c.reply.answer;
    return rc;
}
#endif
