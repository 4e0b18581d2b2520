/* SPDX-License-Identifier: MIT */
/* Where things are kept between runs. Source: XDG Base Directory Specification. */
#ifndef SLW_CLI_CACHE_H
#define SLW_CLI_CACHE_H

#include <limits.h>

/* $XDG_CACHE_HOME/slotwise or ~/.cache/slotwise, which need not exist; NULL where there is neither.
 * Returns ret_path. */
const char *slw_cache_dir(char ret_path[PATH_MAX]);

/* $XDG_STATE_HOME/slotwise/push or ~/.local/state/slotwise/push: what could not be found out again.
 * As slw_cache_dir. */
const char *slw_push_dir(char ret_path[PATH_MAX]);

#endif
