/* SPDX-License-Identifier: MIT */
#include "analyzer/naming.h"

#include "analyzer/symbols.h"
#include "base/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct naming {
    const struct slw_stacks *from;
    struct slw_stacks *to;
    struct slw_arena *arena;
    struct slw_modules modules;
    struct slw_symbols *symbols;
    uint32_t *module;  /* by mapping of `from` */
    uint32_t *mapping; /* the same, in `to` */
    uint32_t *frame, *thread, *path;
};

/* ---- modules ---- */

/* Code from no file is named by what its compiler left, if anything. */
static bool jit_of(const char *path, int32_t *ret_pid)
{
    static const char before[] = "/tmp/perf-";
    char expected[64];

    if (strncmp(path, before, sizeof(before) - 1) != 0)
        return false;
    const long pid = strtol(path + sizeof(before) - 1, NULL, 10);
    if (pid <= 0 || pid > INT32_MAX)
        return false;
    (void)snprintf(expected, sizeof(expected), "%s%ld.map", before, pid);
    *ret_pid = (int32_t)pid;
    return strcmp(expected, path) == 0;
}

static int add_module(struct naming *n, uint32_t id)
{
    const struct slw_mapping m = slw_stacks_mapping(n->from, id);
    struct slw_module module = {
        .kind = SLW_MODULE_UNKNOWN, .path = m.path, .build_id = m.build_id, .pid = -1};

    if (jit_of(m.path, &module.pid)) {
        module.kind = SLW_MODULE_ANONYMOUS;
        module.path = "//anon";
    } else if (m.path[0] == '/') {
        module.kind = SLW_MODULE_FILE;
    }
    const struct slw_mapping shown = {.path = module.path, .build_id = m.build_id};
    const int rc = slw_modules_intern(&n->modules, &module, &n->module[id]);

    return rc < 0 ? rc : slw_stacks_add_mapping(n->to, &shown, &n->mapping[id]);
}

/* ---- frames ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* "libpq.so.5+0x1a2b0" */
static const char *place(struct naming *n, const struct slw_frame *f)
{
    const struct slw_module *m = &n->modules.modules[n->module[f->mapping]];

    if (m->kind != SLW_MODULE_FILE)
        return "";
    return slw_arena_printf(n->arena, "%s+0x%" PRIx64, last_part(m->path), f->address);
}

static int add_frame(struct naming *n, uint32_t id)
{
    struct slw_frame f = slw_stacks_frame(n->from, id);
    const char *name = "";
    int rc = 0;

    if (!f.function[0] && f.mapping != SLW_NO_MAPPING) {
        rc = slw_symbols_name(n->symbols, n->module[f.mapping], f.address, &name);
        f.function = rc == 0 && !name[0] ? place(n, &f) : name;
    }
    if (f.mapping != SLW_NO_MAPPING)
        f.mapping = n->mapping[f.mapping];
    return rc < 0 || !f.function ? -SLW_E_NOMEM : slw_stacks_add_frame(n->to, &f, &n->frame[id]);
}

/* ---- stacks ---- */

static int add_path(struct naming *n, uint32_t id)
{
    const struct slw_path p = slw_stacks_path(n->from, id);

    if (p.caller != SLW_NO_PATH)
        return slw_stacks_step(n->to, n->path[p.caller], n->frame[p.id], &n->path[id]);
    return slw_stacks_root(n->to, p.id == SLW_NO_THREAD ? SLW_NO_THREAD : n->thread[p.id],
                           &n->path[id]);
}

static int copy(struct naming *n)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_mapping_count(n->from); i++)
        rc = add_module(n, i);
    for (uint32_t i = 0; rc == 0 && i < slw_stacks_frame_count(n->from); i++)
        rc = add_frame(n, i);
    for (uint32_t i = 0; rc == 0 && i < slw_stacks_thread_count(n->from); i++) {
        const struct slw_thread t = slw_stacks_thread(n->from, i);

        rc = slw_stacks_add_thread(n->to, &t, &n->thread[i]);
    }
    for (uint32_t i = 0; rc == 0 && i < slw_stacks_path_count(n->from); i++)
        rc = add_path(n, i);
    for (size_t i = 0; rc == 0 && i < slw_stacks_count(n->from); i++)
        rc = slw_stacks_weigh(n->to, n->path[slw_stacks_leaf(n->from, i)],
                              slw_stacks_weights(n->from, i));
    return rc;
}

static int make_columns(struct naming *n, struct slw_error *err)
{
    struct slw_column columns[SLW_MAX_COLUMNS];
    const size_t count = slw_stacks_column_count(n->from);

    for (size_t i = 0; i < count; i++)
        columns[i] = *slw_stacks_column(n->from, i);
    return slw_stacks_new(columns, count, &n->to, err);
}

static bool allocate(struct naming *n, const struct slw_naming_options *opts)
{
    static const struct slw_perf_meta none;
    const struct slw_symbols_options symbols = {
        .debug_dir = opts->debug_dir, .cache_dir = opts->cache_dir, .meta = &none};

    n->arena = slw_arena_new();
    n->modules.arena = n->arena;
    n->symbols = n->arena ? slw_symbols_new(&n->modules, &symbols) : NULL;
    n->module = calloc(slw_stacks_mapping_count(n->from) + 1, sizeof(*n->module));
    n->mapping = calloc(slw_stacks_mapping_count(n->from) + 1, sizeof(*n->mapping));
    n->frame = calloc(slw_stacks_frame_count(n->from) + 1, sizeof(*n->frame));
    n->thread = calloc(slw_stacks_thread_count(n->from) + 1, sizeof(*n->thread));
    n->path = calloc(slw_stacks_path_count(n->from) + 1, sizeof(*n->path));
    return n->symbols && n->module && n->mapping && n->frame && n->thread && n->path;
}

static void release(struct naming *n)
{
    slw_symbols_free(n->symbols);
    slw_modules_release(&n->modules);
    slw_arena_free(n->arena);
    free(n->module);
    free(n->mapping);
    free(n->frame);
    free(n->thread);
    free(n->path);
}

int slw_stacks_name(const struct slw_stacks *from, const struct slw_naming_options *opts,
                    struct slw_run *run, struct slw_stacks **ret_stacks, struct slw_error *err)
{
    struct naming n = {.from = from};
    int rc = allocate(&n, opts) ? make_columns(&n, err) : -SLW_E_NOMEM;

    if (rc == 0)
        rc = copy(&n);
    if (rc == 0)
        rc = slw_symbols_notes(n.symbols, run);
    if (rc == 0)
        *ret_stacks = n.to;
    else
        slw_stacks_free(n.to);
    release(&n);
    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "no memory for the names of functions") : 0;
}
