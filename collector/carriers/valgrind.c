/* SPDX-License-Identifier: MIT */
/* The Valgrind tool of sim/valgrind/: repeatable, follows what the client executes, runs one thread
 * at a time. The launcher compares the installed release with the one the tool was built from. */
#include "collector/carriers/carrier.h"

#include "base/arena.h"

#include <string.h>

static const char *start_word(enum slw_sim_start start)
{
    switch (start) {
    case SLW_SIM_START_AUTO:
        return "auto";
    case SLW_SIM_START_CONNECT:
        return "connect";
    case SLW_SIM_START_WHOLE:
        break;
    }
    return "whole";
}

/* A percent sign begins what Valgrind expands. */
static char *without_percent(const char *path, struct slw_arena *arena)
{
    char *text = slw_arena_alloc(arena, 2 * strlen(path) + 1), *to = text;

    for (; text && *path; *to++ = *path++)
        if (*path == '%')
            *to++ = '%';
    return text;
}

static int command(const struct slw_carrier_job *job, struct slw_arena *arena,
                   const char ***ret_words, size_t *ret_count, struct slw_error *err)
{
    struct slw_carrier_words w;
    const char *output = without_percent(job->output, arena);
    int rc = 0;

    if (!output)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    rc = slw_carrier_words_begin(&w, arena, err);
    if (rc < 0)
        return rc;
    slw_carrier_word(&w, "%s", job->launcher);
    slw_carrier_word(&w, "--tool=slotwise");
    slw_carrier_word(&w, "-q");
    slw_carrier_word(&w, "--trace-children=yes");
    slw_carrier_word(&w, "--core=%s", job->core_file);
    slw_carrier_word(&w, "--core-name=%s", job->core_name);
    slw_carrier_word(&w, "--out=%s.%%p", output);
    slw_carrier_word(&w, "--period=%llu", (unsigned long long)job->period);
    slw_carrier_word(&w, "--detail=%llu", (unsigned long long)job->detail);
    slw_carrier_word(&w, "--start=%s", start_word(job->start));
    slw_carrier_word(&w, "--det=%s", job->repeatable ? "yes" : "no");
    slw_carrier_word(&w, "--");
    return slw_carrier_words_end(&w, ret_words, ret_count, err);
}

const struct slw_carrier slw_carrier_valgrind = {
    .name = "valgrind",
    .summary = "a tool for Valgrind: repeatable, one thread at a time",
    .launcher = "valgrind/slotwise-simulate",
    .makes_repeatable = true,
    .follows_exec = true,
    .command = command,
};
