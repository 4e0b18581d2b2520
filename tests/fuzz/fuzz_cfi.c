/* SPDX-License-Identifier: MIT */
/* Call frame information from anywhere, and stacks walked with what it becomes. The first byte
 * chooses machine and sections, the second says where the first section ends; the bytes are also
 * the stack, an expression, and (bit 3) an ELF image. */
#include "analyzer/unwind/cfi_expression.h"
#include "analyzer/unwind/cfi_image.h"
#include "analyzer/unwind/stack.h"
#include "analyzer/unwind/undescribed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE  UINT64_C(0x1000)
#define STACK UINT64_C(0x7ffd00000000)

static struct slw_unwind_code find(void *ctx, uint64_t address)
{
    const struct slw_cfi_table *t = ctx;
    const struct slw_cfi_row *row = slw_cfi_find(t, address);

    return (struct slw_unwind_code){row ? SLW_UNWIND_CFI : SLW_UNWIND_NO_CFI, t, row};
}

static void check_table(const struct slw_cfi_table *t)
{
    for (uint32_t i = 0; i < t->row_count; i++) {
        if (i > 0 && t->rows[i].offset <= t->rows[i - 1].offset)
            abort();
        if (slw_cfi_find(t, t->rows[i].offset) != &t->rows[i])
            abort();
    }
}

static void walk(const struct slw_cfi_table *t, const uint8_t *data, size_t size)
{
    struct slw_unwound_frame frames[64];
    struct slw_stack_copy c = {.machine = t->machine,
                               .known = UINT64_MAX,
                               .bytes = data,
                               .length = size,
                               .full = size % 2 == 0};

    for (size_t i = 0; i < SLW_CFI_REGISTERS; i++)
        c.registers[i] = STACK + 8 * i;
    c.registers[SLW_X86_RSP] = c.registers[SLW_ARM_SP] = STACK;
    for (uint32_t i = 0; i < t->row_count && i < 64; i++) {
        c.ip = t->rows[i].offset;
        struct slw_unwound u = slw_unwind(&c, find, (void *)(uintptr_t)t, frames, 64);
        if (u.depth < 1 || u.depth > 64 || u.end >= SLW_UNWOUND_COUNT)
            abort();
    }
}

static void compile(const uint8_t *data, size_t size)
{
    const struct slw_cfi_segment code = {.address = CODE, .bytes = 0x10000, .offset = 0x100};
    struct slw_cfi_table t;
    size_t split = (size_t)data[1] * 16 < size - 2 ? (size_t)data[1] * 16 : size - 2;
    const struct slw_cfi_section sections[] = {
        {.bytes = data + 2, .length = split, .address = 0x500, .length_is_max = data[0] & 2},
        {.bytes = data + 2 + split, .length = size - 2 - split, .debug_frame = true}};
    const struct slw_cfi_source source = {.machine = data[0] & 1 ? SLW_CFI_AARCH64 : SLW_CFI_X86_64,
                                          .sections = sections,
                                          .section_count = data[0] & 4 ? 2 : 1,
                                          .segments = &code,
                                          .segment_count = 1,
                                          .entry = data[0] & 16 ? CODE + 0x20 : 0};

    if (slw_cfi_compile(&source, &t, NULL) < 0)
        return;
    check_table(&t);
    walk(&t, data, size);
    slw_cfi_table_release(&t);
}

static void read_image(const uint8_t *data, size_t size)
{
    char *image = malloc(size);
    struct slw_cfi_table t;

    if (!image)
        return;
    memcpy(image, data, size);
    (void)elf_version(EV_CURRENT);
    struct slw_elf e = {.fd = -1, .elf = elf_memory(image, size)};
    if (e.elf && elf_kind(e.elf) == ELF_K_ELF && slw_cfi_compile_image(&e, &t, NULL) == 0) {
        check_table(&t);
        walk(&t, data, size);
        slw_cfi_table_release(&t);
    }
    slw_elf_close(&e);
    free(image);
}

static bool read_register(void *ctx, uint64_t reg, uint64_t *ret_value)
{
    (void)ctx;
    *ret_value = reg << 32;
    return reg != 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slw_cfi_machine_state state = {read_register, read_register, NULL};
    uint64_t value = 0;

    if (size < 3)
        return 0;
    if (data[0] & 8)
        read_image(data + 2, size - 2);
    else
        compile(data, size);
    for (uint64_t i = 0; i < size && i < 64; i++)
        (void)slw_is_signal_return(data[0] & 1 ? SLW_CFI_AARCH64 : SLW_CFI_X86_64, data, size, i);
    (void)slw_cfi_evaluate(data + 1, size - 1, data[0] & 1 ? &value : NULL, &state, &value);
    return 0;
}
