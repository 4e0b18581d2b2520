/* SPDX-License-Identifier: MIT */
#include "push/send.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Source: gRPC, "Status codes and their use in gRPC". */
enum { GRPC_DEADLINE = 4, GRPC_PERMISSION = 7, GRPC_EXHAUSTED = 8, GRPC_UNAVAILABLE = 14 };
enum { GRPC_UNAUTHENTICATED = 16 };

static enum slw_send_fate judge_grpc(int status, bool *ret_again)
{
    *ret_again = status == GRPC_DEADLINE || status == GRPC_EXHAUSTED || status == GRPC_UNAVAILABLE;
    if (status == 0)
        return SLW_SEND_TAKEN;
    if (*ret_again || status == GRPC_PERMISSION || status == GRPC_UNAUTHENTICATED)
        return SLW_SEND_LATER;
    return SLW_SEND_REFUSED;
}

/* Source: RFC 9110, "Status Codes"; RFC 6585 (429). */
enum slw_send_fate slw_send_judge(const struct slw_http_answer *answer, bool grpc, bool *ret_again)
{
    const int status = answer->status;

    *ret_again = false;
    if (status == 0) {
        *ret_again = !answer->broken;
        return SLW_SEND_LATER;
    }
    if (grpc && status == 200 && answer->grpc_status >= 0)
        return judge_grpc(answer->grpc_status, ret_again);
    if (status >= 200 && status < 300 && !grpc)
        return SLW_SEND_TAKEN;
    if (status == 401 || status == 403 || status == 407)
        return SLW_SEND_LATER;
    *ret_again = status == 408 || status == 425 || status == 429 ||
                 (status >= 500 && status != 501 && status != 505) || (grpc && status == 200);
    return *ret_again ? SLW_SEND_LATER : SLW_SEND_REFUSED;
}

/* Half to one and a half of `ms`. */
static uint64_t spread(uint64_t ms)
{
    uint32_t dice = 0;

    if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
        dice = 1u << 31; /* the middle */
    return ms / 2 + (ms * dice >> 32);
}

static void pause_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

/* What a server says may hold anything. */
static void put_clean(char *to, size_t size, const char *text)
{
    size_t n = strlen(to);
    bool blank = true;

    for (; *text && n + 1 < size; text++) {
        const bool is_blank = isspace((unsigned char)*text) || iscntrl((unsigned char)*text);

        if (!is_blank || !blank)
            to[n++] = is_blank ? ' ' : *text;
        blank = is_blank;
    }
    while (n > 0 && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}

static void explain(const struct slw_http_answer *a, bool grpc, char *to, size_t size)
{
    to[0] = '\0';
    if (grpc && a->status == 200 && a->grpc_status >= 0)
        (void)snprintf(to, size, "gRPC status %d", a->grpc_status);
    else if (grpc && a->status == 200)
        (void)snprintf(to, size, "an answer without a status of gRPC");
    else if (a->status >= 300 && a->status < 400)
        (void)snprintf(to, size, "redirected (HTTP %d): push to where it leads", a->status);
    else if (a->status > 0)
        (void)snprintf(to, size, "HTTP %d", a->status);
    if (a->status >= 300 && a->status < 400)
        return;
    if (to[0] && a->text[0])
        (void)strncat(to, ": ", size - strlen(to) - 1);
    put_clean(to, size, a->text);
}

int slw_send(const struct slw_http_request *request, const struct slw_send_patience *patience,
             struct slw_send_result *ret_result, struct slw_error *err)
{
    const bool grpc = request->endpoint->kind->grpc;
    struct slw_send_result result = {0};
    uint64_t pause = patience->first_pause_ms;

    for (;;) {
        struct slw_http_answer answer;
        bool again;
        int rc = slw_http_send(request, &answer, err);

        if (rc < 0)
            return rc;
        result.tries++;
        result.fate = slw_send_judge(&answer, grpc, &again);
        if (result.fate != SLW_SEND_TAKEN)
            explain(&answer, grpc, result.why, sizeof(result.why));
        const uint64_t asked = answer.retry_after_s * 1000, own = spread(pause);
        if (!again || result.tries >= patience->tries || asked > SLW_SEND_MAX_PAUSE_MS)
            break;
        result.why[0] = '\0';
        pause_ms(asked > own ? asked : own);
        pause = pause * 2 < SLW_SEND_MAX_PAUSE_MS ? pause * 2 : SLW_SEND_MAX_PAUSE_MS;
    }
    *ret_result = result;
    return 0;
}
