/* SPDX-License-Identifier: MIT */
/* The simulated core: instructions with their data addresses go in, in program order, and every
 * slot of a described core comes out with its reason, for each calling context. Freestanding C: it
 * needs nothing but memcpy and memset, so that it can live inside Valgrind. Not for: following a
 * program (the carriers beside it), names of functions, files.
 *
 * A carrier hands over segments: runs of instructions that are entered at the top and left at the
 * end. It decodes each instruction once (slw_sim_decode), prepares the segment once
 * (slw_sim_prepare), and calls slw_sim_step for each execution of it, when it knows which segment
 * came next. */
#ifndef SLW_SIM_CORE_H
#define SLW_SIM_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slw_sim_slot {
#define SLW_SIM_SLOT(NAME, text) SLW_SIM_##NAME,
#include "sim/slots.def"
#undef SLW_SIM_SLOT
    SLW_SIM_SLOT_COUNT
};

enum slw_sim_event {
#define SLW_SIM_EVENT(NAME, text) SLW_SIM_##NAME,
#include "sim/events.def"
#undef SLW_SIM_EVENT
    SLW_SIM_EVENT_COUNT
};

extern const char *const slw_sim_slot_names[SLW_SIM_SLOT_COUNT];
extern const char *const slw_sim_event_names[SLW_SIM_EVENT_COUNT];

/* A described core. */
struct slw_sim_config {
#define SLW_SIM_PARAMETER(name, least, most, unit) uint32_t name;
#include "sim/parameters.def"
#undef SLW_SIM_PARAMETER
};

/* Read "NAME VALUE" lines, each parameter once; '#' starts a comment line. Returns 0, or the number
 * of the line that is wrong (one past the last when a parameter is missing or two do not fit
 * together), with the reason in *ret_why. */
size_t slw_sim_config_parse(const char *text, size_t length, struct slw_sim_config *ret_config,
                            const char **ret_why);

/* What is wrong with the values; NULL: nothing. */
const char *slw_sim_config_fault(const struct slw_sim_config *config);

/* Registers by number: 0-15 general, 16-47 vector, then these. */
enum {
    SLW_SIM_VECTOR = 16,
    SLW_SIM_FLAGS = 48,
    SLW_SIM_X87 = 49,
    SLW_SIM_NEVER_READ = 62, /* by prepare: where results go that have no register */
    SLW_SIM_NO_REGISTER = 63,
    SLW_SIM_REGISTER_COUNT = 64
};

enum slw_sim_branch {
    SLW_SIM_NO_BRANCH,
    SLW_SIM_CONDITIONAL,
    SLW_SIM_JUMP,
    SLW_SIM_JUMP_INDIRECT,
    SLW_SIM_CALL,
    SLW_SIM_CALL_INDIRECT,
    SLW_SIM_RETURN,
    SLW_SIM_SYSCALL
};

/* What executes a micro-op. */
enum slw_sim_unit {
    SLW_SIM_UNIT_NONE, /* a nop or a zeroing idiom: a slot and nothing more */
    SLW_SIM_UNIT_MOVE, /* a load, a store or a move, without any work of its own */
    SLW_SIM_UNIT_ALU,
    SLW_SIM_UNIT_BRANCH,
    SLW_SIM_UNIT_MUL,
    SLW_SIM_UNIT_DIV32,
    SLW_SIM_UNIT_DIV64,
    SLW_SIM_UNIT_FP,
    SLW_SIM_UNIT_FP_DIVIDE,
    SLW_SIM_UNIT_VECTOR,
    SLW_SIM_UNIT_LOCKED,
    SLW_SIM_UNIT_SERIAL, /* waits for everything before it and holds up everything after it */
    SLW_SIM_UNIT_COUNT
};

/* Bits of slw_sim_instruction.is. */
enum {
    SLW_SIM_LOADS_DATA = 1,
    SLW_SIM_STORES_DATA = 2,
    SLW_SIM_WRITES_FLAGS = 4,
    SLW_SIM_REPEATS = 8, /* rep: each execution is one round */
    SLW_SIM_PUSHES = 16, /* what it stores is known when it is allocated: a return address */
    SLW_SIM_FUSED = 32,  /* by prepare: shares the slot of the compare before it */
    SLW_SIM_GROUP = 64,  /* by prepare: the first of its fetch window in this segment */
    SLW_SIM_SIMPLE = 128 /* by prepare: one micro-op, and no access of the segment is its own */
};

