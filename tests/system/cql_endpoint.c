/* SPDX-License-Identifier: MIT */
/* The CQL endpoint as a program, for tests: prints its port, serves until it is killed.
 *
 * usage: cql_endpoint [--durable FILE] [--newest 4] [--port N] [--overloaded N] [--timeout N] */
#include "workloads/cql/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct slw_cql_endpoint_options options = {0};
    struct slw_cql_endpoint *e = NULL;
    struct slw_error err = {0};

    for (int i = 1; i + 1 < argc; i += 2) {
        const unsigned long n = strtoul(argv[i + 1], NULL, 10);

        if (strcmp(argv[i], "--durable") == 0)
            options.durable = argv[i + 1];
        else if (strcmp(argv[i], "--newest") == 0)
            options.newest = (uint8_t)n;
        else if (strcmp(argv[i], "--port") == 0)
            options.port = (uint16_t)n;
        else if (strcmp(argv[i], "--overloaded") == 0)
            options.overloaded_every = (uint32_t)n;
        else if (strcmp(argv[i], "--timeout") == 0)
            options.timeout_every = (uint32_t)n;
        else
            return 64;
    }
    if (slw_cql_endpoint_open(&options, &e, &err) < 0) {
        fprintf(stderr, "%s %s\n", err.text, err.where);
        return slw_code_exit_status(err.code);
    }
    printf("%u\n", slw_cql_endpoint_port(e));
    (void)fflush(stdout);
    int rc = slw_cql_endpoint_serve(e, &err);
    if (rc < 0)
        fprintf(stderr, "%s\n", err.text);
    slw_cql_endpoint_close(e);
    return rc < 0 ? slw_code_exit_status(err.code) : 0;
}
