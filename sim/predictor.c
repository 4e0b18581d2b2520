/* SPDX-License-Identifier: MIT */
/* Branch prediction: a small TAGE for conditional branches (Seznec and Michaud, JILP 2006), a table
 * hashed by path for indirect ones, a return stack, and a target buffer that knows where branches
 * are. Branches that have always gone one way are left out of the TAGE and its history (Gope and
 * Lipasti, MICRO 2014). Learns as it predicts, and only from branches that were really executed. */
#include "sim/predictor_int.h"

/* The branches each table looks back at: 5, 14, 34 and 64. */
static const uint64_t history_masks[HISTORIES] = {0x1f, 0x3fff, 0x3ffffffff, ~UINT64_C(0)};

/* An address of a process; the rest of a word is the tag. */
#define TARGET_MASK 0xffffffffffffu
#define SPREAD      UINT64_C(0x9e3779b97f4a7c15)
#define MIX         UINT64_C(0xd6e8feb86659fd93)

/* Where the tables of the conditional predictor are asked for a branch, and by which tags. */
struct lookup {
    struct slw_sim_tagged *entry[HISTORIES];
    uint16_t tag[HISTORIES];
};

static inline uint64_t hash(uint64_t history, uint64_t address)
{
    uint64_t h = (history + SPREAD * address) * MIX;

    return h ^ h >> 32;
}

/* Of the tables that know it the longest, and the one that is the longest without it. */
static inline int longest(unsigned tables)
{
    return tables ? 31 - __builtin_clz(tables) : -1;
}

/* Where the tables are asked, and by which tags. Addresses and histories go in at the bottom of a
 * product; all of them are in its upper bits. */
static inline void look_up(const struct slw_sim_predictor *p, uint64_t key, struct lookup *l)
{
    const uint64_t spread = SPREAD * key;

#pragma GCC unroll 4
    for (unsigned i = 0; i < HISTORIES; i++) {
        const uint64_t h = ((p->history & history_masks[i]) + spread + SPREAD * i) * MIX;

        l->entry[i] = &p->tagged[i][h >> p->index_shift];
        l->tag[i] = (uint16_t)(h >> 32);
    }
}

/* The tables that know it, a bit for each. */
static inline unsigned tables_of(const struct lookup *l)
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

static void allocate_entry(const struct lookup *l, int provider, bool taken)
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
static inline bool ask_tables(struct slw_sim_predictor *p, uint64_t key, uint8_t *base_counter,
                              bool taken)
{
    struct slw_sim_tagged nothing = {0};
    struct lookup l;

    look_up(p, key, &l);
    const unsigned tables = tables_of(&l);
    const bool is_known = tables != 0;
    const int provider = longest(tables);
    const int alternate = longest(is_known ? tables & ~(1u << provider) : 0);
    struct slw_sim_tagged *const e = is_known ? l.entry[provider] : &nothing;
    const struct slw_sim_tagged *const second = alternate >= 0 ? l.entry[alternate] : &nothing;
    const int8_t counter = e->counter;
    const uint8_t useful = e->useful;
    const uint8_t bimodal = *base_counter & SLW_SIM_COUNTER;
    const bool base = bimodal >= 2;
    const bool own = counter >= 0;
    const bool other = alternate >= 0 ? second->counter >= 0 : base;
    const bool is_new = (useful == 0) & ((counter == 0) | (counter == -1));
    const bool predicted = is_new ? other : own;
    const bool tells = is_known && own != other;
    const uint8_t used = tells ? toward(useful, own == taken) : useful;

    e->counter = learned(counter, taken);
    e->useful = used;
    *base_counter = (used == 0 ? toward(bimodal, taken) : bimodal) | SLW_SIM_MIXED;
    if (predicted != taken)
        allocate_entry(&l, provider, taken);
    p->history = p->history << 1 | taken;
    return predicted == taken;
}

/* A branch that has always gone one way needs no history and is none of that of others. */
bool slw_sim_predict_mixed(struct slw_sim_predictor *p, uint64_t key, bool taken)
{
    uint8_t *const base = &p->bimodal[key & p->bimodal_mask];

    if (*base & SLW_SIM_MIXED)
        return ask_tables(p, key, base, taken);
    if (*base == SLW_SIM_NEVER_SEEN) {
        *base = taken ? SLW_SIM_ALWAYS_TAKEN : SLW_SIM_NEVER_TAKEN;
        return taken;
    }
    *base = SLW_SIM_MIXED | (taken ? 2 : 1);
    p->history = p->history << 1 | taken;
    return false;
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

bool slw_sim_predict_target(struct slw_sim_core *s, const struct slw_sim_segment *segment,
                            uint64_t target)
{
    struct slw_sim_predictor *p = &s->predictor;
    const uint64_t address = slw_sim_branch_address(segment);
    bool right = true;

    if (segment->branch == SLW_SIM_RETURN) {
        right = predict_return(s, target);
        s->events[SLW_SIM_RETURN_MISSES] += !right;
        return right;
    }
    if (segment->branch == SLW_SIM_JUMP_INDIRECT || segment->branch == SLW_SIM_CALL_INDIRECT) {
        right = predict_indirect(p, address, target);
        s->events[SLW_SIM_INDIRECT_MISSES] += !right;
    }
    p->history = p->history << 1 | (address >> 3 & 1);
    if (segment->branch == SLW_SIM_CALL || segment->branch == SLW_SIM_CALL_INDIRECT)
        remember_return(s, slw_sim_end_of(segment));
    return right;
}
