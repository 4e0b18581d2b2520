/* SPDX-License-Identifier: MIT */
/* Event attributes of any size, their ids and names. Offsets: struct perf_event_attr of
 * <linux/perf_event.h>, read field by field because old attrs are shorter and newer ones longer
 * than ours. */
#include "analyzer/perfdata_int.h"
#include "base/arena.h"

#include <linux/perf_event.h>
#include <stdlib.h>

/* The bytes of an attr that are really there; anything past them reads as 0, the value that every
 * later field has when an older recorder leaves it out. */
static uint64_t attr_u64(const struct slw_perf_cursor *attr, size_t offset)
{
    struct slw_perf_cursor c = *attr;

    (void)slw_perf_skip(&c, offset);
    return slw_perf_u64(&c);
}

static uint32_t attr_u32(const struct slw_perf_cursor *attr, size_t offset)
{
    struct slw_perf_cursor c = *attr;

    (void)slw_perf_skip(&c, offset);
    return slw_perf_u32(&c);
}

static uint8_t reverse_bits(uint8_t b)
{
    b = (uint8_t)(((b & 0xf0) >> 4) | ((b & 0x0f) << 4));
    b = (uint8_t)(((b & 0xcc) >> 2) | ((b & 0x33) << 2));
    return (uint8_t)(((b & 0xaa) >> 1) | ((b & 0x55) << 1));
}

/* A big-endian compiler allocates bit fields from the top bit of the first byte. */
static uint64_t attr_flags(const struct slw_perf_cursor *attr)
{
    struct slw_perf_cursor c = *attr;
    const uint8_t *b = slw_perf_skip(&c, 40) ? slw_perf_skip(&c, 8) : NULL;
    uint64_t flags = 0;

    if (!b)
        return 0;
    for (unsigned i = 0; i < 8; i++)
        flags |= (uint64_t)(c.swap ? reverse_bits(b[i]) : b[i]) << (8 * i);
    return flags;
}

static struct slw_perf_attr read_attr(const struct slw_perf_cursor *attr)
{
    return (struct slw_perf_attr){.type = attr_u32(attr, 0),
                                  .size = attr_u32(attr, 4),
                                  .config = attr_u64(attr, 8),
                                  .period_or_freq = attr_u64(attr, 16),
                                  .sample_type = attr_u64(attr, 24),
                                  .read_format = attr_u64(attr, 32),
                                  .flags = attr_flags(attr),
                                  .branch_sample_type = attr_u64(attr, 72),
                                  .sample_regs_user = attr_u64(attr, 80),
                                  .sample_stack_user = attr_u32(attr, 88),
                                  .clockid = (int32_t)attr_u32(attr, 92),
                                  .sample_regs_intr = attr_u64(attr, 96)};
}

static const char *const hardware_names[] = {"cycles",
                                             "instructions",
                                             "cache-references",
                                             "cache-misses",
                                             "branches",
                                             "branch-misses",
                                             "bus-cycles",
                                             "stalled-cycles-frontend",
                                             "stalled-cycles-backend",
                                             "ref-cycles"};
static const char *const software_names[] = {
    "cpu-clock",        "task-clock",   "page-faults",  "context-switches",
    "cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
    "emulation-faults", "dummy",        "bpf-output",   "cgroup-switches"};

const char *slw_perf_default_name(struct slw_perfdata *pd, const struct slw_perf_attr *attr)
{
    if (attr->type == PERF_TYPE_HARDWARE &&
        attr->config < sizeof(hardware_names) / sizeof(hardware_names[0]))
        return hardware_names[attr->config];
    if (attr->type == PERF_TYPE_SOFTWARE &&
        attr->config < sizeof(software_names) / sizeof(software_names[0]))
        return software_names[attr->config];
    if (attr->type == PERF_TYPE_RAW)
        return slw_arena_printf(pd->arena, "r%llx", (unsigned long long)attr->config);
    return slw_arena_printf(pd->arena, "type %u config 0x%llx", attr->type,
                            (unsigned long long)attr->config);
}

int slw_perf_reserve(void **array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return 0;
    size_t bigger = *capacity ? *capacity * 2 : 64;
    void *grown = bigger > SIZE_MAX / bytes ? NULL : realloc(*array, bigger * bytes);
    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    *capacity = bigger;
    return 0;
}

static uint64_t id_hash(uint64_t id)
{
    return slw_hash_key(&id, sizeof(id), 0);
}

static bool id_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_perfdata *pd = ctx;

    return pd->ids[position].id == *(const uint64_t *)key;
}

bool slw_perfdata_find_id(const struct slw_perfdata *pd, uint64_t id, uint32_t *ret_position,
                          uint32_t *ret_event)
{
    if (!slw_index_find(&pd->id_index, id_hash(id), id_equal, pd, &id, ret_position))
        return false;
    *ret_event = pd->ids[*ret_position].event;
    return true;
}

