/* SPDX-License-Identifier: MIT */
/* The distinct things code was mapped from, each once: files, the vdso, the kernel, its modules,
 * anonymous memory. A file replaced by another of the same name is another module. */
#ifndef SLW_ANALYZER_MODULES_H
#define SLW_ANALYZER_MODULES_H

#include "base/hash.h"

struct slw_arena;

enum slw_module_kind {
    SLW_MODULE_FILE,
    SLW_MODULE_VDSO,
    SLW_MODULE_KERNEL,        /* addresses are absolute */
    SLW_MODULE_KERNEL_MODULE, /* the same */
    SLW_MODULE_ANONYMOUS,     /* JIT code and the like; addresses are absolute */
    SLW_MODULE_UNKNOWN        /* no mapping was known; the same */
};

struct slw_module {
    enum slw_module_kind kind;
    const char *path;     /* as recorded; "[kernel.kallsyms]", "[vdso]", "[unknown]" */
    const char *build_id; /* lower-case hex, "" unknown */
    uint32_t major, minor;
    uint64_t inode; /* 0 unknown */
    int32_t pid;    /* of ANONYMOUS: whose /tmp/perf-PID.map; else -1 */
};

struct slw_modules {
    struct slw_arena *arena; /* lent */
    struct slw_module *modules;
    uint32_t count, capacity;
    struct slw_index index;
};

/* Position of an equal module, added when new (strings are copied). 0 or -SLW_E_NOMEM. */
int slw_modules_intern(struct slw_modules *m, const struct slw_module *module,
                       uint32_t *ret_position);
void slw_modules_release(struct slw_modules *m);

/* True when addresses of this kind are not relative to a file. */
bool slw_module_is_absolute(enum slw_module_kind kind);

#endif
