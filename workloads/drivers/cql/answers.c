/* SPDX-License-Identifier: MIT */
/* What the server says, as answers to requests. */
#include "base/clock.h"
#include "workloads/drivers/cql/cql_int.h"

#include <stdarg.h>
#include <stdio.h>

void slw_cql_answer_as(struct slw_answer *a, enum slw_outcome outcome, const char *fmt, ...)
{
    va_list ap;

    *a = (struct slw_answer){.outcome = outcome};
    va_start(ap, fmt);
    (void)vsnprintf(a->why, sizeof(a->why), fmt, ap);
    va_end(ap);
}

/* Section 8 (v5): what each says about whether a write was done. "Timeout" and "failure" come from
 * replicas after the write was sent to them: some may have it. Reading changes nothing, so it can
 * always be tried again. */
static enum slw_outcome outcome_of(enum slw_op op, int32_t code)
{
    switch (code) {
    case SLW_CQL_E_UNAVAILABLE: /* found out before anything was sent to replicas */
    case SLW_CQL_E_OVERLOADED:
    case SLW_CQL_E_BOOTSTRAPPING:
    case SLW_CQL_E_UNPREPARED:
        return SLW_OUTCOME_TRANSIENT;
    case SLW_CQL_E_SYNTAX:
    case SLW_CQL_E_UNAUTHORIZED:
    case SLW_CQL_E_INVALID:
    case SLW_CQL_E_CONFIG:
    case SLW_CQL_E_ALREADY_EXISTS:
    case SLW_CQL_E_PROTOCOL:
    case SLW_CQL_E_BAD_CREDENTIALS:
        return SLW_OUTCOME_REJECTED;
    default: /* WRITE_TIMEOUT, READ_TIMEOUT (of a condition), WRITE_FAILURE, SERVER ... */
        return op == SLW_OP_READ ? SLW_OUTCOME_TRANSIENT : SLW_OUTCOME_LOST;
    }
}

void slw_cql_answer_failure(struct slw_answer *a, enum slw_op op, const struct slw_cql_failure *f)
{
    slw_cql_answer_as(a, outcome_of(op, f->code), "%s: %.*s", slw_cql_code_text(f->code),
                      (int)(f->text.length < 100 ? f->text.length : 100),
                      f->text.length ? f->text.bytes : "");
}

/* ---- RESULT ---- */

/* [applied], the first column of the answer to IF [NOT] EXISTS. */
static bool answer_condition(struct slw_cql_slot *s, struct slw_cql_rows *r)
{
    const struct slw_cql_value applied =
        r->row_count ? slw_cql_get_bytes(&r->content) : (struct slw_cql_value){NULL, SLW_CQL_NULL};

    if (applied.length != 1)
        return false;
    s->answer = (struct slw_answer){.outcome = SLW_OUTCOME_DONE, .affected = 1};
    if (applied.bytes[0] == 0 && s->request.op == SLW_OP_UPDATE)
        s->answer.affected = 0;
    else if (applied.bytes[0] == 0 && !s->request.again)
        slw_cql_answer_as(&s->answer, SLW_OUTCOME_REJECTED, "a row of this id is there already");
    return true;
}

static bool answer_read(struct slw_cql_slot *s, struct slw_cql_rows *r)
{
    if (r->metadata.column_count != 1)
        return false;
    s->answer = (struct slw_answer){.outcome = SLW_OUTCOME_NOTHING};
    if (r->row_count == 0)
        return true;
    const struct slw_cql_value v = slw_cql_get_bytes(&r->content);
    s->answer.outcome = SLW_OUTCOME_DONE;
    s->answer.length = v.length > 0 ? (size_t)v.length : 0;
    s->payload.length = 0;
    slw_buf_put(&s->payload, v.bytes, s->answer.length);
    s->answer.payload = s->payload.data;
    return !slw_buf_failed(&s->payload);
}

static bool answer_result(struct slw_cql_slot *s, struct slw_cql_in *in)
{
    const int32_t kind = slw_cql_get_int(in);
    struct slw_cql_rows r;

    if (kind == SLW_CQL_VOID && s->request.op != SLW_OP_READ) {
        s->answer = (struct slw_answer){.outcome = SLW_OUTCOME_DONE, .affected = 1};
        return true;
    }
    if (kind != SLW_CQL_ROWS || !slw_cql_get_rows(in, &r))
        return false;
    return s->request.op == SLW_OP_READ ? answer_read(s, &r) : answer_condition(s, &r);
}

