/* SPDX-License-Identifier: MIT */
/* Branch prediction: a small TAGE for conditional branches (Seznec and Michaud, JILP 2006), a table
 * hashed by path for indirect ones, a return stack, and a target buffer that knows where branches
 * are. Learns as it predicts, and only from branches that were really executed. */
#include "sim/core_int.h"

/* The branches each table looks back at: 5, 14, 34 and 64. */
static const uint64_t history_masks[HISTORIES] = {0x1f, 0x3fff, 0x3ffffffff, ~UINT64_C(0)};

/* An address of a process; the rest of a word is the tag. */
#define TARGET_MASK 0xffffffffffffu
#define SPREAD      UINT64_C(0x9e3779b97f4a7c15)

/* `spread`: SPREAD times the address and the number of the table. */
static inline uint64_t hash(uint64_t history, uint64_t spread)
{
    uint64_t h = (history + spread) * 0xd6e8feb86659fd93u;

    return h ^ h >> 32;
}

static inline uint64_t btb_set(const struct slw_sim_instruction *in)
{
    return in->address ^ in->address >> 11;
}

/* Of the tables that know it the longest, and the one that is the longest without it. */
static inline int longest(unsigned tables)
{
    return tables ? 31 - __builtin_clz(tables) : -1;
}

static inline void look_up(const struct slw_sim_predictor *p, uint64_t address,
                           struct slw_sim_lookup *l)
{
    const uint64_t key = address ^ address >> 12;
    const uint64_t spread = SPREAD * key;

    l->address = address;
    l->bimodal = &p->bimodal[key & (p->mask * 4u + 3u)];
    __builtin_prefetch(l->bimodal);
#pragma GCC unroll 4
    for (unsigned i = 0; i < HISTORIES; i++) {
        const uint64_t h = hash(p->history & history_masks[i], spread + SPREAD * i);

        l->entry[i] = &p->tagged[i][h & p->mask];
        l->tag[i] = (uint16_t)((h >> 14 & 0x1ff) | 0x200);
        __builtin_prefetch(l->entry[i]);
    }
}

void slw_sim_look_ahead(struct slw_sim_core *s, const struct slw_sim_segment *next)
{
    struct slw_sim_predictor *p = &s->predictor;

    p->ahead.address = 0;
    if (next->count == 0)
        return;
    const struct slw_sim_instruction *last = &next->instructions[next->count - 1];

    if (last->branch == SLW_SIM_CONDITIONAL)
        look_up(p, last->address, &p->ahead);
    slw_sim_cache_prefetch(&p->btb, btb_set(last));
}

/* The tables that know it, a bit for each. */
static inline unsigned tables_of(const struct slw_sim_lookup *l)
{
    unsigned known = 0;

#pragma GCC unroll 4
    for (unsigned i = 0; i < HISTORIES; i++)
        known |= (unsigned)(l->entry[i]->tag == l->tag[i]) << i;
    return known;
}

/* A counter of 0 to 3, one further up or down. */
static inline uint8_t toward(uint8_t c, bool up)
{
    return (uint8_t)(up ? c + (c < 3) : c - (c > 0));
}

/* One of -4 to 3. */
static inline int8_t learned(int8_t c, bool taken)
{
    return (int8_t)(taken ? c + (c < 3) : c - (c > -4));
}

static void allocate_entry(const struct slw_sim_lookup *l, int provider, bool taken)
{
    for (int i = provider + 1; i < HISTORIES; i++) {
        if (l->entry[i]->useful)
            continue;
        *l->entry[i] = (struct slw_sim_tagged){l->tag[i], taken ? 0 : -1, 0};
        return;
    }
    for (int i = provider + 1; i < HISTORIES; i++)
        l->entry[i]->useful--;
}

/* Which entry knows best changes from branch to branch, and a host that guesses it wrong loses more
 * than all of this costs: nothing here branches on it. Where no table knows the branch, an entry
 * that says nothing stands in. */