/* Which way through the back end an instruction takes. */
enum slw_sim_path {
    SLW_SIM_PATH_GENERAL, /* any number of micro-ops and accesses */
    SLW_SIM_PATH_ON_PORT, /* the others are one micro-op each */
    SLW_SIM_PATH_WITHOUT_PORT,
    SLW_SIM_PATH_FUSED,
    SLW_SIM_PATH_LOAD,
    SLW_SIM_PATH_LOAD_AND_WORK,
    SLW_SIM_PATH_STORE
};

/* What begins a fetch window. By the core: where its micro-ops and its code were last time, which
 * may be wrong. */
struct slw_sim_group {
    uint8_t lines, bytes; /* by prepare: of the micro-op cache, and of code */
    uint16_t uops_place, line_place;
};

struct slw_sim_instruction {
    uint64_t address;
    uint8_t length; /* bytes */
    uint8_t unit;   /* enum slw_sim_unit */
    uint8_t branch; /* enum slw_sim_branch */
    uint8_t is;     /* SLW_SIM_LOADS_DATA... */
    uint8_t uops;
    uint8_t latency; /* decode: cycles beyond those of the unit; prepare: all of them */
    uint8_t busy;    /* by prepare: cycles the divider is taken */
    union {
        uint8_t source_count;  /* by decode */
        uint8_t flags_written; /* by prepare: what flags are written to, or a register never read */
    };
    union {
        uint8_t address_count; /* by decode */
        uint8_t most_uops;     /* by prepare, with SLW_SIM_GROUP: slots the group takes at most, or
                                  UINT8_MAX */
    };
    uint8_t sources[4];   /* registers read, but for addresses; SLW_SIM_NO_REGISTER: none */
    uint8_t addresses[2]; /* registers the addresses of its loads and stores are made of */
    uint8_t targets[2];   /* registers written */
    uint8_t group_next;   /* by prepare, of a SLW_SIM_GROUP: how far on the next one is; 0: none */
    uint8_t path;   /* by prepare: enum slw_sim_path, with the accesses it was prepared with */
    uint16_t ports; /* by prepare */
    struct slw_sim_group group; /* with SLW_SIM_GROUP, but of the first one: that of the segment */
};

/* Say what one x86-64 instruction does, as far as a core model needs it. Returns its length, or 0
 * when the bytes are cut short or are no instruction this knows. Not followed: the mask registers
 * of AVX-512; MMX registers count as the vector registers of the same number. */
size_t slw_sim_decode(const uint8_t *bytes, size_t length, uint64_t address,
                      struct slw_sim_instruction *ret_instruction);

/* A data access: which instruction of the segment, and where. */
struct slw_sim_access {
    uint64_t address;
    uint16_t index;
    uint8_t bytes; /* 0: unknown, taken as inside one line */
    uint8_t is_store;
};

struct slw_sim_node;

/* With all that an execution needs that is not timed, for most segments: less than a line of the
 * host's caches. */
struct slw_sim_segment {
    uint64_t address;
    struct slw_sim_instruction *instructions;
    struct slw_sim_node *entered; /* by the core: what it called or jumped into last */
    uint32_t count, bytes;
    uint32_t object;            /* the carrier's number of the mapped file; 0: none */
    uint32_t stores;            /* by prepare: among the accesses it was prepared with */
    struct slw_sim_group group; /* of its first instruction */
    /* By the core: where the target of its branch was last time in both levels of the buffer, which
     * may be wrong. */
    uint16_t target_place, near_place;
    uint8_t branch, branch_length; /* by prepare: of its last instruction */
    uint8_t group_next;            /* by prepare: of its first one */
    bool is_fixed; /* by the carrier: each execution has these accesses and no others */
    bool leaves;   /* by prepare: may end in another function: a call, return, indirect jump */
};

static inline struct slw_sim_group *slw_sim_group_of(struct slw_sim_segment *segment,
                                                     struct slw_sim_instruction *in)
{
    return in == segment->instructions ? &segment->group : &in->group;
}

/* Fill in what depends on the core: windows, fusion, latencies, ports. Decode must have filled
 * instructions[0..count), address and count are set; `accesses` is any execution's, or one with all
 * that may happen (their addresses are not looked at). */
