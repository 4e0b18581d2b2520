/* SPDX-License-Identifier: MIT */
/* --push and --push-gateway: where to, with what patience, and how it went in words. */
#ifndef SLW_CLI_PUSH_H
#define SLW_CLI_PUSH_H

#include "cli/options.h"
#include "push/push.h"
#include "record/run.h"
#include "record/stacks.h"

#include <limits.h>

struct slw_pushing {
    struct slw_push_endpoint profiles, metrics; /* url NULL: not asked for */
    struct slw_push_spool spool;                /* folder NULL: nothing is kept */
    char folder[PATH_MAX];
    struct slw_push_options options;                   /* but for the endpoint */
    struct slw_push_label labels[SLW_PUSH_MAX_LABELS]; /* lent from the run */
    size_t label_count;
    char *service, *instance;
};

/* NULL where nothing is to be pushed; else heap. `stem`: the service's name where no label
 * service_name says another. Everything that can be said to be wrong is said now, before anything
 * is measured: SLW_E_USAGE, and what reading the file of headers says. */
int slw_pushing_new(const struct slw_args *args, const struct slw_run *run, const char *stem,
                    struct slw_pushing **ret_pushing, struct slw_error *err);
void slw_pushing_free(struct slw_pushing *p);

/* Push what was asked for, and say what became of it; `quiet`: only what is amiss. SLW_E_IO: it was
 * not taken, and no later run will bring it. */
int slw_pushing_send(struct slw_pushing *p, struct slw_run *run, const struct slw_stacks *stacks,
                     bool quiet, struct slw_error *err);

const char *slw_push_kind_name(size_t i); /* of those for profiles */

#define SLW_OPTIONS_PUSH                                                                           \
    {.name = "push",                                                                               \
     .kind = SLW_OPTION_TEXT,                                                                      \
     .value = "URL",                                                                               \
     .text = "Send the profile to the Pyroscope or Parca server there (docs/fleets.md); what "     \
             "cannot be sent is kept, and sent by the next run."},                                 \
        {.name = "push-to",                                                                        \
         .kind = SLW_OPTION_CHOICE,                                                                \
         .choices = slw_push_kind_name,                                                            \
         .text = "With --push: what the server understands (default: as the URL ends, else "       \
                 "pyroscope)."},                                                                   \
        {.name = "push-headers",                                                                   \
         .kind = SLW_OPTION_FILE,                                                                  \
         .value = "FILE",                                                                          \
         .text = "With --push: send these headers too, 'Name: value' one a line (a token, a "      \
                 "tenant)."},                                                                      \
        {.name = "push-gateway",                                                                   \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "URL",                                                                           \
         .text = "Send the counts and metrics to the Prometheus push gateway there."},             \
        {.name = "push-gateway-headers",                                                           \
         .kind = SLW_OPTION_FILE,                                                                  \
         .value = "FILE",                                                                          \
         .text = "With --push-gateway: as --push-headers."},                                       \
        {.name = "push-ca",                                                                        \
         .kind = SLW_OPTION_FILE,                                                                  \
         .value = "FILE",                                                                          \
         .text = "Trust the certificates in this PEM file instead of the system's."},              \
        {.name = "push-timeout",                                                                   \
         .kind = SLW_OPTION_TIME,                                                                  \
         .value = "TIME",                                                                          \
         .text = "Give up a try to send after this (default 10s)."},                               \
        {.name = "push-tries",                                                                     \
         .kind = SLW_OPTION_NUMBER,                                                                \
         .value = "N",                                                                             \
         .text = "Try so often, with growing pauses, before it is left to the next run (default "  \
                 "3)."},                                                                           \
        {.name = "push-spool",                                                                     \
         .kind = SLW_OPTION_DIRECTORY,                                                             \
         .value = "DIR",                                                                           \
         .text = "Keep there what could not be sent (default: "                                    \
                 "$XDG_STATE_HOME/slotwise/push or ~/.local/state/slotwise/push)."},               \
        {.name = "push-spool-size",                                                                \
         .kind = SLW_OPTION_SIZE,                                                                  \
         .value = "BYTES",                                                                         \
         .text = "Keep no more than this; the oldest goes first (default 64M)."},                  \
    {                                                                                              \
        .name = "no-push-spool", .text = "Keep nothing that could not be sent."                    \
    }

#endif
