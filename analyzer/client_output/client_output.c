/* SPDX-License-Identifier: MIT */
/* The table of readers, made of readers.def, and what the output of one execution holds. */
#include "analyzer/client_output/client_output.h"

#include "analyzer/client_output/client_output_int.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
#define SLW_OUTPUT_READER(name) extern const struct slw_output_reader slw_output_reader_##name;
#include "analyzer/client_output/readers.def"
#undef SLW_OUTPUT_READER

const struct slw_output_reader *const slw_output_readers[] = {
#define SLW_OUTPUT_READER(name) &slw_output_reader_##name,
#include "analyzer/client_output/readers.def"
#undef SLW_OUTPUT_READER
};
/* clang-format on */
const size_t slw_output_reader_count = sizeof(slw_output_readers) / sizeof(slw_output_readers[0]);

static const struct slw_output_reader *reader_of(size_t argc, const char *const *argv)
{
    struct slw_client_argv client;

    slw_client_argv_of(argc, argv, &client);
    for (size_t i = 0; client.argc && i < slw_output_reader_count; i++)
        if (slw_output_readers[i]->recognises(client.argc, client.argv))
            return slw_output_readers[i];
    return NULL;
}

static bool has_requests(const struct slw_client_readings *r)
{
    double requests;

    return slw_client_readings_find(r, "requests", &requests);
}

static bool names_requests(const struct slw_output_pattern *p)
{
    return strcmp(slw_output_pattern_name(p), "requests") == 0;
}

int slw_client_output_read(size_t argc, const char *const *argv, const char *text, size_t length,
                           const struct slw_output_pattern *const *patterns, size_t pattern_count,
                           struct slw_client_readings *ret_readings, struct slw_error *err)
{
    const struct slw_output_reader *reader = reader_of(argc, argv);
    struct slw_client_readings *r = ret_readings;
    int rc = 0;

    assert(text);
    *r = (struct slw_client_readings){.reader = reader ? reader->name : NULL};
    if (length > SLW_MAX_CLIENT_BYTES) {
        text += length - SLW_MAX_CLIENT_BYTES;
        length = SLW_MAX_CLIENT_BYTES;
    }
    if (reader)
        rc = reader->read(text, length, r, err);
    r->requests_asked_for = reader && reader->requests_asked_for && has_requests(r);
    for (size_t i = 0; i < pattern_count && rc >= 0; i++) {
        rc = slw_output_pattern_read(patterns[i], text, length, r, err);
        r->requests_asked_for |= names_requests(patterns[i]) && has_requests(r);
    }
    return rc;
}
