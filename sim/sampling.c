/* SPDX-License-Identifier: MIT */
/* How far off timing only a part may be: the timed windows differ from each other, and from how
 * much they do follows the standard error of what all of them say together (the estimator of a
 * ratio; Cochran, Sampling Techniques, chapter 6; windows as in Wunderlich et al., SMARTS, ISCA
 * 2003). */
#include "sim/core_int.h"

static const uint8_t first_of_part[SLW_SIM_PARTS + 1] = {SLW_SIM_RETIRING, SLW_SIM_FETCH_ICACHE,
                                                         SLW_SIM_BAD_SPECULATION, SLW_SIM_MEMORY_L1,
                                                         SLW_SIM_SLOT_COUNT};

static void read_now(const struct slw_sim_core *s, struct slw_sim_window *ret_now)
{
    ret_now->instructions = s->detailed;
    ret_now->cycles = slw_sim_cycle(s->backend.allocated);
    for (unsigned part = 0; part < SLW_SIM_PARTS; part++) {
        ret_now->slots[part] = 0;
        for (unsigned i = first_of_part[part]; i < first_of_part[part + 1]; i++)
            ret_now->slots[part] += s->slots[i];
    }
}

void slw_sim_window_begins(struct slw_sim_core *s)
{
    read_now(s, &s->sampling.start);
}

static void add_pair(struct slw_sim_pairs *p, double value, double weight)
{
    p->value += value;
    p->weight += weight;
    p->value_squares += value * value;
    p->weight_squares += weight * weight;
    p->products += value * weight;
}

void slw_sim_window_ends(struct slw_sim_core *s)
{
    const struct slw_sim_window *start = &s->sampling.start;
    struct slw_sim_window now;
    uint64_t all = 0;

    read_now(s, &now);
    if (now.instructions <= start->instructions) /* counting began meanwhile */
        return;
    for (unsigned i = 0; i < SLW_SIM_PARTS; i++)
        all += now.slots[i] - start->slots[i];
    for (unsigned i = 0; i < SLW_SIM_PARTS; i++)
        add_pair(&s->sampling.parts[i], (double)(now.slots[i] - start->slots[i]), (double)all);
    add_pair(&s->sampling.cycles, (double)(now.cycles - start->cycles),
             (double)(now.instructions - start->instructions));
    s->sampling.windows++;
}

/* Without a C library. Newton's steps from above fall until they have arrived. */
static double square_root(double x)
{
    double root = x > 1 ? x : 1;

    if (!(x > 0))
        return 0;
    for (unsigned i = 0; i < 200; i++) {
        const double next = (root + x / root) / 2;

        if (!(next < root))
            break;
        root = next;
    }
    return root;
}

/* The standard error of the sum of values by the sum of weights. */
static double error_of(const struct slw_sim_pairs *p, double windows)
{
    const double ratio = p->value / p->weight;
    const double spread =
        p->value_squares - 2 * ratio * p->products + ratio * ratio * p->weight_squares;

    return square_root(spread * windows / (windows - 1)) / p->weight;
}

static uint64_t millionths(double x)
{
    return x < 1e9 ? (uint64_t)(x * 1e6 + 0.5) : (uint64_t)1000000000 * 1000000;
}

void slw_sim_sampling_read(const struct slw_sim_core *s, struct slw_sim_sampled *ret_sampled)
{
    const struct slw_sim_pairs *c = &s->sampling.cycles;

    __builtin_memset(ret_sampled, 0, sizeof(*ret_sampled));
    if (s->sampling.windows < 2 || !(c->value > 0))
        return;
    ret_sampled->windows = s->sampling.windows;
    ret_sampled->cycles_error =
        millionths(error_of(c, (double)s->sampling.windows) * c->weight / c->value);
    for (unsigned i = 0; i < SLW_SIM_PARTS; i++)
        ret_sampled->share_errors[i] =
            millionths(error_of(&s->sampling.parts[i], (double)s->sampling.windows));
}
