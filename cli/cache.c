/* SPDX-License-Identifier: MIT */
#include "cli/cache.h"

#include <stdio.h>
#include <stdlib.h>

const char *slw_cache_dir(char ret_path[PATH_MAX])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;

    /* "All paths must be absolute": others are to be ignored. */
    if (cache && cache[0] == '/')
        n = snprintf(ret_path, PATH_MAX, "%s/slotwise", cache);
    else if (home && home[0] == '/')
        n = snprintf(ret_path, PATH_MAX, "%s/.cache/slotwise", home);
    return n > 0 && n < PATH_MAX ? ret_path : NULL;
}
