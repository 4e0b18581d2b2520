/* SPDX-License-Identifier: MIT */
/* What about a segment depends on the core and not on its execution: fetch windows, fusion of
 * compares with branches, latencies. Done once per translation. */
#include "sim/core.h"

static uint8_t unit_latency(const struct slw_sim_config *c, uint8_t unit)
{
    switch (unit) {
    case SLW_SIM_UNIT_ALU:
    case SLW_SIM_UNIT_BRANCH:
    case SLW_SIM_UNIT_VECTOR:
        return 1;
    case SLW_SIM_UNIT_MUL:
        return (uint8_t)c->mul_latency;
    case SLW_SIM_UNIT_DIV32:
        return (uint8_t)c->div32_latency;
    case SLW_SIM_UNIT_DIV64:
        return (uint8_t)c->div64_latency;
    case SLW_SIM_UNIT_FP:
        return (uint8_t)c->fp_latency;
    case SLW_SIM_UNIT_FP_DIVIDE:
        return (uint8_t)c->fp_divide_latency;
    case SLW_SIM_UNIT_LOCKED:
        return (uint8_t)c->locked_latency;
    default:
        return 0;
    }
}

/* What a load takes longer than the simplest one: into a vector register, or by an index. */
static uint8_t load_latency(const struct slw_sim_config *c, const struct slw_sim_instruction *in)
{
    const bool is_vector = in->targets[0] >= SLW_SIM_VECTOR && in->targets[0] < SLW_SIM_FLAGS;
    uint32_t latency = c->l1d_latency;

    if (!(in->is & SLW_SIM_LOADS_DATA))
        return 0;
    if (is_vector && c->vector_load_latency > latency)
        latency = c->vector_load_latency;
    if (in->address_count > 1 && c->indexed_load_latency > latency)
        latency = c->indexed_load_latency;
    return (uint8_t)(latency - c->l1d_latency);
}

static uint8_t unit_busy(const struct slw_sim_config *c, uint8_t unit)
{
    switch (unit) {
    case SLW_SIM_UNIT_DIV32:
        return (uint8_t)c->div32_busy;
    case SLW_SIM_UNIT_DIV64:
        return (uint8_t)c->div64_busy;
    case SLW_SIM_UNIT_FP_DIVIDE:
        return (uint8_t)c->fp_divide_busy;
    default:
        return 0;
    }
}

static uint16_t unit_ports(const struct slw_sim_config *c, uint8_t unit)
{
    switch (unit) {
    case SLW_SIM_UNIT_BRANCH:
        return (uint16_t)c->ports_branch;
    case SLW_SIM_UNIT_MUL:
        return (uint16_t)c->ports_mul;
    case SLW_SIM_UNIT_FP:
        return (uint16_t)c->ports_fp;
    case SLW_SIM_UNIT_VECTOR:
        return (uint16_t)c->ports_vector;
    default:
        return (uint16_t)c->ports_alu;
    }
}

/* cmp and test with the conditional jump right after them are one micro-op. */
static bool fuses(const struct slw_sim_instruction *before, const struct slw_sim_instruction *in)
{
    return in->branch == SLW_SIM_CONDITIONAL && in->source_count == 1 &&
           (before->is & SLW_SIM_WRITES_FLAGS) && !(before->is & SLW_SIM_REPEATS) &&
           before->unit == SLW_SIM_UNIT_ALU && before->targets[0] == SLW_SIM_NO_REGISTER &&
           !(before->is & SLW_SIM_STORES_DATA);
}

/* From a window to the next one, or a step of the way. */
static void chain(struct slw_sim_instruction *from, struct slw_sim_instruction *to)
{
    from->group_next = (uint8_t)(to - from);
    to->group_next = 0;
}

