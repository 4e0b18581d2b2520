/* SPDX-License-Identifier: MIT */
/* memcached, text protocol with the meta commands. A request is a command line (with its data); a
 * noreply command is one that nobody answers, a quiet meta command one that may stay unanswered.
 * Source: memcached/doc/protocol.txt. */
#include "collector/taps/proto.h"

#include <string.h>

#define KIND_LINE  1u /* answered by one line, or a value and its data */
#define KIND_BLOCK 2u /* answered up to "END" */
#define KIND_QUIET 3u /* answered only when there is something to tell */
#define KIND_FENCE 4u /* mn: answered by "MN", after everything before it */

#define WORD_BYTES 12u                 /* the longest verb is flush_all */
#define MAX_NUMBER (UINT64_C(1) << 40) /* item_size_max is at most 1 GiB */
#define MAX_WORDS  255u

enum verb {
    VERB_OTHER,
    VERB_GET,
    VERB_STORE,
    VERB_META_STORE,
    VERB_META,
    VERB_NOOP,
    VERB_QUIT,
    VERB_STATS
};

struct line {             /* a line as it comes in: what is kept of its words */
    uint8_t word, length; /* index of the word we are in; its length */
    uint8_t kept;
    bool in_word, number_ok, quiet, noreply, any;
    uint8_t first[WORD_BYTES], last[WORD_BYTES];
    uint8_t first_length, last_length;
    uint64_t size; /* the number that tells how much data follows */
};

struct memcached {
    struct line sent, received;
    uint64_t send_skip, receive_skip; /* data still to come, with its line end */
    bool block_open;                  /* a VALUE or STAT was seen, END is to come */
    bool ends_answer;                 /* the data that comes is the end of an answer */
};
_Static_assert(sizeof(struct memcached) <= SLW_PROTO_STATE_BYTES, "state fits");

static bool word_is(const uint8_t *word, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(word, name, length) == 0;
}

static enum verb verb_of(const uint8_t *word, size_t n)
{
    static const struct {
        const char *name;
        enum verb verb;
    } verbs[] = {{"get", VERB_GET},       {"gets", VERB_GET},      {"gat", VERB_GET},
                 {"gats", VERB_GET},      {"set", VERB_STORE},     {"add", VERB_STORE},
                 {"replace", VERB_STORE}, {"append", VERB_STORE},  {"prepend", VERB_STORE},
                 {"cas", VERB_STORE},     {"ms", VERB_META_STORE}, {"mg", VERB_META},
                 {"md", VERB_META},       {"ma", VERB_META},       {"mn", VERB_NOOP},
                 {"quit", VERB_QUIT},     {"stats", VERB_STATS}};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (word_is(word, n, verbs[i].name))
            return verbs[i].verb;
    return VERB_OTHER;
}

/* ---- lines ---- */

static void end_word(struct line *l)
{
    if (!l->in_word)
        return;
    l->in_word = false;
    if (l->word == 0)
        l->first_length = l->kept;
    l->last_length = l->kept;
    l->noreply = word_is(l->last, l->last_length, "noreply");
    l->quiet = l->quiet || (l->word >= 2 && word_is(l->last, l->last_length, "q"));
    if (l->word < MAX_WORDS)
        l->word++;
}

/* Which word says how many bytes follow. */
static uint8_t size_word(const struct line *l)
{
    if (word_is(l->first, l->first_length, "ms"))
        return 2;
    if (word_is(l->first, l->first_length, "VA"))
        return 1;
    if (word_is(l->first, l->first_length, "VALUE"))
        return 3;
    return verb_of(l->first, l->first_length) == VERB_STORE ? 4 : 0;
}

static void add_to_word(struct line *l, uint8_t c)
{
    if (!l->in_word) {
        l->in_word = true;
        l->kept = 0;
        if (l->word > 0 && l->word == size_word(l)) {
            l->size = 0;
            l->number_ok = true;
        }
    }
    if (l->kept < WORD_BYTES) {
        l->last[l->kept] = c;
        if (l->word == 0)
            l->first[l->kept] = c;
        l->kept++;
    }
    if (l->word == 0 || l->word != size_word(l))
        return;
    l->number_ok = l->number_ok && c >= '0' && c <= '9' && l->size < MAX_NUMBER;
    if (l->number_ok)
        l->size = l->size * 10 + (uint64_t)(c - '0');
}

/* A byte of a line; true when it was its end. */
static bool take_byte(struct line *l, uint8_t c)
{
    if (c == '\n' || c == ' ')
        end_word(l);
    else if (c != '\r')
        add_to_word(l, c);
    return c == '\n';
}

/* ---- requests ---- */

static void ask(struct slw_exchange *x, const struct line *l, uint32_t kind)
{
    if (l->noreply)
        slw_ask_unanswered(x, 1);
    else
        slw_ask(x, kind, 1);
}

static enum slw_wire_reason request_line(struct memcached *m, struct slw_exchange *x)
{
    const struct line *l = &m->sent;
    bool sized = l->number_ok && l->word > size_word(l);

