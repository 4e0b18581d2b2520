/* SPDX-License-Identifier: MIT */
/* The first line as --metric, the rest as the output it is looked for in. */
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
    struct slw_output_pattern *p = NULL;
    struct slw_error err = {0};
    char *text = malloc(size + 2);

    check(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = text[size + 1] = '\0';
    char *rest = memchr(text, '\n', size);
    if (rest)
        *rest++ = '\0';
    else
        rest = text + size;
    if (slw_output_pattern_new(text, &p, &err) < 0) {
        check(err.text[0] && !p);
    } else {
        const struct slw_output_pattern *const all[] = {p};
        check(slw_client_output_read(0, NULL, rest, (size_t)(text + size - rest), all, 1, &r,
                                     NULL) == 0);
        check(r.count == 1 ? isfinite(r.all[0].value) && !r.left_out[0]
                           : r.count == 0 && r.left_out[0]);
        slw_output_pattern_free(p);
    }
    free(text);
    return 0;
}
