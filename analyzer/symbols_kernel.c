/* SPDX-License-Identifier: MIT */
/* The running kernel's symbols, when the recording is of this kernel and this boot: address
 * randomisation moves the kernel at every boot, and its modules whenever they are loaded. */
#include "analyzer/symbols_int.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define MAX_KALLSYMS ((size_t)256 << 20) /* ten times the largest seen */
/* kallsyms has no sizes, and between the kernel and its modules lie gigabytes of nothing. */
#define MAX_FUNCTION_BYTES ((uint64_t)1 << 20)

/* Is the recording of the machine we are on? Only names can tell, and absent ones tell nothing. */
static bool same_machine(const struct slw_symbols *s)
{
    const struct slw_perf_meta *m = s->opts.meta;
    struct utsname here;

    if (!m || !m->os_release || !m->hostname || uname(&here) < 0)
        return !s->opts.imported;
    return strcmp(m->os_release, here.release) == 0 && strcmp(m->hostname, here.nodename) == 0;
}

/* The kernel's text is where the recording says: at _text (x86) or _stext (arm64). */
static bool same_boot(const struct slw_symbols *s)
{
    const struct slw_symtab *t = &s->kernel.table;

    if (s->kernel_text == 0)
        return !s->opts.imported;
    for (size_t i = 0; i < t->count; i++)
        if (t->symbols[i].start == s->kernel_text &&
            (strcmp(t->symbols[i].name, "_text") == 0 || strcmp(t->symbols[i].name, "_stext") == 0))
            return true;
    return false;
}

int slw_symbols_load_kernel(struct slw_symbols *s)
{
    struct slw_symbols_module *k = &s->kernel;
    bool hidden = false;

    k->loaded = true;
    if (!same_machine(s)) {
        k->problem = SLW_SYMBOLS_ELSEWHERE;
        return 0;
    }
    if (slw_file_read("/proc/kallsyms", MAX_KALLSYMS, &k->text, NULL, NULL) < 0) {
        k->problem = SLW_SYMBOLS_HIDDEN;
        return 0;
    }
    int rc = slw_symtab_add_kallsyms(&k->table, k->text, &hidden);
    if (rc < 0)
        return rc;
    if (hidden || !same_boot(s)) {
        k->problem = hidden ? SLW_SYMBOLS_HIDDEN : SLW_SYMBOLS_ELSEWHERE;
        slw_symtab_release(&k->table);
        return 0;
    }
    return slw_symtab_finish(&k->table, MAX_FUNCTION_BYTES);
}
