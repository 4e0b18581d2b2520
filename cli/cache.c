/* SPDX-License-Identifier: MIT */
#include "cli/cache.h"

#include <stdio.h>
#include <stdlib.h>

static const char *choose(const char *variable, const char *below_home, const char *end,
                          char ret_path[PATH_MAX])
{
    const char *base = getenv(variable), *home = getenv("HOME");
    int n = -1;

    /* "All paths must be absolute": others are to be ignored. */
    if (base && base[0] == '/')
        n = snprintf(ret_path, PATH_MAX, "%s/%s", base, end);
    else if (home && home[0] == '/')
        n = snprintf(ret_path, PATH_MAX, "%s/%s/%s", home, below_home, end);
    return n > 0 && n < PATH_MAX ? ret_path : NULL;
}

const char *slw_cache_dir(char ret_path[PATH_MAX])
{
    return choose("XDG_CACHE_HOME", ".cache", "slotwise", ret_path);
}

const char *slw_push_dir(char ret_path[PATH_MAX])
{
    return choose("XDG_STATE_HOME", ".local/state", "slotwise/push", ret_path);
}
