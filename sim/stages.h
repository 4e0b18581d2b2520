/* SPDX-License-Identifier: MIT */
/* Stages that the client marks (include/slotwise/stage.h). A mark is a nop with a note in the file
 * it is in, behind a counter that says whether somebody looks. A carrier switches the counter on
 * and puts something in place of the nop with which a segment ends, so that what ran before a mark
 * and after it are apart to the instruction. Freestanding, for every carrier. Not for: how a
 * carrier changes the client's code; the file of counts (result.h). */
#ifndef SLW_SIM_STAGES_H
#define SLW_SIM_STAGES_H

#include "sim/result.h"

#define SLW_SIM_STAGES_THREADS 512u
#define SLW_SIM_MARK_BYTES     5u /* of the nop */

extern const uint8_t slw_sim_mark_nop[SLW_SIM_MARK_BYTES];

struct slw_sim_stages_host {
    void *(*allocate)(size_t bytes); /* zeroed, never NULL */
    void (*release)(void *memory);
    bool (*read_file)(void *file, void *to, size_t size, uint64_t offset);
    /* Make a mark of this nop, then set the counter (two bytes); false: it cannot be, and nothing
     * is changed. */
    bool (*switch_on)(uint64_t nop, uint64_t counter);
    struct slw_sim_core *(*core_of)(uint32_t thread); /* of one that has run */
    void (*begins)(void);                             /* a stage does: counting may */
};

struct slw_sim_stages;

struct slw_sim_stages *slw_sim_stages_new(const struct slw_sim_stages_host *host);

/* Look for marks in a file that code was mapped from, once for each mapping. `file` is for
 * read_file. */
void slw_sim_stages_look(struct slw_sim_stages *s, const struct slw_sim_mapping *mapping,
                         void *file);

bool slw_sim_stages_any(const struct slw_sim_stages *s);

/* The mark at this address, from 1; 0: there is none. */
uint32_t slw_sim_stages_mark_at(const struct slw_sim_stages *s, uint64_t address);

/* The thread came to a mark, and all before it is simulated. `batch` is what the mark says where a
 * stage begins: the client's register rdi. */
void slw_sim_stages_marked(struct slw_sim_stages *s, uint32_t thread, uint32_t mark,
                           uint64_t batch);

/* Counting begins anew: what is open then has no beginning that counts. */
void slw_sim_stages_forget(struct slw_sim_stages *s);

/* The thread ends. */
void slw_sim_stages_forget_open(struct slw_sim_stages *s, uint32_t thread);

const struct slw_sim_staged *slw_sim_stages_all(const struct slw_sim_stages *s, size_t *ret_count);

#endif
