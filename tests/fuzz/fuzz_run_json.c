/* SPDX-License-Identifier: MIT */
/* Any bytes as run.json. What is accepted must be written and read back to the same bytes. */
#include "record/run_dir.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_run *run = NULL, *again = NULL;
    struct slw_buf a = {0}, b = {0};
    struct slw_error err = {0};

    if (slw_run_from_json((const char *)(const void *)data, size, &run, &err) < 0) {
        if (!err.text[0])
            abort();
        return 0;
    }
    if (slw_run_to_json(run, &a, NULL) < 0 ||
        slw_run_from_json(a.data, a.length, &again, NULL) < 0 ||
        slw_run_to_json(again, &b, NULL) < 0)
        abort();
    if (a.length != b.length || memcmp(a.data, b.data, a.length) != 0)
        abort();
    slw_run_free(run);
    slw_run_free(again);
    slw_buf_release(&a);
    slw_buf_release(&b);
    return 0;
}
