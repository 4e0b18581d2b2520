/* SPDX-License-Identifier: MIT */
/* What could not be named, told to the run: one note per cause, naming the files. */
#include "analyzer/symbols_int.h"
#include "base/buf.h"

struct cause {
    unsigned value; /* of enum slw_symbols_problem, or enum slw_symbols_remote */
    enum slw_note_level level;
    const char *code, *text, *hint;
};

static const struct cause causes[] = {
    {SLW_SYMBOLS_REPLACED, SLW_NOTE_WARNING, "binary-replaced",
     "binary replaced while running or since, so it has no function names",
     "profile again with the binary that is in place now"},
    {SLW_SYMBOLS_MISSING, SLW_NOTE_WARNING, "binary-missing",
     "binary not found or unreadable here, so it has no function names",
     "make the file readable at the path it ran from"},
    {SLW_SYMBOLS_UNCHECKED, SLW_NOTE_WARNING, "binary-unchecked",
     "recorded without a build id, so the file here cannot be told to be the one that ran",
     "import on the machine that recorded, or record with build ids"},
    {SLW_SYMBOLS_NO_DEBUG, SLW_NOTE_WARNING, "debug-file-unreadable",
     "separate debug file not readable, so only exported functions have names",
     "make the file below /usr/lib/debug/.build-id readable"},
    {SLW_SYMBOLS_NO_DWARF, SLW_NOTE_WARNING, "debug-info-unreadable",
     "debug information not readable, so its source lines and inlined calls are missing",
     "make the file below /usr/lib/debug/.build-id readable, or build it again"},
    {SLW_SYMBOLS_HIDDEN, SLW_NOTE_WARNING, "kernel-symbols-hidden",
     "the kernel hides its addresses, so kernel functions have no names",
     "sudo sysctl kernel.kptr_restrict=0, or run as root"},
    {SLW_SYMBOLS_ELSEWHERE, SLW_NOTE_WARNING, "kernel-symbols-elsewhere",
     "recorded on another kernel or boot, so kernel functions have no names",
     "symbolize on the machine that recorded, before it restarts"},
    {SLW_SYMBOLS_JIT_FOREIGN, SLW_NOTE_WARNING, "jit-map-foreign",
     "what names the code of a JIT compiler was written by another user, so it was not read",
     "profile as the user of the client, or with -p while it runs"},
    {SLW_SYMBOLS_JIT_STALE, SLW_NOTE_WARNING, "jit-map-stale",
     "what names the code of a JIT compiler is older than what was measured, so it was not read",
     "start the client so that it writes one (node --perf-basic-prof)"},
    {SLW_SYMBOLS_JIT_HUGE, SLW_NOTE_WARNING, "jit-map-huge",
     "what names the code of a JIT compiler is larger than is read; the rest has no names",
     "profile for a shorter time"},
    {SLW_SYMBOLS_JIT_REUSED, SLW_NOTE_INFO, "jit-reused",
     "a JIT compiler put several functions at one address in turns; samples there are named after "
     "the last",
     NULL},
};

/* The same by what came of asking others. */
static const struct cause asked[] = {
    {SLW_SYMBOLS_FETCHED, SLW_NOTE_INFO, "debug-files-fetched",
     "named by files from debuginfod servers", NULL},
    {SLW_SYMBOLS_NOBODY_HAS, SLW_NOTE_INFO, "debug-files-nowhere",
     "no debuginfod server has the debug file", NULL},
    {SLW_SYMBOLS_SPENT, SLW_NOTE_WARNING, "debug-files-limit",
     "debug file not fetched: the time or the bytes for that are spent",
     "run it again, what was fetched is kept; or raise --debuginfod-time or --debuginfod-size"},
    {SLW_SYMBOLS_UNREACHED, SLW_NOTE_WARNING, "debug-files-unreachable",
     "debug file not fetched: no debuginfod server answered as it should",
     "check the servers in DEBUGINFOD_URLS"},
};

#define MAX_NAMED 8 /* files in one note; the rest is counted */

/* Names no file. */
static bool is_kernel(unsigned problem)
{
    return problem == SLW_SYMBOLS_HIDDEN || problem == SLW_SYMBOLS_ELSEWHERE;
}

static void list_file(const struct slw_module *m, size_t count, struct slw_buf *names)
{
    const char *comma = count ? ", " : "";

    if (m->kind == SLW_MODULE_ANONYMOUS)
        slw_buf_printf(names, "%sprocess %d", comma, m->pid);
    else
        slw_buf_printf(names, "%s%s", comma, m->path);
}

static unsigned problem_of(const struct slw_symbols_module *l)
{
    return l->problem;
}

static unsigned remote_of(const struct slw_symbols_module *l)
{
    return l->remote;
}

typedef unsigned (*value_fn)(const struct slw_symbols_module *l);

static size_t list_files(const struct slw_symbols *s, value_fn value_of, unsigned value,
                         struct slw_buf *names)
{
    size_t count = 0;

    for (uint32_t i = 0; i < s->modules->count && i < s->loaded_capacity; i++) {
        if (value_of(&s->loaded[i]) != value)
            continue;
        if (count < MAX_NAMED)
            list_file(&s->modules->modules[i], count, names);
        count++;
    }
    if (count > MAX_NAMED)
        slw_buf_printf(names, " and %zu more", count - MAX_NAMED);
    return count;
}

static int note(const struct slw_symbols *s, value_fn value_of, const struct cause *c,
                struct slw_run *run)
{
    struct slw_buf names = {0};
    const size_t count = list_files(s, value_of, c->value, &names);
    int rc = 0;

    if (slw_buf_failed(&names))
        rc = -SLW_E_NOMEM;
    else if (count > 0 && value_of == problem_of && is_kernel(c->value))
        rc = slw_run_note(run, c->level, c->code, c->hint, "%s", c->text);
    else if (count > 0)
        rc = slw_run_note(run, c->level, c->code, c->hint, "%s: %s", names.data, c->text);
    slw_buf_release(&names);
    return rc == -SLW_E_LIMIT ? 0 : rc; /* enough was said */
}

int slw_symbols_notes(const struct slw_symbols *s, struct slw_run *run)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]) && rc == 0; i++)
        rc = note(s, problem_of, &causes[i], run);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]) && rc == 0; i++)
        rc = note(s, remote_of, &asked[i], run);
    return rc;
}
