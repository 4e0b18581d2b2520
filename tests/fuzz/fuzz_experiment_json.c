/* SPDX-License-Identifier: MIT */
/* Any bytes as experiment.json. What is accepted must be written and read back to the same bytes.
 */
#include "record/experiment.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_experiment *e = NULL, *again = NULL;
    struct slw_buf a = {0}, b = {0};
    struct slw_error err = {0};

    if (slw_experiment_from_json("x", (const char *)(const void *)data, size, &e, &err) < 0) {
        if (!err.text[0])
            abort();
        return 0;
    }
    if (slw_experiment_to_json(e, &a, NULL) < 0 ||
        slw_experiment_from_json("x", a.data, a.length, &again, NULL) < 0 ||
        slw_experiment_to_json(again, &b, NULL) < 0)
        abort();
    if (a.length != b.length || memcmp(a.data, b.data, a.length) != 0)
        abort();
    slw_experiment_free(e);
    slw_experiment_free(again);
    slw_buf_release(&a);
    slw_buf_release(&b);
    return 0;
}
