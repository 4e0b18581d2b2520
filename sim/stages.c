/* SPDX-License-Identifier: MIT */
#include "sim/stages.h"

enum {
    MAX_STAGES = 256,
    MAX_MARKS = 4096,
    MAX_OPEN = 16, /* of one thread, within each other */
    MAX_SECTIONS = 8192,
    MAX_SEGMENTS = 64,
    MAX_NOTE_BYTES = 1 << 20,
    MAX_NAME_BYTES = 1 << 20,
    PAGE = 4096,
};

const uint8_t slw_sim_mark_nop[SLW_SIM_MARK_BYTES] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

struct mark {
    uint64_t address;
    uint32_t stage;
    bool is_begin;
};

/* A call of a stage, or of one around it: numbers are of the innermost only. */
struct open_stage {
    uint32_t stage;
    uint64_t batch;
    uint64_t instructions, detailed, l1i_misses;
    uint64_t slots[SLW_SIM_SLOT_COUNT];
};

struct stack {
    struct open_stage open[MAX_OPEN];
    uint32_t depth, deeper;     /* deeper: begun past MAX_OPEN */
    struct slw_sim_totals then; /* when the innermost was last told apart */
};

struct slw_sim_stages {
    struct slw_sim_stages_host host;
    struct slw_sim_staged stages[MAX_STAGES];
    struct mark marks[MAX_MARKS];
    uint32_t stage_count, mark_count;
    struct stack *stacks[SLW_SIM_STAGES_THREADS];
};

struct slw_sim_stages *slw_sim_stages_new(const struct slw_sim_stages_host *host)
{
    struct slw_sim_stages *s = host->allocate(sizeof(*s));

    s->host = *host;
    return s;
}

bool slw_sim_stages_any(const struct slw_sim_stages *s)
{
    return s->mark_count > 0;
}

const struct slw_sim_staged *slw_sim_stages_all(const struct slw_sim_stages *s, size_t *ret_count)
{
    *ret_count = s->stage_count;
    return s->stages;
}

uint32_t slw_sim_stages_mark_at(const struct slw_sim_stages *s, uint64_t address)
{
    for (uint32_t i = 0; i < s->mark_count; i++)
        if (s->marks[i].address == address)
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
        for (uint32_t i = 0; i < SLW_SIM_SLOT_COUNT; i++)
            o->slots[i] += now->slots[i] - s->then.slots[i];
    }
    s->then = *now;
}

static void begins(struct slw_sim_stages *s, struct stack *stack, uint32_t stage, uint64_t batch)
{
    if (stack->depth == MAX_OPEN) {
        stack->deeper++;
        s->stages[stage].missed_ends++;
        return;
    }
    stack->open[stack->depth++] = (struct open_stage){.stage = stage, .batch = batch};
}

