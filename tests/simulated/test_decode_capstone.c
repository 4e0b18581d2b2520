/* SPDX-License-Identifier: MIT */
/* The decoder against Capstone, over the code of real libraries: lengths, kinds of branches, memory
 * operands, registers read and written. Capstone 4 is wrong or says nothing in known places; those
 * are left out by name, and the rest may differ in a stated share of instructions.
 *
 * usage: test_decode_capstone FILE...   (ELF files; those that are not there are passed over) */
#include "sim/core.h"

#include "base/file.h"

#include <capstone/capstone.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum what { LENGTH, BRANCH, MEMORY, READS, WRITES, WHAT_COUNT };

struct sums {
    unsigned long instructions, differ[WHAT_COUNT], shown[WHAT_COUNT];
};

static const char *const what_names[] = {"length", "branch", "memory", "reads", "writes"};

/* Of a million instructions, how many may differ. Lengths: data in the text of libcrypto, read as
 * instructions nobody uses. Registers: the mask registers of AVX-512. */
static const unsigned long allowed_ppm[] = {30, 0, 20, 400, 200};

/* Number of a general or vector register as slw_sim_decode counts; SLW_SIM_NO_REGISTER: another. */
static unsigned number_of(x86_reg r)
{
    static const x86_reg general[][8] = {
        {X86_REG_AL, X86_REG_AH, X86_REG_AX, X86_REG_EAX, X86_REG_RAX},
        {X86_REG_CL, X86_REG_CH, X86_REG_CX, X86_REG_ECX, X86_REG_RCX},
        {X86_REG_DL, X86_REG_DH, X86_REG_DX, X86_REG_EDX, X86_REG_RDX},
        {X86_REG_BL, X86_REG_BH, X86_REG_BX, X86_REG_EBX, X86_REG_RBX},
        {X86_REG_SPL, X86_REG_SP, X86_REG_ESP, X86_REG_RSP},
        {X86_REG_BPL, X86_REG_BP, X86_REG_EBP, X86_REG_RBP},
        {X86_REG_SIL, X86_REG_SI, X86_REG_ESI, X86_REG_RSI},
        {X86_REG_DIL, X86_REG_DI, X86_REG_EDI, X86_REG_RDI},
    };

    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = 0; k < 8; k++)
            if (general[i][k] == r && r != X86_REG_INVALID)
                return i;
    for (unsigned i = 8; i < 16; i++)
        if (r == X86_REG_R8 + i - 8 || r == X86_REG_R8B + i - 8 || r == X86_REG_R8D + i - 8 ||
            r == X86_REG_R8W + i - 8)
            return i;
    if (r >= X86_REG_XMM0 && r <= X86_REG_XMM31)
        return 16 + r - X86_REG_XMM0;
    if (r >= X86_REG_YMM0 && r <= X86_REG_YMM31)
        return 16 + r - X86_REG_YMM0;
    if (r >= X86_REG_ZMM0 && r <= X86_REG_ZMM31)
        return 16 + r - X86_REG_ZMM0;
    if (r >= X86_REG_MM0 && r <= X86_REG_MM7)
        return 16 + r - X86_REG_MM0;
    return SLW_SIM_NO_REGISTER;
}

static uint64_t bit(unsigned number)
{
    return number == SLW_SIM_NO_REGISTER ? 0 : UINT64_C(1) << number;
}

/* The stack pointer is the stack engine's business in the model, and addresses are kept apart. */
static uint64_t ours_read(const struct slw_sim_instruction *in)
{
    uint64_t set = 0;

    for (unsigned i = 0; i < in->source_count; i++)
        set |= bit(in->sources[i]);
    for (unsigned i = 0; i < in->address_count; i++)
        set |= bit(in->addresses[i]);
    return set & ((UINT64_C(1) << SLW_SIM_FLAGS) - 1) & ~bit(4);
}

static uint64_t ours_written(const struct slw_sim_instruction *in)
{
    return (bit(in->targets[0]) | bit(in->targets[1])) & ((UINT64_C(1) << SLW_SIM_FLAGS) - 1) &
           ~bit(4);
}

