/* SPDX-License-Identifier: MIT */
/* Any words as a command line, a NUL after each: which client it is about. */
#include "analyzer/client_output/client_output_int.h"

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
    struct slw_client_argv client;
    const char *argv[100];
    char *text = malloc(size + 1);
    size_t argc = 0;

    check(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    for (size_t at = 0; at < size && argc < 100; at += strlen(text + at) + 1)
        argv[argc++] = text + at;
    slw_client_argv_of(argc, argv, &client);
    check(client.argc <= SLW_MAX_WRAPPED_WORDS);
    for (size_t i = 0; i < client.argc; i++)
        check(strlen(client.argv[i]) <= size);
    for (size_t i = 0; client.argc && i < slw_output_reader_count; i++)
        (void)slw_output_readers[i]->recognises(client.argc, client.argv);
    free(text);
    return 0;
}
