/* SPDX-License-Identifier: MIT */
#include "cli/json_memory.h"

#include "cli/terminal.h"

#include <jansson.h>
#include <stdlib.h>

static void *allocate(size_t size)
{
    void *p = malloc(size);

    if (!p) {
        struct slw_error err = {0};
        (void)slw_fail(&err, SLW_E_NOMEM, "no memory for JSON");
        slw_terminal_error(NULL, &err);
        exit(slw_code_exit_status(SLW_E_NOMEM));
    }
    return p;
}

void slw_json_memory(void)
{
    json_set_alloc_funcs(allocate, free);
}
