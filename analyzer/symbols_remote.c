/* SPDX-License-Identifier: MIT */
/* Files that others have: the debug file of a program that is here, and the program itself where a
 * recording comes from another machine. A file is believed by its build id, wherever it is from. */
#include "analyzer/symbols_int.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* GNU build ids have 8 (fast), 16 (md5) or 20 (sha1) bytes; nothing else is asked for. */
static bool is_build_id(const char *hex)
{
    const size_t length = strlen(hex);

    return length >= 16 && length < SLW_BUILD_ID_HEX_BYTES && length % 2 == 0 &&
           strspn(hex, "0123456789abcdef") == length;
}

static enum slw_symbols_remote outcome(int rc)
{
    if (rc == -SLW_E_NOTFOUND)
        return SLW_SYMBOLS_NOBODY_HAS;
    return rc == -SLW_E_LIMIT ? SLW_SYMBOLS_SPENT : SLW_SYMBOLS_UNREACHED;
}

/* A server may answer with anything. */
static int open_fetched(const char *path, const char *build_id, struct slw_elf *ret_elf)
{
    char found[SLW_BUILD_ID_HEX_BYTES];

    if (slw_elf_open(path, ret_elf) < 0)
        return -SLW_E_IO;
    slw_elf_build_id(ret_elf, found);
    if (strcmp(found, build_id) == 0)
        return 0;
    slw_elf_close(ret_elf);
    return -SLW_E_IO;
}

static int fetch(struct slw_symbols *s, struct slw_symbols_module *l, enum slw_remote_kind kind,
                 const char *build_id, struct slw_elf *ret_elf)
{
    const struct slw_remote_files *from = s->opts.remote;
    char *SLW_AUTO(free) path = NULL;
    int rc = from->fetch(from->ctx, kind, build_id, &path);

    l->asked[kind] = true;
    if (rc == 0)
        rc = open_fetched(path, build_id, ret_elf);
    l->remote = rc == 0 ? SLW_SYMBOLS_FETCHED : outcome(rc);
    return rc;
}

/* What ran is not here, but its recording says what it was. */
static bool is_absent(const struct slw_symbols_module *l)
{
    return !l->elf.elf && (l->problem == SLW_SYMBOLS_MISSING || l->problem == SLW_SYMBOLS_REPLACED);
}

/* Neither lines and inlined calls nor, in programs that were stripped, names. */
static bool lacks_debug_file(const struct slw_symbols *s, const struct slw_module *m,
                             const struct slw_symbols_module *l)
{
    struct slw_elf local;

    if (slw_elf_has_dwarf(&l->elf) || (l->debug.elf && !l->debug.memory))
        return false;
    if (slw_symbols_open_debug(&s->opts, m, l, &local, NULL) < 0)
        return true;
    slw_elf_close(&local);
    return false;
}

static int read_again(struct slw_symbols *s, struct slw_symbols_module *l)
{
    const struct slw_symbols_loader loader = {&s->opts, s->arena};

    slw_symtab_release(&l->table);
    int rc = slw_symbols_read_tables(&loader, l);
    if (rc == 0)
        rc = slw_symtab_finish(&l->table, UINT64_MAX);
    if (rc < 0)
        slw_symtab_release(&l->table);
    return rc;
}

static int fetch_program(struct slw_symbols *s, const struct slw_module *m,
                         struct slw_symbols_module *l)
{
    if (fetch(s, l, SLW_REMOTE_PROGRAM, m->build_id, &l->elf) < 0)
        return 0;
    l->problem = SLW_SYMBOLS_FINE;
    if (!slw_elf_has_symtab(&l->elf))
        (void)slw_symbols_open_debug(&s->opts, m, l, &l->debug, NULL);
    return read_again(s, l);
}

static int fetch_debug(struct slw_symbols *s, struct slw_symbols_module *l)
{
    char build_id[SLW_BUILD_ID_HEX_BYTES];
    const enum slw_symbols_remote before = l->remote;
    struct slw_elf fetched;

    slw_elf_build_id(&l->elf, build_id);
    if (!is_build_id(build_id))
        return 0;
    if (fetch(s, l, SLW_REMOTE_DEBUG, build_id, &fetched) < 0) {
        /* A program that came whole may have none. */
        if (before == SLW_SYMBOLS_FETCHED && l->remote == SLW_SYMBOLS_NOBODY_HAS)
            l->remote = before;
        return 0;
    }
    l->former = l->debug;
    l->debug = fetched;
    l->problem = SLW_SYMBOLS_FINE;
    return read_again(s, l);
}

static int fetch_missing(struct slw_symbols *s, const struct slw_module *m,
                         struct slw_symbols_module *l, enum slw_remote_kind most)
{
    int rc = 0;

    if (!l->asked[SLW_REMOTE_PROGRAM] && is_absent(l) && is_build_id(m->build_id))
        rc = fetch_program(s, m, l);
    if (rc == 0 && most == SLW_REMOTE_DEBUG && !l->asked[SLW_REMOTE_DEBUG] && l->elf.elf &&
        lacks_debug_file(s, m, l))
        rc = fetch_debug(s, l);
    return rc == -SLW_E_LIMIT ? 0 : rc;
}

int slw_symbols_fetch(struct slw_symbols *s, uint32_t module, enum slw_remote_kind most)
{
    const struct slw_module *m = &s->modules->modules[module];

    if (!s->opts.remote || m->kind != SLW_MODULE_FILE)
        return 0;
    struct slw_symbols_module *l = slw_symbols_loaded(s, module);
    if (!l)
        return -SLW_E_NOMEM;
    const Elf *image = l->elf.elf, *debug = l->debug.elf;
    int rc = fetch_missing(s, m, l, most);
    return rc < 0 ? rc : l->elf.elf != image || l->debug.elf != debug;
}

int slw_symbols_reopen(struct slw_symbols *s, uint32_t module, struct slw_elf *ret_image,
                       struct slw_elf *ret_debug)
{
    const struct slw_symbols_module *l = slw_symbols_loaded(s, module);

    *ret_image = *ret_debug = (struct slw_elf){.fd = -1};
    if (!l)
        return -SLW_E_NOMEM;
    (void)slw_elf_reopen(&l->elf, ret_image);
    (void)slw_elf_reopen(&l->debug, ret_debug);
    return 0;
}