/* The windows of the segment, and the lines of the micro-op cache each takes. */
static void make_groups(const struct slw_sim_config *config, struct slw_sim_segment *segment)
{
    const uint64_t mask = ~((uint64_t)config->fetch_window_bytes - 1);
    struct slw_sim_instruction *group = segment->instructions;
    struct slw_sim_instruction *before = group;
    uint32_t uops = 0;

    for (uint32_t i = 0; i < segment->count; i++) {
        struct slw_sim_instruction *in = &segment->instructions[i];

        if (i == 0 || ((in->address ^ group->address) & mask)) {
            chain(before, in);
            group = in;
            before = in;
            in->is |= SLW_SIM_GROUP;
            uops = 0;
        } else if (in - before == UINT8_MAX) {
            chain(before, in);
            before = in;
        }
        struct slw_sim_group *const g = slw_sim_group_of(segment, group);
        const uint64_t bytes = in->address + in->length - group->address;
        const uint32_t line = config->uop_cache_line_uops;

        uops += in->is & SLW_SIM_FUSED ? 0u : in->uops;
        const uint32_t lines = uops ? (uops + line - 1) / line : 1;

        const uint32_t most = (in == group ? 0u : group->most_uops) + in->most_uops;

        group->most_uops = most > UINT8_MAX ? UINT8_MAX : (uint8_t)most;
        g->lines = lines > 255 ? 255 : (uint8_t)lines;
        g->bytes = bytes > 255 ? 255 : (uint8_t)bytes;
    }
}

/* One micro-op that needs a port, its operands and nothing else. */
static bool works_on_port(const struct slw_sim_instruction *in)
{
    return in->uops == 1 && in->unit != SLW_SIM_UNIT_NONE && in->unit != SLW_SIM_UNIT_MOVE &&
           in->unit != SLW_SIM_UNIT_DIV32 && in->unit != SLW_SIM_UNIT_DIV64 &&
           in->unit != SLW_SIM_UNIT_FP_DIVIDE && in->unit != SLW_SIM_UNIT_LOCKED &&
           in->unit != SLW_SIM_UNIT_SERIAL;
}

/* The accesses of one instruction. */
struct own {
    size_t count;
    bool is_store; /* the first of them */
};

static struct own accesses_of(const struct slw_sim_access *accesses, size_t count, size_t index)
{
    struct own own = {0};

    for (size_t i = 0; i < count; i++)
        if (accesses[i].index == index && own.count++ == 0)
            own.is_store = accesses[i].is_store;
    return own;
}

/* With one load: at most one micro-op of work on a port beside it. */
static bool can_be_loaded(const struct slw_sim_instruction *in)
{
    return works_on_port(in) || (in->unit == SLW_SIM_UNIT_MOVE && !in->branch);
}

/* With one store: no work but that of a call. */
static bool can_only_store(const struct slw_sim_instruction *in)
{
    return (in->unit == SLW_SIM_UNIT_MOVE || (in->is & SLW_SIM_PUSHES)) &&
           (works_on_port(in) || !in->branch);
}

/* Not more than the paths of one micro-op look at: two sources, and one result beside flags. */
static bool has_few_operands(const struct slw_sim_instruction *in)
{
    return in->sources[2] == SLW_SIM_NO_REGISTER && in->sources[3] == SLW_SIM_NO_REGISTER &&
           in->targets[1] == SLW_SIM_NO_REGISTER;
}

static bool has_results(const struct slw_sim_instruction *in)
{
    return in->targets[0] != SLW_SIM_NO_REGISTER || (in->is & SLW_SIM_WRITES_FLAGS);
}

static enum slw_sim_path path_of_load(const struct slw_sim_instruction *in)
{
    if (in->unit != SLW_SIM_UNIT_MOVE)
        return SLW_SIM_PATH_LOAD_AND_WORK;
    return in->sources[0] == SLW_SIM_NO_REGISTER && !(in->is & SLW_SIM_WRITES_FLAGS)
               ? SLW_SIM_PATH_LOAD
               : SLW_SIM_PATH_GENERAL;
}

static enum slw_sim_path path_of_store(const struct slw_sim_instruction *in)
{
    return in->sources[1] == SLW_SIM_NO_REGISTER && !has_results(in) ? SLW_SIM_PATH_STORE
                                                                     : SLW_SIM_PATH_GENERAL;
}

/* How it passes when all its accesses happen. */
static enum slw_sim_path path_of(const struct slw_sim_instruction *in, struct own own)
{
    const bool moves = in->unit == SLW_SIM_UNIT_MOVE || in->unit == SLW_SIM_UNIT_NONE;

