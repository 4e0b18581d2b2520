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
#include "base/parse.h"
#include "push/curl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Read of an answer before it is cut off. Its status says what happened, its text only why. */
#define MAX_BODY_BYTES   (64 * 1024)
#define MAX_HEADER_BYTES (256 * 1024)
#define MAX_RETRY_S      3600
#define RAW_TEXT         8192

struct call {
    struct slw_curl curl;
    CURL *easy;
    struct curl_slist *headers;
    struct slw_http_answer answer;
    char text[RAW_TEXT + 1]; /* before secrets are taken out: cutting could leave half of one */
    size_t body_bytes, header_bytes, text_bytes;
    bool out_of_memory;
    char why[CURL_ERROR_SIZE];
};

/* ---- what comes back ---- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct call *c = ctx;
    const size_t length = size * count;
    const size_t room = RAW_TEXT - c->text_bytes;
    const size_t taken = length < room ? length : room;

    memcpy(c->text + c->text_bytes, data, taken);
    c->text_bytes += taken;
    c->body_bytes += length;
    return c->body_bytes > MAX_BODY_BYTES ? 0 : length;
}

/* The value of `name` when the line is that header. */
static bool header_value(const char *line, size_t length, const char *name, char *out, size_t size)
{
    const size_t n = strlen(name);

    if (length <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return false;
    line += n + 1;
    length -= n + 1;
    while (length > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    while (length > 0 && strchr("\r\n \t", line[length - 1]))
        length--;
    (void)snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), line);
    return true;
}

/* Trailers come this way too: gRPC tells its status in one. */
static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct call *c = ctx;
    const size_t length = size * count;
    char value[RAW_TEXT + 1];
    uint64_t n;

    if (header_value(line, length, "retry-after", value, sizeof(value)) &&
        slw_parse_u64(value, "Retry-After", 0, MAX_RETRY_S, &n, NULL) == 0)
        c->answer.retry_after_s = n; /* the other form, a date, is left to our own patience */
    if (header_value(line, length, "grpc-status", value, sizeof(value)) &&
        slw_parse_u64(value, "grpc-status", 0, 1000, &n, NULL) == 0)
        c->answer.grpc_status = (int)n;
    if (header_value(line, length, "grpc-message", value, sizeof(value)))
        (void)memcpy(c->text, value, sizeof(value));
    c->header_bytes += length;
    return c->header_bytes > MAX_HEADER_BYTES ? 0 : length;
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
    c->curl.easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
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
    c->curl.easy_setopt(c->easy, CURLOPT_USERAGENT, "slotwise/" SLW_VERSION);
    if (e->ca_file)
        c->curl.easy_setopt(c->easy, CURLOPT_CAINFO, e->ca_file);
    if (!e->user)
        return;
    c->curl.easy_setopt(c->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    c->curl.easy_setopt(c->easy, CURLOPT_USERNAME, e->user);
    c->curl.easy_setopt(c->easy, CURLOPT_PASSWORD, e->password);
}

static void set_request(struct call *c, const struct slw_http_request *r, const char *url)
{
    const bool clear = strncmp(url, "http://", 7) == 0;

    c->curl.easy_setopt(c->easy, CURLOPT_URL, url);
    c->curl.easy_setopt(c->easy, CURLOPT_POST, 1L);
    c->curl.easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, r->endpoint->kind->method);
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
    c->answer.status = (int)status;
    c->answer.broken = is_trust(code);
    if (code != CURLE_OK && (status == 0 || !c->text[0]))
        (void)snprintf(c->text, sizeof(c->text), "%s",
                       c->why[0] ? c->why : c->curl.easy_strerror(code));
    slw_push_endpoint_scrub(e, c->text);
    (void)snprintf(c->answer.text, sizeof(c->answer.text), "%.*s", SLW_HTTP_TEXT, c->text);
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
    struct call c = {.answer = {.grpc_status = -1}};
    int rc = slw_curl_open(&c.curl, err);

    if (rc < 0)
        return rc;
    rc = perform(&c, request, err);
    slw_curl_close(&c.curl);
    if (rc >= 0)
        *ret_answer = c.answer;
    return rc;
}
#endif