static void add_call(struct slw_sim_staged *to, const struct open_stage *o)
{
    to->calls++;
    to->requests += o->batch;
    to->max_batch = o->batch > to->max_batch ? o->batch : to->max_batch;
    to->instructions += o->instructions;
    to->detailed += o->detailed;
    to->l1i_misses += o->l1i_misses;
    for (uint32_t i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        to->slots[i] += o->slots[i];
}

/* Those within that were not ended have been left by a jump. */
static void ends(struct slw_sim_stages *s, struct stack *stack, uint32_t stage)
{
    uint32_t at = stack->depth;

    if (stack->deeper > 0) {
        stack->deeper--;
        return;
    }
    while (at > 0 && stack->open[at - 1].stage != stage)
        at--;
    if (at == 0) {
        s->stages[stage].missed_begins++;
        return;
    }
    for (; stack->depth > at; stack->depth--)
        s->stages[stack->open[stack->depth - 1].stage].missed_ends++;
    stack->depth--;
    add_call(&s->stages[stage], &stack->open[stack->depth]);
}

void slw_sim_stages_marked(struct slw_sim_stages *s, uint32_t thread, uint32_t mark, uint64_t batch)
{
    const struct mark *m = &s->marks[mark - 1];
    struct slw_sim_totals now;

    if (thread >= SLW_SIM_STAGES_THREADS)
        return;
    if (m->is_begin)
        s->host.begins();
    if (!s->stacks[thread])
        s->stacks[thread] = s->host.allocate(sizeof(struct stack));
    slw_sim_read(s->host.core_of(thread), &now);
    add_innermost(s->stacks[thread], &now);
    if (m->is_begin)
        begins(s, s->stacks[thread], m->stage, batch);
    else
        ends(s, s->stacks[thread], m->stage);
}

void slw_sim_stages_forget_open(struct slw_sim_stages *s, uint32_t thread)
{
    struct stack *stack = thread < SLW_SIM_STAGES_THREADS ? s->stacks[thread] : NULL;

    if (!stack)
        return;
    for (uint32_t i = 0; i < stack->depth; i++)
        s->stages[stack->open[i].stage].missed_ends++;
    stack->depth = stack->deeper = 0;
}

void slw_sim_stages_forget(struct slw_sim_stages *s)
{
    for (uint32_t i = 0; i < SLW_SIM_STAGES_THREADS; i++)
        if (s->stacks[i]) {
            s->host.release(s->stacks[i]);
            s->stacks[i] = NULL;
        }
    for (uint32_t i = 0; i < s->stage_count; i++) {
        const struct slw_sim_staged kept = {.provider = s->stages[i].provider,
                                            .name = s->stages[i].name};

        s->stages[i] = kept;
    }
}

/* ---- finding ---- */

struct elf_header {
    uint8_t magic[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments, sections;
    uint32_t flags;
    uint16_t size, segment_bytes, segment_count, section_bytes, section_count, names;
};

struct elf_section {
    uint32_t name, type;
    uint64_t flags, address, offset, size;
    uint32_t link, info;
    uint64_t alignment, entry_bytes;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};

struct file {
    struct slw_sim_stages *stages;
    void *file;
    struct elf_header header;
    struct elf_section notes, base;
    uint64_t bias; /* from addresses in the file to those in memory */
};

static bool read_at(const struct file *f, void *to, size_t size, uint64_t offset)
{
    return f->stages->host.read_file(f->file, to, size, offset);
}

static size_t length_of(const char *text)
{
    size_t length = 0;

    while (length < MAX_NOTE_BYTES && text[length])
        length++;
    return length;
}

static bool are_same(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;

    for (size_t i = 0; i < size; i++)
        if (x[i] != y[i])
            return false;
    return true;
}

static bool is_text(const char *a, const char *b)
{
    const size_t length = length_of(b);

    return length_of(a) == length && are_same(a, b, length);
}

static bool read_header(struct file *f)
{
    const struct elf_header *h = &f->header;

    return read_at(f, &f->header, sizeof(f->header), 0) && are_same(h->magic, "\177ELF\2\1", 6) &&
           h->section_bytes == sizeof(struct elf_section) &&
           h->segment_bytes == sizeof(struct elf_segment) && h->section_count <= MAX_SECTIONS &&
           h->segment_count <= MAX_SEGMENTS && h->names < h->section_count;
}

/* `names` ends with a byte 0 of ours. */
static bool is_named(const char *names, uint64_t size, uint32_t at, const char *name)
{
    return at < size && is_text(names + at, name);
}

/* The two sections that matter. */
static void choose_sections(struct file *f, const struct elf_section *all)
{
    const struct slw_sim_stages_host *host = &f->stages->host;
    const struct elf_section *own = &all[f->header.names];

    if (own->size > MAX_NAME_BYTES)
        return;
    char *names = host->allocate(own->size + 1);

    if (read_at(f, names, own->size, own->offset))
        for (uint32_t i = 0; i < f->header.section_count; i++) {
            if (is_named(names, own->size, all[i].name, ".note.stapsdt"))
                f->notes = all[i];
            else if (is_named(names, own->size, all[i].name, ".stapsdt.base"))
                f->base = all[i];
        }
    host->release(names);
}

static bool find_sections(struct file *f)
{
    const struct slw_sim_stages_host *host = &f->stages->host;
    const size_t bytes = f->header.section_count * sizeof(struct elf_section);
    struct elf_section *all = host->allocate(bytes);

    if (read_at(f, all, bytes, f->header.sections))
        choose_sections(f, all);
    host->release(all);
    return f->notes.size > 0 && f->notes.size <= MAX_NOTE_BYTES;
}

/* Where the segment that this part was mapped from wanted to be. */
static bool find_bias(struct file *f, const struct slw_sim_mapping *o)
{
    struct elf_segment all[MAX_SEGMENTS];

    if (!read_at(f, all, f->header.segment_count * sizeof(all[0]), f->header.segments))
        return false;
    for (uint32_t i = 0; i < f->header.segment_count; i++) {
        const uint64_t first = all[i].offset & ~(uint64_t)(PAGE - 1);

        if (all[i].type != 1 || o->offset < first || o->offset >= all[i].offset + all[i].file_bytes)
            continue;
        f->bias = o->start - (all[i].address + (o->offset - all[i].offset));
        return true;
    }
    return false;
}

static const char *keep_text(const struct slw_sim_stages *s, const char *text, size_t length)
{
    char *kept = s->host.allocate(length + 1);

    for (size_t i = 0; i < length; i++)
        kept[i] = text[i];
    return kept;
}

/* Position; MAX_STAGES: no room. */
static uint32_t stage_of(struct slw_sim_stages *s, const char *provider, const char *name,
                         size_t length)
{
    uint32_t i = 0;

    while (i < s->stage_count &&
           (!is_text(s->stages[i].provider, provider) || length_of(s->stages[i].name) != length ||
            !are_same(s->stages[i].name, name, length)))
        i++;
    if (i == s->stage_count && i < MAX_STAGES) {
        s->stages[i].provider = keep_text(s, provider, length_of(provider));
        s->stages[i].name = keep_text(s, name, length);
        s->stage_count++;
    }
    return i;
}

/* The part of the name before the event; 0: it is no such name. */
static size_t stage_bytes(const char *name, const char *event)
{
    const size_t length = length_of(name), tail = length_of(event);

    return length > tail && is_text(name + length - tail, event) ? length - tail : 0;
}

static bool is_ours(const char *provider)
{
    return is_text(provider, "slotwise") ||
           (length_of(provider) > 9 && are_same(provider, "slotwise_", 9));
}

static void add_mark(const struct file *f, const uint64_t addresses[3], const char *const texts[3])
{
    struct slw_sim_stages *s = f->stages;
    const uint64_t moved = f->bias + (f->base.address ? f->base.address - addresses[1] : 0);
    const size_t begin = stage_bytes(texts[1], "__begin"), end = stage_bytes(texts[1], "__end");
    const uint64_t address = addresses[0] + moved;

    if (!is_ours(texts[0]) || (!begin && !end) || (begin && !is_text(texts[2], "8@%rdi")) ||
        !addresses[2] || s->mark_count == MAX_MARKS || slw_sim_stages_mark_at(s, address))
        return;
    const uint32_t stage = stage_of(s, texts[0], texts[1], begin ? begin : end);

    if (stage < MAX_STAGES && s->host.switch_on(address, addresses[2] + moved))
        s->marks[s->mark_count++] =
            (struct mark){.address = address, .stage = stage, .is_begin = begin > 0};
}

/* Provider, name and arguments, each with its end in the note. */
static bool take_texts(const char *at, const char *end, const char *ret_texts[3])
{
    for (uint32_t i = 0; i < 3; i++) {
        ret_texts[i] = at;
        while (at < end && *at)
            at++;
        if (at == end)
            return false;
        at++;
    }
    return true;
}

static void read_notes(const struct file *f, const char *notes)
{
    uint64_t at = 0;

    while (at + 12 <= f->notes.size) {
        uint32_t sizes[3]; /* of the owner, of the rest, then the type */

        __builtin_memcpy(sizes, notes + at, sizeof(sizes));
        const uint64_t owner = at + 12, rest = owner + (((uint64_t)sizes[0] + 3) & ~UINT64_C(3));
        const uint64_t next = rest + (((uint64_t)sizes[1] + 3) & ~UINT64_C(3));
        const char *texts[3];
        uint64_t addresses[3];

        if (next > f->notes.size)
            return;
        if (sizes[0] == 8 && are_same(notes + owner, "stapsdt", 8) && sizes[2] == 3 &&
            sizes[1] > sizeof(addresses) &&
            take_texts(notes + rest + sizeof(addresses), notes + rest + sizes[1], texts)) {
            __builtin_memcpy(addresses, notes + rest, sizeof(addresses));
            add_mark(f, addresses, texts);
        }
        at = next;
    }
}

void slw_sim_stages_look(struct slw_sim_stages *s, const struct slw_sim_mapping *mapping,
                         void *file)
{
    struct file f = {.stages = s, .file = file};

    if (!read_header(&f) || !find_sections(&f) || !find_bias(&f, mapping))
        return;
    char *notes = s->host.allocate(f.notes.size);

    if (read_at(&f, notes, f.notes.size, f.notes.offset))
        read_notes(&f, notes);
    s->host.release(notes);
}
