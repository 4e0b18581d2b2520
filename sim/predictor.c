/* SPDX-License-Identifier: MIT */
/* Branch prediction: a small TAGE for conditional branches (Seznec and Michaud, JILP 2006), a table
 * hashed by path for indirect ones, a return stack, and a target buffer that knows where branches
 * are. Learns as it predicts, and only from branches that were really executed. */
#include "sim/core_int.h"

/* The branches each table looks back at: 5, 14, 34 and 64. */
static const uint64_t history_masks[HISTORIES] = {0x1f, 0x3fff, 0x3ffffffff, ~UINT64_C(0)};

/* An address of a process; the rest of a word is the tag. */
#define TARGET_MASK 0xffffffffffffu

struct lookup {
    struct slw_sim_tagged *entry[HISTORIES];
    uint16_t tag[HISTORIES];
    uint8_t *bimodal;
    int provider, alternate; /* longest and second longest history that know it; -1: none */
};

static inline uint64_t hash(uint64_t history, uint64_t address)
{
    uint64_t h = (history + 0x9e3779b97f4a7c15u * address) * 0xd6e8feb86659fd93u;

    return h ^ h >> 32;
}

/* Of the tables that know it the longest, and the one that is the longest without it. */
static inline int longest(unsigned tables)
{
    return tables ? 31 - __builtin_clz(tables) : -1;
}

static inline void look_up(const struct slw_sim_predictor *p, uint64_t address, struct lookup *l)
{
    const uint64_t key = address ^ address >> 12;
    unsigned known = 0;

    l->bimodal = &p->bimodal[key & (p->mask * 4u + 3u)];
#pragma GCC unroll 4
    for (unsigned i = 0; i < HISTORIES; i++) {
        const uint64_t h = hash(p->history & history_masks[i], key + i);

        l->entry[i] = &p->tagged[i][h & p->mask];
        l->tag[i] = (uint16_t)((h >> 14 & 0x1ff) | 0x200);
        known |= (unsigned)(l->entry[i]->tag == l->tag[i]) << i;
    }
    l->provider = longest(known);
    l->alternate = known ? longest(known ^ 1u << l->provider) : -1;
}

static inline void count_toward(uint8_t *counter, bool up)
{
    const uint8_t c = *counter;

    *counter = (uint8_t)(up ? c + (c < 3) : c - (c > 0));
}

static inline void learn_tagged(struct slw_sim_tagged *e, bool taken)
{
    const int8_t c = e->counter;

    e->counter = (int8_t)(taken ? c + (c < 3) : c - (c > -4));
}

static void allocate_entry(struct lookup *l, bool taken)
{
    for (int i = l->provider + 1; i < HISTORIES; i++) {
        if (l->entry[i]->useful)
            continue;
        *l->entry[i] = (struct slw_sim_tagged){l->tag[i], taken ? 0 : -1, 0};
        return;
    }
    for (int i = l->provider + 1; i < HISTORIES; i++)
        l->entry[i]->useful--;
}

static inline bool predict_conditional(struct slw_sim_predictor *p, uint64_t address, bool taken)
{
    struct lookup l;

    look_up(p, address, &l);
    const bool base = *l.bimodal >= 2;
    const bool other = l.alternate >= 0 ? l.entry[l.alternate]->counter >= 0 : base;
    bool predicted = base;

    if (l.provider < 0) {
        count_toward(l.bimodal, taken);
    } else {
        struct slw_sim_tagged *e = l.entry[l.provider];
        const bool own = e->counter >= 0;
        const bool is_new = e->useful == 0 && (e->counter == 0 || e->counter == -1);

        predicted = is_new ? other : own;
        learn_tagged(e, taken);
        if (own != other)
            count_toward(&e->useful, own == taken);
        if (e->useful == 0)
            count_toward(l.bimodal, taken);
    }
    if (predicted != taken)
        allocate_entry(&l, taken);
    p->history = p->history << 1 | taken;
    return predicted == taken;
}

/* A target that differs by path has an entry with a tag; most branches go where they went last, as
 * those of a procedure linkage table do, and get none. */
static inline bool predict_indirect(struct slw_sim_predictor *p, uint64_t address, uint64_t target)
{
    const uint64_t h = hash(p->path, address);
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
    if (taken)
        p->path = (p->path << 3 ^ target >> 2 ^ in->address >> 1) & 0xffffff;
    if (in->branch != SLW_SIM_CONDITIONAL && in->branch != SLW_SIM_RETURN)
        p->history = p->history << 1 | (in->address >> 3 & 1);
    if (taken && in->branch != SLW_SIM_RETURN) {
        const uint64_t set = in->address ^ in->address >> 11;

        near = slw_sim_cache_touch(&p->btb_first, in->address, set);
        known = slw_sim_cache_touch(&p->btb, in->address, set);
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
