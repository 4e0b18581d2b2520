/* SPDX-License-Identifier: MIT */
/* A kept table, damaged anyhow, with a sum that is right all the same: what is behind it is
 * reached, by walking stacks with it. */
#include "analyzer/unwind/cfi_cache.h"
#include "analyzer/unwind/stack.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID    "0123456789abcdef0123456789abcdef01234567"
#define STACK UINT64_C(0x7ffd00000000)

static struct slw_unwind_code find(void *ctx, uint64_t address)
{
    const struct slw_cfi_table *t = ctx;
    const struct slw_cfi_row *row = slw_cfi_find(t, address);

    return (struct slw_unwind_code){row ? SLW_UNWIND_CFI : SLW_UNWIND_NO_CFI, t, row};
}

static void walk(const struct slw_cfi_table *t, const uint8_t *data, size_t size)
{
    struct slw_unwound_frame frames[64];
    struct slw_stack_copy c = {
        .machine = t->machine, .known = UINT64_MAX, .bytes = data, .length = size};

    for (size_t i = 0; i < SLW_CFI_REGISTERS; i++)
        c.registers[i] = STACK + 8 * i;
    c.registers[SLW_X86_RSP] = c.registers[SLW_ARM_SP] = STACK;
    for (uint32_t i = 0; i < t->row_count && i < 64; i++) {
        c.ip = t->rows[i].offset;
        if (slw_unwind(&c, find, (void *)(uintptr_t)t, frames, 64).depth > 64)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_cfi_table t;
    uint8_t *copy = malloc(size + 1);

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    slw_cfi_cache_seal(copy, size);
    if (slw_cfi_cache_take(copy, size, ID, &t)) {
        walk(&t, data, size);
        slw_cfi_table_release(&t);
    }
    return 0;
}
