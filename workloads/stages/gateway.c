/* SPDX-License-Identifier: MIT */
/* The stages that read a request and write its answer, and all of them as a table. */
#include "workloads/stages/gateway_int.h"

#include <slotwise/stage.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A verb, the key, who asks, a price. Not compiled to machine code by PCRE2: its matcher is the
 * kind of large function that this workload is about. */
static const char pattern[] = "^(get|touch) ([0-9]{1,10}) by [a-z]+([0-9]{1,6})@(?:[a-z]+\\.)+"
                              "(?:org|com|net) at ([0-9]{1,6}\\.[0-9]{2})$";
enum { GROUP_VERB = 1, GROUP_KEY, GROUP_USER, GROUP_PRICE, GROUPS };

size_t slw_gateway_text_capacity(size_t payload)
{
    return payload + SLW_GATEWAY_MAX_TEXT;
}

size_t slw_gateway_answer_capacity(size_t payload)
{
    return SLW_GATEWAY_ANSWER_HEAD + SLW_GATEWAY_TRAILER +
           (size_t)LZ4_COMPRESSBOUND(slw_gateway_text_capacity(payload));
}

void slw_gateway_fail(struct slw_gateway *g, const char *what)
{
    g->failed = true;
    (void)slw_fail(&g->error, SLW_E_INTERNAL, "stages: cannot %s", what);
}

static void decode(struct slw_gateway *g, struct slw_gateway_call *c)
{
    if (c->frame_length <= SLW_GATEWAY_HEAD || c->frame_length > SLW_GATEWAY_MAX_REQUEST ||
        slw_gateway_get(c->frame, 4) != c->frame_length) {
        slw_gateway_fail(g, "decode a request");
        return;
    }
    c->sequence = slw_gateway_get(c->frame + 4, 8);
}

static void group(const struct slw_gateway_call *c, const PCRE2_SIZE *ends, size_t number,
                  const char **ret_text, size_t *ret_length)
{
    *ret_text = (const char *)c->frame + SLW_GATEWAY_HEAD + ends[2 * number];
    *ret_length = ends[2 * number + 1] - ends[2 * number];
}

static void parse(struct slw_gateway *g, struct slw_gateway_call *c)
{
    const int n = pcre2_match(g->pattern, c->frame + SLW_GATEWAY_HEAD,
                              c->frame_length - SLW_GATEWAY_HEAD, 0, 0, g->match, NULL);
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(g->match);

    if (n != GROUPS) {
        slw_gateway_fail(g, "parse a statement");
        return;
    }
    group(c, ends, GROUP_VERB, &c->verb, &c->verb_length);
    group(c, ends, GROUP_KEY, &c->key_text, &c->key_length);
    group(c, ends, GROUP_USER, &c->user_text, &c->user_length);
    group(c, ends, GROUP_PRICE, &c->price_text, &c->price_length);
}

/* strtoull and strtod want an end: the frame has room for one after it, and the groups before end
 * with what is no digit. */
static void bind(struct slw_gateway *g, struct slw_gateway_call *c)
{
    char *end = NULL;

    c->frame[c->frame_length] = 0;
    c->key = strtoull(c->key_text, &end, 10);
    c->user = strtoull(c->user_text, NULL, 10);
    c->price = strtod(c->price_text, NULL);
    if (end != c->key_text + c->key_length)
        slw_gateway_fail(g, "bind the key of a statement");
}

static void plan(struct slw_gateway *g, struct slw_gateway_call *c)
{
    static const struct {
        const char *verb;
        bool updates;
    } prepared[] = {{"get", false}, {"touch", true}};

    for (size_t i = 0; i < sizeof(prepared) / sizeof(prepared[0]); i++)
        if (strlen(prepared[i].verb) == c->verb_length &&
            memcmp(prepared[i].verb, c->verb, c->verb_length) == 0) {
            c->updates = prepared[i].updates;
            return;
        }
    slw_gateway_fail(g, "find what is prepared for a statement");
}

static void encode(struct slw_gateway *g, struct slw_gateway_call *c)
{
    const size_t room = slw_gateway_text_capacity(g->payload);
    const int n = snprintf(c->text, room,
                           "{\"id\":%" PRIu64 ",\"user\":%" PRIu64 ",\"row\":\"%.*s\",\"score\":"
                           "%" PRId64 ",\"total\":%.4f}",
                           c->key, c->user, (int)c->row_length, c->row, c->score, c->price * 1.21);

    if (n < 0 || (size_t)n >= room) {
        slw_gateway_fail(g, "encode an answer");
        return;
    }
    c->text_length = (size_t)n;
}

static void send_answer(struct slw_gateway *g, struct slw_gateway_call *c)
{
    if (g->send(g->send_ctx, c, &g->error) < 0)
        g->failed = true;
}

SLW_GATEWAY_RUN(decode, decode)
SLW_GATEWAY_RUN(parse, parse)
SLW_GATEWAY_RUN(bind, bind)
SLW_GATEWAY_RUN(plan, plan)
SLW_GATEWAY_RUN(encode, encode)
SLW_GATEWAY_RUN(send, send_answer)

void slw_gateway_kinds(struct slw_gateway *g,
                       struct slw_execution_kind ret_kinds[SLW_GATEWAY_STAGE_COUNT])
{
#define X(stage, text)                                                                             \
    ret_kinds[SLW_GATEWAY_##stage] =                                                               \
        (struct slw_execution_kind){#stage, slw_gateway_run_##stage, g, 1};
    SLW_GATEWAY_STAGES(X)
#undef X
}

static int open_pattern(struct slw_gateway *g, struct slw_error *err)
{
    int code = 0;
    PCRE2_SIZE at = 0;

    g->pattern = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &code, &at, NULL);
    if (g->pattern)
        g->match = pcre2_match_data_create_from_pattern(g->pattern, NULL);
    return g->match ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for PCRE2 (code %d)", code);
}

int slw_gateway_open(struct slw_gateway *g, uint64_t rows, size_t payload, uint64_t seed,
                     struct slw_error *err)
{
    *g = (struct slw_gateway){.payload = payload};
    int r = open_pattern(g, err);

    if (r == 0)
        r = slw_gateway_open_sql(g, rows, seed, err);
    if (r == 0)
        r = slw_gateway_open_seal(g, seed, err);
    if (r < 0)
        slw_gateway_close(g);
    return r;
}

void slw_gateway_close(struct slw_gateway *g)
{
    if (!g)
        return;
    slw_gateway_close_seal(g);
    slw_gateway_close_sql(g);
    pcre2_match_data_free(g->match);
    pcre2_code_free(g->pattern);
    g->match = NULL;
    g->pattern = NULL;
}
