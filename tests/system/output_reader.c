/* SPDX-License-Identifier: MIT */
/* What the readers of client output find: output_reader FILE ARGV... prints "key value step" lines.
 * Not installed: `slotwise compare` is what people use. */
#include "analyzer/client_output/client_output.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    static struct slw_client_readings r;
    struct slw_error err = {0};
    char *text = NULL;
    size_t length = 0;

    if (argc < 3)
        return 64;
    if (slw_file_read(argv[1], SLW_MAX_CLIENT_BYTES, &text, &length, &err) < 0 ||
        slw_client_output_read((size_t)argc - 2, (const char *const *)argv + 2, text, length, NULL,
                               0, &r, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        free(text);
        return 65;
    }
    free(text);
    (void)printf("reader %s 0\n", r.reader ? r.reader : "none");
    for (size_t i = 0; i < r.count; i++)
        (void)printf("%s %.17g %.17g\n", r.all[i].key, r.all[i].value, r.all[i].step);
    return 0;
}
