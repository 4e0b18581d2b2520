/* SPDX-License-Identifier: MIT */
/* Feature sections: who recorded, where, with which command, the events' names, build ids. A
 * section that contradicts itself is dropped whole. */
#include "analyzer/perfdata_int.h"
#include "base/arena.h"
#include "record/perf_layout.h"

#include <stdio.h>

#define MAX_ARGC 100000 /* ARG_MAX is 2 MiB: more cannot be a command line */

/* u32 length (padded), then a NUL-terminated string. 1: read, 0: malformed, -SLW_E_NOMEM. */
static int read_string(struct slw_perfdata *pd, struct slw_perf_cursor *c, const char **ret_string)
{
    uint32_t length = slw_perf_u32(c);
    const uint8_t *at = slw_perf_skip(c, length);

    if (!at)
        return 0;
    const char *copy =
        slw_arena_strndup(pd->arena, (const char *)at, strnlen((const char *)at, length));
    if (!copy)
        return -SLW_E_NOMEM;
    *ret_string = copy;
    return 1;
}

static int read_cmdline(struct slw_perfdata *pd, struct slw_perf_cursor *c)
{
    uint32_t count = slw_perf_u32(c);

    if (c->bad || count > MAX_ARGC || count > slw_perf_left(c) / sizeof(uint32_t))
        return 0;
    const char **argv = slw_arena_array(pd->arena, count + 1, sizeof(*argv));
    if (!argv)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        int rc = read_string(pd, c, &argv[i]);
        if (rc <= 0)
            return rc;
    }
    pd->meta.argv = argv;
    pd->meta.argc = count;
    return 0;
}

/* Names are told in the order of the attrs; ids in the file header may be missing (they are in
 * some files of old perf), so take them from here too. */
static int read_event_desc(struct slw_perfdata *pd, struct slw_perf_cursor *c)
{
    uint32_t count = slw_perf_u32(c), attr_bytes = slw_perf_u32(c);

    for (uint32_t i = 0; i < count && i < pd->event_count; i++) {
        (void)slw_perf_skip(c, attr_bytes);
        uint32_t id_count = slw_perf_u32(c);
        const char *name = NULL;
        int rc = read_string(pd, c, &name);
        struct slw_perf_cursor ids = *c;
        const uint8_t *at = slw_perf_skip(c, (uint64_t)id_count * sizeof(uint64_t));
        if (rc <= 0 || !at)
            return rc < 0 ? rc : 0;
        if (*name)
            pd->events[i].name = name;
        for (uint32_t k = 0; k < id_count; k++)
            if (slw_perf_add_id(pd, slw_perf_u64(&ids), i) < 0)
                return -SLW_E_NOMEM;
    }
    return 0;
}

#define BUILD_ID_BYTES 20

/* header, s32 pid, u8 build_id[24], path */
int slw_perf_build_id_record(struct slw_perfdata *pd, const struct slw_perf_raw *raw)
{
    struct slw_perf_cursor c = raw->body;
    char hex[2 * BUILD_ID_BYTES + 1] = "";
    unsigned length = BUILD_ID_BYTES;

    (void)slw_perf_u32(&c);
    const uint8_t *id = slw_perf_skip(&c, 24);
    if (!id || slw_perf_left(&c) == 0)
        return 0;
    if ((raw->misc & SLW_PERF_MISC_BUILD_ID_SIZE) && id[20] <= BUILD_ID_BYTES)
        length = id[20];
    for (unsigned i = 0; i < length; i++)
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", id[i]);
    if (slw_perf_reserve((void **)&pd->build_ids, pd->build_id_count, &pd->build_id_capacity,
                         sizeof(*pd->build_ids)) < 0)
        return -SLW_E_NOMEM;
    const char *path = (const char *)c.at;
    struct slw_perf_build_id *b = &pd->build_ids[pd->build_id_count];
    b->path = slw_arena_strndup(pd->arena, path, strnlen(path, slw_perf_left(&c)));
    b->build_id = slw_arena_strdup(pd->arena, hex);
    if (!b->path || !b->build_id)
        return -SLW_E_NOMEM;
    pd->build_id_count++;
    return 0;
}

static int read_build_ids(struct slw_perfdata *pd, struct slw_perf_cursor *c)
{
    struct slw_perf_raw raw;

    while (slw_perf_raw_at(pd, c->at, slw_perf_left(c), &raw)) {
        if (slw_perf_build_id_record(pd, &raw) < 0)
            return -SLW_E_NOMEM;
        (void)slw_perf_skip(c, raw.size);
    }
    return 0;
}

static int read_nrcpus(struct slw_perfdata *pd, struct slw_perf_cursor *c)
{
    uint32_t online = slw_perf_u32(c); /* the first is nr_cpus_available on disk ... */
    uint32_t second = slw_perf_u32(c); /* ... and the second nr_cpus_online */

    if (!c->bad)
        pd->meta.cpus_online = second ? second : online;
    return 0;
}

/* When the first and the last sample were taken; slotwise tells when measuring began and ended. */
static int read_sample_time(struct slw_perfdata *pd, struct slw_perf_cursor *c)
{
    const uint64_t first_ns = slw_perf_u64(c), last_ns = slw_perf_u64(c);

    if (!c->bad && first_ns <= last_ns)
        pd->meta.start_ns = first_ns;
    return 0;
}

static const char **string_feature(struct slw_perf_meta *m, uint64_t feature)
{
    switch (feature) {
    case SLW_PERF_HOSTNAME:
        return &m->hostname;
    case SLW_PERF_OSRELEASE:
        return &m->os_release;
    case SLW_PERF_VERSION:
        return &m->version;
    case SLW_PERF_ARCH:
        return &m->arch;
    case SLW_PERF_CPUDESC:
        return &m->cpu_desc;
    case SLW_PERF_CPUID:
        return &m->cpu_id;
    default:
        return NULL;
    }
}

int slw_perf_feature(struct slw_perfdata *pd, uint64_t feature, struct slw_perf_cursor body)
{
    const char **text = string_feature(&pd->meta, feature);

    if (text)
        return read_string(pd, &body, text) < 0 ? -SLW_E_NOMEM : 0;
    switch (feature) {
    case SLW_PERF_BUILD_ID:
        return read_build_ids(pd, &body);
    case SLW_PERF_NRCPUS:
        return read_nrcpus(pd, &body);
    case SLW_PERF_CMDLINE:
        return read_cmdline(pd, &body);
    case SLW_PERF_EVENT_DESC:
        return read_event_desc(pd, &body);
    case SLW_PERF_SAMPLE_TIME:
        return read_sample_time(pd, &body);
    default:
        return 0;
    }
}
