/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stages that the client marks (include/slotwise/stage.h). A mark is a nop with a note in the file
 * it is in, behind a counter that says whether somebody looks. Here the counter is switched on, and
 * the nop becomes a jump over itself, so that a superblock ends with the mark: what ran before it
 * and after it are apart to the instruction. */
#include "tool_int.h"

#include "pub_tool_aspacemgr.h"
#include "pub_tool_machine.h"
#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

#include "libvex_guest_amd64.h"

#define MAX_STAGES     256
#define MAX_MARKS      4096
#define MAX_OPEN       16 /* of one thread, within each other */
#define MAX_SECTIONS   8192
#define MAX_SEGMENTS   64
#define MAX_NOTE_BYTES (1u << 20)
#define MAX_NAME_BYTES (1u << 20)

struct mark {
    Addr address;
    UInt stage;
    Bool is_begin;
};

/* A call of a stage, or of one around it: numbers are of the innermost only. */
struct open_stage {
    UInt stage;
    ULong batch;
    ULong instructions, detailed, l1i_misses;
    ULong slots[SLW_SIM_SLOT_COUNT];
};

struct stack {
    struct open_stage open[MAX_OPEN];
    UInt depth, deeper;         /* deeper: begun past MAX_OPEN */
    struct slw_sim_totals then; /* when the innermost was last told apart */
};

static struct slw_sim_staged stages[MAX_STAGES];
static struct mark marks[MAX_MARKS];
static UInt stages_used, marks_used;
static struct stack *stacks[MAX_THREADS];

UInt stage_count(void)
{
    return stages_used;
}

const struct slw_sim_staged *all_stages(void)
{
    return stages;
}

Bool has_marks(void)
{
    return marks_used > 0;
}

UInt mark_at(Addr address)
{
    for (UInt i = 0; i < marks_used; i++)
        if (marks[i].address == address)
            return i + 1;
    return 0;
}

/* ---- counting ---- */

static void add_innermost(struct stack *s, const struct slw_sim_totals *now)
{
    struct open_stage *o = s->depth ? &s->open[s->depth - 1] : NULL;

    if (o) {
        o->instructions += now->events[SLW_SIM_INSTRUCTIONS] - s->then.events[SLW_SIM_INSTRUCTIONS];
        o->l1i_misses += now->events[SLW_SIM_L1I_MISSES] - s->then.events[SLW_SIM_L1I_MISSES];
        o->detailed += now->detailed_instructions - s->then.detailed_instructions;
        for (UInt i = 0; i < SLW_SIM_SLOT_COUNT; i++)
            o->slots[i] += now->slots[i] - s->then.slots[i];
    }
    s->then = *now;
}

static void begins(struct stack *s, UInt stage, ULong batch)
{
    if (s->depth == MAX_OPEN) {
        s->deeper++;
        stages[stage].missed_ends++;
        return;
    }
    s->open[s->depth++] = (struct open_stage){.stage = stage, .batch = batch};
}

