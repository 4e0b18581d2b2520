/* SPDX-License-Identifier: MIT */
/* What there is, and what was built without its library. */
#include "cli/help.h"
#include "cli/workload/workload_int.h"

static void put_state(struct slw_buf *out, const char *name, const char *summary,
                      const char *missing)
{
    slw_buf_printf(out, "  %-10s ", name);
    if (missing)
        slw_buf_printf(out, "built without %s", missing);
    else
        slw_help_wrap(out, summary, 13, 13, 80);
    slw_buf_putc(out, '\n');
}

int slw_workload_list(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf out = {0};

    (void)argv;
    if (argc > 1)
        return slw_fail(err, SLW_E_USAGE, "'workload list' takes no argument");
    slw_buf_puts(&out, "Workloads:\n");
    for (size_t i = 0; i < slw_workload_count; i++)
        put_state(&out, slw_workloads[i]->name, slw_workloads[i]->summary,
                  slw_workloads[i]->missing);
    slw_buf_puts(&out, "\nDrivers:\n");
    for (size_t i = 0; i < slw_driver_count; i++)
        put_state(&out, slw_drivers[i]->name, slw_drivers[i]->summary, slw_drivers[i]->missing);
    slw_buf_puts(&out, "\n'slotwise workload run NAME --help' shows the settings of one.\n");
    int rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}
