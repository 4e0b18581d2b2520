/* SPDX-License-Identifier: MIT */
#include "collector/taps/stage/late.h"

#include "base/cleanup.h"
#include "collector/procfs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAPS_BYTES (256u << 10) /* read of the mappings */
#define MAX_FILES  256          /* programs have some ten libraries, Java a hundred */

struct file {
    uint64_t inode;
    uint32_t major, minor;
    char path[PATH_MAX];
};

struct slw_stage_late {
    size_t count;
    struct file files[MAX_FILES];
    char maps[MAPS_BYTES];
};

struct slw_stage_late *slw_stage_late_new(void)
{
    return calloc(1, sizeof(struct slw_stage_late)); /* untouched pages are no memory */
}

void slw_stage_late_free(struct slw_stage_late *l)
{
    free(l);
}

static void remember(struct slw_stage_late *l, const struct slw_proc_mapping *m)
{
    if (!(m->prot & PROT_EXEC) || m->name_length == 0 || m->name_length >= PATH_MAX ||
        m->name[0] != '/')
        return;
    for (size_t i = 0; i < l->count; i++)
        if (l->files[i].inode == m->inode && l->files[i].major == m->major &&
            l->files[i].minor == m->minor)
            return;
    if (l->count == MAX_FILES)
        return;
    struct file *f = &l->files[l->count++];
    *f = (struct file){.inode = m->inode, .major = m->major, .minor = m->minor};
    memcpy(f->path, m->name, m->name_length);
}

void slw_stage_late_look(struct slw_stage_late *l, int pid)
{
    char path[32];
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && length < MAPS_BYTES) {
        ssize_t n = read(fd, l->maps + length, MAPS_BYTES - length);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    const char *line = l->maps, *end = l->maps + length, *stop;
    while ((stop = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        struct slw_proc_mapping m;

        if (slw_proc_parse_mapping(line, (size_t)(stop - line), &m))
            remember(l, &m);
        line = stop + 1;
    }
}

static bool is_new(const struct slw_stage_marks *known, const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !slw_stage_marks_know(known, &st);
}

int slw_stage_late_tell(const struct slw_stage_late *l, const struct slw_stage_marks *known,
                        struct slw_run *run, struct slw_error *err)
{
    struct slw_stage_marks *m = calloc(1, sizeof(*m));
    int rc = 0;

    if (!m)
        return slw_fail(err, SLW_E_NOMEM, "no memory to look for stages");
    for (size_t i = 0; i < l->count; i++)
        if (is_new(known, l->files[i].path))
            (void)slw_stage_marks_file(m, l->files[i].path, NULL);
    if (m->stage_count > 0)
        rc =
            slw_run_note(run, SLW_NOTE_WARNING, "stages-opened-later",
                         "name that library with --stages-in, or attach with -p when it is open",
                         "%zu stage(s) are marked in '%s', which the client opened later: they are "
                         "in no number",
                         m->stage_count, m->file_count > 0 ? m->files[0] : "");
    slw_stage_marks_release(m);
    free(m);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for notes") : 0;
}
