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
    int32_t pid;    /* of ANONYMOUS: whose memory; else -1 */
    /* When it was first mapped to be executed, on the recording's clock. 0: before the recording
     * began; UINT64_MAX: never. No part of what makes modules equal. */
    uint64_t mapped_ns;
    int32_t mapper; /* a process that has it mapped, the last one seen; no part of what makes
                       modules equal; 0 unknown */
};

/* What a JIT compiler left of its work besides. */
struct slw_jitdump {
    int32_t pid;
    const char *path; /* as its process calls it */
};
#define SLW_MAX_JITDUMPS 4096

struct slw_modules {
    struct slw_arena *arena; /* lent */
    struct slw_module *modules;
    uint32_t count, capacity;
    struct slw_index index;
    struct slw_jitdump *jitdumps;
    uint32_t jitdump_count;
};

/* The process has mapped this file to say that it writes it; one each, the last one. What is past
 * the limit is forgotten. 0 or -SLW_E_NOMEM. */
int slw_modules_add_jitdump(struct slw_modules *m, int32_t pid, const char *path);
/* NULL: the process has none. */
const char *slw_modules_jitdump(const struct slw_modules *m, int32_t pid);

/* Position of an equal module, added when new (strings are copied). 0 or -SLW_E_NOMEM. */
int slw_modules_intern(struct slw_modules *m, const struct slw_module *module,
                       uint32_t *ret_position);
void slw_modules_release(struct slw_modules *m);

/* True when addresses of this kind are not relative to a file. */
bool slw_module_is_absolute(enum slw_module_kind kind);

#endif
