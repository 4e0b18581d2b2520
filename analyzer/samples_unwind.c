/* SPDX-License-Identifier: MIT */
/* Samples whose user stack was copied: registers and bytes to callers. */
#include "analyzer/samples_int.h"

#include "analyzer/unwinding.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

/* Bit numbers of sample_regs_user, by DWARF number. Source: asm/perf_regs.h of each machine. */
#define PERF_X86_SP 7
#define PERF_X86_IP 8
#define PERF_ARM_SP 31
#define PERF_ARM_PC 32
#define MAX_NOTES   5 /* files that are named */
static const uint8_t x86_bits[] = {0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23};

/* False: recorded on a machine whose stacks are not followed. */
static bool machine_of(const struct slw_samples *s, enum slw_cfi_machine *ret_machine)
{
    const char *arch = slw_perfdata_meta(s->pd)->arch;

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

/* The value of a recorded register. */
static bool recorded(const struct slw_perf_sample *sample, uint64_t mask, unsigned bit,
                     uint64_t *ret_value)
{
    uint64_t before = mask & ((UINT64_C(1) << bit) - 1);

    if (!(mask >> bit & 1))
        return false;
    *ret_value = slw_perf_value(&sample->regs_user, (uint64_t)__builtin_popcountll(before));
    return true;
}

static bool take_registers(const struct slw_perf_sample *sample, uint64_t mask,
                           struct slw_stack_copy *c)
{
    bool x86 = c->machine == SLW_CFI_X86_64;
    unsigned count = x86 ? sizeof(x86_bits) : SLW_ARM_SP + 1;

    for (unsigned i = 0; i < count; i++)
        if (recorded(sample, mask, x86 ? x86_bits[i] : i, &c->registers[i]))
            c->known |= UINT64_C(1) << i;
    return recorded(sample, mask, x86 ? PERF_X86_IP : PERF_ARM_PC, &c->ip);
}

/* Bytes that were asked for. What was copied may be less: where the stack ends, or memory that is
 * not there; some recorders then leave the rest out of the record. */
static uint64_t wanted_bytes(const struct slw_samples *s, const struct slw_perf_record *r)
{
    uint64_t asked = slw_perfdata_event(s->pd, (size_t)r->event)->attr.sample_stack_user;

    return asked > 0 ? asked : r->sample.stack_user_room;
}

/* A record has less than 64 KiB: the kernel shortens the copy to what the rest leaves of it. */
#define SURELY_FITS 60000

static bool is_full(const struct slw_samples *s, const struct slw_perf_record *r)
{
    uint64_t wanted = wanted_bytes(s, r);

    return r->sample.stack_user_bytes >= (wanted < SURELY_FITS ? wanted : SURELY_FITS);
}

static struct slw_places *places_of(struct slw_samples *s, int32_t tid)
{
    return &s->places[(uint32_t)tid & (SLW_PLACE_THREADS - 1)];
}

static void remember_places(struct slw_samples *s, int32_t tid, size_t depth)
{
    struct slw_places *p = places_of(s, tid);

    p->tid = tid;
    p->count = 0;
    for (size_t i = 1; i < depth && p->count < SLW_PLACES; i++)
        p->at[p->count++] = s->unwound[i].sp - sizeof(uint64_t);
}

/* Each frame's place is known only when its callee's is read, and reading takes as long as the rest
 * of the work: so the places of the thread's last stack, where most of the next one's frames are
 * as well, are fetched all at once. */
void slw_samples_announce(void *samples, const struct slw_perf_record *r)
{
    struct slw_samples *s = samples;
    const struct slw_places *p = places_of(s, r->tid);
    enum slw_cfi_machine machine;
    uint64_t sp;

    if (r->kind != SLW_PERF_SAMPLE || r->event < 0 || !r->sample.stack_user || p->tid != r->tid ||
        p->count == 0 || !machine_of(s, &machine))
        return;
    const uint64_t mask = slw_perfdata_event(s->pd, (size_t)r->event)->attr.sample_regs_user;
    if (r->sample.regs_user.count == 0 ||
        !recorded(&r->sample, mask, machine == SLW_CFI_X86_64 ? PERF_X86_SP : PERF_ARM_SP, &sp))
        return;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->at[i] - sp < r->sample.stack_user_bytes)
            __builtin_prefetch(r->sample.stack_user + (p->at[i] - sp));
}

static struct slw_unwound unwind(struct slw_samples *s, const struct slw_perf_record *r)
{
    const struct slw_perf_sample *sample = &r->sample;
    uint64_t mask = slw_perfdata_event(s->pd, (size_t)r->event)->attr.sample_regs_user;
    struct slw_unwound u = {.end = SLW_UNWOUND_FOREIGN};
    struct slw_stack_copy copy = {
        .bytes = sample->stack_user, .length = sample->stack_user_bytes, .full = is_full(s, r)};

    if (sample->regs_user_abi != PERF_SAMPLE_REGS_ABI_64 || sample->regs_user.swap ||
        !machine_of(s, &copy.machine) || !take_registers(sample, mask, &copy))
        return u;
    slw_unwind_tables_enter(s->tables, s->task);
    u = slw_unwind(&copy, slw_unwind_tables_find, s->tables, s->unwound, SLW_MAX_STACK_DEPTH);
    slw_unwind_tables_blame(s->tables, &u);
    remember_places(s, r->tid, u.depth);
    return u;
}

/* False: out of memory. */
static bool start(struct slw_samples *s)
{
    if (!s->unwindings)
        s->unwindings = calloc(slw_perfdata_event_count(s->pd), sizeof(*s->unwindings));
    if (!s->tables)
        s->tables = slw_unwind_tables_new(&s->modules, s->procs, &s->symbols_options);
    if (s->tables && s->opts->symbols)
        slw_unwind_tables_set_symbols(s->tables, s->symbols);
    return s->unwindings && s->tables;
}

int slw_samples_unwind(struct slw_samples *s, const struct slw_perf_record *r, size_t *ret_depth,
                       enum slw_unwound_end *ret_end)
{
    uint64_t type = slw_perfdata_event(s->pd, (size_t)r->event)->attr.sample_type;

    *ret_depth = 0;
    *ret_end = SLW_UNWOUND_FOREIGN;
    if (!(type & PERF_SAMPLE_STACK_USER) || r->sample.regs_user_abi == PERF_SAMPLE_REGS_ABI_NONE)
        return 0; /* a thread of the kernel has no such stack */
    if (!start(s))
        return -SLW_E_NOMEM;
    const struct slw_unwound u = unwind(s, r);
    struct slw_unwinding *sums = &s->unwindings[r->event];
    sums->ends[u.end]++;
    sums->by_frame_pointer += u.by_frame_pointer;
    if (sums->copy_bytes < wanted_bytes(s, r))
        sums->copy_bytes = wanted_bytes(s, r);
    *ret_depth = u.depth;
    *ret_end = u.end;
    return slw_unwind_tables_failed(s->tables);
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
    for (int i = 0;
         rc == 0 && s->tables && i < MAX_NOTES && slw_unwind_tables_next_loss(s->tables, &loss);
         i++)
        rc = note_loss(s, &loss);
    return rc;
}
