/* SPDX-License-Identifier: MIT */
#include "push/endpoint.h"

#include "push/encode.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the URL ---- */

static int refuse(struct slw_error *err, const char *why)
{
    slw_error_hint(err, "for example: https://profiles.example.org:4040");
    return slw_fail(err, SLW_E_USAGE, "the URL to push to %s", why);
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes that %XX stand for; a '%' of nothing and control characters are refused. */
static int decode(const char *text, size_t length, char **ret_text, struct slw_error *err)
{
    char *out = strndup(text, length);
    size_t n = 0;

    if (!out)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a URL");
    for (size_t i = 0; i < length; i++) {
        char c = out[i];
        if (c == '%') {
            const int high = i + 2 < length ? hex(out[i + 1]) : -1;
            const int low = i + 2 < length ? hex(out[i + 2]) : -1;
            c = '\0';
            if (high >= 0 && low >= 0)
                c = (char)(high << 4 | low);
            i += 2;
        }
        if (iscntrl((unsigned char)c)) {
            free(out);
            return refuse(err, "has a malformed user or password");
        }
        out[n++] = c;
    }
    out[n] = '\0';
    *ret_text = out;
    return 0;
}

static int take_user(struct slw_push_endpoint *e, const char *from, size_t length,
                     struct slw_error *err)
{
    const char *colon = memchr(from, ':', length);
    const size_t user = colon ? (size_t)(colon - from) : length;
    int rc = decode(from, user, &e->user, err);

    if (rc >= 0)
        rc = decode(colon ? colon + 1 : "", colon ? length - user - 1 : 0, &e->password, err);
    return rc;
}

static bool ends_so(const char *text, size_t length, const char *ending)
{
    const size_t n = strlen(ending);

    return length >= n && memcmp(text + length - n, ending, n) == 0;
}

static const struct slw_push_kind *kind_of(const char *path, size_t length, enum slw_push_what what)
{
    const struct slw_push_kind *first = NULL;

    for (size_t i = 0; i < slw_push_kind_count; i++) {
        if (slw_push_kinds[i]->what != what)
            continue;
        if (ends_so(path, length, slw_push_kinds[i]->ending))
            return slw_push_kinds[i];
        first = first ? first : slw_push_kinds[i];
    }
    return first;
}

/* host: behind the user; up to the end, or to the path. */
static int put_url(struct slw_push_endpoint *e, const char *scheme, const char *host,
                   const struct slw_push_kind *kind, enum slw_push_what what, struct slw_error *err)
{
    struct slw_buf url = {0};
    size_t length = strlen(host);

    while (length > 0 && host[length - 1] == '/')
        length--;
    if (length == 0 || host[0] == ':' || host[0] == '/')
        return refuse(err, "names no host");
    e->kind = kind ? kind : kind_of(host, length, what);
    if (!e->kind)
        return refuse(err, "is of no kind of server that is known");
    slw_buf_puts(&url, scheme);
    slw_buf_put(&url, host, length);
    if (!ends_so(host, length, e->kind->ending))
        slw_buf_puts(&url, e->kind->ending);
    if (slw_buf_failed(&url)) {
        slw_buf_release(&url);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a URL");
    }
    e->url = slw_buf_take(&url);
    return 0;
}

static const char *scheme_of(const char *url)
{
    static const char *const schemes[] = {"https://", "http://"};

    for (size_t i = 0; i < 2; i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return schemes[i];
    return NULL;
}

int slw_push_endpoint_init(const char *url, enum slw_push_what what,
                           const struct slw_push_kind *kind, struct slw_push_endpoint *ret_endpoint,
                           struct slw_error *err)
{
    struct slw_push_endpoint e = {0};
    const char *scheme = scheme_of(url);
    int rc = 0;

    if (!scheme)
        return refuse(err, "begins with neither http:// nor https://");
    if (strlen(url) > SLW_PUSH_MAX_URL)
        return refuse(err, "is longer than 4096 bytes");
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c >= 0x7f) /* also what is below 0 */
            return refuse(err, "has blanks or letters in it that have to be written as %XX");
    const char *host = url + strlen(scheme), *at = NULL;
    const char *path = host + strcspn(host, "/?#");
    for (const char *c = host; c < path; c++)
        at = *c == '@' ? c : at;
    if (strchr(path, '@')) /* behind a '/' in a password: all of it would be taken for a path */
        return refuse(err,
                      "has an '@' in its path; in passwords, '/', '?' and '#' are %2F, %3F, %23");
    if (strpbrk(path, "?#"))
        return refuse(err, "has a query or a fragment, which slotwise would have to write itself");
    if (at)
        rc = take_user(&e, host, (size_t)(at - host), err);
    if (rc >= 0)
        rc = put_url(&e, scheme, at ? at + 1 : host, kind, what, err);
    if (rc < 0)
        slw_push_endpoint_release(&e);
    else
        *ret_endpoint = e;
    return rc;
}

/* ---- headers ---- */

/* Source: RFC 9110, field-name (token) and field-value. */
static bool is_header(const char *line, size_t length)
{
    size_t name = 0;

    while (name < length && (isalnum((unsigned char)line[name]) ||
                             (line[name] && strchr("!#$%&'*+-.^_`|~", line[name]))))
        name++;
    if (name == 0 || name == length || line[name] != ':')
        return false;
    for (size_t i = name; i < length; i++)
        if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
            return false;
    return true;
}

static int add_header(struct slw_push_endpoint *e, const char *line, size_t length,
                      struct slw_error *err)
{
    if (!is_header(line, length))
        return slw_fail(err, SLW_E_FORMAT,
                        "a header to push with is not of the form 'Name: value'");
    if (e->header_count == SLW_PUSH_MAX_HEADERS)
        return slw_fail(err, SLW_E_LIMIT, "more than %d headers to push with",
                        SLW_PUSH_MAX_HEADERS);
    char *header = strndup(line, length);
    if (!header)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a header");
    e->headers[e->header_count++] = header;
    return 0;
}

int slw_push_endpoint_add_headers(struct slw_push_endpoint *e, const char *text, const char *where,
                                  struct slw_error *err)
{
    int rc = 0;

    for (size_t line = 1; rc >= 0 && *text; line++) {
        size_t length = strcspn(text, "\n");
        const char *next = text + length + (text[length] == '\n');

        if (length > 0 && text[length - 1] == '\r')
            length--;
        if (length > 0 && text[0] != '#')
            rc = add_header(e, text, length, err);
        if (rc < 0)
            slw_error_at(err, "%s:%zu", where, line);
        text = next;
    }
    return rc;
}

void slw_push_endpoint_release(struct slw_push_endpoint *e)
{
    free(e->url);
    free(e->user);
    free(e->password);
    for (size_t i = 0; i < e->header_count; i++)
        free(e->headers[i]);
    *e = (struct slw_push_endpoint){0};
}

/* ---- secrets ---- */

#define MIN_SECRET 4 /* shorter ones are in every other word, and no secrets */

static void star(char *text, const char *secret)
{
    const size_t length = secret ? strlen(secret) : 0;

    if (length < MIN_SECRET)
        return;
    for (char *found = strstr(text, secret); found; found = strstr(found + length, secret))
        memset(found, '*', length);
}

/* "Authorization: Bearer abc": all of the value, and its last word. */
static void star_header(char *text, const char *header)
{
    const char *value = strchr(header, ':') + 1, *last;

    value += strspn(value, " \t");
    star(text, value);
    last = strrchr(value, ' ');
    if (last)
        star(text, last + 1);
}

void slw_push_endpoint_scrub(const struct slw_push_endpoint *e, char *text)
{
    struct slw_buf both = {0}, basic = {0};

    for (size_t i = 0; i < e->header_count; i++)
        star_header(text, e->headers[i]);
    if (!e->user)
        return;
    slw_buf_printf(&both, "%s:%s", e->user, e->password);
    if (both.data)
        slw_push_put_base64(&basic, both.data, both.length, 0);
    if (slw_buf_failed(&both) || slw_buf_failed(&basic))
        text[0] = '\0'; /* what cannot be checked is not shown */
    star(text, basic.data);
    star(text, e->password);
    slw_buf_release(&both);
    slw_buf_release(&basic);
}
