/* SPDX-License-Identifier: MIT */
/* The Valgrind tool of sim/valgrind/: repeatable, follows what the client executes, runs one thread
 * at a time. The launcher compares the installed release with the one the tool was built from. */
#include "collector/carriers/carrier.h"

#include "base/arena.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
    slw_carrier_job_words(&w, job, output);
    return slw_carrier_words_end(&w, ret_words, ret_count, err);
}

/* ---- what it cannot run ---- */

#define MAX_SECTIONS 4096
#define MAX_NAME     24

struct sections {
    bool is_go, has_compressed;
};

static void look_at(int fd, const Elf64_Shdr *s, const Elf64_Shdr *names, struct sections *ret)
{
    char name[MAX_NAME] = "";

    if (s->sh_name >= names->sh_size ||
        pread(fd, name, sizeof(name) - 1, (off_t)(names->sh_offset + s->sh_name)) <= 0)
        return;
    ret->is_go |= strcmp(name, ".go.buildinfo") == 0;
    ret->has_compressed |= (s->sh_flags & SHF_COMPRESSED) && strncmp(name, ".debug_", 7) == 0;
}

static struct sections read_sections(int fd)
{
    struct sections found = {0};
    Elf64_Ehdr head;
    Elf64_Shdr section, names;

    if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_shentsize != sizeof(section) || head.e_shnum > MAX_SECTIONS ||
        head.e_shstrndx >= head.e_shnum ||
        pread(fd, &names, sizeof(names),
              (off_t)(head.e_shoff + head.e_shstrndx * sizeof(section))) != (ssize_t)sizeof(names))
        return found;
    for (unsigned i = 0; i < head.e_shnum; i++)
        if (pread(fd, &section, sizeof(section), (off_t)(head.e_shoff + i * sizeof(section))) ==
            (ssize_t)sizeof(section))
            look_at(fd, &section, &names, &found);
    return found;
}

/* Valgrind 3.19 ends on the debug information of some of these, and has no option to leave it. */
static const char *refuses(const char *program)
{
    const int fd = program ? open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    struct sections found = {0};

    if (fd < 0)
        return NULL;
    found = read_sections(fd);
    (void)close(fd);
    return found.is_go && found.has_compressed
               ? "is a Go program with compressed debug information, which Valgrind may not read"
               : NULL;
}

const struct slw_carrier slw_carrier_valgrind = {
    .name = "valgrind",
    .summary = "a tool for Valgrind: repeatable, one thread at a time",
    .launcher = "valgrind/slotwise-simulate",
    .makes_repeatable = true,
    .follows_exec = true,
    .hides_tap = true,
    .command = command,
    .refuses = refuses,
};
