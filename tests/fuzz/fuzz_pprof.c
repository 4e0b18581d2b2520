/* SPDX-License-Identifier: MIT */
/* Any bytes as a pprof profile, plain or compressed. What is accepted must be written and read back
 * with the same totals. */
#include "record/run_dir.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct slw_stacks *s)
{
    struct slw_stacks *again = NULL;
    struct slw_buf bytes = {0};

    if (slw_stacks_to_pprof(s, NULL, &bytes, NULL) < 0 ||
        slw_stacks_from_pprof(bytes.data, bytes.length, &again, NULL) < 0)
        abort();
    for (size_t i = 0; i < slw_stacks_column_count(s); i++)
        if (slw_stacks_total(s, i) != slw_stacks_total(again, i))
            abort();
    slw_stacks_free(again);
    slw_buf_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_stacks *s = NULL;
    struct slw_error err = {0};

    if (slw_stacks_from_pprof(data, size, &s, &err) == 0)
        check(s);
    else if (!err.text[0])
        abort();
    slw_stacks_free(s);
    return 0;
}
