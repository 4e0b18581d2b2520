/* SPDX-License-Identifier: MIT */
/* --det: the same run every time. The client sees a clock that follows the instructions it executed
 * and the system calls it made, and random bytes from a fixed sequence; a deadline it waits for is
 * translated to the real clock and back. Freestanding, for every carrier that can look at system
 * calls (those of Linux on x86-64). Not for: what a server answers and when (the replay). */
#ifndef SLW_SIM_REPEATABLE_H
#define SLW_SIM_REPEATABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLW_SIM_REPEATABLE_THREADS 512u
#define SLW_SIM_REPEATABLE_FILES   1024u

/* For called(): of an answer without the kernel. */
#define SLW_SIM_REPEATABLE_ANY_CALL UINT64_MAX

/* The client's memory, which may not be there, and real time. */
struct slw_sim_repeatable_host {
    bool (*peek)(void *to, uint64_t address, size_t count);
    bool (*poke)(uint64_t address, const void *from, size_t count);
    uint64_t (*instructions)(void);        /* executed so far, by all threads */
    uint64_t (*real_ns)(bool is_realtime); /* CLOCK_REALTIME or CLOCK_MONOTONIC */
};

/* What a thread waits for while its system call runs. */
struct slw_sim_wait {
    uint64_t span;    /* nanoseconds it waits at most; 0: none, or for ever */
    uint64_t address; /* of a deadline, which was rewritten; 0: none */
    uint64_t ns;      /* the deadline by the client's clock */
    int64_t original[2];
};

struct slw_sim_repeatable {
    struct slw_sim_repeatable_host host;
    uint64_t clock_ns, counted;
    uint64_t random_state;
    uint64_t random_files[SLW_SIM_REPEATABLE_FILES / 64]; /* descriptors, a bit each */
    struct slw_sim_wait waits[SLW_SIM_REPEATABLE_THREADS];
    bool has_timers; /* one was set that goes off by the real clock */
};

void slw_sim_repeatable_init(struct slw_sim_repeatable *r,
                             const struct slw_sim_repeatable_host *host);

/* Around each system call. `result` is as the kernel gives it, -errno for an error; after() returns
 * what the client should see instead (most often the same). */
void slw_sim_repeatable_before(struct slw_sim_repeatable *r, uint32_t thread, uint64_t number,
                               const uint64_t *arguments);
int64_t slw_sim_repeatable_after(struct slw_sim_repeatable *r, uint32_t thread, uint64_t number,
                                 const uint64_t *arguments, int64_t result);

/* A system call of the client is over, or was answered without the kernel: its time passes, before
 * after() is told. Not for those of slotwise itself in the client: the clock would tell whether it
 * is there. */
void slw_sim_repeatable_called(struct slw_sim_repeatable *r, uint64_t number);

uint64_t slw_sim_repeatable_ticks(struct slw_sim_repeatable *r);  /* what rdtsc reads */
uint64_t slw_sim_repeatable_random(struct slw_sim_repeatable *r); /* what rdrand gives */

#endif
