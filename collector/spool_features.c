/* SPDX-License-Identifier: MIT */
#include "collector/spool_features.h"

#include "base/clock.h"
#include "record/run.h"

#include <assert.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void put_u32(struct slw_buf *b, uint32_t value)
{
    slw_buf_put(b, &value, sizeof(value));
}

static void put_u64(struct slw_buf *b, uint64_t value)
{
    slw_buf_put(b, &value, sizeof(value));
}

/* A counted string, padded with NULs to a multiple of 64 as perf does (NAME_ALIGN). */
static void put_string(struct slw_buf *b, const char *s)
{
    static const char zeros[64];
    size_t length = strlen(s) + 1;
    size_t padded = (length + 63) & ~(size_t)63;

    put_u32(b, (uint32_t)padded);
    slw_buf_put(b, s, length);
    slw_buf_put(b, zeros, padded - length);
}

static void section_begin(struct slw_spool_features *f, int bit)
{
    assert(f->count < SLW_SPOOL_MAX_FEATURES);
    assert(f->count == 0 || f->bits[f->count - 1] < bit);
    f->bits[f->count] = bit;
    f->sections[f->count].offset = f->bytes.length;
}

static void section_end(struct slw_spool_features *f)
{
    struct slw_perf_section *s = &f->sections[f->count++];

    s->size = f->bytes.length - s->offset;
}

static void string_section(struct slw_spool_features *f, int bit, const char *text)
{
    if (!text)
        return;
    section_begin(f, bit);
    put_string(&f->bytes, text);
    section_end(f);
}

static void cpu_count_section(struct slw_spool_features *f)
{
    section_begin(f, SLW_PERF_NRCPUS);
    put_u32(&f->bytes, (uint32_t)sysconf(_SC_NPROCESSORS_CONF));
    put_u32(&f->bytes, (uint32_t)sysconf(_SC_NPROCESSORS_ONLN));
    section_end(f);
}

static void command_section(struct slw_spool_features *f, const struct slw_run *run)
{
    section_begin(f, SLW_PERF_CMDLINE);
    put_u32(&f->bytes, (uint32_t)run->command.argc + 1);
    put_string(&f->bytes, "slotwise");
    for (size_t i = 0; i < run->command.argc; i++)
        put_string(&f->bytes, run->command.argv[i]);
    section_end(f);
}

static void event_section(struct slw_spool_features *f, const struct slw_spool_event *events,
                          size_t event_count)
{
    section_begin(f, SLW_PERF_EVENT_DESC);
    put_u32(&f->bytes, (uint32_t)event_count);
    put_u32(&f->bytes, (uint32_t)sizeof(struct perf_event_attr));
    for (size_t i = 0; i < event_count; i++) {
        slw_buf_put(&f->bytes, events[i].attr, sizeof(*events[i].attr));
        put_u32(&f->bytes, (uint32_t)events[i].id_count);
        put_string(&f->bytes, events[i].name);
        slw_buf_put(&f->bytes, events[i].ids, events[i].id_count * sizeof(events[i].ids[0]));
    }
    section_end(f);
}

static void clock_sections(struct slw_spool_features *f)
{
    struct timespec resolution = {0, 1};

    section_begin(f, SLW_PERF_SAMPLE_TIME);
    f->time_offset = f->bytes.length;
    put_u64(&f->bytes, 0);
    put_u64(&f->bytes, 0);
    section_end(f);

    (void)clock_getres(CLOCK_MONOTONIC, &resolution);
    section_begin(f, SLW_PERF_CLOCKID);
    put_u64(&f->bytes, (uint64_t)resolution.tv_nsec);
    section_end(f);

    section_begin(f, SLW_PERF_CLOCK_DATA);
    put_u32(&f->bytes, 1); /* version of this section */
    put_u32(&f->bytes, CLOCK_MONOTONIC);
    put_u64(&f->bytes, slw_clock_realtime_ns());
    put_u64(&f->bytes, slw_clock_monotonic_ns());
    section_end(f);
}

int slw_spool_features_build(struct slw_spool_features *f, const struct slw_spool_event *events,
                             size_t event_count, const struct slw_run *run, struct slw_error *err)
{
    section_begin(f, SLW_PERF_BUILD_ID); /* spool_build_ids.h fills it */
    section_end(f);
    string_section(f, SLW_PERF_HOSTNAME, run->host.hostname);
    string_section(f, SLW_PERF_OSRELEASE, run->host.kernel);
    string_section(f, SLW_PERF_VERSION, "slotwise " SLW_VERSION);
    string_section(f, SLW_PERF_ARCH, run->host.cpu.arch);
    cpu_count_section(f);
    string_section(f, SLW_PERF_CPUDESC, run->host.cpu.name);
    command_section(f, run);
    event_section(f, events, event_count);
    clock_sections(f);
    if (slw_buf_failed(&f->bytes))
        return slw_fail(err, SLW_E_NOMEM, "no memory for the feature sections of perf.data");
    return 0;
}
