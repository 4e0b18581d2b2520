/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks to be called when a translated block is entered and for each of its accesses. A block that
 * was translated before, of the same code, is the same segment: QEMU throws its translations away
 * and makes them again. */
#include "sim/qemu/plugin_int.h"
#include "sim/stages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUCKETS = 1 << 16, LONGEST_INSTRUCTION = 15, MAX_INSTRUCTIONS = 512 };

static struct block *blocks[BUCKETS];
static uint64_t base;
static bool has_begun;

/* By the kernel's hand, so that memory which is not there is an answer and not a fault. */
bool peek(void *to, uint64_t address, size_t count)
{
    const struct iovec ours = {.iov_base = to, .iov_len = count};
    const struct iovec theirs = {.iov_base = (void *)(uintptr_t)(address + base), .iov_len = count};

    return process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0) == (ssize_t)count;
}

bool poke(uint64_t address, const void *from, size_t count)
{
    const struct iovec ours = {.iov_base = (void *)(uintptr_t)from, .iov_len = count};
    const struct iovec theirs = {.iov_base = (void *)(uintptr_t)(address + base), .iov_len = count};

    return process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0) == (ssize_t)count;
}

char *at_host(uint64_t address)
{
    return (char *)(uintptr_t)(address + base);
}

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (!p)
        fail("out of memory");
    return p;
}

/* The bytes at an address, as many as there are. */
static size_t peek_code(uint8_t *to, uint64_t address)
{
    size_t count = LONGEST_INSTRUCTION;

    while (count > 0 && !peek(to, address, count))
        count--;
    return count;
}

/* QEMU before 8.2 leaves at the end of a block what it had read of an instruction that goes on in
 * the next page, after it took it back. */
static bool is_half_read(const struct qemu_plugin_insn *insn)
{
    const uint64_t address = qemu_plugin_insn_vaddr(insn);
    uint8_t code[LONGEST_INSTRUCTION];
    struct slw_sim_instruction in;

    if (((address + LONGEST_INSTRUCTION) ^ address) < 4096)
        return false;
    const size_t length = slw_sim_decode(code, peek_code(code, address), address, &in);

    return length > qemu_plugin_insn_size(insn);
}

/* Those of the client: a mark is the last of them, and what is in its place ends the block. */
static size_t count_instructions(const struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);

    if (count > 1 && is_half_read(qemu_plugin_tb_get_insn(tb, count - 1)))
        count--;
    if (count > MAX_INSTRUCTIONS)
        count = MAX_INSTRUCTIONS;
    for (size_t i = 0; slw_sim_stages_any(counting.stages) && i < count; i++)
        if (slw_sim_stages_mark_at(counting.stages,
                                   qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, i))))
            return i + 1;
    return count;
}

/* Consecutive bytes of all its instructions. */
static size_t copy_code(const struct qemu_plugin_tb *tb, size_t count, uint8_t *to)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const size_t size = qemu_plugin_insn_size(insn);

        if (size > LONGEST_INSTRUCTION)
            fail("an instruction of more than 15 bytes");
        memcpy(to + used, qemu_plugin_insn_data(insn), size);
        used += size;
    }
    return used;
}

static void decode(const struct qemu_plugin_tb *tb, struct block *b)
{
    struct slw_sim_segment *segment = &b->segment;
    struct slw_sim_access may[MAX_INSTRUCTIONS] = {0};
    size_t may_count = 0;

    for (uint32_t i = 0; i < segment->count; i++) {
        const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const size_t size = qemu_plugin_insn_size(insn);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        struct slw_sim_instruction *in = &segment->instructions[i];

        b->mark = slw_sim_stages_mark_at(counting.stages, address);
        if (b->mark) {
            slw_sim_unknown(address, SLW_SIM_MARK_BYTES, in);
            continue;
        }
        const bool is_known =
            slw_sim_decode(qemu_plugin_insn_data(insn), size, address, in) == size;

        if (!is_known)
            slw_sim_unknown(address, (uint8_t)size, in);
        if (!is_known || (in->is & (SLW_SIM_LOADS_DATA | SLW_SIM_STORES_DATA)))
            may[may_count++].index = (uint16_t)i;
    }
    slw_sim_prepare(&config, segment, may, may_count);
}

static struct block *new_block(const struct qemu_plugin_tb *tb, size_t count, const uint8_t *code,
                               size_t bytes)
{
    struct block *b = allocate(1, sizeof(*b));

    b->code_bytes = bytes;
    b->code = allocate(bytes, 1);
    memcpy(b->code, code, bytes);
    b->segment.address = qemu_plugin_tb_vaddr(tb);
    b->segment.count = (uint32_t)count;
    b->segment.object = mapping_of(b->segment.address);
    b->is_replay = is_library(b->segment.object, "/libslotwise-replay.so");
    b->is_tap = b->is_replay || is_library(b->segment.object, "/libslotwise-wire.so");
    b->segment.instructions = allocate(count, sizeof(*b->segment.instructions));
    decode(tb, b);
    return b;
}

static struct block *block_of(const struct qemu_plugin_tb *tb, size_t count)
{
    uint8_t code[MAX_INSTRUCTIONS * LONGEST_INSTRUCTION];
    const size_t bytes = copy_code(tb, count, code);
    const uint64_t address = qemu_plugin_tb_vaddr(tb);
    const uint32_t object = mapping_of(address);
    struct block **bucket = &blocks[(address * UINT64_C(0x9e3779b97f4a7c15)) >> 48];

    for (struct block *b = *bucket; b; b = b->next)
        if (b->segment.address == address && b->segment.count == count &&
            b->segment.object == object && b->code_bytes == bytes &&
            memcmp(b->code, code, bytes) == 0)
            return b;
    struct block *b = new_block(tb, count, code, bytes);

    b->next = *bucket;
    *bucket = b;
    return b;
}

/* The code of valgrind.h: four rotations by 128 in all, and an exchange of a register with itself.
 */
static bool is_request(const struct qemu_plugin_insn *insn)
{
    static const uint8_t exchange[] = {0x48, 0x87, 0xdb};
    static const uint8_t rotations[] = {0x48, 0xc1, 0xc7, 0x03, 0x48, 0xc1, 0xc7, 0x0d,
                                        0x48, 0xc1, 0xc7, 0x3d, 0x48, 0xc1, 0xc7, 0x33};
    uint8_t before[sizeof(rotations)];

    return qemu_plugin_insn_size(insn) == sizeof(exchange) &&
           memcmp(qemu_plugin_insn_data(insn), exchange, sizeof(exchange)) == 0 &&
           peek(before, qemu_plugin_insn_vaddr(insn) - sizeof(before), sizeof(before)) &&
           memcmp(before, rotations, sizeof(before)) == 0;
}

void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    const struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
    const size_t count = count_instructions(tb);

    (void)id;
    if (count == 0)
        return;
    lock();
    base = (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(first) - qemu_plugin_insn_vaddr(first);
    set_base(base);
    struct block *b = block_of(tb, count);

    if (!has_begun && is_program(b->segment.object)) {
        has_begun = true;
        program_begins(b);
    }
    unlock();
    qemu_plugin_register_vcpu_tb_exec_cb(tb, block_entered, QEMU_PLUGIN_CB_NO_REGS, b);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

        if (is_request(insn))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, requested, QEMU_PLUGIN_CB_NO_REGS, NULL);
        qemu_plugin_register_vcpu_mem_cb(insn, b->mark && i + 1 == count ? batch_told : accessed,
                                         QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                         (void *)(uintptr_t)i);
    }
}
