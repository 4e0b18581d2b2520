/* SPDX-License-Identifier: MIT */
#include "collector/taps/stage/marks.h"

#include "base/cleanup.h"
#include "record/run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(SLW_STAGE_MAX == SLW_MAX_STAGES, "one number of stages");
_Static_assert((int)SLW_STAGE_COUNTERS == (int)SLW_STAGE_EVENT_COUNT, "one list of counters");

#define PROVIDER "slotwise"
#if defined(__aarch64__)
#define ARGUMENT "8@x0"
#else
#define ARGUMENT "8@%rdi"
#endif

void slw_stage_marks_release(struct slw_stage_marks *m)
{
    for (size_t i = 0; i < m->file_count; i++)
        free(m->files[i]);
    m->file_count = 0;
}

/* ---- names ---- */

/* What the header can have made: part of a C identifier. */
static bool is_name(const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
              (s[i] >= '0' && s[i] <= '9') || s[i] == '_' || s[i] == '$'))
            return false;
    return length > 0 && length < SLW_STAGE_MAX_NAME;
}

/* "decode__begin" */
static bool parse_name(const char *text, struct slw_stage_name *name, bool *ret_end)
{
    static const char *const events[] = {"__begin", "__end"};
    size_t length = strlen(text);

    for (int end = 0; end < 2; end++) {
        size_t tail = strlen(events[end]);

        if (length <= tail || strcmp(text + length - tail, events[end]) != 0)
            continue;
        if (!is_name(text, length - tail))
            return false;
        memcpy(name->name, text, length - tail);
        *ret_end = end == 1;
        return true;
    }
    return false;
}

/* Is this one of ours? Then *ret_ok says whether it is one we can use. */
static bool parse_probe(const struct slw_sdt_probe *p, struct slw_stage_name *name, bool *ret_end,
                        bool *ret_ok)
{
    size_t ours = strlen(PROVIDER);

    if (strncmp(p->provider, PROVIDER, ours) != 0)
        return false;
    const char *rest = p->provider + ours;
    if (*rest != '\0' && *rest != '_')
        return false;
    *ret_ok = parse_name(p->name, name, ret_end) && p->semaphore_offset != 0 &&
              (*ret_end || strcmp(p->arguments, ARGUMENT) == 0);
    if (*rest == '_') {
        size_t length = strlen(rest + 1);

        *ret_ok = *ret_ok && is_name(rest + 1, length);
        if (*ret_ok)
            memcpy(name->provider, rest + 1, length);
    }
    return true;
}

/* ---- tables ---- */

static bool find_stage(struct slw_stage_marks *m, const struct slw_stage_name *name,
                       size_t *ret_stage)
{
    for (size_t i = 0; i < m->stage_count; i++)
        if (strcmp(m->stages[i].name, name->name) == 0 &&
            strcmp(m->stages[i].provider, name->provider) == 0) {
            *ret_stage = i;
            return true;
        }
    if (m->stage_count == SLW_STAGE_MAX)
        return false;
    m->stages[m->stage_count] = *name;
    *ret_stage = m->stage_count++;
    return true;
}

static void add_probe(void *ctx, const struct slw_sdt_probe *p)
{
    struct slw_stage_marks *m = ctx;
    struct slw_stage_name name = {{0}, {0}};
    bool end = false, ok = false;
    size_t stage = 0;

    if (!parse_probe(p, &name, &end, &ok))
        return;
    if (!ok) {
        m->unusable++;
        return;
    }
    if (m->mark_count == SLW_STAGE_MAX_MARKS || !find_stage(m, &name, &stage)) {
        m->left_out++;
        return;
    }
    m->marks[m->mark_count++] = (struct slw_stage_mark){.file = (uint16_t)m->file_count,
                                                        .stage = (uint16_t)stage,
                                                        .end = end,
                                                        .offset = p->offset,
                                                        .semaphore_offset = p->semaphore_offset};
}

int slw_stage_marks_read(struct slw_stage_marks *m, const char *path, slw_sdt_read_fn *read,
                         void *read_ctx, struct slw_error *err)
{
    size_t before = m->mark_count;

    if (m->file_count == SLW_STAGE_MAX_FILES)
        return slw_fail(err, SLW_E_LIMIT, "more than %d files mark stages", SLW_STAGE_MAX_FILES);
    int rc = slw_sdt_probes(read, read_ctx, add_probe, m, NULL, err);
    if (m->mark_count == before)
        return rc;
    m->files[m->file_count] = strdup(path);
    if (!m->files[m->file_count]) {
        m->mark_count = before;
        return slw_fail(err, SLW_E_NOMEM, "no memory for stages");
    }
    m->file_count++;
    return rc;
}

/* ---- files ---- */

static bool read_file(void *ctx, void *data, size_t size, uint64_t offset)
{
    const int *fd = ctx;

    return offset <= INT64_MAX && pread(*fd, data, size, (off_t)offset) == (ssize_t)size;
}

int slw_stage_marks_file(struct slw_stage_marks *m, const char *path, struct slw_error *err)
{
    struct stat st;
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    return slw_stage_marks_read(m, path, read_file, &fd, err);
}

bool slw_stage_marks_know(const struct slw_stage_marks *m, const struct stat *file)
{
    struct stat st;

    for (size_t i = 0; i < m->file_count; i++)
        if (stat(m->files[i], &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino)
            return true;
    return false;
}
