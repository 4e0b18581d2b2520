/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/objects.h"

#include "base/cleanup.h"
#include "collector/procfs.h"
#include "collector/taps/bpf/functions.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAPS_BYTES (256u << 10) /* read of a process's mappings */

struct place {
    uint32_t pid;
    uint64_t address, bias; /* bias: where the first byte of the file is mapped */
    char path[PATH_MAX];    /* "": no variable of a file */
};

struct waited {
    struct slw_off_object object;
    struct slw_off_object_sum sum;
};

struct slw_off_objects {
    struct place places[SLW_OFF_PLACES];
    size_t place_count, waited_count;
    struct waited waited[SLW_OFF_OBJECTS];
    char maps[MAPS_BYTES];
};

struct slw_off_objects *slw_off_objects_new(void)
{
    return calloc(1, sizeof(struct slw_off_objects));
}

void slw_off_objects_free(struct slw_off_objects *o)
{
    free(o);
}

/* ---- where a lock is ---- */

static const struct place *find_place(const struct slw_off_objects *o,
                                      const struct slw_off_object *object)
{
    for (size_t i = 0; i < o->place_count; i++)
        if (o->places[i].pid == object->pid && o->places[i].address == object->address[0])
            return &o->places[i];
    return NULL;
}

static size_t read_maps(struct slw_off_objects *o, uint32_t pid)
{
    char path[32];
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && length < MAPS_BYTES) {
        ssize_t n = read(fd, o->maps + length, MAPS_BYTES - length);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    return length;
}

/* The file a mapping belongs to: its own, or, of the rest of a program's variables, which is of no
 * file, that of the mapping before it. */
struct module {
    const char *name;
    size_t length;
    uint64_t bias, end;
};

static void follow_module(struct module *m, const struct slw_proc_mapping *mapping)
{
    const bool named = mapping->name_length > 0;
    const bool same = named && m->length == mapping->name_length &&
                      memcmp(m->name, mapping->name, m->length) == 0;

    if (!same && (named || mapping->start != m->end))
        *m = (struct module){.name = mapping->name,
                             .length = named && mapping->name[0] == '/' ? mapping->name_length : 0,
                             .bias = mapping->start - mapping->offset};
    m->end = mapping->end;
}

static void find_module(const struct slw_off_objects *o, size_t length, struct place *place)
{
    const char *line = o->maps, *end = o->maps + length;
    struct module m = {0};

    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        struct slw_proc_mapping mapping;

        if (!stop)
            return;
        if (slw_proc_parse_mapping(line, (size_t)(stop - line), &mapping)) {
            follow_module(&m, &mapping);
            if (place->address >= mapping.start && place->address < mapping.end) {
                if (m.length > 0 && m.length < sizeof(place->path))
                    memcpy(place->path, m.name, m.length);
                place->bias = m.bias;
                return;
            }
        }
        line = stop + 1;
    }
}

void slw_off_objects_look(struct slw_off_objects *o, const struct slw_off_object *object)
{
    if (object->state != SLW_OFF_LOCK || o->place_count == SLW_OFF_PLACES || find_place(o, object))
        return;
    size_t length = read_maps(o, object->pid);
    if (length == 0)
        return;
    struct place *place = &o->places[o->place_count++];
    *place = (struct place){.pid = object->pid, .address = object->address[0]};
    find_module(o, length, place);
}

/* ---- in words ---- */

static void print_lock(const struct slw_off_objects *o, const struct slw_off_object *object,
                       char *text, size_t size)
{
    const struct place *place = find_place(o, object);
    char name[128];

    if (!place || !place->path[0]) {
        (void)snprintf(text, size, "0x%" PRIx64, (uint64_t)object->address[0]);
        return;
    }
    const char *slash = strrchr(place->path, '/');
    if (slw_variable_find(place->path, place->address, place->bias, name, sizeof(name)))
        (void)snprintf(text, size, "%s (%s)", name, slash + 1);
    else
        (void)snprintf(text, size, "0x%" PRIx64 " (%s)",
                       (uint64_t)(object->address[0] - place->bias), slash + 1);
}

static void print_peer(const struct slw_off_object *object, char *text, size_t size)
{
    char address[INET6_ADDRSTRLEN] = "";

    if (object->family == AF_UNIX)
        (void)snprintf(text, size, "unix");
    else if (object->family != AF_INET && object->family != AF_INET6)
        (void)snprintf(text, size, "socket of family %u", (unsigned)object->family);
    else if (inet_ntop(object->family, object->address, address, sizeof(address)))
        (void)snprintf(text, size, object->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address,
                       (unsigned)ntohs(object->port));
}

/* ---- the largest ---- */

/* The same peer of several processes is one. */
void slw_off_objects_add(struct slw_off_objects *o, const struct slw_off_object *object,
                         const struct slw_off_object_sum *sum)
{
    struct slw_off_object key = *object;

    if (key.state != SLW_OFF_LOCK)
        key.pid = 0;
    for (size_t i = 0; i < o->waited_count; i++)
        if (memcmp(&o->waited[i].object, &key, sizeof(key)) == 0) {
            o->waited[i].sum.ns += sum->ns;
            o->waited[i].sum.waits += sum->waits;
            return;
        }
    if (o->waited_count < SLW_OFF_OBJECTS)
        o->waited[o->waited_count++] = (struct waited){key, *sum};
}

static int longest_first(const void *a, const void *b)
{
    const struct waited *x = a, *y = b;

    if (x->sum.ns != y->sum.ns)
        return x->sum.ns < y->sum.ns ? 1 : -1;
    return memcmp(&x->object, &y->object, sizeof(x->object));
}

int slw_off_objects_put(struct slw_off_objects *o, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    qsort(o->waited, o->waited_count, sizeof(o->waited[0]), longest_first);
    for (size_t i = 0; i < o->waited_count && i < SLW_MAX_WAITED_FOR && rc == 0; i++) {
        const struct waited *w = &o->waited[i];
        char text[PATH_MAX + 160] = "";
        struct slw_waited_for row = {.state = (enum slw_wait)w->object.state,
                                     .what = text,
                                     .pid = w->object.pid > 0 ? (int32_t)w->object.pid : -1,
                                     .ns = w->sum.ns,
                                     .waits = w->sum.waits};

        if (w->object.state == SLW_OFF_LOCK)
            print_lock(o, &w->object, text, sizeof(text));
        else
            print_peer(&w->object, text, sizeof(text));
        rc = slw_run_add_waited_for(run, &row, err);
    }
    return rc;
}
