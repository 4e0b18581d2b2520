/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stages that the client marks (sim/stages.h): how a mark gets into the client's code. A plugin of
 * this interface reads no register, so the nop becomes
 *
 *     push %rdi ; pop %rdi ; jmp over the rest
 *
 * The push stores what the mark says to where nothing is (a mark has stepped over the 128 bytes
 * below the stack pointer before), the jump ends the block. To the core it is the nop it was. */
#include "sim/qemu/plugin_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t code[SLW_SIM_MARK_BYTES] = {0x57, 0x5f, 0xeb, 0x01, 0x90};

static void *allocate(size_t bytes)
{
    return host.allocate(bytes ? bytes : 1);
}

static bool read_file(void *file, void *to, size_t size, uint64_t offset)
{
    return pread(*(const int *)file, to, size, (off_t)offset) == (ssize_t)size;
}

/* Memory that the client may not write: what the kernel does for debuggers. */
static bool force(uint64_t address, const void *from, size_t size)
{
    const int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    const bool is_written =
        memory >= 0 &&
        pwrite(memory, from, size, (off_t)(uintptr_t)at_host(address)) == (ssize_t)size;

    if (memory >= 0)
        (void)close(memory);
    return is_written;
}

static bool switch_on(uint64_t nop, uint64_t counter)
{
    const uint16_t one = 1;
    uint8_t is[SLW_SIM_MARK_BYTES];

    return peek(is, nop, sizeof(is)) && memcmp(is, slw_sim_mark_nop, sizeof(is)) == 0 &&
           force(nop, code, sizeof(code)) && poke(counter, &one, sizeof(one));
}

static void stage_begins(void)
{
    slw_sim_counting_stage_begins(&counting);
}

struct slw_sim_stages *new_stages(void)
{
    const struct slw_sim_stages_host to = {.allocate = allocate,
                                           .release = free,
                                           .read_file = read_file,
                                           .switch_on = switch_on,
                                           .core_of = core_of,
                                           .begins = stage_begins};

    return slw_sim_stages_new(&to);
}

void look_for_marks(const struct slw_sim_mapping *mapping)
{
    int file = open(mapping->path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return;
    slw_sim_stages_look(counting.stages, mapping, &file);
    (void)close(file);
}
