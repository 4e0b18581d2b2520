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

#include "sim/core.h"

/* Accesses of one superblock, of VEX's at most 60 instructions; what comes after is not seen. */
#define MAX_ACCESSES 1024

/* Valgrind numbers threads from 1 and uses numbers again. */
#define MAX_THREADS 512

/* Mapped files; the functions of later ones have no file. */
#define MAX_OBJECTS 4096

/* A translated superblock. Its code stores the addresses of its accesses right here. */
struct block {
    struct slw_sim_segment segment;
    struct slw_sim_access *accesses;
    UInt access_count;
    Bool is_partial; /* some accesses may not happen: those keep the address 0 */
    Bool is_tap;     /* of the library that slotwise preloads to count requests */
};

struct object {
    Addr start, end;
    ULong offset;
    HChar *path;
};

/* START_AUTO: at once, and again from nothing when the program itself begins, and when it first
 * connects: what came before is forgotten, but for what is in caches and predictors. */
enum start_at { START_AT_ONCE, START_AT_CONNECT, START_AT_REQUEST, START_AUTO };
enum began { BEGAN_WHOLE, BEGAN_PROGRAM, BEGAN_CONNECT, BEGAN_REQUEST };

struct options {
    const HChar *core_file, *core_name, *out_file;
    Int period, detail; /* instructions; period 0: everything in detail */
    enum start_at start;
    Bool repeatable;
};

extern struct options options;
extern struct slw_sim_config config;
extern struct slw_sim_host host;

/* instrument.c */
IRSB *instrument(VgCallbackClosure *closure, IRSB *in, const VexGuestLayout *layout,
                 const VexGuestExtents *extents, const VexArchInfo *arch, IRType guest_word,
                 IRType host_word);
UInt object_count(void); /* numbered from 1 */
const struct object *object_at(UInt number);

/* threads.c: who runs, and what it just ran. */
VG_REGPARM(1) void block_entered(struct block *block);
VG_REGPARM(1) void tap_entered(struct block *block);
void tap_stands_for(Addr function);
void thread_runs(ThreadId thread, ULong blocks_done);
void thread_ends(ThreadId thread);
void start_counting(void);
void stop_counting(void);
Bool has_started(void);
enum began began_with(void);
void program_begins(struct block *first); /* translated, and entered next */
void connects(void);
void forget_parent(ThreadId thread); /* in the child of a fork */
ULong instructions_executed(void);
struct slw_sim_core *core_of(UInt thread); /* NULL: none, or past the last */
void finish_threads(void);

/* repeatable.c: a clock that follows the simulation, and random bytes that do not differ. */
void before_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count);
void after_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count, SysRes result);

/* beside.c: what the kernel did for the client since counting began. It is not simulated. */
struct beside {
    ULong kernel_ns;           /* CPU time in system calls */
    ULong switches;            /* times it waited in them */
    ULong bytes_in, bytes_out; /* that read and write, and their like, moved */
};
void beside_before(ThreadId thread);
void beside_after(ThreadId thread, UInt number, SysRes result);
void beside_forget(void);
struct beside beside_now(void);

/* output.c */
void write_output(Bool is_fork);

#endif