static enum slw_cql_text_id text_of(enum slw_op op)
{
    return op == SLW_OP_INSERT   ? SLW_CQL_TEXT_INSERT
           : op == SLW_OP_UPDATE ? SLW_CQL_TEXT_UPDATE
                                 : SLW_CQL_TEXT_READ;
}

static void answer_slot(struct slw_cql_connection *c, struct slw_cql_slot *s,
                        const struct slw_cql_envelope *m)
{
    struct slw_cql_in in = slw_cql_in(m->body, m->length);
    struct slw_cql_failure f;
    bool good = slw_cql_skip_prefix(&in, m->flags);

    if (good && m->opcode == SLW_CQL_ERROR) {
        good = slw_cql_get_failure(&in, &f);
        if (good)
            slw_cql_answer_failure(&s->answer, s->request.op, &f);
        if (good && f.code == SLW_CQL_E_UNPREPARED)
            slw_cql_prepare_again(c, text_of(s->request.op));
    } else {
        good = good && m->opcode == SLW_CQL_RESULT && answer_result(s, &in);
    }
    if (!good)
        slw_cql_break(c, "an answer that is malformed, or to something else");
    s->answered = good;
    if (good)
        slw_cql_landed(c, s);
}

static void take_message(struct slw_cql_connection *c, const struct slw_cql_envelope *m)
{
    if (m->stream < 0 || m->opcode == SLW_CQL_EVENT)
        return;
    if (m->stream >= SLW_CQL_STREAM_PREPARE &&
        m->stream < SLW_CQL_STREAM_PREPARE + SLW_CQL_TEXT_COUNT)
        slw_cql_prepared_now(c, (enum slw_cql_text_id)(m->stream - SLW_CQL_STREAM_PREPARE), m);
    else if (m->stream < SLW_CQL_CAPACITY && c->slots[m->stream].open &&
             !c->slots[m->stream].answered)
        answer_slot(c, &c->slots[m->stream], m);
    else if (m->stream != SLW_CQL_STREAM_ASK)
        slw_cql_break(c, "an answer to what was not asked (stream %d)", m->stream);
}

/* ---- in the order of submission ---- */

static void lose_all(struct slw_cql_connection *c)
{
    for (size_t i = 0; i < c->open_count; i++) {
        struct slw_cql_slot *s = &c->slots[c->order[(c->first + i) % SLW_CQL_CAPACITY]];

        if (!s->answered)
            slw_cql_answer_as(&s->answer, SLW_OUTCOME_LOST, "%s", c->why);
        s->answered = true;
    }
}

void slw_cql_read_answers(struct slw_cql_connection *c, size_t most)
{
    struct slw_cql_envelope m;
    size_t ready = 0;

    for (;;) {
        while (ready < c->open_count &&
               c->slots[c->order[(c->first + ready) % SLW_CQL_CAPACITY]].answered)
            ready++;
        /* What came before it broke is good. */
        if ((ready >= most && !c->broken) || !slw_cql_take(c, &m))
            break;
        const bool was_broken = c->broken;
        take_message(c, &m);
        if (c->broken && !was_broken)
            break;
    }
    if (c->open_count > 0 && !c->broken &&
        slw_clock_monotonic_ns() - c->heard_ns > SLW_CQL_SILENCE_MS * UINT64_C(1000000))
        slw_cql_break(c, "no answer within %d s", SLW_CQL_SILENCE_MS / 1000);
    if (c->broken) {
        lose_all(c);
        return;
    }
    const size_t sent = c->sent_count;
    slw_cql_write_requests(c); /* those that waited for these answers */
    if (c->sent_count > sent) {
        slw_cql_encoder_flush(&c->out);
        slw_cql_push(c);
    }
}

const struct slw_cql_slot *slw_cql_pop(struct slw_cql_connection *c)
{
    const uint16_t stream = c->order[c->first];
    struct slw_cql_slot *s = &c->slots[stream];

    if (c->open_count == 0 || !s->answered)
        return NULL;
    c->first = (c->first + 1) % SLW_CQL_CAPACITY;
    c->open_count--;
    c->sent_count -= c->sent_count > 0; /* unless it was lost before it was sent */
    c->free_streams[c->free_count++] = stream;
    s->open = false;
    return s;
}