void slw_sim_prepare(const struct slw_sim_config *config, struct slw_sim_segment *segment,
                     const struct slw_sim_access *accesses, size_t access_count);

/* An instruction that does nothing, in place of one that cannot be decoded. */
void slw_sim_unknown(uint64_t address, uint8_t length, struct slw_sim_instruction *ret_instruction);

/* What the model asks of whoever carries it. */
struct slw_sim_host {
    void *(*allocate)(size_t bytes); /* zeroed, never NULL, never freed */
    /* An invariant broke: must not return. */
    void (*broken)(const char *what);
};

/* A calling context. Counts are its own, without those of what it called. */
struct slw_sim_node {
    uint64_t function; /* where it was entered; 0: the root */
    uint32_t object, id;
    struct slw_sim_node *parent, *child, *sibling;
    uint64_t instructions, l1i_misses;
    uint64_t slots[SLW_SIM_SLOT_COUNT];
};

/* Contexts of one thread; a call past them stays in its caller and is counted as such. */
#define SLW_SIM_MAX_NODES  400000u
#define SLW_SIM_MAX_FRAMES 4096u /* depth of a call path, for the same reason */

struct slw_sim_core;   /* one hardware thread */
struct slw_sim_shared; /* what threads share: the last-level cache */

struct slw_sim_shared *slw_sim_shared_new(const struct slw_sim_config *config,
                                          const struct slw_sim_host *host);
struct slw_sim_core *slw_sim_core_new(const struct slw_sim_config *config,
                                      const struct slw_sim_host *host,
                                      struct slw_sim_shared *shared);

/* Of every `period` instructions `detail` in a row are timed, the others only keep caches and
 * predictors warm: of the first period the first ones, later ones chosen at random, the same in
 * each run (a stratified sample; Cochran, Sampling Techniques, chapter 5). period 0: all are timed.
 */
void slw_sim_sample(struct slw_sim_core *core, uint64_t period, uint64_t detail);

/* Execute `segment`, whose accesses are in program order; `next` is executed after it (NULL: the
 * thread ends). */
void slw_sim_step(struct slw_sim_core *core, struct slw_sim_segment *segment,
                  const struct slw_sim_access *accesses, size_t access_count,
                  const struct slw_sim_segment *next);

/* Forget what was counted, not what caches, predictors and the call stack hold. */
void slw_sim_restart(struct slw_sim_core *core);

/* Every 20th timed window, from one of the first 20 on: a sample of the same kind as all of them
 * together, so that how much these differ tells how far off all may be (interpenetrating
 * subsamples; Mahalanobis 1946; Wolter, Introduction to Variance Estimation, chapter 2). */
enum { SLW_SIM_SUBSAMPLES = 20 };

struct slw_sim_subsample {
    uint64_t windows; /* that are over */
    uint64_t instructions, cycles, slots[SLW_SIM_SLOT_COUNT];
};

struct slw_sim_totals {
    uint64_t cycles, detailed_instructions;
    uint64_t events[SLW_SIM_EVENT_COUNT];
    uint64_t slots[SLW_SIM_SLOT_COUNT];
    uint64_t calls_unfollowed; /* past SLW_SIM_MAX_NODES or _FRAMES */
    uint64_t node_count;
    struct slw_sim_subsample subsamples[SLW_SIM_SUBSAMPLES];
};

/* The counts so far. Closes the cycle under way, so that the slots are width * cycles exactly. */
void slw_sim_finish(struct slw_sim_core *core, struct slw_sim_totals *ret_totals);

/* Right after slw_sim_finish: as if it had not been called, so that looking changes nothing. */
void slw_sim_reopen(struct slw_sim_core *core);

/* What was counted until now, without closing anything: of the cycle under way the slots so far. */
void slw_sim_read(const struct slw_sim_core *core, struct slw_sim_totals *ret_totals);

uint64_t slw_sim_now(const struct slw_sim_core *core); /* cycles since it was made */

/* The stack address the innermost call pushed its return address to; 0: not known, for there is
 * none, or the path is deeper than is followed. */
uint64_t slw_sim_innermost_slot(const struct slw_sim_core *core);

/* The contexts in pre-order, without recursion: the root, then what follows `node`; NULL: no more.
 */
const struct slw_sim_node *slw_sim_root(const struct slw_sim_core *core);
const struct slw_sim_node *slw_sim_next_node(const struct slw_sim_node *node);

#endif
