/* SPDX-License-Identifier: MIT */
/* Samples whose user stack was copied: registers and bytes to callers. */
#include "analyzer/samples_int.h"

#include "analyzer/unwinding.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

/* Bit numbers of sample_regs_user, by DWARF number. Source: asm/perf_regs.h of each machine. */
#define LINE              64 /* of a cache */
#define FETCHED_REGISTERS 192
#define FETCHED_STACK     512
#define FETCHED_AHEAD     2 /* samples */
#define PERF_X86_IP       8
#define PERF_ARM_PC       32
#define MAX_NOTES         5 /* files that are named */
static const uint8_t x86_bits[] = {0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23};

/* False: recorded on a machine whose stacks are not followed. */
static bool machine_of(const struct slw_perfdata *pd, enum slw_cfi_machine *ret_machine)
{
    const char *arch = slw_perfdata_meta(pd)->arch;

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

/* Registers are recorded in the order of their bits. */
static int8_t place_of(uint64_t mask, unsigned bit)
{
    uint64_t before = mask & ((UINT64_C(1) << bit) - 1);

    return mask >> bit & 1 ? (int8_t)__builtin_popcountll(before) : -1;
}

static struct slw_register_places register_places(const struct slw_perfdata *pd, size_t event)
{
    const uint64_t mask = slw_perfdata_event(pd, event)->attr.sample_regs_user;
    struct slw_register_places p = {.usable = machine_of(pd, &p.machine)};
    const bool x86 = p.machine == SLW_CFI_X86_64;
    const unsigned count = x86 ? sizeof(x86_bits) : SLW_ARM_SP + 1;

    memset(p.at, -1, sizeof(p.at));
    for (unsigned i = 0; i < count; i++)
        p.at[i] = place_of(mask, x86 ? x86_bits[i] : i);
    p.sp = p.at[x86 ? SLW_X86_RSP : SLW_ARM_SP];
    p.ip = place_of(mask, x86 ? PERF_X86_IP : PERF_ARM_PC);
    return p;
}

static bool take_registers(const struct slw_perf_sample *sample,
                           const struct slw_register_places *p, struct slw_stack_copy *c)
{
    c->machine = p->machine;
    for (unsigned i = 0; i < SLW_CFI_REGISTERS; i++) {
        if (p->at[i] < 0)
            continue;
        c->registers[i] = slw_perf_value(&sample->regs_user, (uint64_t)p->at[i]);
        c->known |= UINT64_C(1) << i;
    }
    if (p->ip >= 0)
        c->ip = slw_perf_value(&sample->regs_user, (uint64_t)p->ip);
    return p->ip >= 0;
}

/* Bytes that were asked for. What was copied may be less: where the stack ends, or memory that is
 * not there; some recorders then leave the rest out of the record. */
static uint64_t wanted_bytes(const struct slw_perfdata *pd, const struct slw_perf_record *r)
{
    uint64_t asked = slw_perfdata_event(pd, (size_t)r->event)->attr.sample_stack_user;

    return asked > 0 ? asked : r->sample.stack_user_room;
}

/* A record has less than 64 KiB: the kernel shortens the copy to what the rest leaves of it. */
#define SURELY_FITS 60000

static bool is_full(const struct slw_perfdata *pd, const struct slw_perf_record *r)
{
    uint64_t wanted = wanted_bytes(pd, r);

    return r->sample.stack_user_bytes >= (wanted < SURELY_FITS ? wanted : SURELY_FITS);
}

static bool is_usable(const struct slw_unwinder *u, const struct slw_perf_record *r)
{
    return r->sample.regs_user_abi == PERF_SAMPLE_REGS_ABI_64 && !r->sample.regs_user.swap &&
           u->registers[r->event].usable;
}

static struct slw_frame_places *places_of(struct slw_unwinder *u, int32_t tid, uint64_t sp)
{
    /* 2^64 / golden ratio */
    const uint64_t spread = (sp ^ (uint64_t)(uint32_t)tid << 32) * UINT64_C(0x9e3779b97f4a7c15);

    return &u->places[spread >> 56 & (SLW_PLACE_SETS - 1)];
}

static void remember_places(struct slw_unwinder *u, int32_t tid, size_t depth)
{
    struct slw_frame_places *p = places_of(u, tid, u->frames[0].sp);

    p->tid = tid;
    p->sp = u->frames[0].sp;
    p->count = 0;
    for (size_t i = 1; i < depth && p->count < SLW_PLACES; i++)
        p->at[p->count++] = u->frames[i].sp - sizeof(uint64_t);
}

/* Each frame's place is known only when its callee's is read, and a recording is in no cache: so
 * the innermost bytes are fetched together with the places of an earlier stack that ended at the
 * same place, which most likely came there the same way. */
static void fetch(struct slw_unwinder *u, const struct slw_sample *next)
{
    const struct slw_perf_record *r = next->record;

    if (!next->copied || !is_usable(u, r) || u->registers[r->event].sp < 0)
        return;
    for (size_t i = 0; i < FETCHED_REGISTERS; i += LINE)
        __builtin_prefetch(r->sample.regs_user.bytes + i);
    for (size_t i = 0; i < FETCHED_STACK && i < r->sample.stack_user_bytes; i += LINE)
        __builtin_prefetch(r->sample.stack_user + i);
    const uint64_t sp = slw_perf_value(&r->sample.regs_user, (uint64_t)u->registers[r->event].sp);
    const struct slw_frame_places *p = places_of(u, r->tid, sp);
    for (uint32_t i = 0; p->tid == r->tid && p->sp == sp && i < p->count; i++)
        if (p->at[i] - sp < r->sample.stack_user_bytes)
            __builtin_prefetch(r->sample.stack_user + (p->at[i] - sp));
}

static struct slw_unwound unwind(struct slw_unwinder *u, const struct slw_sample *sample)
{
    const struct slw_perf_record *r = sample->record;
    struct slw_stack_copy copy = {.bytes = r->sample.stack_user,
                                  .length = r->sample.stack_user_bytes,
                                  .full = is_full(u->pd, r)};

    if (!is_usable(u, r) || !take_registers(&r->sample, &u->registers[r->event], &copy))
        return (struct slw_unwound){.end = SLW_UNWOUND_FOREIGN};
    slw_unwind_tables_enter(u->tables, &sample->space);
    const struct slw_unwound unwound =
        slw_unwind(&copy, slw_unwind_tables_find, u->tables, u->frames, SLW_MAX_STACK_DEPTH);
    slw_unwind_tables_blame(u->tables, &unwound);
    remember_places(u, r->tid, unwound.depth);
    return unwound;
}

void slw_unwinder_try(struct slw_unwinder *u, const struct slw_sample *sample)
{
    (void)unwind(u, sample);
}

static int keep_frames(struct slw_unwinder *u, struct slw_batch *b, struct slw_sample *sample)
{
    const size_t depth = sample->unwound.depth, wanted = b->frame_count + depth;

    sample->frames_at = b->frame_count;
    if (wanted > b->frame_capacity) {
        size_t capacity = wanted < 4096 ? 4096 : 2 * wanted;
        struct slw_unwound_frame *grown = realloc(b->frames, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        b->frames = grown;
        b->frame_capacity = capacity;
    }
    if (depth > 0)
        memcpy(b->frames + b->frame_count, u->frames, depth * sizeof(*u->frames));
    b->frame_count = wanted;
    return 0;
}

void slw_unwinder_run(struct slw_unwinder *u, struct slw_batch *b)
{
    b->rc = 0;
    b->frame_count = 0;
    for (size_t i = 0; b->rc == 0 && i < b->count; i++) {
        struct slw_sample *sample = &b->samples[i];

        if (i + FETCHED_AHEAD < b->count)
            fetch(u, &b->samples[i + FETCHED_AHEAD]);
        if (!sample->copied)
            continue;
        sample->unwound = unwind(u, sample);
        b->rc = keep_frames(u, b, sample);
    }
    if (b->rc == 0)
        b->rc = slw_unwind_tables_failed(u->tables);
}

void slw_unwinder_free(struct slw_unwinder *u)
{
    if (!u)
        return;
    slw_unwind_tables_free(u->tables);
    free(u->registers);
    free(u);
}

struct slw_unwinder *slw_unwinder_new(const struct slw_samples *s)
{
    const size_t events = slw_perfdata_event_count(s->pd);
    struct slw_unwinder *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    u->pd = s->pd;
    u->tables = slw_unwind_tables_new(&s->modules, &s->symbols_options);
    u->registers = calloc(events, sizeof(*u->registers));
    if (!u->tables || !u->registers) {
        slw_unwinder_free(u);
        return NULL;
    }
    if (s->opts->symbols)
        slw_unwind_tables_set_symbols(u->tables, s->symbols);
    for (size_t i = 0; i < events; i++)
        u->registers[i] = register_places(s->pd, i);
    return u;
}

/* A thread of the kernel has no such stack. */
bool slw_samples_has_copy(const struct slw_samples *s, const struct slw_perf_record *r)
{
    return s->events[r->event].copies && r->sample.regs_user_abi != PERF_SAMPLE_REGS_ABI_NONE;
}

int slw_samples_count_unwound(struct slw_samples *s, const struct slw_sample *sample)
{
    const uint64_t wanted = wanted_bytes(s->pd, sample->record);

    if (!s->unwindings)
        s->unwindings = calloc(slw_perfdata_event_count(s->pd), sizeof(*s->unwindings));
    if (!s->unwindings)
        return -SLW_E_NOMEM;
    struct slw_unwinding *sums = &s->unwindings[sample->record->event];
    sums->ends[sample->unwound.end]++;
    sums->by_frame_pointer += sample->unwound.by_frame_pointer;
    if (sums->copy_bytes < wanted)
        sums->copy_bytes = wanted;
    return 0;
}

static int note_loss(struct slw_samples *s, const struct slw_unwind_loss *l)
{
    const char *hint = NULL;

    if (l->end == SLW_UNWOUND_NO_FILE)
        hint = "keep the files as they were when the client ran until the profile is made";
    else if (l->module->kind == SLW_MODULE_FILE)
        hint = "compile it with -fasynchronous-unwind-tables, or with -fno-omit-frame-pointer";
    return slw_run_note(s->run, SLW_NOTE_WARNING, "broken-stacks", hint,
                        "%llu copied stacks end in %s: they %s", (unsigned long long)l->stacks,
                        l->module->path, slw_unwound_words(l->end));
}

int slw_samples_unwound_notes(struct slw_samples *s)
{
    struct slw_unwind_loss loss;
    int rc = 0;

    for (size_t i = 0; rc == 0 && s->unwindings && i < slw_perfdata_event_count(s->pd); i++) {
        const struct slw_perf_event *e = slw_perfdata_event(s->pd, i);
        s->unwindings[i].event = e->name ? e->name : "?";
        if (slw_unwinding_stacks(&s->unwindings[i]) > 0)
            rc = slw_run_add_unwinding(s->run, &s->unwindings[i], NULL);
    }
    if (rc == -SLW_E_LIMIT)
        rc = 0; /* more events than a run lists */
    for (int i = 0; rc == 0 && s->unwinder && i < MAX_NOTES &&
                    slw_unwind_tables_next_loss(s->unwinder->tables, &loss);
         i++)
        rc = note_loss(s, &loss);
    return rc;
}
