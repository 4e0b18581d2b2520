/* SPDX-License-Identifier: MIT */
/* The parts of `slotwise profile`: settings, model, name, signals, and what follows measuring. */
#ifndef SLW_CLI_PROFILE_INT_H
#define SLW_CLI_PROFILE_INT_H

#include "cli/continuous.h"
#include "cli/debuginfod.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/push.h"
#include "cli/simulate.h"
#include "cli/terminal.h"
#include "collector/cores.h"
#include "collector/rounds.h"
#include "collector/session.h"
#include "collector/taps/wire.h"
#include "models/model.h"
#include "record/moments.h"
#include "record/stacks.h"

#include <limits.h>

/* One profiling from command line to report. Release with slw_profile_release. */
struct slw_profile {
    const struct slw_args *args;
    const struct slw_terminal *terminal;
    struct slw_session_options session;
    int rounds; /* 0: one execution, not of rounds */
    bool no_multiplex;
    const char *format; /* NULL: the default renderer */
    bool quiet, keep_raw, propagate, flamegraph;
    struct slw_run *run;
    struct slw_stacks *stacks;                      /* NULL until analysed, or no samples */
    struct slw_moments *moments;                    /* as stacks */
    struct slw_model *model;                        /* NULL: none */
    struct slw_core_kind kinds[SLW_MAX_CORE_KINDS]; /* of a hybrid CPU */
    struct slw_model *other_models[SLW_MAX_CORE_KINDS];
    struct slw_session_core cores[SLW_MAX_CORE_KINDS]; /* lends from the two before */
    char model_hint[256];                              /* and what to do about it */
    char model_why[512];               /* why the model of this CPU is not used; "" it is */
    char *dir;                         /* the run directory */
    char *perf_data;                   /* the spool in it */
    char *svg;                         /* the flame graph; NULL: none was written */
    struct slw_wire *wire;             /* the wire tap; NULL: none */
    struct slw_debuginfod *debuginfod; /* NULL: not asked for */
    struct slw_simulate *simulate;     /* on a described core; NULL: on this one */
    struct slw_continuous continuous;  /* every_ms 0: one measurement */
    const char *window;                /* NULL, or the run directory of a window of it */
    struct slw_pushing *pushing;       /* NULL: nothing is pushed */
    char **workload; /* command line of --workload: the first three words are ours; or NULL */
};

extern const struct slw_option slw_profile_options[];

/* libslotwise-NAME.so: next to the program in a build, in the installed place below its prefix
 * otherwise. False: it is in neither. */
bool slw_profile_find_library(const char *name, char ret_path[PATH_MAX]);

/* Command line -> p->session and the flags of p. SLW_E_USAGE. */
int slw_profile_settings(struct slw_profile *p, struct slw_error *err);

/* The part of it that profile_options.h names, for other commands that measure; the target of
 * p->session is set before. SLW_E_USAGE. */
int slw_profile_measuring(struct slw_profile *p, struct slw_error *err);

/* Add --label to the run. SLW_E_USAGE. */
int slw_profile_add_labels(struct slw_profile *p, struct slw_error *err);

/* Choose the CPU model: --model, else the one of this host, else the generic one. */
int slw_profile_choose_model(struct slw_profile *p, struct slw_error *err);

/* What is measured, as a name: "pgbench", "system". */
void slw_profile_stem(const struct slw_profile *p, char ret_stem[SLW_MAX_STEM]);

/* Create the run directory and name the spool in it. */
int slw_profile_create_dir(struct slw_profile *p, struct slw_error *err);

/* Choose how requests are counted: put the wire tap into the command's environment, or have the
 * session count, or say in the run why nobody does. SLW_E_UNSUPPORTED: not as it was asked for. */
int slw_profile_tap_wire(struct slw_profile *p, struct slw_error *err);

/* The same around every execution of rounds. */
void slw_profile_tap_rounds(struct slw_profile *p, struct slw_rounds_options *rounds);

/* Was anything measured that is worth keeping? */
bool slw_profile_measured(const struct slw_profile *p);

/* Remove what an attempt that measured nothing has left. */
void slw_profile_discard(const struct slw_profile *p);

/* After a session: what the wire tap counted, and what is to be said of the model, into the run. */
int slw_profile_complete(struct slw_profile *p, struct slw_error *err);

/* The samples of p->session.spool_path -> p->stacks; nothing where there are none. */
int slw_profile_load_samples(struct slw_profile *p, struct slw_error *err);

/* Save, analyse, draw, report. Does every step that can still be done and returns the first
 * failure; nothing measured is lost. */
int slw_profile_finish(struct slw_profile *p, struct slw_error *err);

void slw_profile_release(struct slw_profile *p);

/* SIGINT, SIGTERM and SIGHUP ask to stop; a second one, or one after slw_signals_analysing, ends
 * the program at once with these last words. Signals that were ignored when we started (nohup,
 * background jobs) stay ignored. */
__attribute__((format(printf, 1, 2))) const volatile sig_atomic_t *
slw_signals_catch(const char *fmt, ...);
void slw_signals_analysing(void);

#endif
