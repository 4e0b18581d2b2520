/* SPDX-License-Identifier: MIT */
/* Shared by the symbols*.c files. */
#ifndef SLW_ANALYZER_SYMBOLS_INT_H
#define SLW_ANALYZER_SYMBOLS_INT_H

#include "analyzer/demangle.h"
#include "analyzer/elf_file.h"
#include "analyzer/inlined.h"
#include "analyzer/symbols.h"

#define SLW_DEFAULT_DEBUG_DIR "/usr/lib/debug" /* where distributions put separate debug files */

/* Why a module has no names. */
enum slw_symbols_problem {
    SLW_SYMBOLS_FINE,
    SLW_SYMBOLS_MISSING,   /* no such file here */
    SLW_SYMBOLS_REPLACED,  /* another file by that name */
    SLW_SYMBOLS_UNCHECKED, /* recorded elsewhere, and nothing to tell whether this is the file */
    SLW_SYMBOLS_NO_DEBUG,  /* the file is fine, its separate debug file cannot be read */
    SLW_SYMBOLS_NO_DWARF,  /* has names, but its lines and inlined calls cannot be read */
    SLW_SYMBOLS_HIDDEN,    /* kernel addresses are withheld */
    SLW_SYMBOLS_ELSEWHERE, /* another kernel, or another boot of it */
    /* Of what a JIT compiler left; the last two give names all the same. */
    SLW_SYMBOLS_JIT_FOREIGN, /* written by somebody else */
    SLW_SYMBOLS_JIT_STALE,   /* of a process that had the number before */
    SLW_SYMBOLS_JIT_HUGE,    /* read in part */
    SLW_SYMBOLS_JIT_REUSED   /* several functions lay at one address in turns */
};

/* What came of asking others for a file. */
enum slw_symbols_remote {
    SLW_SYMBOLS_NOT_ASKED,
    SLW_SYMBOLS_FETCHED,
    SLW_SYMBOLS_NOBODY_HAS,
    SLW_SYMBOLS_SPENT,
    SLW_SYMBOLS_UNREACHED,
    SLW_SYMBOLS_REMOTE_COUNT
};

struct slw_symbols_module {
    bool loaded;
    enum slw_symbols_problem problem;
    struct slw_symtab table;
    struct slw_elf elf, debug;
    bool proven; /* elf was mapped: the recorded build id says so, or device and inode do */
    struct slw_elf former; /* what debug was before a better one came; names point into it */
    enum slw_symbols_remote remote;
    bool asked[2];  /* by enum slw_remote_kind */
    int32_t inside; /* the process by way of whose root directory the file was opened; 0: ours */
    char *text;     /* names of a text table point into it */
    struct slw_elf lines; /* opened for its DWARF alone */
    bool lines_tried;
    Dwarf *dwarf;                /* of one of the three; NULL: none */
    struct slw_inlined *inlined; /* of it */
};

struct slw_symbols {
    struct slw_arena *arena;
    struct slw_demangler *demangler;
    const struct slw_modules *modules;
    struct slw_symbols_options opts;
    uint64_t kernel_text;
    struct slw_symbols_module *loaded; /* by module position */
    uint32_t loaded_capacity;
    struct slw_symbols_module kernel; /* one table for the kernel and its modules */
    struct slw_kernel_reader *reader; /* fills it; NULL: none at work */
    struct slw_symbols_ahead *ahead;  /* builds tables meanwhile; NULL: nobody does */
    struct slw_symbols_turns *turns;  /* JIT code by time; NULL: nobody asked */
    struct slw_kernel_cache *cache;   /* tells most of the same, sooner; NULL: nothing is kept */
};

/* What loading a module needs besides it. Threads have one each. */
struct slw_symbols_loader {
    const struct slw_symbols_options *opts;
    struct slw_arena *arena;
};

/* Fill *ret_module, which is zeroed: table finished, or the problem. Not for the kernel. 0 or
 * -SLW_E_NOMEM, -SLW_E_LIMIT; release in any case. */
int slw_symbols_load_module(const struct slw_symbols_loader *by, const struct slw_module *m,
                            struct slw_symbols_module *ret_module);
void slw_symbols_module_release(struct slw_symbols_module *m);

/* The table of an open file, with l->debug where that is open; not finished. 0, -SLW_E_NOMEM,
 * -SLW_E_LIMIT. */
int slw_symbols_read_tables(const struct slw_symbols_loader *by, struct slw_symbols_module *l);

/* Open what a FILE or the VDSO was mapped from, if it is still what ran; only then is *ret_elf
 * written. */
enum slw_symbols_problem slw_symbols_open_module(const struct slw_symbols_options *opts,
                                                 const struct slw_module *m,
                                                 struct slw_elf *ret_elf);

/* symbols_ahead.c: the result of a table that was expected; false: nobody has built it. */
bool slw_symbols_take(struct slw_symbols *s, uint32_t module, struct slw_symbols_module *ret_result,
                      int *ret_rc);
void slw_symbols_forget_ahead(struct slw_symbols *s);

/* The same, into l->elf, for who asks for its debug file next. */
enum slw_symbols_problem slw_symbols_open_image(const struct slw_symbols_options *opts,
                                                const struct slw_module *m,
                                                struct slw_symbols_module *l);

/* symbols_files.c: l->elf is opened, or the problem told. */
enum slw_symbols_problem slw_symbols_open_file(const struct slw_symbols_options *opts,
                                               const struct slw_module *m,
                                               struct slw_symbols_module *l);
/* As slw_elf_open_debug, of a module that is open. */
int slw_symbols_open_debug(const struct slw_symbols_options *opts, const struct slw_module *m,
                           const struct slw_symbols_module *l, struct slw_elf *ret_debug,
                           char **ret_path);

/* symbols_jit.c: the table of anonymous memory, finished, or the problem. 0 or -SLW_E_NOMEM. */
int slw_symbols_load_jit(struct slw_symbols *s, const struct slw_module *m,
                         struct slw_symbols_module *l);

/* What the process wrote to `named`, to be closed; -1: there is none to be believed. */
int slw_symbols_open_jitdump(const struct slw_symbols *s, int32_t pid, const char *named,
                             enum slw_symbols_problem *problem);

/* symbols_turns.c */
void slw_symbols_forget_turns(struct slw_symbols *s);

/* symbols_kernel.c: find out where the names of the kernel come from. 0 or -SLW_E_NOMEM. */
int slw_symbols_load_kernel(struct slw_symbols *s);

/* The kernel's name for an address, "" when it has none; *problem is set when its table turns out
 * to be of no use. Lent until slw_symbols_free. 0 or -SLW_E_NOMEM. */
int slw_symbols_kernel_name(struct slw_symbols *s, uint64_t address, const char **ret_name,
                            enum slw_symbols_problem *problem);
void slw_symbols_forget_kernel(struct slw_symbols *s); /* wait for a reader nobody needs */

/* symbols_lines.c */
void slw_symbols_close_lines(struct slw_symbols_module *l);

/* The module's state, loaded. NULL: out of memory. */
struct slw_symbols_module *slw_symbols_loaded(struct slw_symbols *s, uint32_t module);

#endif
