/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the plugin for QEMU's user mode. QEMU loads it; slotwise starts QEMU and never links
 * either, because QEMU is GPL-2.0. Private to sim/qemu/.
 *
 * The threads of the client run at the same time, each on a virtual CPU of its own. Whatever
 * touches a core, the blocks or the file happens under one lock. */
#ifndef SLW_SIM_QEMU_PLUGIN_INT_H
#define SLW_SIM_QEMU_PLUGIN_INT_H

#include "sim/qemu/plugin_abi.h"
#include "sim/result.h"

/* Accesses of one translated block, and mapped files: what comes after is not seen, has no file. */
enum { MAX_ACCESSES = 4096, MAX_MAPPINGS = 4096, MAX_VCPUS = 512 };

/* A translated block: a segment, and the code it was made of. */
struct block {
    struct slw_sim_segment segment;
    uint8_t *code;
    struct block *next; /* of those with the same hash */
};

/* START_AUTO: at once, and again from nothing when the program itself begins, and when it first
 * connects: what came before is forgotten, but for what is in caches and predictors. */
enum start_at { START_AT_ONCE, START_AT_CONNECT, START_AT_REQUEST, START_AUTO };
enum began { BEGAN_WHOLE, BEGAN_PROGRAM, BEGAN_CONNECT, BEGAN_REQUEST };

struct options {
    const char *core_file, *core_name, *out_file, *qemu_version;
    uint64_t period, detail; /* instructions; period 0: everything in detail */
    enum start_at start;
    bool is_repeatable;
};

extern struct options options;
extern struct slw_sim_config config;
extern struct slw_sim_host host;

void fail(const char *what); /* says so and ends the process */

/* translate.c */
void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
bool peek(void *to, uint64_t address, size_t count);         /* the client's memory */
bool poke(uint64_t address, const void *from, size_t count); /* false: it is not there */

/* mappings.c */
uint32_t mapping_of(uint64_t address); /* number; 0: no file */
void mappings_changed(void);
bool is_program(uint32_t number); /* the file that is executed */
void set_base(uint64_t base);     /* the host's address of the client's address 0 */
const struct slw_sim_mapping *all_mappings(uint32_t *ret_count);

/* vcpus.c */
void lock(void);
void unlock(void);
void block_entered(unsigned vcpu, void *block);
void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *index);
void requested(unsigned vcpu, void *unused); /* the code of a client request is executed */
void vcpu_starts(qemu_plugin_id_t id, unsigned vcpu);
void vcpu_ends(qemu_plugin_id_t id, unsigned vcpu);
void start_counting(void);
bool has_started(void);
enum began began_with(void);
void program_begins(struct block *first); /* translated, and entered next */
void connects(void);
void before_fork(void); /* nobody holds the lock in the child */
void after_fork(void);
void forget_parent(void); /* in the child of a fork */
uint32_t live_vcpus(void);
void finish_vcpus(void);
uint64_t instructions_executed(void);
struct slw_sim_core *core_of(uint32_t vcpu); /* NULL: none, or past the last */

/* calls.c */
void make_repeatable(void);
int64_t repeatable_time(void); /* seconds, by the client's clock */
void before_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2,
                 uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);
void after_call(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t result);
void forget_beside(void);
struct slw_sim_beside beside_now(void); /* what the kernel did since */
bool has_exited(void);                  /* by itself, not by a signal */

/* output.c */
void mark_child(void); /* this process was forked: it gets a file of its own */
void write_output(enum slw_sim_ended ended);
void close_output(void); /* nothing is written any more */
void keep_state(void);   /* now and then, for when nobody can write anything any more */

#endif
