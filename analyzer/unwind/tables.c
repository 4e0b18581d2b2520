/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/tables.h"

#include "analyzer/mapset.h"
#include "analyzer/symbols_int.h"
#include "analyzer/unwind/cfi_cache.h"
#include "analyzer/unwind/cfi_image.h"
#include "analyzer/unwind/trampoline.h"
#include "analyzer/unwind/undescribed.h"

#include <stdlib.h>
#include <string.h>

/* Calls return to the same places again and again. */
#define KNOWN_PLACES 8192 /* power of two */

struct known_place {
    uint64_t address, generation;
    uint32_t process;
    bool used;
    struct slw_unwind_code code;
};

struct module_table {
    enum slw_unwind_known state;
    struct slw_cfi_table table;
    struct slw_undescribed undescribed;
    uint64_t losses[SLW_UNWOUND_COUNT];
};

struct slw_unwind_tables {
    const struct slw_modules *modules;
    const struct slw_symbols_options *opts;
    struct module_table **tables; /* by module; entries stay where they are */
    uint32_t capacity;
    struct slw_symbols *symbols; /* NULL: nobody is asked */
    struct slw_unwind_space space;
    int failed;
    struct known_place places[KNOWN_PLACES];
};

struct slw_unwind_tables *slw_unwind_tables_new(const struct slw_modules *modules,
                                                const struct slw_symbols_options *opts)
{
    struct slw_unwind_tables *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->modules = modules;
    t->opts = opts;
    return t;
}

void slw_unwind_tables_set_symbols(struct slw_unwind_tables *t, struct slw_symbols *symbols)
{
    t->symbols = symbols;
}

void slw_unwind_tables_free(struct slw_unwind_tables *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->capacity; i++)
        if (t->tables[i]) {
            slw_cfi_table_release(&t->tables[i]->table);
            slw_undescribed_release(&t->tables[i]->undescribed);
            free(t->tables[i]);
        }
    free(t->tables);
    free(t);
}

struct slw_unwind_space slw_unwind_space(const struct slw_procstate *procs,
                                         const struct slw_task *task)
{
    return (struct slw_unwind_space){.maps = slw_procstate_maps(procs, task),
                                     .generation = slw_procstate_generation(procs, task),
                                     .process = task->process};
}

void slw_unwind_tables_enter(struct slw_unwind_tables *t, const struct slw_unwind_space *space)
{
    t->space = *space;
}

int slw_unwind_tables_failed(const struct slw_unwind_tables *t)
{
    return t->failed;
}

static bool cached(const struct slw_unwind_tables *t, const char *build_id,
                   struct slw_cfi_table *ret_table)
{
    return t->opts->cache_dir && slw_cfi_cache_load(t->opts->cache_dir, build_id, ret_table);
}

/* Of a file that is the one that ran. */
static int compile(struct slw_unwind_tables *t, const struct slw_elf *elf,
                   struct slw_cfi_table *ret_table)
{
    char build_id[SLW_BUILD_ID_HEX_BYTES];

    slw_elf_build_id(elf, build_id);
    if (cached(t, build_id, ret_table))
        return 0;
    int rc = slw_cfi_compile_image(elf, ret_table, NULL);
    if (rc == 0 && t->opts->cache_dir)
        (void)slw_cfi_cache_store(t->opts->cache_dir, build_id, ret_table, NULL);
    return rc;
}

/* Code that was compiled at run time, and whatever else is no file, has none. */
static int load(struct slw_unwind_tables *t, uint32_t module, struct module_table *ret)
{
    const struct slw_module *m = &t->modules->modules[module];
    struct slw_elf elf = {.fd = -1};

    ret->state = SLW_UNWIND_NO_CFI;
    if (m->kind != SLW_MODULE_FILE && m->kind != SLW_MODULE_VDSO)
        return 0;
    if (cached(t, m->build_id, &ret->table)) {
        ret->state = SLW_UNWIND_CFI;
        return 0;
    }
    if (slw_symbols_open_module(t->opts, m, &elf) != SLW_SYMBOLS_FINE) {
        ret->state = SLW_UNWIND_NO_FILE;
        return 0;
    }
    int rc = compile(t, &elf, &ret->table);
    slw_elf_close(&elf);
    if (rc == 0 && ret->table.row_count > 0)
        ret->state = SLW_UNWIND_CFI;
    return rc == -SLW_E_NOMEM ? rc : 0;
}

static int reserve(struct slw_unwind_tables *t)
{
    if (t->capacity >= t->modules->count)
        return 0;
    struct module_table **grown =
        realloc(t->tables, t->modules->capacity * sizeof(struct module_table *));
    if (!grown)
        return -SLW_E_NOMEM;
    memset(grown + t->capacity, 0,
           (t->modules->capacity - t->capacity) * sizeof(struct module_table *));
    t->tables = grown;
    t->capacity = t->modules->capacity;
    return 0;
}

/* NULL: out of memory. */
static struct module_table *table_of(struct slw_unwind_tables *t, uint32_t module)
{
    if (reserve(t) < 0)
        return NULL;
    if (!t->tables[module]) {
        struct module_table *m = calloc(1, sizeof(*m));
        if (!m || load(t, module, m) < 0) {
            free(m);
            return NULL;
        }
        t->tables[module] = m;
    }
    return t->tables[module];
}

/* Of ends that are the file's fault. */
void slw_unwind_tables_blame(struct slw_unwind_tables *t, const struct slw_unwound *u)
{
    const struct slw_map *map = slw_mapset_find(t->space.maps, u->failed_at);

    if ((u->end == SLW_UNWOUND_NO_FILE || u->end == SLW_UNWOUND_NO_CFI ||
         u->end == SLW_UNWOUND_BAD_CFI) &&
        map && map->module < t->capacity && t->tables[map->module])
        t->tables[map->module]->losses[u->end]++;
}

