/* SPDX-License-Identifier: MIT */
/* slotwise-workload endpoint: a server of the CQL protocol on loopback, in memory. */
#include "workloads/cql/endpoint.h"

#include "cli/command.h"
#include "cli/help.h"
#include "cli/workload/workload_int.h"

#include <signal.h>

static const struct slw_option options[] = {
    {.name = "port",
     .kind = SLW_OPTION_NUMBER,
     .value = "N",
     .text = "Port of 127.0.0.1 (default: any that is free)."},
    {.name = "durable",
     .kind = SLW_OPTION_FILE,
     .value = "FILE",
     .text = "Append each change to FILE and sync it before it is acknowledged; start from what is "
             "in it."},
    {.name = "protocol",
     .kind = SLW_OPTION_NUMBER,
     .value = "4|5",
     .text = "Newest version of the protocol that is spoken (default 5)."},
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_command_entry entry = {
    .name = "workload endpoint",
    .summary = "Serve the CQL protocol on loopback.",
    .usage = "[--port N] [--durable FILE]",
    .about =
        "One node that keeps key-value tables in memory, for trying CQL clients where there is "
        "no Cassandra or ScyllaDB: it prints its address and serves until Ctrl-C. Not for data "
        "one cares about; nobody is asked who they are.",
    .options = options,
};

static struct slw_cql_endpoint *serving;

static void on_signal(int number)
{
    (void)number;
    slw_cql_endpoint_stop(serving);
}

static int say_where(const struct slw_cql_endpoint *e, const struct slw_terminal *t,
                     struct slw_error *err)
{
    struct slw_buf out = {0};

    slw_buf_printf(&out, "127.0.0.1:%u\n", slw_cql_endpoint_port(e));
    int rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}

static int serve(const struct slw_cql_endpoint_options *o, const struct slw_terminal *t,
                 struct slw_error *err)
{
    const struct sigaction action = {.sa_handler = on_signal};
    int rc = slw_cql_endpoint_open(o, &serving, err);

    if (rc < 0)
        return rc;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    rc = say_where(serving, t, err);
    if (rc >= 0)
        rc = slw_cql_endpoint_serve(serving, err);
    (void)signal(SIGINT, SIG_IGN); /* its handler must not meet what is closed */
    (void)signal(SIGTERM, SIG_IGN);
    slw_cql_endpoint_close(serving);
    return rc;
}

static int print_help(const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf out = {0};

    slw_help_command(&entry, &out);
    int rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}

int slw_workload_endpoint(int argc, char **argv, const struct slw_terminal *t,
                          struct slw_error *err)
{
    struct slw_args args = {0};
    uint64_t port = 0, newest = 5;
    int rc = slw_args_parse(options, false, argc, argv, &args, err);

    if (rc >= 0)
        rc = slw_args_operands(&args, 0, 0, "option", err);
    if (rc >= 0)
        rc = slw_args_u64(&args, "port", 1, UINT16_MAX, &port, err);
    if (rc >= 0)
        rc = slw_args_u64(&args, "protocol", 4, 5, &newest, err);
    if (rc >= 0 && slw_args_has(&args, "help")) {
        rc = print_help(t, err);
    } else if (rc >= 0) {
        const struct slw_cql_endpoint_options o = {.port = (uint16_t)port,
                                                   .durable = slw_args_get(&args, "durable"),
                                                   .newest = (uint8_t)newest};
        rc = serve(&o, t, err);
    }
    slw_args_release(&args);
    return rc;
}
