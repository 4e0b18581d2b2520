/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stages that the client marks (sim/stages.h): how a mark gets into the client's code. The nop
 * becomes a jump over itself, with which a superblock ends. */
#include "tool_int.h"

#include "libvex_guest_amd64.h"
#include "pub_tool_aspacemgr.h"
#include "pub_tool_machine.h"
#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

static void *allocate(size_t bytes)
{
    return VG_(calloc)("sim.stages", 1, bytes ? bytes : 1);
}

static void release(void *memory)
{
    VG_(free)(memory);
}

static bool read_file(void *file, void *to, size_t size, uint64_t offset)
{
    const Int descriptor = *(const Int *)file;

    return VG_(lseek)(descriptor, (Off64T)offset, VKI_SEEK_SET) == (Off64T)offset &&
           VG_(read)(descriptor, to, (Int)size) == (Int)size;
}

/* A jump over the rest of the nop. */
static Bool make_jump(Addr address)
{
    const NSegment *s = VG_(am_find_nsegment)(address);
    const Addr page = address & ~(Addr)(VKI_PAGE_SIZE - 1);
    const UWord bytes =
        address + SLW_SIM_MARK_BYTES > page + VKI_PAGE_SIZE ? 2 * VKI_PAGE_SIZE : VKI_PAGE_SIZE;

    if (!s || !s->hasX || s->end < page + bytes - 1 ||
        VG_(memcmp)((const void *)address, slw_sim_mark_nop, SLW_SIM_MARK_BYTES) != 0 ||
        ask_kernel(__NR_mprotect, page, bytes, VKI_PROT_READ | VKI_PROT_WRITE | VKI_PROT_EXEC) != 0)
        return False;
    ((UChar *)address)[0] = 0xeb;
    ((UChar *)address)[1] = 0x03;
    (void)ask_kernel(__NR_mprotect, page, bytes,
                     VKI_PROT_READ | VKI_PROT_EXEC | (s->hasW ? VKI_PROT_WRITE : 0));
    return True;
}

static bool switch_on(uint64_t nop, uint64_t counter)
{
    const NSegment *s = VG_(am_find_nsegment)(counter);

    if (!s || !s->hasW || s->end < counter + 1 || !make_jump(nop))
        return false;
    *(UShort *)counter = 1;
    return true;
}

static void stage_begins(void)
{
    slw_sim_counting_stage_begins(&counting);
}

struct slw_sim_stages *new_stages(void)
{
    const struct slw_sim_stages_host to = {.allocate = allocate,
                                           .release = release,
                                           .read_file = read_file,
                                           .switch_on = switch_on,
                                           .core_of = core_of,
                                           .begins = stage_begins};

    return slw_sim_stages_new(&to);
}

void look_for_marks(const struct slw_sim_mapping *mapping)
{
    const SysRes opened = VG_(open)(mapping->path, VKI_O_RDONLY, 0);
    Int descriptor = sr_isError(opened) ? -1 : (Int)sr_Res(opened);

    if (descriptor < 0)
        return;
    slw_sim_stages_look(counting.stages, mapping, &descriptor);
    VG_(close)(descriptor);
}

UInt mark_at(Addr address)
{
    return slw_sim_stages_mark_at(counting.stages, address);
}

void marked(ThreadId thread, UInt mark)
{
    ULong batch = 0;

    if (thread >= MAX_THREADS)
        return;
    VG_(get_shadow_regs_area)
    (thread, (UChar *)&batch, 0, offsetof(VexGuestAMD64State, guest_RDI), sizeof(batch));
    slw_sim_stages_marked(counting.stages, thread, mark, batch);
}