static inline bool predict_conditional(struct slw_sim_predictor *p, uint64_t address, bool taken)
{
    struct slw_sim_tagged nothing = {0};
    const struct slw_sim_lookup *const l = &p->ahead;

    if (l->address != address)
        look_up(p, address, &p->ahead);
    const unsigned tables = tables_of(l);
    const int provider = longest(tables);
    const int alternate = longest(tables & ~(tables ? 1u << provider : 0));
    const bool is_known = provider >= 0;
    struct slw_sim_tagged *const e = is_known ? l->entry[provider] : &nothing;
    const struct slw_sim_tagged *const second = alternate >= 0 ? l->entry[alternate] : &nothing;
    const int8_t counter = e->counter;
    const uint8_t useful = e->useful;
    const uint8_t bimodal = *l->bimodal;
    const bool base = bimodal >= 2;
    const bool own = counter >= 0;
    const bool other = alternate >= 0 ? second->counter >= 0 : base;
    const bool is_new = (useful == 0) & ((counter == 0) | (counter == -1));
    const bool predicted = is_new ? other : own;
    const bool tells = is_known && own != other;
    const uint8_t used = tells ? toward(useful, own == taken) : useful;

    e->counter = learned(counter, taken);
    e->useful = used;
    *l->bimodal = used == 0 ? toward(bimodal, taken) : bimodal;
    if (predicted != taken)
        allocate_entry(l, provider, taken);
    p->history = p->history << 1 | taken;
    p->ahead.address = 0;
    return predicted == taken;
}

/* A target that differs by path has an entry with a tag; most branches go where they went last, as
 * those of a procedure linkage table do, and get none. */
static inline bool predict_indirect(struct slw_sim_predictor *p, uint64_t address, uint64_t target)
{
    const uint64_t h = hash(p->path, SPREAD * address);
    const uint64_t tag = (h >> 16 & 0x7fff) | 0x8000;
    uint64_t *const by_path = &p->targets[h & p->mask];
    uint64_t *const last = &p->last_targets[(address >> 1 ^ address >> 13) & p->mask];
    const uint64_t own = tag << 48 | (target & TARGET_MASK);
    const bool knows = *by_path >> 48 == tag;
    const bool right = knows ? *by_path == own : *last == target;

    if (knows || !right)
        *by_path = own;
    *last = target;
    return right;
}

static inline bool predict_return(struct slw_sim_core *s, uint64_t target)
{
    struct slw_sim_predictor *p = &s->predictor;

    p->returns_at = (p->returns_at ? p->returns_at : s->config.return_stack_entries) - 1;
    return p->returns[p->returns_at] == target;
}

static inline void remember_return(struct slw_sim_core *s, uint64_t address)
{
    struct slw_sim_predictor *p = &s->predictor;

    p->returns[p->returns_at] = address;
    p->returns_at = p->returns_at + 1 == s->config.return_stack_entries ? 0 : p->returns_at + 1;
}

static inline bool predict_kind(struct slw_sim_core *s, const struct slw_sim_instruction *in,
                                bool taken, uint64_t target)
{
    bool right = true;

    switch (in->branch) {
    case SLW_SIM_CONDITIONAL:
        right = predict_conditional(&s->predictor, in->address, taken);
        s->events[SLW_SIM_CONDITIONAL_MISSES] += !right;
        break;
    case SLW_SIM_RETURN:
        right = predict_return(s, target);
        s->events[SLW_SIM_RETURN_MISSES] += !right;
        break;
    case SLW_SIM_JUMP_INDIRECT:
    case SLW_SIM_CALL_INDIRECT:
        right = predict_indirect(&s->predictor, in->address, target);
        s->events[SLW_SIM_INDIRECT_MISSES] += !right;
        break;
    default:
        break;
    }
    return right;
}

enum slw_sim_outcome slw_sim_predict(struct slw_sim_core *s, const struct slw_sim_instruction *in,
                                     bool taken, uint64_t target)
{
    struct slw_sim_predictor *p = &s->predictor;
    const bool right = predict_kind(s, in, taken, target);
    bool known = true;
    bool near = true;

    s->events[SLW_SIM_BRANCHES]++;
    s->events[SLW_SIM_TAKEN] += taken;
    p->path = taken ? (p->path << 3 ^ target >> 2 ^ in->address >> 1) & 0xffffff : p->path;
    if (in->branch != SLW_SIM_CONDITIONAL && in->branch != SLW_SIM_RETURN)
        p->history = p->history << 1 | (in->address >> 3 & 1);
    if (taken && in->branch != SLW_SIM_RETURN) {
        near = slw_sim_cache_touch(&p->btb_first, in->address, btb_set(in));
        known = slw_sim_cache_touch(&p->btb, in->address, btb_set(in));
        s->events[SLW_SIM_BTB_MISSES] += !known;
    }
    if (in->branch == SLW_SIM_CALL || in->branch == SLW_SIM_CALL_INDIRECT)
        remember_return(s, in->address + in->length);
    if (!right)
        return SLW_SIM_MISPREDICTED;
    if (!known)
        return SLW_SIM_RESTEERED;
    return near ? SLW_SIM_AS_PREDICTED : SLW_SIM_LATE;
}
