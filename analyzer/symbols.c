/* SPDX-License-Identifier: MIT */
#include "analyzer/symbols.h"

#include "analyzer/symbols_int.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct slw_symbols *slw_symbols_new(const struct slw_modules *modules,
                                    const struct slw_symbols_options *opts)
{
    struct slw_symbols *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->modules = modules;
    s->opts = *opts;
    if (!s->opts.debug_dir)
        s->opts.debug_dir = SLW_DEFAULT_DEBUG_DIR;
    s->arena = slw_arena_new();
    s->demangler = slw_demangler_new();
    if (!s->arena || !s->demangler) {
        slw_symbols_free(s);
        return NULL;
    }
    return s;
}

void slw_symbols_module_release(struct slw_symbols_module *m)
{
    slw_symtab_release(&m->table);
    slw_symbols_close_lines(m);
    slw_elf_close(&m->elf);
    slw_elf_close(&m->debug);
    slw_elf_close(&m->former);
    free(m->text);
}

void slw_symbols_free(struct slw_symbols *s)
{
    if (!s)
        return;
    slw_symbols_forget_kernel(s);
    slw_symbols_forget_ahead(s);
    slw_symbols_forget_turns(s);
    for (uint32_t i = 0; i < s->loaded_capacity; i++)
        slw_symbols_module_release(&s->loaded[i]);
    slw_symbols_module_release(&s->kernel);
    free(s->loaded);
    slw_demangler_free(s->demangler);
    slw_arena_free(s->arena);
    free(s);
}

void slw_symbols_set_kernel_text(struct slw_symbols *s, uint64_t address)
{
    s->kernel_text = address;
}

/* What was split off the file, where it ran first, or what is packed into it. */
static int open_debug(const struct slw_symbols_loader *by, const struct slw_module *m,
                      struct slw_symbols_module *l)
{
    int rc = slw_symbols_open_debug(by->opts, m, l, &l->debug, NULL);

    if (rc < 0 && slw_elf_open_minidebug(&l->elf, &l->debug) == 0)
        rc = 0;
    return rc;
}

int slw_symbols_read_tables(const struct slw_symbols_loader *by, struct slw_symbols_module *l)
{
    int rc = l->debug.elf ? slw_elf_add_symbols(&l->debug, &l->elf, &l->table) : 0;

    if (rc == 0)
        rc = slw_elf_add_symbols(&l->elf, &l->elf, &l->table);
    if (rc == 0)
        rc = slw_elf_add_plt(&l->elf, by->arena, &l->table);
    return rc;
}

/* Our own vdso is the client's as long as the kernel is: one boot, or an equal build id. */
static enum slw_symbols_problem open_vdso(const struct slw_symbols_options *opts,
                                          const struct slw_module *m, struct slw_elf *e)
{
    char build_id[SLW_BUILD_ID_HEX_BYTES];

    if (slw_elf_open_vdso(e) < 0)
        return SLW_SYMBOLS_MISSING;
    slw_elf_build_id(e, build_id);
    if (*m->build_id ? strcmp(build_id, m->build_id) == 0 : !opts->imported)
        return SLW_SYMBOLS_FINE;
    slw_elf_close(e);
    return *m->build_id ? SLW_SYMBOLS_REPLACED : SLW_SYMBOLS_UNCHECKED;
}

enum slw_symbols_problem slw_symbols_open_image(const struct slw_symbols_options *opts,
                                                const struct slw_module *m,
                                                struct slw_symbols_module *l)
{
    return m->kind == SLW_MODULE_VDSO ? open_vdso(opts, m, &l->elf)
                                      : slw_symbols_open_file(opts, m, l);
}

enum slw_symbols_problem slw_symbols_open_module(const struct slw_symbols_options *opts,
                                                 const struct slw_module *m,
                                                 struct slw_elf *ret_elf)
{
    struct slw_symbols_module l = {0};
    enum slw_symbols_problem problem = slw_symbols_open_image(opts, m, &l);

    if (problem == SLW_SYMBOLS_FINE)
        *ret_elf = l.elf;
    return problem;
}