static uint64_t theirs(const cs_regs regs, uint8_t count)
{
    uint64_t set = 0;

    for (uint8_t i = 0; i < count; i++)
        set |= bit(number_of((x86_reg)regs[i]));
    return set & ~bit(4);
}

static enum slw_sim_branch their_branch(csh cs, const cs_insn *i)
{
    const bool by_operand =
        i->detail->x86.op_count == 1 && i->detail->x86.operands[0].type != X86_OP_IMM;

    if (i->id == X86_INS_SYSCALL)
        return SLW_SIM_SYSCALL;
    if (i->id == X86_INS_JMP)
        return by_operand ? SLW_SIM_JUMP_INDIRECT : SLW_SIM_JUMP;
    if (cs_insn_group(cs, i, X86_GRP_CALL) && i->id == X86_INS_CALL)
        return by_operand ? SLW_SIM_CALL_INDIRECT : SLW_SIM_CALL;
    if (i->id == X86_INS_RET)
        return SLW_SIM_RETURN;
    if (cs_insn_group(cs, i, X86_GRP_JUMP) || i->id == X86_INS_LOOP || i->id == X86_INS_LOOPE ||
        i->id == X86_INS_LOOPNE)
        return SLW_SIM_CONDITIONAL;
    return SLW_SIM_NO_BRANCH;
}

/* Has it an operand in memory that is accessed? */
static bool their_memory(const cs_insn *i)
{
    if (i->id == X86_INS_LEA || i->id == X86_INS_NOP || i->id == X86_INS_PREFETCHT0 ||
        i->id == X86_INS_PREFETCHT1 || i->id == X86_INS_PREFETCHT2 ||
        i->id == X86_INS_PREFETCHNTA || i->id == X86_INS_PREFETCHW || i->id == X86_INS_CLFLUSH ||
        i->id == X86_INS_CLFLUSHOPT || i->id == X86_INS_CLWB)
        return false;
    for (uint8_t k = 0; k < i->detail->x86.op_count; k++)
        if (i->detail->x86.operands[k].type == X86_OP_MEM)
            return true;
    return false;
}

/* The stack is memory too, but an implied operand. */
static bool is_implied_memory(const cs_insn *i, const struct slw_sim_instruction *in)
{
    return in->branch == SLW_SIM_RETURN || in->branch == SLW_SIM_CALL ||
           in->branch == SLW_SIM_CALL_INDIRECT || i->id == X86_INS_PUSH || i->id == X86_INS_POP ||
           i->id == X86_INS_LEAVE || i->id == X86_INS_PUSHFQ || i->id == X86_INS_POPFQ ||
           i->id == X86_INS_PUSHF || i->id == X86_INS_POPF || i->id == X86_INS_XLATB;
}

/* Where Capstone 4 has no registers, wrong ones, or the question makes no sense. */
static bool has_comparable_registers(const cs_insn *i, const struct slw_sim_instruction *in)
{
    const bool nothing = in->unit == SLW_SIM_UNIT_NONE || in->unit == SLW_SIM_UNIT_SERIAL;

    return !nothing && i->detail->x86.opcode[0] < 0xd8 + 8 * (i->detail->x86.opcode[0] >= 0xe0) &&
           i->id != X86_INS_SYSCALL && !(in->is & SLW_SIM_REPEATS);
}

static void differs(struct sums *s, enum what what, const cs_insn *i, uint64_t ours, uint64_t their)
{
    s->differ[what]++;
    if (s->shown[what]++ >= 12)
        return;
    printf("%s: ", what_names[what]);
    for (unsigned k = 0; k < i->size; k++)
        printf("%02x", i->bytes[k]);
    printf(" %s %s: ours %llx, theirs %llx\n", i->mnemonic, i->op_str, (unsigned long long)ours,
           (unsigned long long)their);
}

/* Capstone 4 has test and cwd write their source, and cmpxchg not its accumulator. */
static bool has_wrong_targets(const cs_insn *i)
{
    return i->id == X86_INS_CMPXCHG || i->id == X86_INS_TEST || i->id == X86_INS_CDQ ||
           i->id == X86_INS_CQO || i->id == X86_INS_CWD;
}