bool slw_unwind_tables_next_loss(struct slw_unwind_tables *t, struct slw_unwind_loss *ret_loss)
{
    uint64_t *most = NULL;

    for (uint32_t i = 0; i < t->capacity; i++)
        for (int end = 0; t->tables[i] && end < SLW_UNWOUND_COUNT; end++) {
            uint64_t *stacks = &t->tables[i]->losses[end];
            if (*stacks <= (most ? *most : 0))
                continue;
            most = stacks;
            *ret_loss = (struct slw_unwind_loss){&t->modules->modules[i], *stacks,
                                                 (enum slw_unwound_end)end};
        }
    if (most)
        *most = 0;
    return most != NULL;
}

void slw_unwind_tables_forgive(struct slw_unwind_tables *t)
{
    for (uint32_t i = 0; i < t->capacity; i++)
        if (t->tables[i])
            memset(t->tables[i]->losses, 0, sizeof(t->tables[i]->losses));
}

int slw_unwind_tables_mend(struct slw_unwind_tables *t, uint32_t module, struct slw_elf *image,
                           struct slw_elf *debug)
{
    struct module_table *m = table_of(t, module);
    int rc = m ? 0 : -SLW_E_NOMEM;

    memset(t->places, 0, sizeof(t->places));
    if (m && m->state == SLW_UNWIND_NO_FILE && image->elf) {
        rc = compile(t, image, &m->table);
        m->state = rc == 0 && m->table.row_count > 0 ? SLW_UNWIND_CFI : SLW_UNWIND_NO_CFI;
    }
    if (rc == -SLW_E_NOMEM || !m || !image->elf) {
        slw_elf_close(image);
        slw_elf_close(debug);
        return rc == -SLW_E_NOMEM ? rc : 0;
    }
    return slw_undescribed_know(&m->undescribed, image, debug);
}

/* Where a probe of a function's return makes it return to: the first byte of the kernel's area for
 * probes, at the end of the address space unless that is taken; recorders may not have seen it
 * being mapped. No call stands before it. Source: xol_add_vma() in kernel/events/uprobes.c. */
static bool is_probe(const struct slw_unwind_tables *t, uint64_t address)
{
    static const char area[] = "[uprobes";
    const struct slw_map *map = slw_mapset_find(t->space.maps, address);

    if (!map)
        map = slw_mapset_find(t->space.maps, ++address);
    if (map)
        return strncmp(t->modules->modules[map->module].path, area, sizeof(area) - 1) == 0;
    return address == UINT64_C(0x7fffffffe000) || address == UINT64_C(0xfffffffff000);
}

/* Code that a map names. */
static struct slw_unwind_code find_generated(const struct slw_unwind_tables *t, uint32_t module,
                                             uint64_t address)
{
    struct slw_unwind_code code = {.state = SLW_UNWIND_NO_CFI};
    const struct slw_symbol *function =
        t->symbols ? slw_symbols_generated(t->symbols, module, address) : NULL;

    if (function)
        (void)slw_trampoline_find(function, address, &code);
    return code;
}

/* Of a module whose file is here. */
static struct slw_unwind_code find_in(struct slw_unwind_tables *t, uint32_t module,
                                      struct module_table *table, uint64_t offset)
{
    const struct slw_module *m = &t->modules->modules[module];
    struct slw_unwind_code code = {.state = SLW_UNWIND_NO_CFI};

    if (table->state == SLW_UNWIND_CFI) {
        code.table = &table->table;
        code.row = slw_cfi_find(&table->table, offset);
        code.state = code.row ? SLW_UNWIND_CFI : SLW_UNWIND_NO_CFI;
    }
    if (slw_cfi_is_described(code.row) ||
        (m->kind != SLW_MODULE_FILE && m->kind != SLW_MODULE_VDSO))
        return code;
    if (slw_undescribed_find(&table->undescribed, t->opts, m, offset, &code) < 0)
        t->failed = -SLW_E_NOMEM;
    return code;
}

static struct slw_unwind_code look_up(struct slw_unwind_tables *t, uint64_t address)
{
    const struct slw_map *map = slw_mapset_find(t->space.maps, address);
    struct slw_unwind_code code = {.state = SLW_UNWIND_UNMAPPED};

    if (is_probe(t, address))
        code.state = SLW_UNWIND_PROBED;
    if (!map || code.state == SLW_UNWIND_PROBED)
        return code;
    struct module_table *m = table_of(t, map->module);
    code.state = m ? m->state : SLW_UNWIND_NO_CFI;
    if (!m)
        t->failed = -SLW_E_NOMEM;
    if (!m || m->state == SLW_UNWIND_NO_FILE)
        return code;
    if (t->modules->modules[map->module].kind == SLW_MODULE_ANONYMOUS)
        return find_generated(t, map->module, address);
    return find_in(t, map->module, m, address - map->start + map->offset);
}

struct slw_unwind_code slw_unwind_tables_find(void *tables, uint64_t address)
{
    struct slw_unwind_tables *t = tables;
    uint64_t spread = address * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
    struct known_place *k = &t->places[spread >> 51 & (KNOWN_PLACES - 1)];

    if (!k->used || k->address != address || k->generation != t->space.generation ||
        k->process != t->space.process)
        *k = (struct known_place){address, t->space.generation, t->space.process, true,
                                  look_up(t, address)};
    return k->code;
}
