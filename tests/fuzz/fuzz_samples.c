/* SPDX-License-Identifier: MIT */
/* A perf.data from anywhere through the whole analysis: stacks, differences of group reads, the
 * functions of a report. Symbols are left out, they have targets of their own. */
#include "analyzer/report.h"
#include "analyzer/samples.h"
#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct slw_report_function_topdown *t)
{
    for (size_t c = 0; c < SLW_CELL_COUNT; c++)
        if (!t->cells[c].absent && (!isfinite(t->cells[c].value) || !isfinite(t->margins[c]) ||
                                    (c <= SLW_CELL_RETIRING && fabs(t->cells[c].value) > 1.01)))
            abort();
    if (!(t->mixing >= 0 && t->mixing <= 1))
        abort();
}

static void check_report(const struct slw_run *run, const struct slw_stacks *stacks)
{
    static struct slw_model *model; /* parsing it every time would be most of the work */
    struct slw_report *r = NULL;

    if (!model && slw_model_builtin("skylake", &model, NULL) < 0)
        abort();
    if (slw_report_new(run, stacks, model, &r, NULL) < 0)
        return;
    for (size_t i = 0; r->function_topdowns && i < r->function_count; i++)
        check_row(&r->function_topdowns[i]);
    slw_report_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slw_samples_options opts = {.symbols = false};
    struct slw_stacks *stacks = NULL;
    struct slw_run *run = NULL;
    struct slw_error err = {0};
    char path[64];
    int fd = memfd_create("samples", MFD_CLOEXEC);

    if (fd < 0 || slw_write_all(fd, data, size) < 0 || slw_run_new(&run, NULL) < 0)
        abort();
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int rc = slw_samples_load(path, &opts, run, &stacks, &err);
    if (rc < 0 && (err.code == SLW_E_OK || err.text[0] == '\0'))
        abort(); /* a failure without a reason */
    if (rc == 0)
        check_report(run, stacks);
    slw_stacks_free(stacks);
    slw_run_free(run);
    (void)close(fd);
    return 0;
}
