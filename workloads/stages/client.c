/* SPDX-License-Identifier: MIT */
/* The client's end: makes requests, takes answers. It is cheap, because it runs on the same thread
 * as what is measured, and does the same whatever is batched. */
#include "base/clock.h"
#include "workloads/stages/loop_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zlib.h>

#define READ_BYTES (64U << 10)
#define USERS      977
#define MAX_CENTS  100000

ssize_t slw_stages_receive(int fd, uint8_t *bytes, size_t size, struct slw_error *err)
{
    ssize_t n = 0;

    do
        n = recv(fd, bytes, size, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n >= 0            ? n
           : errno == EAGAIN ? 0
                             : slw_fail_sys(err, SLW_E_IO, errno, "cannot read the connection");
}

ssize_t slw_stages_send(int fd, const uint8_t *bytes, size_t length, struct slw_error *err)
{
    ssize_t n = 0;

    do
        n = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n >= 0            ? n
           : errno == EAGAIN ? 0
                             : slw_fail_sys(err, SLW_E_IO, errno, "cannot write the connection");
}

int slw_stages_client_init(struct slw_stages_client *c, const struct slw_stages_plan *plan, int fd,
                           struct slw_error *err)
{
    const size_t text = slw_gateway_text_capacity(plan->payload);

    *c = (struct slw_stages_client){.plan = plan, .fd = fd, .random = {plan->seed}};
    c->in_capacity = READ_BYTES + slw_gateway_answer_capacity(plan->payload);
    c->flights = calloc(plan->concurrency, sizeof(*c->flights));
    c->out = malloc(plan->concurrency * SLW_GATEWAY_MAX_REQUEST);
    c->in = malloc(c->in_capacity);
    c->text = malloc(text);
    c->expected = malloc(2 * text);
    if (!c->flights || !c->out || !c->in || !c->text || !c->expected)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu requests in flight",
                        plan->concurrency);
    return slw_gateway_opener_init(&c->opener, plan->payload, plan->seed, err);
}

void slw_stages_client_release(struct slw_stages_client *c)
{
    slw_gateway_opener_release(&c->opener);
    free(c->flights);
    free(c->out);
    free(c->in);
    free(c->text);
    free(c->expected);
    *c = (struct slw_stages_client){0};
}

void slw_stages_client_start(struct slw_stages_client *c, uint64_t count, uint64_t now_ns)
{
    c->goal = c->sent + count;
    if (c->plan->rate > 0) {
        slw_arrivals_init(&c->arrivals, c->plan->rate, c->plan->seed + c->sent, now_ns);
        c->due_ns = slw_arrivals_next(&c->arrivals);
    }
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
    while (*text)
        *p++ = (uint8_t)*text++;
    return p;
}

