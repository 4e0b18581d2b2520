/* SPDX-License-Identifier: MIT */
/* Any bytes as the output of every client: readings are finite, with keys, never twice the same. */
#include "analyzer/client_output/client_output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slw_client_readings r;
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < slw_output_reader_count; i++) {
        struct slw_error err = {0};
        memset(&r, 0, sizeof(r));
        check(slw_output_readers[i]->read(text, size, &r, &err) == 0 || err.code == SLW_E_LIMIT);
        for (size_t k = 0; k < r.count; k++) {
            check(isfinite(r.all[k].value) && r.all[k].value >= 0 && isfinite(r.all[k].step));
            check(r.all[k].key[0] && memchr(r.all[k].key, '\0', sizeof(r.all[k].key)) != NULL);
        }
    }
    free(text);
    return 0;
}
