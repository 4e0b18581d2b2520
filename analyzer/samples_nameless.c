/* SPDX-License-Identifier: MIT */
/* Functions that no name can be had of, though people ask for them: code that was made at run time
 * and left no map, and the functions of an interpreter. */
#include "analyzer/samples_int.h"
#include "base/buf.h"

#include <string.h>

#define LEAST_SHARE 100 /* worth a word: one frame in so many */
#define MAX_LISTED  4   /* processes */

static const struct interpreter {
    const char *function, *named, *language, *hint;
} interpreters[] = {
#define SLW_INTERPRETER(function, named, language, hint) {function, named, language, hint},
#include "analyzer/interpreters.def"
#undef SLW_INTERPRETER
};
#define INTERPRETERS (sizeof(interpreters) / sizeof(interpreters[0]))
_Static_assert(INTERPRETERS <= SLW_MAX_INTERPRETERS, "there is room for all");

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static void count_interpreted(struct slw_nameless *n, const char *name, uint32_t hits)
{
    for (size_t i = 0; i < INTERPRETERS; i++) {
        if (strcmp(name, interpreters[i].function) == 0)
            n->interpreted[i] += hits;
        n->told[i] |= begins(name, interpreters[i].named);
    }
}

static void list_process(struct slw_nameless *n, int32_t pid)
{
    for (size_t i = 0; i < n->pid_count; i++)
        if (n->pids[i] == pid)
            return;
    if (n->pid_count < SLW_MAX_NAMELESS)
        n->pids[n->pid_count++] = pid;
}

void slw_samples_count_nameless(struct slw_samples *s, const char *const *names)
{
    struct slw_nameless *n = &s->nameless;

    for (uint32_t i = 0; i < s->locations.count; i++) {
        const struct slw_location *l = &s->locations.locations[i];
        const struct slw_module *m = &s->modules.modules[slw_samples_module(l)];

        n->frames += l->hits;
        count_interpreted(n, names[i], l->hits);
        if (m->kind != SLW_MODULE_ANONYMOUS || names[i][0])
            continue;
        n->generated += l->hits;
        if (l->hits > 0)
            list_process(n, m->pid);
    }
}

static int note_generated(struct slw_samples *s)
{
    const struct slw_nameless *n = &s->nameless;
    struct slw_buf list = {0};

    for (size_t i = 0; i < n->pid_count && i < MAX_LISTED; i++)
        slw_buf_printf(&list, "%s%d", i ? ", " : "", n->pids[i]);
    if (n->pid_count > MAX_LISTED)
        slw_buf_puts(&list, " and others");
    int rc = slw_buf_failed(&list) ? -SLW_E_NOMEM : 0;
    if (rc == 0)
        rc = slw_run_note(
            s->run, SLW_NOTE_INFO, "jit-unnamed",
            s->opts->imported ? NULL
                              : "node --perf-basic-prof, java -XX:+UnlockDiagnosticVMOptions "
                                "-XX:+DumpPerfMapAtExit, php -d opcache.jit_debug=16 and python -X "
                                "perf leave names (docs/names.md)",
            "process %s: %.0f %% of all frames are code that was made while it ran, and nothing "
            "was left that names it",
            list.data, 100.0 * (double)n->generated / (double)n->frames);
    slw_buf_release(&list);
    return rc;
}

static bool is_much(const struct slw_nameless *n, uint64_t frames)
{
    return frames > 0 && frames >= n->frames / LEAST_SHARE;
}

int slw_samples_nameless_notes(struct slw_samples *s)
{
    const struct slw_nameless *n = &s->nameless;
    int rc = is_much(n, n->generated) ? note_generated(s) : 0;

    for (size_t i = 0; rc == 0 && i < INTERPRETERS; i++)
        if (is_much(n, n->interpreted[i]) && !n->told[i])
            rc = slw_run_note(s->run, SLW_NOTE_INFO, "interpreted-frames", interpreters[i].hint,
                              "%s functions are not told apart: all of them are shown as %s",
                              interpreters[i].language, interpreters[i].function);
    return rc;
}
