/* SPDX-License-Identifier: MIT */
/* Run a fuzz target over every file of a corpus folder, as an ordinary test. An empty or missing
 * corpus is a failure: it would test nothing. */
#include "base/file.h"

#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    char *data = NULL;
    size_t length = 0;
    struct slw_error err = {0};

    if (slw_file_read(path, (size_t)64 << 20, &data, &length, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)data, length);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent *e;
    int ran = 0, failed = 0;

    if (argc != 2)
        return 64;
    DIR *d = opendir(argv[1]);
    if (!d) {
        perror(argv[1]);
        return 1;
    }
    while ((e = readdir(d)) != NULL) {
        char path[PATH_MAX];

        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
        failed += run_file(path);
        ran++;
    }
    (void)closedir(d);
    printf("%d inputs\n", ran);
    return ran == 0 || failed != 0;
}
