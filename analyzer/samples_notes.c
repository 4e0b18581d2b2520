/* SPDX-License-Identifier: MIT */
/* What a recording says about its machine and command, for runs that do not know yet; and notes on
 * everything that was not as it should be. */
#include "analyzer/samples_int.h"
#include "base/arena.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words behind "--" are the client's; without one, the recorder's whole line is what we have.
 */
static int describe_command(struct slw_samples *s, const struct slw_perf_meta *m)
{
    struct slw_command *c = &s->run->command;
    size_t first = 0;

    if (c->argc > 0 || m->argc == 0)
        return 0;
    for (size_t i = 0; i + 1 < m->argc && first == 0; i++)
        if (strcmp(m->argv[i], "--") == 0)
            first = i + 1;
    const char **argv = slw_arena_array(s->run->arena, m->argc - first + 1, sizeof(*argv));
    if (!argv)
        return -SLW_E_NOMEM;
    for (size_t i = first; i < m->argc; i++) {
        argv[i - first] = slw_run_str(s->run, m->argv[i]);
        if (!argv[i - first])
            return -SLW_E_NOMEM;
    }
    c->argv = argv;
    c->argc = m->argc - first;
    if (s->opts->imported)
        c->kind = SLW_TARGET_IMPORT;
    return 0;
}

/* "GenuineIntel,6,61,4" on x86, a MIDR_EL1 in hexadecimal on arm64. Source: get_cpuid in
 * tools/perf/arch. */
/* ",NUMBER" at *text, which is moved behind it. */
static bool take_number(const char **text, int *ret_number)
{
    char *end = NULL;

    if (**text != ',' || (*text)[1] < '0' || (*text)[1] > '9')
        return false;
    long number = strtol(*text + 1, &end, 10);
    if (number > INT_MAX)
        return false;
    *ret_number = (int)number;
    *text = end;
    return true;
}

static int describe_cpuid(struct slw_samples *s, const char *cpuid)
{
    struct slw_cpu *cpu = &s->run->host.cpu;
    const char *rest = cpuid + strcspn(cpuid, ",");
    char vendor[64] = "";
    int family, model, stepping;
    char *end;

    (void)snprintf(vendor, sizeof(vendor), "%.*s", (int)(rest - cpuid), cpuid);
    if (take_number(&rest, &family) && take_number(&rest, &model) &&
        take_number(&rest, &stepping)) {
        cpu->vendor = slw_run_str(s->run, vendor);
        cpu->family = family;
        cpu->model = model;
        cpu->stepping = stepping;
        return cpu->vendor ? 0 : -SLW_E_NOMEM;
    }
    unsigned long long midr = strtoull(cpuid, &end, 16);
    if (end == cpuid || *end != '\0' || midr > UINT32_MAX)
        return 0;
    cpu->implementer = (int)(midr >> 24 & 0xff);
    cpu->variant = (int)(midr >> 20 & 0xf);
    cpu->part = (int)(midr >> 4 & 0xfff);
    cpu->revision = (int)(midr & 0xf);
    return 0;
}

static int describe_host(struct slw_samples *s, const struct slw_perf_meta *m)
{
    struct slw_host *h = &s->run->host;
    const struct {
        const char **to;
        const char *from;
    } texts[] = {{&h->hostname, m->hostname},
                 {&h->kernel, m->os_release},
                 {&h->cpu.arch, m->arch},
                 {&h->cpu.name, m->cpu_desc}};
    bool knows_cpu = h->cpu.vendor || h->cpu.family >= 0 || h->cpu.implementer >= 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (*texts[i].to || !texts[i].from)
            continue;
        *texts[i].to = slw_run_str(s->run, texts[i].from);
        if (!*texts[i].to)
            return -SLW_E_NOMEM;
    }
    if (h->cpu.online_count <= 0 && m->cpus_online > 0 && m->cpus_online < INT32_MAX)
        h->cpu.online_count = (int)m->cpus_online;
    return knows_cpu || !m->cpu_id ? 0 : describe_cpuid(s, m->cpu_id);
}

