/* SPDX-License-Identifier: MIT */
/* The tables of call frame information of modules, each made when code of it is first met, and what
 * is known of an address of a task. */
#ifndef SLW_ANALYZER_UNWIND_TABLES_H
#define SLW_ANALYZER_UNWIND_TABLES_H

#include "analyzer/elf_file.h"
#include "analyzer/procstate.h"
#include "analyzer/symbols.h"
#include "analyzer/unwind/stack.h"

struct slw_unwind_tables;

/* All lent, and must outlive the tables. NULL: out of memory. */
struct slw_unwind_tables *slw_unwind_tables_new(const struct slw_modules *modules,
                                                const struct slw_symbols_options *opts);
/* Who names generated code: some is known by its name. Lent; without it none is. */
void slw_unwind_tables_set_symbols(struct slw_unwind_tables *t, struct slw_symbols *symbols);
void slw_unwind_tables_free(struct slw_unwind_tables *t); /* NULL allowed */

/* What the addresses of a task mean. Good until records are applied; what else is done with the
 * state of processes does not touch it. */
struct slw_unwind_space {
    const struct slw_mapset *maps;
    uint64_t generation;
    uint32_t process;
};
struct slw_unwind_space slw_unwind_space(const struct slw_procstate *procs,
                                         const struct slw_task *task);

/* Addresses are those of this space from now on. */
void slw_unwind_tables_enter(struct slw_unwind_tables *t, const struct slw_unwind_space *space);

/* A slw_unwind_find for that space. Code of a module whose table could not be made for want of
 * memory has no table: see slw_unwind_tables_failed. */
struct slw_unwind_code slw_unwind_tables_find(void *tables, uint64_t address);

/* What somebody else had of a module that stacks ended in: its image, where none was here, and its
 * debug file; either may be closed. The tables own both. What was found without them is forgotten.
 * 0 or -SLW_E_NOMEM. */
int slw_unwind_tables_mend(struct slw_unwind_tables *t, uint32_t module, struct slw_elf *image,
                           struct slw_elf *debug);

/* The module that lost most stacks, and how; NULL: none lost any, or is left. Told once of each. */
struct slw_unwind_loss {
    const struct slw_module *module;
    uint64_t stacks;
    enum slw_unwound_end end;
};
void slw_unwind_tables_blame(struct slw_unwind_tables *t, const struct slw_unwound *u);
bool slw_unwind_tables_next_loss(struct slw_unwind_tables *t, struct slw_unwind_loss *ret_loss);
void slw_unwind_tables_forgive(struct slw_unwind_tables *t); /* none has lost any */

/* -SLW_E_NOMEM: some table could not be made; 0: all were. */
int slw_unwind_tables_failed(const struct slw_unwind_tables *t);

#endif