/* snprintf would cost more than some stages do. */
static uint8_t *put_number(uint8_t *p, uint64_t value, size_t least_digits)
{
    uint8_t digits[20];
    size_t n = 0;

    do
        digits[n++] = (uint8_t)('0' + value % 10);
    while ((value /= 10) > 0 || n < least_digits);
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

static void put_request(struct slw_stages_client *c, uint64_t since_ns)
{
    struct slw_stages_flight *f = &c->flights[c->sent % c->plan->concurrency];
    uint8_t *frame = c->out + c->out_length;
    uint8_t *p = frame + SLW_GATEWAY_HEAD;
    const uint64_t any = slw_random_next(&c->random);

    *f = (struct slw_stages_flight){since_ns, slw_random_below(&c->random, c->plan->keys) + 1,
                                    (uint32_t)(any >> 32) % USERS, (uint32_t)any % MAX_CENTS};
    p = put_text(p, c->plan->updates ? "touch " : "get ");
    p = put_number(p, f->key, 1);
    p = put_text(p, " by user");
    p = put_number(p, f->user, 1);
    p = put_text(p, "@mail.example.org at ");
    p = put_number(p, f->cents / 100, 1);
    *p++ = '.';
    p = put_number(p, f->cents % 100, 2);
    slw_gateway_put(frame, (uint64_t)(p - frame), 4);
    slw_gateway_put(frame + 4, c->sent++, 8);
    c->out_length += (size_t)(p - frame);
}

int slw_stages_client_write(struct slw_stages_client *c, uint64_t now_ns, struct slw_error *err)
{
    const bool open_loop = c->plan->rate > 0;

    while (c->sent < c->goal && c->sent - c->received < c->plan->concurrency &&
           (!open_loop || c->due_ns <= now_ns)) {
        put_request(c, open_loop ? c->due_ns : now_ns);
        if (open_loop)
            c->due_ns = slw_arrivals_next(&c->arrivals);
    }
    if (c->out_length == 0)
        return 0;
    const ssize_t n = slw_stages_send(c->fd, c->out, c->out_length, err);
    if (n <= 0)
        return (int)n;
    c->out_length -= (size_t)n;
    memmove(c->out, c->out + n, c->out_length);
    return (int)n;
}

/* What the answer has to say, made without the database. */
static size_t expect(struct slw_stages_client *c, const struct slw_stages_flight *f)
{
    const size_t room = slw_gateway_text_capacity(c->plan->payload);
    char *row = c->expected + room;
    const size_t length = slw_gateway_row(c->plan->seed, f->key, c->plan->payload, row);
    const size_t name = length - 1 - c->plan->payload;

    return (size_t)snprintf(c->expected, room,
                            "{\"id\":%" PRIu64 ",\"user\":%" PRIu32 ",\"row\":\"%.*s\",\"score\":"
                            "%" PRIu64 ",\"total\":%.4f}",
                            f->key, f->user, (int)length, row, f->key * 3 + 2 * name,
                            (f->cents / 100.0) * 1.21);
}

static int check(struct slw_stages_client *c, const uint8_t *answer, size_t length,
                 struct slw_error *err)
{
    const struct slw_stages_flight *f = &c->flights[c->received % c->plan->concurrency];
    size_t n = 0;
    const int r = slw_gateway_open_answer(&c->opener, answer, length, c->text, &n, err);

    if (r < 0)
        return r;
    if (n != expect(c, f) || memcmp(c->text, c->expected, n) != 0)
        return slw_fail(err, SLW_E_INTERNAL, "stages: answer %" PRIu64 " says something else",
                        c->received);
    c->opened++;
    return 0;
}

static int take_answer(struct slw_stages_client *c, const uint8_t *answer, size_t length,
                       struct slw_error *err)
{
    const size_t covered = SLW_GATEWAY_DIGEST + 8;

    if (slw_gateway_get(answer + 4, 8) != c->received || c->received == c->sent)
        return slw_fail(err, SLW_E_INTERNAL, "stages: answer %" PRIu64 " is not next",
                        slw_gateway_get(answer + 4, 8));
    if (c->plan->verify) {
        const int r = check(c, answer, length, err);
        if (r < 0)
            return r;
    }
    c->digest = (uint32_t)crc32(c->digest, answer + length - covered, (uInt)covered);
    c->answer_bytes += length;
    c->received++;
    return 0;
}

static int take_answers(struct slw_stages_client *c, struct slw_error *err)
{
    const size_t least = SLW_GATEWAY_ANSWER_HEAD + SLW_GATEWAY_TRAILER;
    size_t at = 0;

    while (c->in_length - at >= 4) {
        const uint64_t length = slw_gateway_get(c->in + at, 4);

        if (length < least || length > slw_gateway_answer_capacity(c->plan->payload))
            return slw_fail(err, SLW_E_INTERNAL, "stages: an answer of %" PRIu64 " bytes", length);
        if (c->in_length - at < length)
            break;
        const int r = take_answer(c, c->in + at, (size_t)length, err);
        if (r < 0)
            return r;
        at += (size_t)length;
    }
    c->in_length -= at;
    memmove(c->in, c->in + at, c->in_length);
    return 0;
}

int slw_stages_client_read(struct slw_stages_client *c, struct slw_error *err)
{
    const size_t room = c->in_capacity - c->in_length;
    const size_t most = room < c->plan->read_bytes ? room : c->plan->read_bytes;
    const ssize_t n = slw_stages_receive(c->fd, c->in + c->in_length, most, err);

    if (n <= 0)
        return (int)n;
    c->in_length += (size_t)n;
    const int r = take_answers(c, err);
    return r < 0 ? r : (int)n;
}
