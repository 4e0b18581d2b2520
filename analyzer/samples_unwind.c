/* SPDX-License-Identifier: MIT */
/* Samples whose user stack was copied: registers and bytes to callers. */
#include "analyzer/samples_int.h"

#include <linux/perf_event.h>
#include <string.h>

/* Bit numbers of sample_regs_user, by DWARF number. Source: asm/perf_regs.h of each machine. */
#define PERF_X86_IP 8
#define PERF_ARM_PC 32
static const uint8_t x86_bits[] = {0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23};

/* False: recorded on a machine whose stacks are not followed. */
static bool machine_of(const struct slw_samples *s, enum slw_cfi_machine *ret_machine)
{
    const char *arch = slw_perfdata_meta(s->pd)->arch;

#if defined(__aarch64__)
    *ret_machine = SLW_CFI_AARCH64;
#else
    *ret_machine = SLW_CFI_X86_64;
#endif
    if (!arch)
        return true; /* our own spool, or a pipe: it does not say */
    if (strcmp(arch, "aarch64") == 0 || strcmp(arch, "arm64") == 0)
        *ret_machine = SLW_CFI_AARCH64;
    else if (strcmp(arch, "x86_64") == 0)
        *ret_machine = SLW_CFI_X86_64;
    else
        return false;
    return true;
}

/* The value of a recorded register. */
static bool recorded(const struct slw_perf_sample *sample, uint64_t mask, unsigned bit,
                     uint64_t *ret_value)
{
    uint64_t before = mask & ((UINT64_C(1) << bit) - 1);

    if (!(mask >> bit & 1))
        return false;
    *ret_value = slw_perf_value(&sample->regs_user, (uint64_t)__builtin_popcountll(before));
    return true;
}

static bool take_registers(const struct slw_perf_sample *sample, uint64_t mask,
                           struct slw_stack_copy *c)
{
    bool x86 = c->machine == SLW_CFI_X86_64;
    unsigned count = x86 ? sizeof(x86_bits) : SLW_ARM_SP + 1;

    for (unsigned i = 0; i < count; i++)
        if (recorded(sample, mask, x86 ? x86_bits[i] : i, &c->registers[i]))
            c->known |= UINT64_C(1) << i;
    return recorded(sample, mask, x86 ? PERF_X86_IP : PERF_ARM_PC, &c->ip);
}

static enum slw_unwound_end unwind(struct slw_samples *s, const struct slw_perf_record *r,
                                   size_t *ret_depth)
{
    const struct slw_perf_sample *sample = &r->sample;
    uint64_t mask = slw_perfdata_event(s->pd, (size_t)r->event)->attr.sample_regs_user;
    struct slw_stack_copy copy = {.bytes = sample->stack_user,
                                  .length = sample->stack_user_bytes,
                                  .full = sample->stack_user_bytes == sample->stack_user_room};

    *ret_depth = 0;
    if (sample->regs_user_abi != PERF_SAMPLE_REGS_ABI_64 || sample->regs_user.swap ||
        !machine_of(s, &copy.machine) || !take_registers(sample, mask, &copy))
        return SLW_UNWOUND_FOREIGN;
    slw_unwind_tables_enter(s->tables, s->task);
    const struct slw_unwound u =
        slw_unwind(&copy, slw_unwind_tables_find, s->tables, s->unwound, SLW_MAX_STACK_DEPTH);
    *ret_depth = u.depth;
    return u.end;
}

int slw_samples_unwind(struct slw_samples *s, const struct slw_perf_record *r, size_t *ret_depth,
                       enum slw_unwound_end *ret_end)
{
    uint64_t type = slw_perfdata_event(s->pd, (size_t)r->event)->attr.sample_type;

    *ret_depth = 0;
    *ret_end = SLW_UNWOUND_FOREIGN;
    if (!(type & PERF_SAMPLE_STACK_USER) || r->sample.regs_user_abi == PERF_SAMPLE_REGS_ABI_NONE)
        return 0; /* a thread of the kernel has no such stack */
    if (!s->tables)
        s->tables = slw_unwind_tables_new(&s->modules, s->procs, &s->symbols_options);
    if (!s->tables)
        return -SLW_E_NOMEM;
    *ret_end = unwind(s, r, ret_depth);
    return slw_unwind_tables_failed(s->tables);
}