static void add_call(const struct open_stage *o)
{
    struct slw_sim_staged *to = &stages[o->stage];

    to->calls++;
    to->requests += o->batch;
    to->max_batch = o->batch > to->max_batch ? o->batch : to->max_batch;
    to->instructions += o->instructions;
    to->detailed += o->detailed;
    to->l1i_misses += o->l1i_misses;
    for (UInt i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        to->slots[i] += o->slots[i];
}

/* Those within that were not ended have been left by a jump. */
static void ends(struct stack *s, UInt stage)
{
    UInt at = s->depth;

    if (s->deeper > 0) {
        s->deeper--;
        return;
    }
    while (at > 0 && s->open[at - 1].stage != stage)
        at--;
    if (at == 0) {
        stages[stage].missed_begins++;
        return;
    }
    for (; s->depth > at; s->depth--)
        stages[s->open[s->depth - 1].stage].missed_ends++;
    add_call(&s->open[--s->depth]);
}

static ULong batch_of(ThreadId thread)
{
    ULong batch = 0;

    VG_(get_shadow_regs_area)
    (thread, (UChar *)&batch, 0, offsetof(VexGuestAMD64State, guest_RDI), sizeof(batch));
    return batch;
}

void marked(ThreadId thread, UInt mark)
{
    const struct mark *m = &marks[mark - 1];
    struct slw_sim_totals now;

    if (thread >= MAX_THREADS)
        return;
    if (m->is_begin)
        stage_begins();
    if (!stacks[thread])
        stacks[thread] = VG_(calloc)("sim.stages", 1, sizeof(*stacks[thread]));
    slw_sim_read(core_of(thread), &now);
    add_innermost(stacks[thread], &now);
    if (m->is_begin)
        begins(stacks[thread], m->stage, batch_of(thread));
    else
        ends(stacks[thread], m->stage);
}

void forget_open_stages(ThreadId thread)
{
    struct stack *s = thread < MAX_THREADS ? stacks[thread] : NULL;

    if (!s)
        return;
    for (UInt i = 0; i < s->depth; i++)
        stages[s->open[i].stage].missed_ends++;
    s->depth = s->deeper = 0;
}

/* Counting begins anew: what is open then has no beginning that counts. */
void forget_stages(void)
{
    for (UInt i = 0; i < MAX_THREADS; i++)
        if (stacks[i]) {
            VG_(free)(stacks[i]);
            stacks[i] = NULL;
        }
    for (UInt i = 0; i < stages_used; i++) {
        const struct slw_sim_staged kept = {.provider = stages[i].provider, .name = stages[i].name};

        stages[i] = kept;
    }
}

/* ---- finding ---- */

struct elf_header {
    UChar magic[16];
    UShort type, machine;
    UInt version;
    ULong entry, segments, sections;
    UInt flags;
    UShort size, segment_bytes, segment_count, section_bytes, section_count, names;
};

struct elf_section {
    UInt name, type;
    ULong flags, address, offset, size;
    UInt link, info;
    ULong alignment, entry_bytes;
};

struct elf_segment {
    UInt type, flags;
    ULong offset, address, physical, file_bytes, memory_bytes, alignment;
};

struct file {
    Int descriptor;
    struct elf_header header;
    struct elf_section notes, base;
    ULong bias; /* from addresses in the file to those in memory */
};

static Bool read_at(Int file, void *to, SizeT size, ULong offset)
{
    return VG_(lseek)(file, (Off64T)offset, VKI_SEEK_SET) == (Off64T)offset &&
           VG_(read)(file, to, (Int)size) == (Int)size;
}

static Bool read_header(struct file *f)
{
    const struct elf_header *h = &f->header;

    return read_at(f->descriptor, &f->header, sizeof(f->header), 0) &&
           VG_(memcmp)(h->magic, "\177ELF\2\1", 6) == 0 &&
           h->section_bytes == sizeof(struct elf_section) &&
           h->segment_bytes == sizeof(struct elf_segment) && h->section_count <= MAX_SECTIONS &&
           h->segment_count <= MAX_SEGMENTS && h->names < h->section_count;
}

static Bool is_named(const HChar *names, ULong size, UInt at, const HChar *name)
{
    return at < size && size - at > VG_(strlen)(name) && VG_(strcmp)(names + at, name) == 0;
}

/* The two sections that matter. */
static Bool find_sections(struct file *f)
{
    const SizeT bytes = f->header.section_count * sizeof(struct elf_section);
    struct elf_section *all = VG_(malloc)("sim.sections", bytes + 1);
    HChar *names = NULL;

    if (read_at(f->descriptor, all, bytes, f->header.sections) &&
        all[f->header.names].size <= MAX_NAME_BYTES) {
        const ULong size = all[f->header.names].size;

        names = VG_(calloc)("sim.names", 1, size + 1);
        if (read_at(f->descriptor, names, size, all[f->header.names].offset))
            for (UInt i = 0; i < f->header.section_count; i++) {
                if (is_named(names, size, all[i].name, ".note.stapsdt"))
                    f->notes = all[i];
                else if (is_named(names, size, all[i].name, ".stapsdt.base"))
                    f->base = all[i];
            }
    }
    VG_(free)(all);
    if (names)
        VG_(free)(names);
    return f->notes.size > 0 && f->notes.size <= MAX_NOTE_BYTES;
}

/* Where the segment that this part was mapped from wanted to be. */
static Bool find_bias(struct file *f, const struct slw_sim_mapping *o)
{
    struct elf_segment all[MAX_SEGMENTS];

    if (!read_at(f->descriptor, all, f->header.segment_count * sizeof(all[0]), f->header.segments))
        return False;
    for (UInt i = 0; i < f->header.segment_count; i++) {
        const ULong first = all[i].offset & ~(ULong)(VKI_PAGE_SIZE - 1);

        if (all[i].type != 1 || o->offset < first || o->offset >= all[i].offset + all[i].file_bytes)
            continue;
        f->bias = o->start - (all[i].address + (o->offset - all[i].offset));
        return True;
    }
    return False;
}

/* ---- switching on ---- */

static UWord protect(Addr address, UWord bytes, UWord how)
{
    UWord result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((UWord)__NR_mprotect), "D"(address), "S"(bytes), "d"(how)
                     : "rcx", "r11", "memory");
    return result;
}