    if (!has_few_operands(in) || (in->is & SLW_SIM_REPEATS))
        return SLW_SIM_PATH_GENERAL;
    if (in->is & SLW_SIM_FUSED)
        return own.count == 0 && works_on_port(in) && !has_results(in) ? SLW_SIM_PATH_FUSED
                                                                       : SLW_SIM_PATH_GENERAL;
    if (in->is & SLW_SIM_SIMPLE)
        return works_on_port(in) ? SLW_SIM_PATH_ON_PORT
               : moves           ? SLW_SIM_PATH_WITHOUT_PORT
                                 : SLW_SIM_PATH_GENERAL;
    if (own.count != 1)
        return SLW_SIM_PATH_GENERAL;
    if (own.is_store)
        return can_only_store(in) ? path_of_store(in) : SLW_SIM_PATH_GENERAL;
    return can_be_loaded(in) ? path_of_load(in) : SLW_SIM_PATH_GENERAL;
}

static void name_results(struct slw_sim_instruction *in)
{
    for (unsigned i = 0; i < sizeof(in->targets); i++)
        if (in->targets[i] == SLW_SIM_NO_REGISTER)
            in->targets[i] = SLW_SIM_NEVER_READ;
    in->flags_written = in->is & SLW_SIM_WRITES_FLAGS ? SLW_SIM_FLAGS : SLW_SIM_NEVER_READ;
}

static bool is_simple(const struct slw_sim_instruction *in)
{
    return !(in->is & (SLW_SIM_FUSED | SLW_SIM_REPEATS)) && in->uops == 1;
}

/* It takes no more slots than that; UINT8_MAX: or the next one waits, whatever came before it. */
static uint8_t most_uops(const struct slw_sim_instruction *in, struct own own)
{
    const size_t uops = own.count + (in->uops ? in->uops : 1);

    return uops > UINT8_MAX || in->unit == SLW_SIM_UNIT_SERIAL ? UINT8_MAX : (uint8_t)uops;
}

void slw_sim_prepare(const struct slw_sim_config *config, struct slw_sim_segment *segment,
                     const struct slw_sim_access *accesses, size_t access_count)
{
    segment->stores = 0;
    for (size_t i = 0; i < access_count; i++)
        segment->stores += accesses[i].is_store;
    for (uint32_t i = 0; i < segment->count; i++) {
        struct slw_sim_instruction *in = &segment->instructions[i];

        in->latency =
            (uint8_t)(in->latency + unit_latency(config, in->unit) + load_latency(config, in));
        in->busy = unit_busy(config, in->unit);
        in->ports = unit_ports(config, in->unit);
        if (i > 0 && fuses(in - 1, in))
            in->is |= SLW_SIM_FUSED;
        const struct own own = accesses_of(accesses, access_count, i);

        if (is_simple(in) && own.count == 0)
            in->is |= SLW_SIM_SIMPLE;
        in->path = (uint8_t)path_of(in, own);
        in->most_uops = most_uops(in, own);
    }
    for (uint32_t i = 0; i < segment->count; i++)
        name_results(&segment->instructions[i]);
    make_groups(config, segment);
    if (segment->count) {
        const struct slw_sim_instruction *last = &segment->instructions[segment->count - 1];

        segment->bytes = (uint32_t)(last->address + last->length - segment->address);
        segment->branch = last->branch;
        segment->branch_length = last->length;
        segment->group_next = segment->instructions->group_next;
        segment->leaves = last->branch == SLW_SIM_CALL || last->branch == SLW_SIM_CALL_INDIRECT ||
                          last->branch == SLW_SIM_RETURN || last->branch == SLW_SIM_JUMP_INDIRECT;
    }
}

void slw_sim_unknown(uint64_t address, uint8_t length, struct slw_sim_instruction *ret_instruction)
{
    *ret_instruction = (struct slw_sim_instruction){
        .address = address,
        .length = length,
        .uops = 1,
        .sources = {SLW_SIM_NO_REGISTER, SLW_SIM_NO_REGISTER, SLW_SIM_NO_REGISTER,
                    SLW_SIM_NO_REGISTER},
        .addresses = {SLW_SIM_NO_REGISTER, SLW_SIM_NO_REGISTER},
        .targets = {SLW_SIM_NO_REGISTER, SLW_SIM_NO_REGISTER},
    };
}
