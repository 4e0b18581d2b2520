/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the plugin for QEMU's user mode. QEMU loads it; slotwise starts QEMU and never links
 * either, because QEMU is GPL-2.0. Private to sim/qemu/.
 *
 * The threads of the client run at the same time, each on a virtual CPU of its own. Whatever
 * touches a core, the blocks or the file happens under one lock. */
#ifndef SLW_SIM_QEMU_PLUGIN_INT_H
#define SLW_SIM_QEMU_PLUGIN_INT_H

#include "sim/counting.h"
#include "sim/qemu/plugin_abi.h"

/* Accesses of one translated block, and mapped files: what comes after is not seen, has no file. */
enum { MAX_ACCESSES = 4096, MAX_MAPPINGS = 4096, MAX_VCPUS = 512 };

/* A translated block: a segment, and the code it was made of. */
struct block {
    struct slw_sim_segment segment;
    uint8_t *code;
    size_t code_bytes;
    uint32_t mark;      /* of a stage, which ends the block; 0: none */
    bool is_tap;        /* of a library that slotwise preloads */
    bool is_replay;     /* of the one that answers in place of a server */
    struct block *next; /* of those with the same hash */
};

/* Of one execution of a block, in program order. */
struct accesses {
    uint32_t count;
    struct slw_sim_access all[MAX_ACCESSES];
};

/* What is kept of a thread while slotwise's own library runs, of which nothing is simulated. */
struct in_tap {
    bool is_in;
    bool is_replay;      /* it came to the library that answers in place of a server */
    uint64_t slot;       /* where it returns to its caller */
    struct block *entry; /* the function that was called, and the last block that ran */
    struct block *last;
    struct accesses accesses; /* of that one */
};

struct vcpu {
    unsigned number;
    struct slw_sim_core *core;
    struct block *pending; /* executed, not yet simulated */
    struct accesses ours;  /* of it */
    struct block *running; /* the pending one, or one of the tap, and where its accesses go */
    struct accesses *accesses;
    uint64_t batch; /* what the last mark of a stage said */
    struct in_tap tap;
    struct answer *answer; /* tap.c */
};

struct options {
    const char *core_file, *core_name, *out_file, *qemu_version;
    const char *launcher;    /* NULL: what is executed is not followed */
    uint64_t period, detail; /* instructions; period 0: everything in detail */
    enum slw_sim_start start;
    bool is_repeatable;
};

extern struct options options;
extern struct slw_sim_config config;
extern struct slw_sim_counting counting;
extern struct slw_sim_host host;

void fail(const char *what); /* says so and ends the process */

/* translate.c */
void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
bool peek(void *to, uint64_t address, size_t count);         /* the client's memory */
bool poke(uint64_t address, const void *from, size_t count); /* false: it is not there */
char *at_host(uint64_t address);

/* mappings.c */
uint32_t mapping_of(uint64_t address); /* number; 0: no file */
void mappings_changed(void);
bool is_program(uint32_t number);                   /* the file that is executed */
const char *program_path(void);                     /* NULL: not known */
bool is_library(uint32_t number, const char *name); /* whether its path ends so */
void set_base(uint64_t base); /* the host's address of the client's address 0 */
const struct slw_sim_mapping *all_mappings(uint32_t *ret_count);

/* tap.c */
bool tap_takes(struct vcpu *v, struct block *block); /* entered: true: it is not simulated */
void tap_stands_for(uint64_t function);

/* stages.c: marks are looked for in each file that code comes from. */
struct slw_sim_stages *new_stages(void);
void look_for_marks(const struct slw_sim_mapping *mapping);

/* vcpus.c */
void simulate(struct vcpu *v, const struct slw_sim_segment *next); /* the pending block */
void lock(void);
void unlock(void);
void block_entered(unsigned vcpu, void *block);
void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *index);
void requested(unsigned vcpu, void *unused); /* the code of a client request is executed */
void batch_told(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *unused);
void vcpu_starts(qemu_plugin_id_t id, unsigned vcpu);
void vcpu_ends(qemu_plugin_id_t id, unsigned vcpu);
void let_tap_count(bool on);
void program_begins(struct block *first); /* translated, and entered next */
void before_fork(void);                   /* nobody holds the lock in the child */
void after_fork(void);
void forget_parent(void); /* in the child of a fork */
uint32_t live_vcpus(void);
void finish_vcpus(void);
uint64_t instructions_executed(void);
bool is_in_tap(uint32_t vcpu);
struct slw_sim_core *core_of(uint32_t vcpu); /* NULL: none, or past the last */

/* calls.c */
void make_repeatable(void);
void answered_call(void);      /* without the kernel */
bool has_timers(void);         /* set by the client, going off by the real clock */
int64_t repeatable_time(void); /* seconds, by the client's clock */
void before_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2,
                 uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);
void after_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t result);
void forget_beside(void);
void forget_beside_of_parent(void);
struct slw_sim_beside beside_now(void); /* what the kernel did since */
bool has_exited(void);                  /* by itself, not by a signal */

/* execute.c: instead of the client's own call; returns where that has to be made. */
struct executed {
    uint64_t path, arguments, environment;
    int folder, flags; /* of execveat */
};

void execute(const struct executed *e);

/* output.c */
void mark_child(void); /* this process was forked: it gets a file of its own */
bool output_of_program(char *name, size_t size); /* for what this process executes */
void write_output(enum slw_sim_ended ended);
void close_output(void); /* nothing is written any more */
void keep_state(void);   /* now and then, for when nobody can write anything any more */

#endif