/* A jump over the rest of the nop. */
static Bool make_jump(Addr address)
{
    static const UChar nop[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
    const NSegment *s = VG_(am_find_nsegment)(address);
    const Addr page = address & ~(Addr)(VKI_PAGE_SIZE - 1);
    const UWord bytes =
        address + sizeof(nop) > page + VKI_PAGE_SIZE ? 2 * VKI_PAGE_SIZE : VKI_PAGE_SIZE;

    if (!s || !s->hasX || s->end < page + bytes - 1 ||
        VG_(memcmp)((const void *)address, nop, sizeof(nop)) != 0 ||
        protect(page, bytes, VKI_PROT_READ | VKI_PROT_WRITE | VKI_PROT_EXEC) != 0)
        return False;
    ((UChar *)address)[0] = 0xeb;
    ((UChar *)address)[1] = 0x03;
    (void)protect(page, bytes, VKI_PROT_READ | VKI_PROT_EXEC | (s->hasW ? VKI_PROT_WRITE : 0));
    return True;
}

static Bool look(Addr counter)
{
    const NSegment *s = VG_(am_find_nsegment)(counter);

    if (!s || !s->hasW || s->end < counter + 1)
        return False;
    *(UShort *)counter = 1;
    return True;
}

/* Position; MAX_STAGES: no room. */
static UInt stage_of(const HChar *provider, const HChar *name, SizeT length)
{
    UInt i = 0;

    while (i < stages_used && (VG_(strcmp)(stages[i].provider, provider) != 0 ||
                               VG_(strlen)(stages[i].name) != length ||
                               VG_(strncmp)(stages[i].name, name, length) != 0))
        i++;
    if (i == stages_used && i < MAX_STAGES) {
        stages[i].provider = VG_(strdup)("sim.provider", provider);
        HChar *kept = VG_(calloc)("sim.stage", 1, length + 1);

        VG_(memcpy)(kept, name, length);
        stages[i].name = kept;
        stages_used++;
    }
    return i;
}

/* The part of the name before the event; 0: it is no such name. */
static SizeT stage_bytes(const HChar *name, const HChar *event)
{
    const SizeT length = VG_(strlen)(name), tail = VG_(strlen)(event);

    return length > tail && VG_(strcmp)(name + length - tail, event) == 0 ? length - tail : 0;
}

static void add_mark(const struct file *f, const ULong addresses[3], const HChar *provider,
                     const HChar *name, const HChar *arguments)
{
    const ULong moved = f->bias + (f->base.address ? f->base.address - addresses[1] : 0);
    const SizeT begin = stage_bytes(name, "__begin"), end = stage_bytes(name, "__end");
    const Addr address = addresses[0] + moved;

    if ((VG_(strcmp)(provider, "slotwise") != 0 && VG_(strncmp)(provider, "slotwise_", 9) != 0) ||
        (!begin && !end) || (begin && VG_(strcmp)(arguments, "8@%rdi") != 0) || !addresses[2] ||
        marks_used == MAX_MARKS || mark_at(address))
        return;
    const UInt stage = stage_of(provider, name, begin ? begin : end);

    if (stage == MAX_STAGES || !look(addresses[2] + moved) || !make_jump(address))
        return;
    marks[marks_used++] = (struct mark){.address = address, .stage = stage, .is_begin = begin > 0};
}

/* Three texts, each with its end in the note. */
static Bool take_texts(const HChar *at, const HChar *end, const HChar *ret_texts[3])
{
    for (UInt i = 0; i < 3; i++) {
        ret_texts[i] = at;
        while (at < end && *at)
            at++;
        if (at == end)
            return False;
        at++;
    }
    return True;
}

static void read_notes(const struct file *f, const HChar *notes)
{
    ULong at = 0;

    while (at + 12 <= f->notes.size) {
        UInt sizes[3]; /* of the owner, of the rest, then the type */

        VG_(memcpy)(sizes, notes + at, sizeof(sizes));
        const ULong owner = at + 12, rest = owner + (((ULong)sizes[0] + 3) & ~3ull);
        const ULong next = rest + (((ULong)sizes[1] + 3) & ~3ull);
        const HChar *texts[3];
        ULong addresses[3];

        if (next > f->notes.size)
            return;
        if (sizes[0] == 8 && VG_(memcmp)(notes + owner, "stapsdt", 8) == 0 && sizes[2] == 3 &&
            sizes[1] > sizeof(addresses) &&
            take_texts(notes + rest + sizeof(addresses), notes + rest + sizes[1], texts)) {
            VG_(memcpy)(addresses, notes + rest, sizeof(addresses));
            add_mark(f, addresses, texts[0], texts[1], texts[2]);
        }
        at = next;
    }
}

void look_for_marks(const struct slw_sim_mapping *mapping)
{
    const SysRes opened = VG_(open)(mapping->path, VKI_O_RDONLY, 0);
    struct file f = {0};

    if (sr_isError(opened))
        return;
    f.descriptor = (Int)sr_Res(opened);
    if (read_header(&f) && find_sections(&f) && find_bias(&f, mapping)) {
        HChar *notes = VG_(malloc)("sim.notes", f.notes.size);

        if (read_at(f.descriptor, notes, f.notes.size, f.notes.offset))
            read_notes(&f, notes);
        VG_(free)(notes);
    }
    VG_(close)(f.descriptor);
}