int slw_samples_describe(struct slw_samples *s)
{
    const struct slw_perf_meta *m = slw_perfdata_meta(s->pd);
    int rc = describe_command(s, m);

    return rc < 0 ? rc : describe_host(s, m);
}

static int note_damage(struct slw_samples *s)
{
    const struct slw_perf_damage *d = slw_perfdata_damage(s->pd);
    int rc = 0;

    if (d->unfinished)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "recording-unfinished", NULL,
                          "the recorder ended before it completed perf.data; what it had written "
                          "was read");
    if (rc == 0 && d->reason[0])
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "recording-damaged", NULL,
                          "perf.data is damaged at offset 0x%llx (%s): %llu bytes are unreadable, "
                          "the rest was read",
                          (unsigned long long)d->first_offset, d->reason,
                          (unsigned long long)d->unreadable_bytes);
    if (rc == 0 && d->unknown_events > 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "unknown-event", NULL,
                          "%llu samples belong to no event of perf.data and were left out",
                          (unsigned long long)d->unknown_events);
    if (rc == 0 && d->trace_bytes > 0)
        rc =
            slw_run_note(s->run, SLW_NOTE_INFO, "trace-left-out", "perf script --itrace decodes it",
                         "perf.data holds %llu bytes of a hardware trace (Intel PT, CoreSight, "
                         "SPE), which is not decoded: only the samples were read",
                         (unsigned long long)d->trace_bytes);
    return rc;
}

static int note_samples(struct slw_samples *s)
{
    int rc = 0;

    if (s->delivered == 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "no-samples",
                          "measure for longer, or sample more often", "there are no samples");
    if (rc == 0 && s->foreign_frames > 0)
        rc = slw_run_note(s->run, SLW_NOTE_INFO, "guest-frames", NULL,
                          "%llu frames of a hypervisor or a virtual machine were left out",
                          (unsigned long long)s->foreign_frames);
    if (rc == 0 && s->no_period > 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "no-period", "record with --period",
                          "%llu samples do not say what they weigh; they are counted but add no "
                          "weight",
                          (unsigned long long)s->no_period);
    if (rc == 0 && s->refused > 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "weight-range", NULL,
                          "%llu samples weigh more than a profile can hold and were left out",
                          (unsigned long long)s->refused);
    if (rc == 0 && s->times_given_up)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "times-left-out", NULL,
                          "there are more samples than can be kept with their times: only the sums "
                          "over the whole measurement are");
    return rc;
}

/* A CPU that has no room for another call forgets the outermost one, and no recording says how many
 * it has room for: 8, 16, 24 or 32. Stacks of so many calls, where none has more, may be cut. */
static int note_calls(struct slw_samples *s)
{
    unsigned most = SLW_MAX_CALLS;
    uint64_t stacks = 0;

    while (most > 0 && s->calls[most] == 0)
        most--;
    for (unsigned i = 0; i <= most; i++)
        stacks += s->calls[i];
    if (most == 0 || most % 8 != 0)
        return 0;
    return slw_run_note(
        s->run, SLW_NOTE_WARNING, "calls-cut",
        "record with --call-graph dwarf: copies of stacks go further",
        "%llu of %llu stacks fill the CPU's record of calls (%u): what called their "
        "outermost function is not known",
        (unsigned long long)s->calls[most], (unsigned long long)stacks, most);
}

int slw_samples_notes(struct slw_samples *s)
{
    int rc = note_damage(s);

    if (rc == 0)
        rc = note_samples(s);
    if (rc == 0)
        rc = slw_samples_read_notes(s);
    if (rc == 0)
        rc = slw_samples_unwound_notes(s);
    if (rc == 0)
        rc = note_calls(s);
    if (rc == 0)
        rc = slw_samples_nameless_notes(s);
    if (rc == 0 && s->procs && slw_procstate_dropped_maps(s->procs) > 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "too-many-mappings", NULL,
                          "a process had more than %d mappings; %llu were left out", SLW_MAX_MAPS,
                          (unsigned long long)slw_procstate_dropped_maps(s->procs));
    if (rc == -SLW_E_LIMIT)
        rc = 0; /* enough was said */
    return rc < 0 ? rc : slw_symbols_notes(s->symbols, s->run);
}
