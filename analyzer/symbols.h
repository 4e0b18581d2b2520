/* SPDX-License-Identifier: MIT */
/* Names for addresses, in this process: the table of a module is built when the first of its
 * addresses is asked for, then searched. A file that is not the one that ran gives no names: a
 * wrong name is worse than none. */
#ifndef SLW_ANALYZER_SYMBOLS_H
#define SLW_ANALYZER_SYMBOLS_H

#include "analyzer/modules.h"
#include "analyzer/perfdata.h"
#include "record/run.h"

struct slw_symbols;

/* Files that are not here, by build id: who asks for them where is not the analyzer's business. */
enum slw_remote_kind { SLW_REMOTE_DEBUG, SLW_REMOTE_PROGRAM };
struct slw_remote_files {
    /* *ret_path is a heap string. 0; -SLW_E_NOTFOUND: nobody has it; -SLW_E_LIMIT: what may be
     * spent on this is spent; -SLW_E_IO: who has it could not be asked; -SLW_E_NOMEM. */
    int (*fetch)(void *ctx, enum slw_remote_kind kind, const char *build_id, char **ret_path);
    void *ctx;
};

struct slw_symbols_options {
    const char *debug_dir; /* NULL: /usr/lib/debug */
    const char *cache_dir; /* where the kernel's symbols are kept; NULL: nowhere */
    bool imported;         /* recorded elsewhere, or at least not surely here and now */
    bool monotonic;        /* its times are of CLOCK_MONOTONIC */
    const struct slw_perf_meta *meta;
    uint64_t started_realtime_ns;          /* when measuring began; 0 unknown */
    const struct slw_remote_files *remote; /* NULL: nobody is asked */
};

/* All pointers are lent and must outlive the symbols. NULL when out of memory. */
struct slw_symbols *slw_symbols_new(const struct slw_modules *modules,
                                    const struct slw_symbols_options *opts);
void slw_symbols_free(struct slw_symbols *s); /* NULL allowed */

/* Addresses of this module will be asked for: its table is built meanwhile. To be told once of each
 * module; changes no result. */
void slw_symbols_expect(struct slw_symbols *s, uint32_t module);

/* Kernel addresses will be asked for: the kernel's symbols are read meanwhile. To say so costs what
 * reading them costs, and changes no result. */
void slw_symbols_expect_kernel(struct slw_symbols *s);

/* Where the recording says the kernel's text begins; 0: it does not say. To be told before the
 * first kernel address is asked for. */
void slw_symbols_set_kernel_text(struct slw_symbols *s, uint64_t address);

/* The name that covers an address of a module (file offset or absolute: slw_module_is_absolute), or
 * "". Lent until slw_symbols_free. 0 or -SLW_E_NOMEM. */
int slw_symbols_name(struct slw_symbols *s, uint32_t module, uint64_t address,
                     const char **ret_name);

/* Lower-case hex: the recorded build id of a module, else that of its file, where device and inode
 * say that this is the one that was mapped, and it is as it was then. "" where nothing says so, and
 * of recordings from elsewhere. NULL when out of memory. Lent until slw_symbols_free. */
const char *slw_symbols_build_id(struct slw_symbols *s, uint32_t module);

/* Ask for what the file of this module lacks, each of it once: SLW_REMOTE_PROGRAM: itself, where it
 * is not here; SLW_REMOTE_DEBUG: and its debug file. Costly: for few, and before any of their
 * addresses is shown. 1: something came; 0 or -SLW_E_NOMEM; what came of it is in the notes. */
int slw_symbols_fetch(struct slw_symbols *s, uint32_t module, enum slw_remote_kind most);

/* Handles of one's own on the files of a module, closed where there is none. 0 or -SLW_E_NOMEM. */
struct slw_elf;
int slw_symbols_reopen(struct slw_symbols *s, uint32_t module, struct slw_elf *ret_image,
                       struct slw_elf *ret_debug);

/* Whether any process tells when its JIT compiler put code where; then which function of which time
 * an address is, as a number that is the same for the same one and at most SLW_MAX_TURN. 0: nobody
 * tells, take slw_symbols_name. */
#define SLW_MAX_TURN ((UINT32_C(1) << 29) - 1)
bool slw_symbols_has_turns(const struct slw_symbols *s);
uint32_t slw_symbols_turn(struct slw_symbols *s, int32_t pid, uint64_t address, uint64_t time_ns);
/* Lent until slw_symbols_free. */
const char *slw_symbols_turn_name(const struct slw_symbols *s, uint32_t turn);

struct slw_symbol;

/* What a map tells of an address of anonymous memory; NULL: nothing, or no memory. Lent until
 * slw_symbols_free. */
const struct slw_symbol *slw_symbols_generated(struct slw_symbols *s, uint32_t module,
                                               uint64_t address);

/* What to show for such a name: C++ and Rust as they were written. The same bytes where nothing is
 * to be demangled. Lent until slw_symbols_free. 0 or -SLW_E_NOMEM. */
int slw_symbols_shown(struct slw_symbols *s, const char *name, const char **ret_shown);

/* Source file and line of an address, from DWARF. Costly: ask for few. "" and 0 when unknown. */
int slw_symbols_line(struct slw_symbols *s, uint32_t module, uint64_t address,
                     const char **ret_file, uint32_t *ret_line);

/* Where an address stands in the source: the calls that the compiler expanded in place there, leaf
 * first, and last the function itself, whose name is left "" (slw_symbols_name has it). Costly: ask
 * for few. */
struct slw_symbols_place {
    const char *name; /* the linker's, or as written */
    const char *file; /* "" unknown */
    uint32_t line;    /* 0 unknown */
};
#define SLW_MAX_PLACES 65 /* deeper nests are cut at the inner end */

/* *ret_count is at least 1. Strings are lent until slw_symbols_free. 0 or -SLW_E_NOMEM. */
int slw_symbols_places(struct slw_symbols *s, uint32_t module, uint64_t address,
                       struct slw_symbols_place ret_places[SLW_MAX_PLACES], size_t *ret_count);

/* Tell the run what could not be named and why. 0 or -SLW_E_NOMEM. */
int slw_symbols_notes(const struct slw_symbols *s, struct slw_run *run);

#endif
