/* SPDX-License-Identifier: MIT */
#include "push/reply.h"

#include "base/parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Its status says what happened, its text only why. */
#define MAX_BODY_BYTES   65536u
#define MAX_HEADER_BYTES 262144u
#define MAX_RETRY_S      3600

bool slw_reply_body(struct slw_reply *r, const char *data, size_t length)
{
    const size_t room = SLW_REPLY_RAW - r->raw_length;
    const size_t taken = length < room ? length : room;

    memcpy(r->raw + r->raw_length, data, taken);
    r->raw_length += taken;
    r->body_bytes += length;
    return r->body_bytes <= MAX_BODY_BYTES;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of `name`, where the line is that header; cut at what `out` holds. */
static bool header_value(const char *line, size_t length, const char *name, char *out, size_t size)
{
    const size_t n = strlen(name);

    if (length <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return false;
    line += n + 1;
    length -= n + 1;
    while (length > 0 && is_blank(*line)) {
        line++;
        length--;
    }
    while (length > 0 && is_blank(line[length - 1]))
        length--;
    if (length > size - 1)
        length = size - 1;
    memcpy(out, line, length);
    out[length] = '\0';
    return true;
}

static bool header_number(const char *line, size_t length, const char *name, uint64_t max,
                          uint64_t *ret_number)
{
    char value[32];

    return header_value(line, length, name, value, sizeof(value)) &&
           slw_parse_u64(value, name, 0, max, ret_number, NULL) == 0;
}

bool slw_reply_header(struct slw_reply *r, const char *line, size_t length)
{
    uint64_t n;

    /* The other form of it, a date, is left to our own patience. */
    if (header_number(line, length, "retry-after", MAX_RETRY_S, &n))
        r->answer.retry_after_s = n;
    if (header_number(line, length, "grpc-status", 1000, &n))
        r->answer.grpc_status = (int)n;
    if (header_value(line, length, "grpc-message", r->raw, sizeof(r->raw)))
        r->raw_length = strlen(r->raw);
    r->header_bytes += length;
    return r->header_bytes <= MAX_HEADER_BYTES;
}

/* Bytes of 0 would hide what follows, secrets too. */
static void show_zeros(struct slw_reply *r)
{
    for (size_t i = 0; i < r->raw_length; i++)
        if (r->raw[i] == '\0')
            r->raw[i] = ' ';
    r->raw[r->raw_length] = '\0';
}

void slw_reply_finish(struct slw_reply *r, const struct slw_push_endpoint *e, const char *why)
{
    show_zeros(r);
    if (why && (r->answer.status == 0 || !r->raw[0]))
        (void)snprintf(r->raw, sizeof(r->raw), "%s", why);
    slw_push_endpoint_scrub(e, r->raw);
    (void)snprintf(r->answer.text, sizeof(r->answer.text), "%.*s", SLW_HTTP_TEXT, r->raw);
}
