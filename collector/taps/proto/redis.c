/* SPDX-License-Identifier: MIT */
/* Redis, RESP2 and RESP3. A request is a command (an array of bulk strings, or a line); its answer
 * is the next reply that is no push. Sources: redis.io/docs/reference/protocol-spec, RESP3.md. */
#include "collector/taps/proto.h"
#include "collector/taps/wire/redis_commands.h"

#include <string.h>

#define KIND        1u
#define MAX_NUMBER  (INT64_C(1) << 40) /* proto-max-bulk-len and every array are far below */
#define VERB_BYTES  12u
#define SHORT_LINE  32 /* bytes of a status or number looked through without a call */
#define MAX_PENDING (UINT64_C(1) << 40) /* elements of nested replies still to come */

enum ask_state { ASK_START, ASK_COUNT, ASK_DOLLAR, ASK_LENGTH, ASK_BULK, ASK_LINE };
enum reply_state { REPLY_TYPE, REPLY_NUMBER, REPLY_LINE, REPLY_BULK };

struct redis {
    /* requests */
    uint8_t ask;
    uint8_t verb_count;
    uint32_t digits; /* of the number being read */
    uint32_t argument;
    bool verb_wanted, is_client, line_has_text, minus;
    int64_t number, left;
    uint64_t skip;
    uint8_t verb[VERB_BYTES];
    /* replies */
    uint8_t reply, type;
    bool inside, negative, push, error, number_seen;
    int64_t value;
    uint64_t pending, reply_skip;
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_verb(const struct redis *r, const char *name, size_t length)
{
    if (r->verb_count != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((r->verb[i] | 0x20) != name[i])
            return false;
    return true;
}

/* After these, what comes back is no longer one reply for each request. */
static bool breaks_order(const struct redis *r)
{
    return is_verb(r, "subscribe", 9) || is_verb(r, "psubscribe", 10) ||
           is_verb(r, "ssubscribe", 10) || is_verb(r, "monitor", 7) || is_verb(r, "sync", 4) ||
           is_verb(r, "psync", 5);
}

/* The first argument is complete, and the second of CLIENT. */
static void look_at_verb(struct redis *r, struct slw_exchange *x)
{
    if (r->argument == 0) {
        r->is_client = is_verb(r, "client", 6);
        if (breaks_order(r))
            slw_exchange_unorder(x);
    } else if (r->is_client && is_verb(r, "reply", 5)) {
        slw_exchange_unorder(x);
    }
}

/* Verbs that matter have one of these lengths; SET, GET and most others are not looked at. */
static bool length_matters(const struct redis *r, int64_t length)
{
    if (r->argument == 0)
        return (length >= 4 && length <= 7) || length == 9 || length == 10;
    return r->argument == 1 && r->is_client && length == 5;
}

static void start_bulk(struct redis *r)
{
    r->skip = (uint64_t)r->number + 2;
    r->verb_wanted = r->argument < 2 && length_matters(r, r->number);
    r->verb_count = 0;
    r->ask = ASK_BULK;
}

static void end_bulk(struct redis *r, struct slw_exchange *x, uint32_t *asked)
{
    if (r->verb_wanted)
        look_at_verb(r, x);
    else if (r->argument == 0)
        r->is_client = false;
    r->argument += r->argument < 2;
    if (--r->left == 0) {
        (*asked)++;
        r->ask = ASK_START;
    } else {
        r->ask = ASK_DOLLAR;
    }
}

static void keep_verb(struct redis *r, const uint8_t *p, uint64_t count)
{
    uint64_t of_verb = r->skip > 2 ? r->skip - 2 : 0;

    for (uint64_t i = 0; i < count && i < of_verb && r->verb_count < VERB_BYTES; i++)
        r->verb[r->verb_count++] = p[i];
}

static bool ask_number(struct redis *r, uint8_t c)
{
    if (!is_digit(c) || r->number > MAX_NUMBER)
        return false;
    r->number = r->number * 10 + (c - '0');
    r->digits += r->digits < 255;
    return true;
}

static enum slw_wire_reason ask_start(struct redis *r, uint8_t c)
{
    r->argument = 0;
    r->is_client = false;
    r->minus = false;
    r->number = 0;
    r->digits = 0;
    r->verb_count = 0;
    r->line_has_text = false;
    if (c == '*')
        r->ask = ASK_COUNT;
    else
        r->ask = ASK_LINE;
    return SLW_WIRE_NONE;
}

/* A character of "*n\r\n" or "$n\r\n". "*0" and "*-1" are taken for nothing by the server. */
static enum slw_wire_reason ask_head(struct redis *r, uint8_t c)
{
    if (c == '\r')
        return SLW_WIRE_NONE;
    if (c == '-' && r->digits == 0 && r->ask == ASK_COUNT) {
        r->minus = true;
        return SLW_WIRE_NONE;
    }
    if (c != '\n')
        return ask_number(r, c) ? SLW_WIRE_NONE : SLW_WIRE_MALFORMED;
    if (r->digits == 0)
        return SLW_WIRE_MALFORMED;
    if (r->ask == ASK_LENGTH) {
        start_bulk(r);
        return SLW_WIRE_NONE;
    }
    r->left = r->number;
    r->ask = r->minus || r->left == 0 ? ASK_START : ASK_DOLLAR;
    r->minus = false;
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason ask_dollar(struct redis *r, uint8_t c)
{
    r->number = 0;
    r->digits = 0;
    r->ask = ASK_LENGTH;
    return c == '$' ? SLW_WIRE_NONE : SLW_WIRE_MALFORMED;
}

/* An inline command: a line; an empty one is none. The first word is looked at like a verb. */
static void ask_line(struct redis *r, struct slw_exchange *x, uint8_t c, uint32_t *asked)
{
    if (c == '\n') {
        if (r->line_has_text) {
            if (breaks_order(r))
                slw_exchange_unorder(x);
            (*asked)++;
        }
        r->ask = ASK_START;
    } else if (c == ' ' || c == '\r' || c == '\t') {
        r->argument += r->line_has_text && r->argument < 2;
    } else {
        r->line_has_text = true;
        if (r->argument == 0 && r->verb_count < VERB_BYTES)
            r->verb[r->verb_count++] = c;
    }
}

static const uint8_t *ask_bulk(struct redis *r, struct slw_exchange *x, const uint8_t *p,
                               const uint8_t *end, uint32_t *asked)
{
    uint64_t here = (uint64_t)(end - p);
    uint64_t n = here < r->skip ? here : r->skip;

    if (r->verb_wanted)
        keep_verb(r, p, n);
    r->skip -= n;
    if (r->skip == 0)
        end_bulk(r, x, asked);
    return p + n;
}

static enum slw_wire_reason feed_asks(struct redis *r, struct slw_exchange *x, const uint8_t *p,
                                      const uint8_t *end, uint32_t *asked)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;

    while (p < end && why == SLW_WIRE_NONE) {
        switch ((enum ask_state)r->ask) {
        case ASK_START:
            p = slw_redis_commands(p, end, asked);
            if (p == end)
                break;
            why = ask_start(r, *p);
            p += r->ask == ASK_COUNT;
            break;
        case ASK_COUNT:
        case ASK_LENGTH:
            why = ask_head(r, *p++);
            break;
        case ASK_DOLLAR:
            why = ask_dollar(r, *p++);
            break;
        case ASK_BULK:
            p = ask_bulk(r, x, p, end, asked);
            break;
        case ASK_LINE:
            ask_line(r, x, *p++, asked);
            break;
        }
    }
    return why;
}

/* ---- replies ---- */

/* One element is complete; true when it was the last of its reply. */
static bool reply_element(struct redis *r)
{
    r->reply = REPLY_TYPE;
    if (r->pending > 0)
        r->pending--;
    if (r->pending > 0)
        return false;
    r->inside = false;
    return true;
}

struct replies { /* of one feed, told to the exchange at the end or when an order matters */
    uint32_t answers;
};

static void reply_done(const struct redis *r, struct slw_exchange *x, struct replies *n)
{
    if (r->error)
        x->counts->errors++;
    if (r->push)
        x->counts->pushes++;
    else
        n->answers++;
}

static enum slw_wire_reason reply_type(struct redis *r, uint8_t c)
{
    r->type = c;
    r->value = 0;
    r->negative = r->number_seen = false;
    if (!r->inside) {
        r->pending = 1;
        r->push = c == '>';
        r->error = c == '-' || c == '!';
        r->inside = true;
    }
    r->reply = REPLY_LINE;
    if (slw_one_of(c, "+:-_#,("))
        return SLW_WIRE_NONE;
    r->reply = REPLY_NUMBER;
    return slw_one_of(c, "$*!=~%|>") ? SLW_WIRE_NONE : SLW_WIRE_MALFORMED;
}

/* The number of a string or an aggregate is complete. An attribute stands before the element it
 * belongs to and is none itself. */
static enum slw_wire_reason reply_sized(struct redis *r, bool *ret_done)
{
    bool text = slw_one_of(r->type, "$=!");
    uint64_t elements = (uint64_t)r->value;

    if (!r->number_seen)
        return SLW_WIRE_MALFORMED;
    r->reply = REPLY_TYPE;
    if (text && !r->negative) {
        r->reply_skip = (uint64_t)r->value + 2;
        r->reply = REPLY_BULK;
        return SLW_WIRE_NONE;
    }
    if (r->negative)
        elements = 0;
    if (r->type == '%' || r->type == '|')
        elements *= 2;
    if (r->pending > MAX_PENDING)
        return SLW_WIRE_MALFORMED;
    r->pending += elements;
    if (r->type != '|')
        *ret_done = reply_element(r);
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason reply_number(struct redis *r, uint8_t c, bool *ret_done)
{
    if (c == '\r')
        return SLW_WIRE_NONE;
    if (c == '\n')
        return reply_sized(r, ret_done);
    if (c == '-' && !r->number_seen && !r->negative) {
        r->negative = true;
        return SLW_WIRE_NONE;
    }
    if (!is_digit(c) || r->value > MAX_NUMBER)
        return SLW_WIRE_MALFORMED;
    r->value = r->value * 10 + (c - '0');
    r->number_seen = true;
    return SLW_WIRE_NONE;
}

static const uint8_t *reply_rest(struct redis *r, const uint8_t *p, const uint8_t *end,
                                 bool *ret_done)
{
    uint64_t here = (uint64_t)(end - p);

    if (r->reply == REPLY_LINE) {
        const uint8_t *newline = memchr(p, '\n', here);
        if (!newline)
            return end;
        *ret_done = reply_element(r);
        return newline + 1;
    }
    uint64_t n = here < r->reply_skip ? here : r->reply_skip;
    r->reply_skip -= n;
    if (r->reply_skip == 0)
        *ret_done = reply_element(r);
    return p + n;
}

/* A whole status, number or string of up to 999 bytes: what comes after it, else NULL. */
static const uint8_t *quick_element(const uint8_t *p, const uint8_t *end)
{
    ptrdiff_t n;

    if (*p == '$')
        return (p = slw_redis_length(p, end, &n)) ? p + n + 2 : NULL;
    if (*p != '+' && *p != ':')
        return NULL;
    const uint8_t *q = p + 1, *most = end - q > SHORT_LINE ? q + SHORT_LINE : end;
    while (q < most && *q != '\n')
        q++;
    return q < most ? q + 1 : NULL;
}

/* What decides how long an element is: of a string its head, of a short line all. 0: not in a word.
 */
static uint64_t element_mask(const uint8_t *p, const uint8_t *next)
{
    ptrdiff_t n = next - p;

    if (*p == '$')
        n = p[3] == '\n' ? 4 : p[4] == '\n' ? 5 : 6;
    return n < 8 ? (UINT64_C(1) << (8 * n)) - 1 : 0;
}

/* How many of the next bytes are elements like the one before them, at most so many. */
static uint64_t same_elements(const uint8_t *p, const uint8_t *next, const uint8_t *end,
                              uint64_t most)
{
    ptrdiff_t length = next - p, needed = length < 8 ? 8 : length;
    uint64_t mask = element_mask(p, next), count = 0;

    if (mask == 0)
        return 0;
    for (; count < most && end - next >= needed; count++, next += length)
        if ((slw_redis_word(next) ^ slw_redis_word(p)) & mask)
            break;
    return count;
}

/* Elements that are a reply each, or that are not the last one of a reply. */
static const uint8_t *quick_replies(struct redis *r, const uint8_t *p, const uint8_t *end,
                                    struct replies *n)
{
    uint64_t most = r->inside ? r->pending - 1 : UINT32_MAX, count = 0;
    const uint8_t *next;

    while (p < end && count < most && (next = quick_element(p, end))) {
        uint64_t more = same_elements(p, next, end, most - count - 1);

        count += more + 1;
        p = next + more * (uint64_t)(next - p);
    }
    if (r->inside)
        r->pending -= count;
    else
        n->answers += (uint32_t)count;
    return p;
}

static enum slw_wire_reason feed_replies(struct redis *r, struct slw_exchange *x, const uint8_t *p,
                                         const uint8_t *end, struct replies *n)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;

    while (p < end && why == SLW_WIRE_NONE) {
        bool done = false;

        if (r->reply == REPLY_TYPE && (p = quick_replies(r, p, end, n)) == end)
            break;
        if (r->reply == REPLY_TYPE) {
            why = reply_type(r, *p);
            if (why == SLW_WIRE_NONE)
                p++;
        } else if (r->reply == REPLY_NUMBER) {
            why = reply_number(r, *p++, &done);
        } else {
            p = reply_rest(r, p, end, &done);
        }
        if (done)
            reply_done(r, x, n);
    }
    return why;
}

static enum slw_wire_reason feed(void *state, struct slw_exchange *x, enum slw_wire_direction d,
                                 const uint8_t *bytes, size_t count)
{
    enum slw_wire_reason why;

    if (d == SLW_WIRE_SENT) {
        uint32_t asked = 0;
        why = feed_asks(state, x, bytes, bytes + count, &asked);
        if (asked > 0)
            slw_ask(x, KIND, asked);
        return why;
    }
    struct replies n = {0};
    why = feed_replies(state, x, bytes, bytes + count, &n);
    if (n.answers > 0)
        slw_answer(x, n.answers, false);
    return why;
}

/* A line is only taken for Redis where Redis is expected: other protocols begin with words too. */
static enum slw_recognised recognise(const struct slw_wire_first *f)
{
    if (f->sent_count == 0)
        return SLW_NEED_MORE;
    uint8_t c = f->sent[0];
    if (c == '*') {
        if (f->sent_count < 2)
            return SLW_NEED_MORE;
        return is_digit(f->sent[1]) ? SLW_THIS : SLW_NOT_THIS;
    }
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    bool expected = f->port >= 6379 && f->port < 6500;
    return letter && expected ? SLW_THIS : SLW_NOT_THIS;
}

/* Commands that are lines could be the inside of a value. */
static enum slw_recognised join(const struct slw_wire_first *f, void *state)
{
    (void)state;
    return f->sent_count > 0 && f->sent[0] == '*' ? recognise(f) : SLW_NOT_THIS;
}

_Static_assert(sizeof(struct redis) <= SLW_PROTO_STATE_BYTES, "state fits");

const struct slw_proto slw_proto_redis = {.name = "Redis",
                                          .state_bytes = sizeof(struct redis),
                                          .recognise = recognise,
                                          .join = join,
                                          .feed = feed};
