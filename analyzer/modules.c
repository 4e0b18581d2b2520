/* SPDX-License-Identifier: MIT */
#include "analyzer/modules.h"

#include "base/arena.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

bool slw_module_is_absolute(enum slw_module_kind kind)
{
    return kind != SLW_MODULE_FILE && kind != SLW_MODULE_VDSO;
}

static uint64_t module_hash(const struct slw_module *m)
{
    uint64_t h = slw_hash_key(m->path, strlen(m->path), (uint64_t)m->kind);

    h = slw_hash_key(m->build_id, strlen(m->build_id), h);
    const uint64_t numbers[] = {m->major, m->minor, m->inode, (uint64_t)m->pid};
    return slw_hash_key(numbers, sizeof(numbers), h);
}

static bool module_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_modules *table = ctx;
    const struct slw_module *a = &table->modules[position], *b = key;

    return a->kind == b->kind && a->inode == b->inode && a->major == b->major &&
           a->minor == b->minor && a->pid == b->pid && strcmp(a->path, b->path) == 0 &&
           strcmp(a->build_id, b->build_id) == 0;
}

static int reserve(struct slw_modules *m)
{
    if (m->count < m->capacity)
        return 0;
    uint32_t capacity = m->capacity ? m->capacity * 2 : 64;
    struct slw_module *grown = realloc(m->modules, capacity * sizeof(*grown));
    if (!grown)
        return -SLW_E_NOMEM;
    m->modules = grown;
    m->capacity = capacity;
    return 0;
}

int slw_modules_intern(struct slw_modules *m, const struct slw_module *module,
                       uint32_t *ret_position)
{
    uint64_t hash = module_hash(module);

    if (slw_index_find(&m->index, hash, module_equal, m, module, ret_position)) {
        if (module->mapper > 0)
            m->modules[*ret_position].mapper = module->mapper;
        if (module->mapped_ns < m->modules[*ret_position].mapped_ns)
            m->modules[*ret_position].mapped_ns = module->mapped_ns;
        return 0;
    }
    if (reserve(m) < 0)
        return -SLW_E_NOMEM;
    struct slw_module *copy = &m->modules[m->count];
    *copy = *module;
    copy->path = slw_arena_strdup(m->arena, module->path);
    copy->build_id = slw_arena_strdup(m->arena, module->build_id);
    if (!copy->path || !copy->build_id || slw_index_add(&m->index, hash, m->count) < 0)
        return -SLW_E_NOMEM;
    *ret_position = m->count++;
    return 0;
}

static struct slw_jitdump *find_jitdump(const struct slw_modules *m, int32_t pid)
{
    for (uint32_t i = 0; i < m->jitdump_count; i++)
        if (m->jitdumps[i].pid == pid)
            return &m->jitdumps[i];
    return NULL;
}

int slw_modules_add_jitdump(struct slw_modules *m, int32_t pid, const char *path)
{
    struct slw_jitdump *j = find_jitdump(m, pid);
    const char *copy = slw_arena_strdup(m->arena, path);

    if (!j && m->jitdump_count == SLW_MAX_JITDUMPS)
        return 0;
    if (!j) {
        if (!m->jitdumps)
            m->jitdumps = malloc(SLW_MAX_JITDUMPS * sizeof(*m->jitdumps));
        if (!m->jitdumps || !copy)
            return -SLW_E_NOMEM;
        j = &m->jitdumps[m->jitdump_count++];
    }
    if (!copy)
        return -SLW_E_NOMEM;
    *j = (struct slw_jitdump){pid, copy};
    return 0;
}

const char *slw_modules_jitdump(const struct slw_modules *m, int32_t pid)
{
    const struct slw_jitdump *j = find_jitdump(m, pid);

    return j ? j->path : NULL;
}

void slw_modules_release(struct slw_modules *m)
{
    free(m->jitdumps);
    free(m->modules);
    slw_index_release(&m->index);
}
