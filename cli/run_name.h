/* SPDX-License-Identifier: MIT */
/* Names of run directories: never one that is taken. */
#ifndef SLW_CLI_RUN_NAME_H
#define SLW_CLI_RUN_NAME_H

#include "base/error.h"

/* Create the run directory `explicit_name`, or, when that is NULL, stem.slotwise, or the first free
 * of stem-2.slotwise, stem-3.slotwise, ... The caller frees *ret_path. SLW_E_EXISTS when an
 * explicit name is taken, and what slw_run_dir_create says. */
#define SLW_MAX_RUN_SUFFIX 10000 /* more runs of one name than anybody looks through */
int slw_run_name_create(const char *explicit_name, const char *stem, char **ret_path,
                        struct slw_error *err);

/* The same with another ending: ".compare", ".sweep". */
int slw_name_create(const char *explicit_name, const char *stem, const char *ending,
                    char **ret_path, struct slw_error *err);

#endif