/* Far jumps, transactions and AMD's XOP: no program of today has them, but data in the text has. */
static bool is_left_out(const cs_insn *i)
{
    return i->id == X86_INS_LJMP || i->id == X86_INS_LCALL || i->id == X86_INS_XBEGIN ||
           (i->bytes[0] == 0x8f && i->id != X86_INS_POP);
}

static void compare_registers(csh cs, struct sums *s, const cs_insn *i,
                              const struct slw_sim_instruction *in)
{
    cs_regs read, written;
    uint8_t read_count = 0, written_count = 0;

    if (!has_comparable_registers(i, in) ||
        cs_regs_access(cs, i, read, &read_count, written, &written_count) != CS_ERR_OK)
        return;
    /* A conditional move reads its target whatever Capstone says; so do shifts by cl their count.
     */
    const uint64_t r = theirs(read, read_count);
    const uint64_t w = theirs(written, written_count);

    if ((ours_read(in) | w) != (r | w) && (ours_read(in) & ~w) != (r & ~w))
        differs(s, READS, i, ours_read(in), r);
    if (ours_written(in) != w && !has_wrong_targets(i))
        differs(s, WRITES, i, ours_written(in), w);
}

static void compare(csh cs, struct sums *s, const cs_insn *i)
{
    struct slw_sim_instruction in;

    if (is_left_out(i))
        return;
    const size_t length = slw_sim_decode(i->bytes, i->size, i->address, &in);

    s->instructions++;
    if (length != i->size) {
        differs(s, LENGTH, i, length, i->size);
        return;
    }
    if ((enum slw_sim_branch)in.branch != their_branch(cs, i))
        differs(s, BRANCH, i, in.branch, their_branch(cs, i));
    const bool memory = in.is & (SLW_SIM_LOADS_DATA | SLW_SIM_STORES_DATA);

    if (memory != their_memory(i) && !is_implied_memory(i, &in))
        differs(s, MEMORY, i, memory, their_memory(i));
    compare_registers(cs, s, i, &in);
}

static void walk(csh cs, struct sums *s, const uint8_t *code, size_t size, uint64_t address)
{
    cs_insn *i = cs_malloc(cs);

    while (size > 0) {
        if (cs_disasm_iter(cs, &code, &size, &address, i)) {
            compare(cs, s, i);
        } else { /* what Capstone does not know, and data in the text */
            code++;
            size--;
            address++;
        }
    }
    cs_free(i, 1);
}

static int walk_file(csh cs, struct sums *s, const char *path)
{
    char *data = NULL;
    size_t length = 0;
    struct slw_error err = {0};

    if (slw_file_read(path, (size_t)64 << 20, &data, &length, &err) < 0) {
        printf("passed over: %s\n", path);
        return 0;
    }
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)(void *)data;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(void *)(data + head->e_shoff);

    if (length < sizeof(*head) || head->e_shoff > length ||
        head->e_shnum > (length - head->e_shoff) / sizeof(*sections))
        return printf("no ELF file: %s\n", path), 1;
    for (unsigned i = 0; i < head->e_shnum; i++)
        if (sections[i].sh_type == SHT_PROGBITS && (sections[i].sh_flags & SHF_EXECINSTR) &&
            sections[i].sh_offset + sections[i].sh_size <= length)
            walk(cs, s, (const uint8_t *)data + sections[i].sh_offset, sections[i].sh_size,
                 sections[i].sh_addr);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    struct sums s = {0};
    csh cs;
    int bad = 0;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &cs) != CS_ERR_OK)
        return 1;
    (void)cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
    for (int i = 1; i < argc; i++)
        bad |= walk_file(cs, &s, argv[i]);
    printf("%lu instructions\n", s.instructions);
    if (s.instructions < 100000) {
        printf("skipped: no libraries to read\n");
        return 77;
    }
    for (int w = 0; w < WHAT_COUNT; w++) {
        const unsigned long ppm = s.differ[w] * 1000000 / s.instructions;

        printf("%s: %lu differ, %lu per million, allowed %lu\n", what_names[w], s.differ[w], ppm,
               allowed_ppm[w]);
        bad |= s.differ[w] * 1000000 > allowed_ppm[w] * s.instructions;
    }
    (void)cs_close(&cs);
    return bad;
}
