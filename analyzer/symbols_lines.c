/* SPDX-License-Identifier: MIT */
/* Source lines and inlined calls from DWARF: that of the file, or of what was split off it. */
#include "analyzer/symbols_int.h"

#include <stdlib.h>
#include <string.h>

/* The image that has the DWARF; NULL: none has, or *ret_rc. */
static struct slw_elf *find_dwarf(struct slw_symbols *s, const struct slw_module *m,
                                  struct slw_symbols_module *l, int *ret_rc)
{
    *ret_rc = 0;
    if (slw_elf_has_dwarf(&l->elf))
        return &l->elf;
    if (l->debug.elf && slw_elf_has_dwarf(&l->debug))
        return &l->debug;
    *ret_rc = slw_symbols_open_debug(&s->opts, m, l, &l->lines, NULL);
    return *ret_rc == 0 && slw_elf_has_dwarf(&l->lines) ? &l->lines : NULL;
}

/* NULL in l->inlined: no DWARF is to be had. 0 or -SLW_E_NOMEM. */
static int open_dwarf(struct slw_symbols *s, const struct slw_module *m,
                      struct slw_symbols_module *l)
{
    int rc;

    if (l->lines_tried)
        return 0;
    l->lines_tried = true;
    struct slw_elf *image = find_dwarf(s, m, l, &rc);
    if (!image) {
        if (rc == -SLW_E_PERM && l->problem == SLW_SYMBOLS_FINE)
            l->problem = SLW_SYMBOLS_NO_DWARF;
        return 0;
    }
    if (slw_elf_unpack_dwarf(image) == 0)
        l->dwarf = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);
    if (!l->dwarf) {
        if (l->problem == SLW_SYMBOLS_FINE)
            l->problem = SLW_SYMBOLS_NO_DWARF;
        return 0;
    }
    l->inlined = slw_inlined_new(l->dwarf);
    return l->inlined ? 0 : -SLW_E_NOMEM;
}

/* The DWARF of an address and the address as it has it; NULL: there is none. */
static int locate(struct slw_symbols *s, uint32_t module, uint64_t address,
                  struct slw_inlined **ret_inlined, uint64_t *ret_address)
{
    const struct slw_module *m = &s->modules->modules[module];
    struct slw_symbols_module *l = slw_symbols_loaded(s, module);

    *ret_inlined = NULL;
    if (!l)
        return -SLW_E_NOMEM;
    if (m->kind != SLW_MODULE_FILE || !l->elf.elf ||
        !slw_elf_address_of_offset(&l->elf, address, ret_address))
        return 0;
    int rc = open_dwarf(s, m, l);
    *ret_inlined = l->inlined;
    return rc;
}

int slw_symbols_line(struct slw_symbols *s, uint32_t module, uint64_t address,
                     const char **ret_file, uint32_t *ret_line)
{
    struct slw_inlined *in;
    uint64_t at;
    int rc = locate(s, module, address, &in, &at);

    *ret_file = "";
    *ret_line = 0;
    return rc == 0 && in ? slw_inlined_line(in, at, ret_file, ret_line) : rc;
}

/* Each call stands where the next one inside it is made; the innermost where the address is. */
static void place(const struct slw_inlined_call *calls, size_t count,
                  struct slw_symbols_place *places)
{
    for (size_t i = 0; i < count; i++) {
        places[count - 1 - i].name = calls[i].name;
        places[count - i].file = calls[i].call_file;
        places[count - i].line = calls[i].call_line;
    }
}

int slw_symbols_places(struct slw_symbols *s, uint32_t module, uint64_t address,
                       struct slw_symbols_place ret_places[SLW_MAX_PLACES], size_t *ret_count)
{
    struct slw_inlined_call calls[SLW_MAX_INLINED];
    struct slw_inlined *in;
    const char *file = "";
    uint32_t line = 0;
    uint64_t at;
    size_t count = 0;
    int rc = locate(s, module, address, &in, &at);

    if (rc == 0 && in)
        rc = slw_inlined_at(in, at, calls, &count);
    if (rc == 0 && in)
        rc = slw_inlined_line(in, at, &file, &line);
    if (rc < 0)
        return rc;
    ret_places[0].file = file;
    ret_places[0].line = line;
    ret_places[count].name = "";
    place(calls, count, ret_places);
    *ret_count = count + 1;
    return 0;
}

void slw_symbols_close_lines(struct slw_symbols_module *l)
{
    slw_inlined_free(l->inlined);
    if (l->dwarf)
        (void)dwarf_end(l->dwarf);
    slw_elf_close(&l->lines);
}
