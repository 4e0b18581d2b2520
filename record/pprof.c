/* SPDX-License-Identifier: MIT */
#include "record/pprof_int.h"

#include "base/hash.h"

#include <string.h>

/* clang-format off */
const char *const slw_pprof_exception_keys[] = {
    [SLW_PPROF_USER] = "user",
    [SLW_PPROF_KERNEL] = "kernel",
    [SLW_PPROF_OTHER] = "other",
    [SLW_PPROF_DANGLING] = "dangling"};
/* clang-format on */
_Static_assert((int)SLW_PPROF_USER == (int)SLW_FRAME_USER &&
                   (int)SLW_PPROF_KERNEL == (int)SLW_FRAME_KERNEL &&
                   (int)SLW_PPROF_OTHER == (int)SLW_FRAME_OTHER,
               "the first exceptions are the frame kinds");

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* perf names kernel modules "[nf_tables]"; these bracketed names are of user space. */
static bool is_user_pseudo_file(const char *module)
{
    static const char *const names[] = {"[vdso",    "[vsyscall", "[heap", "[stack", "[anon",
                                        "[unknown", "[uprobes",  "[vvar", "[tsc_vm"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (starts_with(module, names[i]))
            return true;
    return false;
}

enum slw_frame_kind slw_pprof_kind(const char *module, uint64_t address)
{
    /* A broken user stack holds any address, so a module tells more than the address. */
    if (module)
        return module[0] == '[' && !is_user_pseudo_file(module) ? SLW_FRAME_KERNEL : SLW_FRAME_USER;
    if (address >> 63) /* the upper half of the address space: x86-64 and arm64 alike */
        return SLW_FRAME_KERNEL;
    return address ? SLW_FRAME_USER : SLW_FRAME_OTHER;
}

uint64_t slw_pprof_fingerprint(uint64_t so_far, const Perftools__Profiles__Location *l)
{
    const uint64_t words[] = {l->id, l->mapping_id, l->address, l->n_line};

    so_far = slw_hash_bytes(words, sizeof(words), so_far);
    for (size_t i = 0; i < l->n_line; i++) {
        const uint64_t line[] = {l->line[i]->function_id, (uint64_t)l->line[i]->line};
        so_far = slw_hash_bytes(line, sizeof(line), so_far);
    }
    return so_far;
}