    if (l->word == 0)
        return SLW_WIRE_NONE;
    switch (verb_of(l->first, l->first_length)) {
    case VERB_QUIT:
        break;
    case VERB_GET:
        slw_ask(x, KIND_BLOCK, 1);
        break;
    case VERB_STATS:
        slw_ask(x,
                l->word == 2 && word_is(l->last, l->last_length, "reset") ? KIND_LINE : KIND_BLOCK,
                1);
        break;
    case VERB_STORE:
    case VERB_META_STORE:
        if (!sized) /* the server answers an error and takes the data for a command */
            return SLW_WIRE_MALFORMED;
        m->send_skip = l->size + 2;
        ask(x, l, l->quiet ? KIND_QUIET : KIND_LINE);
        break;
    case VERB_META:
        slw_ask(x, l->quiet ? KIND_QUIET : KIND_LINE, 1);
        break;
    case VERB_NOOP:
        slw_ask(x, KIND_FENCE, 1);
        break;
    case VERB_OTHER:
        ask(x, l, KIND_LINE);
        break;
    }
    return SLW_WIRE_NONE;
}

/* ---- answers ---- */

static void pass_quiet(struct slw_exchange *x)
{
    while (slw_ask_head(x) == KIND_QUIET)
        slw_answer(x, 1, true);
}

static bool begins(const struct line *l, const char *word)
{
    return word_is(l->first, l->first_length, word);
}

static bool is_error(const struct line *l)
{
    return begins(l, "ERROR") || begins(l, "CLIENT_ERROR") || begins(l, "SERVER_ERROR");
}

/* Lines that a quiet command would not have sent are the answer of a later one. */
static void answer_line(struct memcached *m, struct slw_exchange *x)
{
    const struct line *l = &m->received;
    uint32_t head = slw_ask_head(x);

    if (begins(l, "MN") || begins(l, "EN"))
        pass_quiet(x);
    else if (head == KIND_BLOCK && !begins(l, "END") && !is_error(l) && !begins(l, "OK"))
        return; /* STAT and others, up to END */
    x->counts->errors += is_error(l);
    slw_answer(x, 1, false);
}

static void response_line(struct memcached *m, struct slw_exchange *x)
{
    const struct line *l = &m->received;

    if (l->word == 0)
        return;
    m->ends_answer = begins(l, "VA");
    if (begins(l, "VALUE") || begins(l, "VA")) {
        x->counts->rows++;
        if (l->number_ok)
            m->receive_skip = l->size + 2;
        return;
    }
    answer_line(m, x);
}

/* ---- bytes ---- */

static const uint8_t *skip(uint64_t *left, const uint8_t *p, const uint8_t *end)
{
    uint64_t here = (uint64_t)(end - p);
    uint64_t n = here < *left ? here : *left;

    *left -= n;
    return p + n;
}

static enum slw_wire_reason feed_sent(struct memcached *m, struct slw_exchange *x, const uint8_t *p,
                                      const uint8_t *end)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;

    while (p < end && why == SLW_WIRE_NONE) {
        if (m->send_skip > 0) {
            p = skip(&m->send_skip, p, end);
        } else if (take_byte(&m->sent, *p++)) {
            why = request_line(m, x);
            memset(&m->sent, 0, sizeof(m->sent));
        }
    }
    return why;
}

static enum slw_wire_reason feed_received(struct memcached *m, struct slw_exchange *x,
                                          const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        if (m->receive_skip > 0) {
            p = skip(&m->receive_skip, p, end);
            if (m->receive_skip == 0 && m->ends_answer)
                slw_answer(x, 1, false);
        } else if (take_byte(&m->received, *p++)) {
            response_line(m, x);
            memset(&m->received, 0, sizeof(m->received));
        }
    }
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason feed(void *state, struct slw_exchange *x, enum slw_wire_direction d,
                                 const uint8_t *bytes, size_t count)
{
    if (d == SLW_WIRE_SENT)
        return feed_sent(state, x, bytes, bytes + count);
    return feed_received(state, x, bytes, bytes + count);
}

static bool known_verb(const uint8_t *word, size_t n)
{
    static const char *const others[] = {"delete",  "incr",      "decr",      "touch",
                                         "version", "flush_all", "verbosity", "me"};

    if (verb_of(word, n) != VERB_OTHER)
        return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (word_is(word, n, others[i]))
            return true;
    return false;
}

static enum slw_recognised recognise(const struct slw_wire_first *f)
{
    size_t n = 0;

    while (n < f->sent_count && ((f->sent[n] >= 'a' && f->sent[n] <= 'z') || f->sent[n] == '_'))
        n++;
    if (n == f->sent_count)
        return n < WORD_BYTES ? SLW_NEED_MORE : SLW_NOT_THIS;
    bool ends = f->sent[n] == ' ' || f->sent[n] == '\r' || f->sent[n] == '\n';
    return ends && known_verb(f->sent, n) ? SLW_THIS : SLW_NOT_THIS;
}

static enum slw_recognised join(const struct slw_wire_first *f, void *state)
{
    (void)state;
    return recognise(f);
}

const struct slw_proto slw_proto_memcached = {.name = "memcached",
                                              .state_bytes = sizeof(struct memcached),
                                              .recognise = recognise,
                                              .join = join,
                                              .feed = feed};
