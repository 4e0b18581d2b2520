/* SPDX-License-Identifier: MIT */
/* Parts of the program slotwise-workload, which is a process of its own: what is profiled is the
 * client and its libraries, and slotwise does not load them. */
#ifndef SLW_CLI_WORKLOAD_INT_H
#define SLW_CLI_WORKLOAD_INT_H

#include "cli/options.h"
#include "cli/terminal.h"
#include "workloads/workload.h"

#define SLW_MAX_CHOICES 64
#define SLW_MAX_RUNS    1000

/* A command line of `run` or `verify`. Release with slw_workload_command_release. */
struct slw_workload_command {
    const struct slw_workload *workload;            /* NULL for verify */
    const struct slw_driver *driver;                /* NULL where none is needed */
    struct slw_option options[SLW_MAX_CHOICES + 2]; /* made from the settings; --help; the end */
    struct slw_chosen rows[SLW_MAX_CHOICES];
    struct slw_choices choices;
    struct slw_args args;
    char *texts[2 * SLW_MAX_CHOICES]; /* of the options, made here */
    size_t text_count;
};

/* Settings of every workload, and of `verify`. */
extern const struct slw_setting slw_run_settings[];
extern const struct slw_setting slw_verify_settings[];

/* Parse argv[1..] by the rows of `common`, of the workload, of the driver that --driver names. */
int slw_workload_parse(struct slw_workload_command *c, const struct slw_setting *common, int argc,
                       char **argv, struct slw_error *err);
void slw_workload_command_release(struct slw_workload_command *c);

/* The driver --driver names, checked to be usable. */
int slw_workload_driver(const char *name, const struct slw_driver **ret_driver,
                        struct slw_error *err);
/* Both fail with the nearest name. */
int slw_workload_named(const char *name, const struct slw_workload **ret_workload,
                       struct slw_error *err);

/* Where a driver without a server keeps its data when nobody said: a private folder that is removed
 * with everything in it. */
struct slw_workload_place {
    char folder[64]; /* "": nothing was made */
    char file[96];
};
int slw_workload_place_make(struct slw_workload_place *p, struct slw_error *err);
void slw_workload_place_remove(const struct slw_workload_place *p);

/* What was measured, as text for people and as JSON. */
struct slw_workload_runs {
    const struct slw_workload_command *command;
    const struct slw_workload_options *options;
    const struct slw_workload_result *results;
    size_t count;
};
void slw_workload_text(struct slw_buf *out, const struct slw_workload_runs *r);
int slw_workload_json(struct slw_buf *out, const struct slw_workload_runs *r,
                      struct slw_error *err);
const char *slw_outcome_name(enum slw_outcome outcome);

/* The verbs. argv[0] is the verb. */
int slw_workload_list(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err);
int slw_workload_run(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err);
int slw_workload_endpoint(int argc, char **argv, const struct slw_terminal *t,
                          struct slw_error *err);
int slw_workload_verify(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err);

#endif
