/* SPDX-License-Identifier: MIT */
/* Source lines and inlined calls from DWARF, through libdwfl. Modules are reported to it one by
 * one, as files that do not run; it lays them out at addresses of its own. */
#include "analyzer/symbols_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libdwfl asks for the debug file: answer from where we look ourselves, never from the network. */
static int find_debug(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                      const char *file_name, const char *link, GElf_Word crc, char **ret_path)
{
    const struct slw_symbols *s = *user;
    struct slw_elf debug;
    uint32_t i = 0;

    (void)name, (void)base, (void)file_name, (void)link, (void)crc;
    while (s && i < s->loaded_capacity && s->loaded[i].dwfl != module)
        i++;
    if (!s || i == s->loaded_capacity ||
        slw_symbols_open_debug(&s->opts, &s->modules->modules[i], &s->loaded[i], &debug, ret_path) <
            0)
        return -1;
    int fd = dup(debug.fd);
    slw_elf_close(&debug);
    return fd;
}

static int no_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                  char **ret_path, Elf **ret_elf)
{
    (void)module, (void)user, (void)name, (void)base, (void)ret_path, (void)ret_elf;
    return -1; /* every module is reported with its file */
}

static Dwfl_Module *report(struct slw_symbols *s, const struct slw_module *m,
                           const struct slw_symbols_module *l)
{
    void **user;

    if (!s->dwfl) {
        s->callbacks = (Dwfl_Callbacks){.find_elf = no_elf,
                                        .find_debuginfo = find_debug,
                                        .section_address = dwfl_offline_section_address};
        s->dwfl = dwfl_begin(&s->callbacks);
    }
    int fd = s->dwfl ? dup(l->elf.fd) : -1;
    if (fd < 0)
        return NULL;
    dwfl_report_begin_add(s->dwfl);
    Dwfl_Module *module = dwfl_report_offline(s->dwfl, m->path, m->path, fd);
    if (!module)
        (void)close(fd);
    (void)dwfl_report_end(s->dwfl, NULL, NULL);
    if (module && dwfl_module_info(module, &user, NULL, NULL, NULL, NULL, NULL, NULL))
        *user = s;
    return module;
}

/* NULL in *ret_inlined: no DWARF is to be had. 0 or -SLW_E_NOMEM. */
static int open_dwarf(struct slw_symbols *s, const struct slw_module *m,
                      struct slw_symbols_module *l, struct slw_inlined **ret_inlined)
{
    GElf_Addr bias = 0;

    if (!l->dwfl_tried) {
        l->dwfl_tried = true;
        l->dwfl = report(s, m, l);
        Dwarf *dwarf = l->dwfl && dwfl_module_getelf(l->dwfl, &bias)
                           ? dwfl_module_getdwarf(l->dwfl, &l->dwarf_bias)
                           : NULL;
        l->dwarf_bias -= bias; /* as the file has it, not as it was laid out */
        l->inlined = dwarf ? slw_inlined_new(dwarf) : NULL;
        if (dwarf && !l->inlined)
            return -SLW_E_NOMEM;
    }
    *ret_inlined = l->inlined;
    return 0;
}

/* The DWARF of an address and the address as DWARF has it; NULL: there is none. */
static int locate(struct slw_symbols *s, uint32_t module, uint64_t address,
                  struct slw_inlined **ret_inlined, uint64_t *ret_address)
{
    const struct slw_module *m = &s->modules->modules[module];
    struct slw_symbols_module *l = slw_symbols_loaded(s, module);
    uint64_t elf_address;

    *ret_inlined = NULL;
    if (!l)
        return -SLW_E_NOMEM;
    if (m->kind != SLW_MODULE_FILE || !l->elf.elf ||
        !slw_elf_address_of_offset(&l->elf, address, &elf_address))
        return 0;
    int rc = open_dwarf(s, m, l, ret_inlined);
    *ret_address = elf_address - l->dwarf_bias;
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

void slw_symbols_close_lines(struct slw_symbols *s)
{
    for (uint32_t i = 0; i < s->loaded_capacity; i++) {
        slw_inlined_free(s->loaded[i].inlined);
        s->loaded[i].inlined = NULL;
    }
    if (s->dwfl)
        dwfl_end(s->dwfl);
    s->dwfl = NULL;
}