static int load_image(const struct slw_symbols_loader *by, const struct slw_module *m,
                      struct slw_symbols_module *l)
{
    l->problem = slw_symbols_open_image(by->opts, m, l);
    if (l->problem != SLW_SYMBOLS_FINE)
        return 0;
    if (!slw_elf_has_symtab(&l->elf) && m->kind == SLW_MODULE_FILE &&
        open_debug(by, m, l) == -SLW_E_PERM)
        l->problem = SLW_SYMBOLS_NO_DEBUG;
    return slw_symbols_read_tables(by, l);
}

int slw_symbols_load_module(const struct slw_symbols_loader *by, const struct slw_module *m,
                            struct slw_symbols_module *ret_module)
{
    int rc = 0;

    if (m->kind == SLW_MODULE_FILE || m->kind == SLW_MODULE_VDSO)
        rc = load_image(by, m, ret_module);
    return rc == 0 ? slw_symtab_finish(&ret_module->table, UINT64_MAX) : rc;
}

static int load(struct slw_symbols *s, uint32_t module, struct slw_symbols_module *l)
{
    const struct slw_module *m = &s->modules->modules[module];
    const struct slw_symbols_loader loader = {&s->opts, s->arena};
    int rc = 0;

    if (m->kind == SLW_MODULE_KERNEL || m->kind == SLW_MODULE_KERNEL_MODULE) {
        rc = slw_symbols_load_kernel(s);
        l->problem = s->kernel.problem;
    } else if (m->kind == SLW_MODULE_ANONYMOUS) {
        rc = slw_symbols_load_jit(s, m, l);
    } else if (!slw_symbols_take(s, module, l, &rc)) {
        rc = slw_symbols_load_module(&loader, m, l);
    }
    l->loaded = true;
    return rc;
}

static int reserve(struct slw_symbols *s)
{
    uint32_t capacity = s->modules->capacity;

    if (s->loaded_capacity >= s->modules->count)
        return 0;
    struct slw_symbols_module *grown = realloc(s->loaded, capacity * sizeof(*grown));
    if (!grown)
        return -SLW_E_NOMEM;
    memset(grown + s->loaded_capacity, 0, (capacity - s->loaded_capacity) * sizeof(*grown));
    s->loaded = grown;
    s->loaded_capacity = capacity;
    return 0;
}

struct slw_symbols_module *slw_symbols_loaded(struct slw_symbols *s, uint32_t module)
{
    if (reserve(s) < 0)
        return NULL;
    struct slw_symbols_module *l = &s->loaded[module];
    if (!l->loaded && load(s, module, l) < 0)
        return NULL;
    return l;
}

const char *slw_symbols_build_id(struct slw_symbols *s, uint32_t module)
{
    const struct slw_module *m = &s->modules->modules[module];
    char build_id[SLW_BUILD_ID_HEX_BYTES];

    if (*m->build_id || m->kind != SLW_MODULE_FILE || s->opts.imported)
        return m->build_id;
    const struct slw_symbols_module *l = slw_symbols_loaded(s, module);
    if (!l)
        return NULL;
    if (!l->proven)
        return "";
    slw_elf_build_id(&l->elf, build_id);
    return slw_arena_strdup(s->arena, build_id);
}

int slw_symbols_name(struct slw_symbols *s, uint32_t module, uint64_t address,
                     const char **ret_name)
{
    struct slw_symbols_module *l = slw_symbols_loaded(s, module);
    enum slw_module_kind kind = s->modules->modules[module].kind;

    if (!l)
        return -SLW_E_NOMEM;
    if (kind == SLW_MODULE_KERNEL || kind == SLW_MODULE_KERNEL_MODULE)
        return slw_symbols_kernel_name(s, address, ret_name, &l->problem);
    const struct slw_symbol *symbol = slw_symtab_find(&l->table, address);
    if (symbol && (symbol->type & SLW_SYMBOL_REUSED) && l->problem == SLW_SYMBOLS_FINE)
        l->problem = SLW_SYMBOLS_JIT_REUSED;
    *ret_name = symbol ? symbol->name : "";
    return 0;
}

const struct slw_symbol *slw_symbols_generated(struct slw_symbols *s, uint32_t module,
                                               uint64_t address)
{
    const struct slw_symbols_module *l = slw_symbols_loaded(s, module);

    return l ? slw_symtab_find(&l->table, address) : NULL;
}

int slw_symbols_shown(struct slw_symbols *s, const char *name, const char **ret_shown)
{
    return slw_demangle(s->demangler, name, ret_shown);
}
