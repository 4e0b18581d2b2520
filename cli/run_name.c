/* SPDX-License-Identifier: MIT */
#include "cli/run_name.h"

#include "base/buf.h"
#include "cli/terminal.h"
#include "record/run_dir.h"

#include <stdlib.h>

static int create(const char *name, char **ret_path, struct slw_error *err)
{
    struct slw_buf path = {0};

    slw_buf_puts(&path, name);
    if (slw_buf_failed(&path))
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    int rc = slw_run_dir_create(path.data, err);
    if (rc < 0)
        slw_buf_release(&path);
    else
        *ret_path = slw_buf_take(&path);
    return rc;
}

int slw_run_name_create(const char *explicit_name, const char *stem, char **ret_path,
                        struct slw_error *err)
{
    return slw_name_create(explicit_name, stem, ".slotwise", ret_path, err);
}

int slw_name_create(const char *explicit_name, const char *stem, const char *ending,
                    char **ret_path, struct slw_error *err)
{
    if (explicit_name)
        return create(explicit_name, ret_path, err);
    for (int i = 1; i <= SLW_MAX_RUN_SUFFIX; i++) {
        struct slw_buf name = {0};
        struct slw_error why = {0};

        slw_buf_puts(&name, stem);
        if (i > 1)
            slw_buf_printf(&name, "-%d", i);
        slw_buf_puts(&name, ending);
        int rc = slw_buf_failed(&name) ? slw_fail(&why, SLW_E_NOMEM, "no memory for a path")
                                       : create(name.data, ret_path, &why);
        if (rc >= 0 && i > 1)
            slw_terminal_say("%s%s is taken: writing %s", stem, ending, name.data);
        slw_buf_release(&name);
        if (rc != -SLW_E_EXISTS) {
            if (rc < 0 && err)
                *err = why;
            return rc;
        }
    }
    return slw_fail(err, SLW_E_EXISTS, "all of %s-2%s to %s-%d%s exist", stem, ending, stem,
                    SLW_MAX_RUN_SUFFIX, ending);
}
