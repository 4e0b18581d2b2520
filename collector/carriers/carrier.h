/* SPDX-License-Identifier: MIT */
/* A carrier of the simulated tier: a program of its own that follows the client instruction by
 * instruction and writes what the model of a core made of it (docs/simulated.md). To add one: write
 * carriers/NAME.c that defines `const struct slw_carrier slw_carrier_NAME`, add SLW_CARRIER(NAME)
 * to carriers.def. Not for: running it (simulate.h), reading what it wrote (sim_output.h). */
#ifndef SLW_COLLECTOR_CARRIERS_CARRIER_H
#define SLW_COLLECTOR_CARRIERS_CARRIER_H

#include "base/error.h"
#include "collector/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_arena;

/* When counting begins. Caches and predictors follow everything from the start either way. */
enum slw_sim_start {
    SLW_SIM_START_AUTO,   /* at the first connection to a server, or the first mark of a stage;
                             where there is neither, at the first instruction of the program itself,
                             after the dynamic linker */
    SLW_SIM_START_WHOLE,  /* with the first instruction */
    SLW_SIM_START_CONNECT /* at the first connection; without one nothing is counted */
};

/* One run of a client under a carrier. Strings are lent. */
struct slw_carrier_job {
    const char *launcher;    /* path of the carrier's own program */
    const char *program;     /* path of the client's; NULL: unknown */
    const char *core_file;   /* the description, as slw_core_text writes it */
    const char *core_name;   /* "haswell": what the output calls it */
    const char *output;      /* file to write, with %p for the number of each process */
    uint64_t period, detail; /* time `detail` of every `period` instructions; 0, 0: all */
    enum slw_sim_start start;
    bool repeatable; /* a clock that follows the instructions, fixed random bytes */
};

struct slw_carrier {
    const char *name;      /* "valgrind": as --carrier and the output have it */
    const char *summary;   /* one line for help and doctor */
    const char *launcher;  /* its program, below lib/slotwise/ or, in a build, sim/; `LAUNCHER
                              --check` ends with 0 where it can work, else says why not in one
                              line on standard error, and what to do in a second one */
    bool makes_repeatable; /* it can keep a clock and random bytes from differing */
    bool follows_exec;     /* programs that the client executes are simulated too */
    bool hides_tap;        /* the library that counts requests is in no number */
    /* The words before the client's own command line, launcher first; in the arena, not
     * NULL-terminated. SLW_E_UNSUPPORTED: this carrier cannot do what the job asks for. */
    int (*command)(const struct slw_carrier_job *job, struct slw_arena *arena,
                   const char ***ret_words, size_t *ret_count, struct slw_error *err);
    /* Why this carrier cannot run that program, as the rest of a sentence ("has ..."), static;
     * NULL: it can, or nothing is known against it. `program` is the path of the file. NULL here:
     * any. */
    const char *(*refuses)(const char *program);
};

/* In the order of preference. */
extern const struct slw_carrier *const slw_carriers[];
extern const size_t slw_carrier_count;

const struct slw_carrier *slw_carrier_find(const char *name); /* NULL: none of that name */

/* Ask the launcher at this path, in this environment, whether its carrier can work here. */
void slw_carrier_probe(const char *launcher, char *const *envp, struct slw_probe *ret_probe);

/* For command(): words, one after the other; a failure shows at the end. */
#define SLW_CARRIER_MAX_WORDS 32
struct slw_carrier_words {
    struct slw_arena *arena;
    const char **words;
    size_t count;
    bool failed;
};
int slw_carrier_words_begin(struct slw_carrier_words *w, struct slw_arena *arena,
                            struct slw_error *err);
__attribute__((format(printf, 2, 3))) void slw_carrier_word(struct slw_carrier_words *w,
                                                            const char *fmt, ...);
/* The options every launcher takes for a job, and "--". `output` is job->output, as the launcher
 * has to be given it. */
void slw_carrier_job_words(struct slw_carrier_words *w, const struct slw_carrier_job *job,
                           const char *output);
int slw_carrier_words_end(const struct slw_carrier_words *w, const char ***ret_words,
                          size_t *ret_count, struct slw_error *err);

#endif
