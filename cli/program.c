/* SPDX-License-Identifier: MIT */
#include "cli/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_program(const char *path)
{
    struct stat st;

    return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int give(const char *path, char **ret_path, struct slw_error *err)
{
    char *copy = strdup(path);

    if (!copy)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    *ret_path = copy;
    return 0;
}

int slw_program_find(const char *name, char **ret_path, struct slw_error *err)
{
    const char *path = getenv("PATH");
    char full[PATH_MAX];

    if (strchr(name, '/'))
        return give(name, ret_path, err);
    /* execvp(3)'s own default */
    for (const char *dir = path ? path : "/bin:/usr/bin"; *dir;) {
        size_t length = strcspn(dir, ":");
        int n =
            snprintf(full, sizeof(full), "%.*s%s%s", (int)length, dir, length ? "/" : "./", name);

        if (n > 0 && (size_t)n < sizeof(full) && is_program(full))
            return give(full, ret_path, err);
        dir += length + (dir[length] == ':');
    }
    return slw_fail(err, SLW_E_NOTFOUND, "there is no program '%.100s' in PATH", name);
}

int slw_program_beside(const char *name, char **ret_path, struct slw_error *err)
{
    char self[PATH_MAX], path[PATH_MAX * 2];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
        static const char installed[] = "/" SLW_PROGRAM_FOLDER;
        static const char *const places[] = {"", installed, "/../sim"};
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            (void)snprintf(path, sizeof(path), "%s%s/%.64s", self, places[i], name);
            if (is_program(path))
                return give(path, ret_path, err);
        }
    }
    slw_error_hint(err, "build and install all of slotwise");
    return slw_fail(err, SLW_E_UNSUPPORTED, "%.64s is not installed", name);
}
