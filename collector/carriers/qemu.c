/* SPDX-License-Identifier: MIT */
/* The plugin of sim/qemu/ for QEMU's user mode: for what Valgrind cannot run. Threads run at the
 * same time. The launcher asks QEMU whether it takes the plugin. */
#include "collector/carriers/carrier.h"

#include "base/arena.h"

static int command(const struct slw_carrier_job *job, struct slw_arena *arena,
                   const char ***ret_words, size_t *ret_count, struct slw_error *err)
{
    struct slw_carrier_words w;
    int rc = slw_carrier_words_begin(&w, arena, err);

    if (rc < 0)
        return rc;
    slw_carrier_word(&w, "%s", job->launcher);
    slw_carrier_job_words(&w, job, job->output);
    return slw_carrier_words_end(&w, ret_words, ret_count, err);
}

const struct slw_carrier slw_carrier_qemu = {
    .name = "qemu",
    .summary = "a plugin for QEMU's user mode: for programs Valgrind cannot run",
    .launcher = "qemu/slotwise-simulate-qemu",
    .makes_repeatable = true,
    .follows_exec = true,
    .hides_tap = true,
    .command = command,
};
