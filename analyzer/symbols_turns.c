/* SPDX-License-Identifier: MIT */
/* Code of JIT compilers that tell when they put it where: addresses that several functions had in
 * turns. A turn is one function at one place, of all processes; 0 is none. */
#include "analyzer/jit_history.h"
#include "analyzer/jitdump.h"
#include "analyzer/symbols_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Turns fit what a step of a stack has room for. */
#define MAX_TURNS ((size_t)SLW_MAX_TURN)

/* What one process has left, as one path. */
struct teller {
    int32_t pid;
    const char *path; /* lent from the modules */
    struct slw_symtab functions;
    struct slw_jit_history *history; /* NULL: nothing to be told */
    size_t before;                   /* turns of those told earlier */
};

struct slw_symbols_turns {
    struct teller tellers[SLW_MAX_JITDUMPS];
    size_t count, recent, turns;
    struct slw_jit_times times; /* of the one being read */
};

static void release(struct teller *t)
{
    slw_jit_history_free(t->history);
    slw_symtab_release(&t->functions);
}

void slw_symbols_forget_turns(struct slw_symbols *s)
{
    if (!s->turns)
        return;
    for (size_t i = 0; i < s->turns->count; i++)
        release(&s->turns->tellers[i]);
    slw_jit_times_release(&s->turns->times);
    free(s->turns);
    s->turns = NULL;
}

/* Whatever fails, names are then those of the table without times. */
static void read_history(struct slw_symbols *s, struct teller *t, int fd)
{
    struct slw_jit_times *times = &s->turns->times;
    FILE *f = fdopen(fd, "rb");

    if (!f) {
        (void)close(fd);
        return;
    }
    times->count = 0;
    const int rc = slw_jitdump_read_timed(f, s->arena, &t->functions, times);
    (void)fclose(f);
    if (rc == 0 && times->comparable && times->count == t->functions.count &&
        t->functions.count < MAX_TURNS - s->turns->turns)
        (void)slw_jit_history_new(&t->functions, times->ns, &t->history);
    if (t->history)
        s->turns->turns += t->functions.count;
    else
        slw_symtab_release(&t->functions);
}

static struct teller *add_teller(struct slw_symbols *s, int32_t pid, const char *path)
{
    struct slw_symbols_turns *turns = s->turns;
    enum slw_symbols_problem problem = SLW_SYMBOLS_FINE;

    if (turns->count == SLW_MAX_JITDUMPS)
        return NULL;
    struct teller *t = &turns->tellers[turns->count];
    *t = (struct teller){.pid = pid, .path = path, .before = turns->turns};
    const int fd = slw_symbols_open_jitdump(s, pid, path, &problem);
    if (fd >= 0)
        read_history(s, t, fd);
    turns->recent = turns->count++;
    return t;
}

static struct teller *find_teller(struct slw_symbols *s, int32_t pid)
{
    struct slw_symbols_turns *turns = s->turns;
    const char *path = slw_modules_jitdump(s->modules, pid);

    if (!path)
        return NULL;
    for (size_t i = 0; i < turns->count; i++) {
        struct teller *t = &turns->tellers[(turns->recent + i) % turns->count];
        if (t->pid == pid && strcmp(t->path, path) == 0) {
            turns->recent = (size_t)(t - turns->tellers);
            return t;
        }
    }
    return add_teller(s, pid, path);
}

bool slw_symbols_has_turns(const struct slw_symbols *s)
{
    return s->modules->jitdump_count > 0 && s->opts.monotonic && !s->opts.imported;
}

uint32_t slw_symbols_turn(struct slw_symbols *s, int32_t pid, uint64_t address, uint64_t time_ns)
{
    size_t function;

    if (!slw_symbols_has_turns(s) || pid <= 0 || time_ns == 0)
        return 0;
    if (!s->turns)
        s->turns = calloc(1, sizeof(*s->turns));
    struct teller *t = s->turns ? find_teller(s, pid) : NULL;
    if (!t || !t->history || !slw_jit_history_find(t->history, address, time_ns, &function))
        return 0;
    return (uint32_t)(t->before + function) + 1;
}

const char *slw_symbols_turn_name(const struct slw_symbols *s, uint32_t turn)
{
    for (size_t i = 0; s->turns && i < s->turns->count; i++) {
        const struct teller *t = &s->turns->tellers[i];
        if (t->history && turn - 1 >= t->before && turn - 1 - t->before < t->functions.count)
            return t->functions.symbols[turn - 1 - t->before].name;
    }
    return "";
}
