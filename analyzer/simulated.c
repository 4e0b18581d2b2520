/* SPDX-License-Identifier: MIT */
#include "analyzer/simulated.h"

#include "analyzer/format.h"
#include "analyzer/text.h"

#include <string.h>

#define MODEL "simulated"

static const struct slw_count *first_simulated(const struct slw_run *run)
{
    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].from.source == SLW_SOURCE_SIMULATED && !run->counts[i].absent)
            return &run->counts[i];
    return NULL;
}

bool slw_simulated_is(const struct slw_run *run)
{
    return run->model.name && strcmp(run->model.name, MODEL) == 0;
}

const char *slw_simulated_where(const struct slw_run *run)
{
    const struct slw_count *c = first_simulated(run);

    return c && c->from.detail ? c->from.detail : "";
}

bool slw_simulated_repeats(const struct slw_run *run)
{
    if (!slw_simulated_is(run) || strstr(slw_simulated_where(run), SLW_SIMULATED_VARIES))
        return false;
    for (size_t i = 0; i < run->connection_count; i++)
        if (run->connections[i].sends > 0 || run->connections[i].reads > 0)
            return false;
    return true;
}

bool slw_simulated_sampled(const struct slw_provenance *from)
{
    return from->source == SLW_SOURCE_SIMULATED && from->detail &&
           strstr(from->detail, SLW_SIMULATED_PART);
}

/* Of the whole run; of rounds, which differ in nothing, the first. */
static bool value_of(const struct slw_run *run, const char *event, double *ret_value)
{
    const struct slw_count *c = slw_run_find_count(run, event);

    if (!c || c->absent)
        return false;
    *ret_value = (double)c->raw;
    return true;
}

void slw_simulated_kernel(struct slw_buf *out, const struct slw_run *run)
{
    double kernel_ns, cycles;

    if (!slw_simulated_is(run) || !value_of(run, "kernel-time", &kernel_ns) ||
        !value_of(run, "cycles", &cycles) || kernel_ns <= cycles / SLW_SIMULATED_GHZ)
        return;
    slw_buf_puts(out, "the kernel, which is not simulated, took longer (");
    slw_format_ns(out, (uint64_t)kernel_ns);
    slw_buf_puts(out, ") than the simulated code would at 3 GHz (");
    slw_format_ns(out, (uint64_t)(cycles / SLW_SIMULATED_GHZ));
    slw_buf_puts(out, ")");
}

void slw_simulated_mark_meaning(struct slw_buf *out, const struct slw_run *run, char letter)
{
    const char *where = slw_simulated_where(run);

    if (letter != 'm' || !where[0]) {
        slw_buf_puts(out, slw_format_mark_meaning(letter));
        return;
    }
    slw_buf_puts(out, "simulated: ");
    slw_text_clean(out, where);
    slw_buf_puts(out, "; computed by a model of that core, not measured on this one");
}
