/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/tables.h"

#include "analyzer/symbols_int.h"
#include "analyzer/unwind/cfi_image.h"

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
    bool tried;
    enum slw_unwind_known state;
    struct slw_cfi_table table;
};

struct slw_unwind_tables {
    const struct slw_modules *modules;
    const struct slw_procstate *procs;
    const struct slw_symbols_options *opts;
    struct module_table **tables; /* by module; entries stay where they are */
    uint32_t capacity;
    const struct slw_task *task;
    uint64_t generation;
    int failed;
    struct known_place places[KNOWN_PLACES];
};

struct slw_unwind_tables *slw_unwind_tables_new(const struct slw_modules *modules,
                                                const struct slw_procstate *procs,
                                                const struct slw_symbols_options *opts)
{
    struct slw_unwind_tables *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->modules = modules;
    t->procs = procs;
    t->opts = opts;
    return t;
}

void slw_unwind_tables_free(struct slw_unwind_tables *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->capacity; i++)
        if (t->tables[i]) {
            slw_cfi_table_release(&t->tables[i]->table);
            free(t->tables[i]);
        }
    free(t->tables);
    free(t);
}

void slw_unwind_tables_enter(struct slw_unwind_tables *t, const struct slw_task *task)
{
    t->task = task;
    t->generation = slw_procstate_generation(t->procs, task);
}

int slw_unwind_tables_failed(const struct slw_unwind_tables *t)
{
    return t->failed;
}

/* Code that was compiled at run time, and whatever else is no file, has none. */
static int load(struct slw_unwind_tables *t, uint32_t module, struct module_table *ret)
{
    const struct slw_module *m = &t->modules->modules[module];
    struct slw_elf elf = {.fd = -1};

    ret->state = SLW_UNWIND_NO_CFI;
    if (m->kind != SLW_MODULE_FILE && m->kind != SLW_MODULE_VDSO)
        return 0;
    if (slw_symbols_open_module(t->opts, m, &elf) != SLW_SYMBOLS_FINE) {
        ret->state = SLW_UNWIND_NO_FILE;
        return 0;
    }
    int rc = slw_cfi_compile_image(&elf, &ret->table, NULL);
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

static struct slw_unwind_code look_up(struct slw_unwind_tables *t, uint64_t address)
{
    const struct slw_map *map = slw_procstate_find(t->procs, t->task, address);
    struct slw_unwind_code code = {.state = SLW_UNWIND_UNMAPPED};

    if (!map)
        return code;
    const struct module_table *m = table_of(t, map->module);
    if (!m)
        t->failed = -SLW_E_NOMEM;
    code.state = m ? m->state : SLW_UNWIND_NO_CFI;
    if (code.state != SLW_UNWIND_CFI)
        return code;
    code.table = &m->table;
    code.row = slw_cfi_find(&m->table, address - map->start + map->offset);
    if (!code.row)
        code.state = SLW_UNWIND_NO_CFI;
    return code;
}

struct slw_unwind_code slw_unwind_tables_find(void *tables, uint64_t address)
{
    struct slw_unwind_tables *t = tables;
    uint64_t spread = address * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
    struct known_place *k = &t->places[spread >> 51 & (KNOWN_PLACES - 1)];

    if (!k->used || k->address != address || k->generation != t->generation ||
        k->process != t->task->process)
        *k = (struct known_place){address, t->generation, t->task->process, true,
                                  look_up(t, address)};
    return k->code;
}
