/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the Valgrind tool. It is a program of its own: slotwise starts it and never links
 * it, because Valgrind's core and VEX, which it links, are GPL-2.0-or-later. Private to
 * sim/valgrind/. */
#ifndef SLW_SIM_VALGRIND_TOOL_INT_H
#define SLW_SIM_VALGRIND_TOOL_INT_H

#include "pub_tool_basics.h"
#include "pub_tool_clreq.h"
#include "pub_tool_libcassert.h"
#include "pub_tool_libcbase.h"
#include "pub_tool_libcfile.h"
#include "pub_tool_libcprint.h"
#include "pub_tool_libcproc.h"
#include "pub_tool_mallocfree.h"
#include "pub_tool_options.h"
#include "pub_tool_threadstate.h"
#include "pub_tool_tooliface.h"

#include "sim/counting.h"

/* Accesses of one superblock, of VEX's at most 60 instructions; what comes after is not seen. */
#define MAX_ACCESSES 1024

/* Mapped files; the functions of later ones have no file. */
#define MAX_OBJECTS 4096

/* Bytes of a line of the host's caches, and the first one at or after an address. */
#define HOST_LINE 64

static inline UWord at_host_line(UWord address)
{
    return (address + HOST_LINE - 1) & ~(UWord)(HOST_LINE - 1);
}

/* Valgrind numbers threads from 1 and uses numbers again. */
#define MAX_THREADS 512

/* A translated superblock, which begins a line of the host's caches: most that are not timed need
 * that line, and their accesses, and nothing else. */
struct block {
    struct slw_sim_segment segment;
    UInt access_count;
    Bool is_plain;   /* neither partial, nor with a mark */
    Bool is_partial; /* some accesses may not happen: those keep the address 0 */
    Bool is_tap;     /* of a library that slotwise preloads */
    Bool is_replay;  /* of the one that answers in place of a server */
    UInt mark;       /* of a stage, which ends the block: stages.c, index + 1; 0: none */
    UShort most_accesses;
    UShort behind;                    /* bytes from the start of what was allocated */
    struct block *next_of_name;       /* discard.c */
    struct slw_sim_access accesses[]; /* its code stores their addresses right here */
};

_Static_assert(__builtin_offsetof(struct block, mark) == HOST_LINE, "all of it is in one line");

struct options {
    const HChar *core_file, *core_name, *out_file;
    Int period, detail; /* instructions; period 0: everything in detail */
    enum slw_sim_start start;
    Bool repeatable;
};

extern struct options options;
extern struct slw_sim_config config;
extern struct slw_sim_counting counting;
extern struct slw_sim_host host;

/* instrument.c */
IRSB *instrument(VgCallbackClosure *closure, IRSB *in, const VexGuestLayout *layout,
                 const VexGuestExtents *extents, const VexArchInfo *arch, IRType guest_word,
                 IRType host_word);
UInt mapping_count(void);
const struct slw_sim_mapping *all_mappings(void);

struct block *new_block(UInt instructions, UInt accesses); /* with room for so many */
void free_block(struct block *b);

/* threads.c: who runs, and what it just ran. */
VG_REGPARM(1) void block_entered(struct block *block);
VG_REGPARM(1) void partial_entered(struct block *block);
VG_REGPARM(1) void tap_entered(struct block *block);
void tap_stands_for(Addr function);
void thread_runs(ThreadId thread, ULong blocks_done);
void thread_ends(ThreadId thread);
void program_begins(struct block *first); /* translated, and entered next */
void forget_parent(ThreadId thread);      /* in the child of a fork */
uint64_t instructions_executed(void);
Bool is_in_tap(ThreadId thread);
struct slw_sim_core *core_of(UInt thread); /* NULL: none, or past the last */
void finish_running(void);
void finish_threads(void);

/* repeatable.c: system calls, and what else a client learns of time and chance. */
void make_repeatable(void);
void answered_call(void);           /* without the kernel */
Bool has_timers(void);              /* set by the client, going off by the real clock */
void replace_helper(IRDirty *call); /* of rdtsc, rdrand and their kind */
void before_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count);
void after_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count, SysRes result);

/* beside.c: what the kernel did for the client since counting began. It is not simulated. */
void beside_before(ThreadId thread, UInt number);
void beside_after(ThreadId thread, UInt number, SysRes result);
void beside_forget(void);
void beside_forget_parent(void);
struct slw_sim_beside beside_now(void);

UWord ask_kernel(UWord number, UWord first, UWord second, UWord third); /* for the tool itself */
Bool call_receives(UInt number);
Bool call_sends(UInt number);

/* answers.c: with --det, what servers owe. */
void answers_connected(UWord file);
void answers_before(UInt number, const UWord *arguments);
void answers_after(UInt number, const UWord *arguments, SysRes result);

/* stages.c: marks are looked for in each file that code comes from. */
struct slw_sim_stages *new_stages(void);
void look_for_marks(const struct slw_sim_mapping *mapping);
UInt mark_at(Addr address); /* index + 1; 0: none */
void marked(ThreadId thread, UInt mark);

Bool is_looked_at(const struct block *block); /* by some thread, as the last one it ran */

/* discard.c: of closure->nraddr, the name of the translation. */
void block_is_made(struct block *block, Addr name);
void translation_goes(Addr name, VexGuestExtents extents);

/* output.c */
void mark_child(void);      /* this process was forked: it gets a file of its own */
void mark_exit(Bool exits); /* the client is on its way out by itself */
void write_output(void);
void keep_state(void); /* now and then, for when nobody can write anything any more */

#endif
