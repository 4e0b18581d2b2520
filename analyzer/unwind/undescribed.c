/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/undescribed.h"

#include "analyzer/unwind/cfi_image.h"

#include <string.h>

/* ---- where handlers return to ---- */

/* mov $15, %rax; syscall */
static const uint8_t x86_return[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
/* mov x8, #139; svc #0 */
static const uint8_t arm_return[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4};

static bool begins_at(const uint8_t *pattern, size_t bytes, const uint8_t *code, size_t length,
                      uint64_t at)
{
    return bytes <= length && at <= length - bytes && memcmp(code + at, pattern, bytes) == 0;
}

bool slw_is_signal_return(enum slw_cfi_machine machine, const uint8_t *code, size_t length,
                          uint64_t offset)
{
    const bool x86 = machine == SLW_CFI_X86_64;
    const uint8_t *pattern = x86 ? x86_return : arm_return;
    const size_t bytes = x86 ? sizeof(x86_return) : sizeof(arm_return);
    const uint64_t second = x86 ? 7 : 4; /* instruction */

    return begins_at(pattern, bytes, code, length, offset + 1) ||
           begins_at(pattern, bytes, code, length, offset) ||
           (offset >= second && begins_at(pattern, bytes, code, length, offset - second));
}

/* Offsets in the frames that the kernel makes. Source: struct rt_sigframe, ucontext and sigcontext
 * in arch/{x86,arm64} of the kernel. When the handler has returned, the stack pointer of x86-64
 * stands behind the frame's first word. */
enum {
    X86_RBP = 120,
    X86_RSP = 160,
    X86_RIP = 168,
    ARM_X29 = 544,
    ARM_X30 = 552,
    ARM_SP = 560,
    ARM_PC = 568,
};

static const struct slw_cfi_rule x86_rule = {.cfa = {SLW_CFI_REG_AT, SLW_X86_RSP, 0, X86_RSP},
                                             .fp = {SLW_CFI_REG_AT, SLW_X86_RSP, 0, X86_RBP},
                                             .ra = {SLW_CFI_REG_AT, SLW_X86_RSP, 0, X86_RIP},
                                             .signal = 1};
static const struct slw_cfi_rule arm_rule = {.cfa = {SLW_CFI_REG_AT, SLW_ARM_SP, 0, ARM_SP},
                                             .fp = {SLW_CFI_REG_AT, SLW_ARM_SP, 0, ARM_X29},
                                             .ra = {SLW_CFI_REG_AT, SLW_ARM_SP, 0, ARM_PC},
                                             .lr = {SLW_CFI_REG_AT, SLW_ARM_SP, 0, ARM_X30},
                                             .signal = 1};
static const struct slw_cfi_row only_row = {.kind = SLW_CFI_RULE};
static const struct slw_cfi_table x86_table = {
    .rows = &only_row, .rules = &x86_rule, .row_count = 1, .rule_count = 1};
static const struct slw_cfi_table arm_table = {.rows = &only_row,
                                               .rules = &arm_rule,
                                               .row_count = 1,
                                               .rule_count = 1,
                                               .machine = SLW_CFI_AARCH64};

struct slw_unwind_code slw_signal_return(enum slw_cfi_machine machine)
{
    return (struct slw_unwind_code){.state = SLW_UNWIND_CFI,
                                    .table = machine == SLW_CFI_X86_64 ? &x86_table : &arm_table,
                                    .row = &only_row};
}

/* ---- the module's files ---- */

int slw_undescribed_know(struct slw_undescribed *u, struct slw_elf *image, struct slw_elf *debug)
{
    int rc = 0;

    slw_undescribed_release(u);
    *u = (struct slw_undescribed){.looked_for = true, .image = *image};
    u->has_image = slw_cfi_machine_of(&u->image, &u->machine);
    if (debug->elf) {
        rc = slw_cfi_compile_separate(&u->image, debug, &u->separate, NULL);
        slw_elf_close(debug);
    }
    return rc == -SLW_E_NOMEM ? rc : 0;
}

static int look_for(struct slw_undescribed *u, const struct slw_symbols_options *opts,
                    const struct slw_module *m)
{
    struct slw_symbols_options own = *opts;
    struct slw_symbols_module l = {0};
    struct slw_elf debug = {.fd = -1};

    u->looked_for = true;
    if (!own.debug_dir)
        own.debug_dir = SLW_DEFAULT_DEBUG_DIR;
    if (slw_symbols_open_image(&own, m, &l) != SLW_SYMBOLS_FINE)
        return 0;
    if (m->kind == SLW_MODULE_FILE)
        (void)slw_symbols_open_debug(&own, m, &l, &debug, NULL);
    return slw_undescribed_know(u, &l.elf, &debug);
}

static bool is_signal_return(const struct slw_undescribed *u, uint64_t offset)
{
    size_t length = 0;
    const uint8_t *code = u->has_image ? (const uint8_t *)elf_rawfile(u->image.elf, &length) : NULL;

    return code && slw_is_signal_return(u->machine, code, length, offset);
}

int slw_undescribed_find(struct slw_undescribed *u, const struct slw_symbols_options *opts,
                         const struct slw_module *m, uint64_t offset,
                         struct slw_unwind_code *ret_code)
{
    int rc = u->looked_for ? 0 : look_for(u, opts, m);

    if (rc < 0)
        return rc;
    const struct slw_cfi_row *row = slw_cfi_find(&u->separate, offset);
    if (slw_cfi_is_described(row)) {
        *ret_code = (struct slw_unwind_code){SLW_UNWIND_CFI, &u->separate, row};
        return 1;
    }
    if (!is_signal_return(u, offset))
        return 0;
    *ret_code = slw_signal_return(u->machine);
    return 1;
}

void slw_undescribed_release(struct slw_undescribed *u)
{
    slw_cfi_table_release(&u->separate);
    slw_elf_close(&u->image);
}
