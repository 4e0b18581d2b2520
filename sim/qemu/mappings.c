/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files code is mapped from, as the kernel tells them. They are read again after the client
 * changed its mappings, when code of an address nobody knows is translated. */
#include "sim/qemu/plugin_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slw_sim_mapping mappings[MAX_MAPPINGS]; /* those that code came from, ever */
static uint32_t used;
static struct slw_sim_mapping current[MAX_MAPPINGS]; /* what is mapped now, QEMU's own included */
static uint32_t current_count;
static bool is_stale = true;
static uint64_t base;

void set_base(uint64_t to)
{
    base = to;
}

void mappings_changed(void)
{
    is_stale = true;
}

const struct slw_sim_mapping *all_mappings(uint32_t *ret_count)
{
    *ret_count = used;
    return mappings;
}

static uint32_t number_of(const struct slw_sim_mapping *m)
{
    for (uint32_t i = used; i > 0; i--)
        if (mappings[i - 1].start == m->start && mappings[i - 1].end == m->end &&
            mappings[i - 1].offset == m->offset && strcmp(mappings[i - 1].path, m->path) == 0)
            return i;
    if (used == MAX_MAPPINGS)
        return 0;
    mappings[used] = *m;
    mappings[used].path = strdup(m->path);
    if (!mappings[used].path)
        fail("out of memory");
    used++;
    look_for_marks(&mappings[used - 1]);
    return used;
}

/* "start-end perms offset dev inode   /path": of those with a path. */
static void read_line(char *line)
{
    struct slw_sim_mapping m = {0};
    unsigned long start = 0, end = 0, offset = 0;
    int path = 0;

    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %n", &start, &end, &offset, &path) < 3 || path == 0 ||
        line[path] != '/' || end <= start || start < base)
        return;
    m.start = start - base;
    m.end = end - base;
    m.offset = offset;
    m.path = line + path;
    if (current_count == MAX_MAPPINGS)
        return;
    m.path = strdup(m.path);
    if (!m.path)
        fail("out of memory");
    current[current_count++] = m;
}

static void read_all(void)
{
    char *line = NULL;
    size_t size = 0;
    FILE *f = fopen("/proc/self/maps", "re");

    while (current_count > 0)
        free((void *)(uintptr_t)current[--current_count].path);
    while (f && getline(&line, &size, f) > 0)
        read_line(line);
    free(line);
    if (f)
        (void)fclose(f);
    is_stale = false;
}

uint32_t mapping_of(uint64_t address)
{
    if (is_stale)
        read_all();
    for (uint32_t i = 0; i < current_count; i++) {
        const struct slw_sim_mapping *m = &current[i];

        if (address >= m->start && address < m->end)
            return number_of(m);
    }
    return 0;
}

const char *program_path(void)
{
    static char *program;

    if (!program) {
        const char *path = qemu_plugin_path_to_binary();

        program = path ? realpath(path, NULL) : NULL;
        free((void *)(uintptr_t)path);
    }
    return program;
}

bool is_program(uint32_t number)
{
    return number && program_path() && strcmp(mappings[number - 1].path, program_path()) == 0;
}

bool is_library(uint32_t number, const char *name)
{
    const char *path = number ? mappings[number - 1].path : "";
    const size_t length = strlen(path), name_length = strlen(name);

    return length >= name_length && strcmp(path + length - name_length, name) == 0;
}
