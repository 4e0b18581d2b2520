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

/* ---- what kind of program it is ---- */

static bool read_head(int fd, Elf64_Ehdr *ret_head)
{
    return pread(fd, ret_head, sizeof(*ret_head), 0) == (ssize_t)sizeof(*ret_head) &&
           memcmp(ret_head->e_ident, ELFMAG, SELFMAG) == 0 &&
           ret_head->e_ident[EI_CLASS] == ELFCLASS64;
}

#define MAX_SECTIONS 4096

static bool is_named(int fd, const Elf64_Shdr *names, const Elf64_Shdr *section, const char *name)
{
    char text[24] = "";

    return section->sh_name < names->sh_size && strlen(name) < sizeof(text) &&
           pread(fd, text, strlen(name) + 1, (off_t)(names->sh_offset + section->sh_name)) > 0 &&
           strcmp(text, name) == 0;
}

static bool has_section(int fd, const char *name)
{
    Elf64_Ehdr head;
    Elf64_Shdr section, names;

    if (!read_head(fd, &head) || head.e_shentsize != sizeof(section) ||
        head.e_shnum > MAX_SECTIONS || head.e_shstrndx >= head.e_shnum ||
        pread(fd, &names, sizeof(names),
              (off_t)(head.e_shoff + head.e_shstrndx * sizeof(section))) != (ssize_t)sizeof(names))
        return false;
    for (unsigned i = 0; i < head.e_shnum; i++)
        if (pread(fd, &section, sizeof(section), (off_t)(head.e_shoff + i * sizeof(section))) ==
                (ssize_t)sizeof(section) &&
            is_named(fd, &names, &section, name))
            return true;
    return false;
}

/* Written by Go's linker ("debug/buildinfo" of its library). */
static bool is_go(int fd)
{
    return has_section(fd, ".go.buildinfo");
}

static bool of_program(const char *program, bool (*is)(int fd))
{
    const int fd = program ? open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    const bool found = fd >= 0 && is(fd);

    if (fd >= 0)
        (void)close(fd);
    return found;
}

/* ---- running it ---- */

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
    /* Threads of Go wait for each other in loops; one that does may keep the other from running for
     * seconds, and counts all the while. For threads that work, turns in order take twice the time.
     */
    if (of_program(job->program, is_go))
        slw_carrier_word(&w, "--fair-sched=try");
    slw_carrier_job_words(&w, job, output);
    return slw_carrier_words_end(&w, ret_words, ret_count, err);
}

/* ---- what it cannot run ---- */

/* Where Valgrind has itself on x86-64 (valt_load_address of valgrind.pc), and as much as the tool
 * takes there with room to spare. */
#define OWN_START UINT64_C(0x58000000)
#define OWN_END   UINT64_C(0x59000000)

#define MAX_SEGMENTS 256

static bool is_in_the_way(int fd)
{
    Elf64_Ehdr head;
    Elf64_Phdr p;

    if (!read_head(fd, &head) || head.e_type != ET_EXEC || head.e_phentsize != sizeof(p) ||
        head.e_phnum > MAX_SEGMENTS)
        return false;
    for (unsigned i = 0; i < head.e_phnum; i++)
        if (pread(fd, &p, sizeof(p), (off_t)(head.e_phoff + i * sizeof(p))) == (ssize_t)sizeof(p) &&
            p.p_type == PT_LOAD && p.p_vaddr < OWN_END && p.p_memsz > 0 &&
            (p.p_vaddr >= OWN_START || p.p_memsz > OWN_START - p.p_vaddr))
            return true;
    return false;
}

/* A program of fixed addresses that is large, or linked to be there. */
static const char *refuses(const char *program)
{
    return of_program(program, is_in_the_way) ? "has to be where Valgrind is (from 0x58000000 on)"
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