int slw_perf_add_id(struct slw_perfdata *pd, uint64_t id, uint32_t event)
{
    uint32_t position, owner;

    if (slw_perfdata_find_id(pd, id, &position, &owner))
        return 0; /* the first owner wins; a second is the same id told twice */
    if (slw_perf_reserve((void **)&pd->ids, pd->id_count, &pd->id_capacity, sizeof(*pd->ids)) < 0 ||
        slw_index_add(&pd->id_index, id_hash(id), (uint32_t)pd->id_count) < 0)
        return -SLW_E_NOMEM;
    pd->ids[pd->id_count++] = (struct slw_perf_id){id, event};
    return 0;
}

static uint8_t place(uint64_t sample_type, uint64_t bit, uint8_t *bytes)
{
    const uint8_t at = *bytes;

    if (!(sample_type & bit))
        return SLW_PERF_NOWHERE;
    *bytes = (uint8_t)(at + 8);
    return at;
}

/* The order of the fields: perf_event_open(2). An id is told once: IDENTIFIER is for readers that
 * do not know the event yet. */
static struct slw_perf_layout layout_of(const struct slw_perf_attr *attr, bool swap)
{
    const uint64_t type = attr->sample_type,
                   others = ~(uint64_t)(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
                                        PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID |
                                        PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
                                        PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN);
    struct slw_perf_layout l = {.chain = (type & PERF_SAMPLE_CALLCHAIN) != 0};
    const uint8_t identifier = place(type, PERF_SAMPLE_IDENTIFIER, &l.bytes);

    l.ip = place(type, PERF_SAMPLE_IP, &l.bytes);
    l.tid = place(type, PERF_SAMPLE_TID, &l.bytes);
    l.time = place(type, PERF_SAMPLE_TIME, &l.bytes);
    (void)place(type, PERF_SAMPLE_ADDR, &l.bytes);
    l.id = place(type, PERF_SAMPLE_ID, &l.bytes);
    (void)place(type, PERF_SAMPLE_STREAM_ID, &l.bytes);
    l.cpu = place(type, PERF_SAMPLE_CPU, &l.bytes);
    l.period = place(type, PERF_SAMPLE_PERIOD, &l.bytes);
    const bool told_twice = identifier != SLW_PERF_NOWHERE && l.id != SLW_PERF_NOWHERE;
    if (identifier != SLW_PERF_NOWHERE)
        l.id = identifier;
    l.simple = !swap && !told_twice && l.ip != SLW_PERF_NOWHERE && l.tid != SLW_PERF_NOWHERE &&
               !(type & (others | PERF_SAMPLE_ADDR | PERF_SAMPLE_STREAM_ID));
    return l;
}

int slw_perf_add_attr(struct slw_perfdata *pd, const uint8_t *attr, size_t attr_bytes,
                      struct slw_perf_cursor ids)
{
    struct slw_perf_cursor c = {.at = attr, .end = attr + attr_bytes, .swap = pd->swap};
    uint32_t size = attr_u32(&c, 4);

    if (pd->event_count >= SLW_MAX_PERF_EVENTS)
        return -SLW_E_LIMIT;
    if (slw_perf_reserve((void **)&pd->events, pd->event_count, &pd->event_capacity,
                         sizeof(*pd->events)) < 0 ||
        slw_perf_reserve((void **)&pd->layouts, pd->event_count, &pd->layout_capacity,
                         sizeof(*pd->layouts)) < 0)
        return -SLW_E_NOMEM;
    if (size > 0 && size < attr_bytes)
        c.end = attr + size;
    struct slw_perf_event *e = &pd->events[pd->event_count];
    *e = (struct slw_perf_event){.attr = read_attr(&c)};
    pd->layouts[pd->event_count] = layout_of(&e->attr, pd->swap);
    pd->has_copies |= (e->attr.sample_type & PERF_SAMPLE_STACK_USER) != 0;
    e->name = slw_perf_default_name(pd, &e->attr);
    if (!e->name)
        return -SLW_E_NOMEM;
    uint32_t index = (uint32_t)pd->event_count++;
    while (slw_perf_left(&ids) >= sizeof(uint64_t))
        if (slw_perf_add_id(pd, slw_perf_u64(&ids), index) < 0)
            return -SLW_E_NOMEM;
    return 0;
}

/* Pipe mode tells the name of an event in a record of its own: type 2 (NAME) of EVENT_UPDATE. */
int slw_perf_event_update(struct slw_perfdata *pd, struct slw_perf_cursor body)
{
    const uint64_t name_update = 2;
    uint64_t type = slw_perf_u64(&body), id = slw_perf_u64(&body);
    uint32_t position, event;

    if (body.bad || type != name_update || !slw_perfdata_find_id(pd, id, &position, &event))
        return 0;
    const char *name = (const char *)body.at;
    size_t length = strnlen(name, slw_perf_left(&body));
    if (length == 0)
        return 0;
    pd->events[event].name = slw_arena_strndup(pd->arena, name, length);
    return pd->events[event].name ? 0 : -SLW_E_NOMEM;
}
