/* SPDX-License-Identifier: MIT */
/* Source lines from DWARF, through libdwfl. Modules are reported to it one by one, as files that
 * do not run; it lays them out at addresses of its own. */
#include "analyzer/symbols_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libdwfl asks for the debug file: answer from where we look ourselves, never from the network. */
static int find_debug(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                      const char *file_name, const char *link, GElf_Word crc, char **ret_path)
{
    const struct slw_symbols *s = *user;
    struct slw_elf e, debug;
    int fd = -1;

    (void)module, (void)name, (void)base, (void)link, (void)crc;
    if (!s || !file_name || slw_elf_open(file_name, &e) < 0)
        return -1;
    if (slw_elf_open_debug(&e, file_name, s->opts.debug_dir, &debug, ret_path) == 0) {
        fd = dup(debug.fd);
        slw_elf_close(&debug);
    }
    slw_elf_close(&e);
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

int slw_symbols_line(struct slw_symbols *s, uint32_t module, uint64_t address,
                     const char **ret_file, uint32_t *ret_line)
{
    const struct slw_module *m = &s->modules->modules[module];
    struct slw_symbols_module *l = slw_symbols_loaded(s, module);
    GElf_Addr bias = 0;
    uint64_t elf_address;
    int line = 0;

    *ret_file = "";
    *ret_line = 0;
    if (!l)
        return -SLW_E_NOMEM;
    if (m->kind != SLW_MODULE_FILE || !l->elf.elf)
        return 0;
    if (!l->dwfl_tried) {
        l->dwfl_tried = true;
        l->dwfl = report(s, m, l);
    }
    if (!l->dwfl || !slw_elf_address_of_offset(&l->elf, address, &elf_address) ||
        !dwfl_module_getelf(l->dwfl, &bias))
        return 0;
    Dwfl_Line *found = dwfl_module_getsrc(l->dwfl, elf_address + bias);
    const char *file = found ? dwfl_lineinfo(found, NULL, &line, NULL, NULL, NULL) : NULL;
    if (file && line > 0) {
        *ret_file = file;
        *ret_line = (uint32_t)line;
    }
    return 0;
}

void slw_symbols_close_lines(struct slw_symbols *s)
{
    if (s->dwfl)
        dwfl_end(s->dwfl);
    s->dwfl = NULL;
}
