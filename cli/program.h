/* SPDX-License-Identifier: MIT */
/* Finding programs the way the shell does. */
#ifndef SLW_CLI_PROGRAM_H
#define SLW_CLI_PROGRAM_H

#include "base/error.h"

/* The path of `name`: itself when it holds a slash, else the first executable file of that name in
 * PATH. The caller frees it. SLW_E_NOTFOUND, SLW_E_NOMEM. */
int slw_program_find(const char *name, char **ret_path, struct slw_error *err);

/* One of slotwise's own programs: next to the running one or below sim/ in a build, in the
 * installed place below its prefix otherwise; `name` may begin with a folder. The caller frees it.
 * SLW_E_UNSUPPORTED where it is not installed. */
int slw_program_beside(const char *name, char **ret_path, struct slw_error *err);

#endif
