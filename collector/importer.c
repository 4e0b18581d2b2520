/* SPDX-License-Identifier: MIT */
#include "collector/importer.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "record/gunzip.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SLW_IMPORTER(name) extern const struct slw_importer slw_importer_##name;
#include "collector/importers.def"
#undef SLW_IMPORTER

const struct slw_importer *const slw_importers[] = {
#define SLW_IMPORTER(name) &slw_importer_##name,
#include "collector/importers.def"
#undef SLW_IMPORTER
};
const size_t slw_importer_count = sizeof(slw_importers) / sizeof(slw_importers[0]);

/* The importers' names, for an error. */
static void list_names(char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < slw_importer_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
                                 slw_importers[i]->name);
}

static int find_named(const char *name, const struct slw_importer **ret_importer,
                      struct slw_error *err)
{
    char known[400];

    for (size_t i = 0; i < slw_importer_count; i++)
        if (strcmp(slw_importers[i]->name, name) == 0) {
            *ret_importer = slw_importers[i];
            return 0;
        }
    list_names(known, sizeof(known));
    return slw_fail(err, SLW_E_INVAL, "no importer is called '%s'; there are: %s", name, known);
}

/* The index of the importer that knows such bytes, slw_importer_count for none. */
static size_t recognise(const void *head, size_t length)
{
    size_t i = 0;

    while (i < slw_importer_count && !slw_importers[i]->recognise(head, length))
        i++;
    return i;
}

const struct slw_importer *slw_importer_of(const void *head, size_t length)
{
    const size_t i = recognise(head, length);

    return i < slw_importer_count ? slw_importers[i] : NULL;
}

static int find_recognising(const char *path, const void *bytes, size_t length,
                            const struct slw_importer **ret_importer, struct slw_error *err)
{
    char known[400];
    const size_t i =
        recognise(bytes, length < SLW_IMPORT_HEAD_BYTES ? length : SLW_IMPORT_HEAD_BYTES);

    if (i < slw_importer_count) {
        *ret_importer = slw_importers[i];
        return 0;
    }
    list_names(known, sizeof(known));
    slw_error_at(err, "%s", path);
    return slw_fail(err, SLW_E_FORMAT, "'%s' is of no kind that can be imported: %s", path, known);
}

/* The head of a regular file, so that a large perf.data is not read only to be recognised. Anything
 * else (a pipe can be read once) gives no bytes. Failures are left to the reading of the whole. */
static size_t read_head(const char *path, char *head)
{
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    const long long length = slw_read_full(fd, head, SLW_IMPORT_HEAD_BYTES);
    return length > 0 ? (size_t)length : 0;
}

static int choose(const char *path, const char *name, const void *bytes, size_t length,
                  const struct slw_importer **ret_importer, struct slw_error *err)
{
    return name ? find_named(name, ret_importer, err)
                : find_recognising(path, bytes, length, ret_importer, err);
}

/* What is in a gzip file; pprof alone is read as it is, because pprof is always compressed. */
static int unpack(const char *path, const char *name, char **data, size_t *length,
                  const struct slw_importer **importer, struct slw_error *err)
{
    struct slw_buf plain = {0};
    int rc = slw_gunzip(*data, *length, SLW_MAX_IMPORT_PLAIN_BYTES, &plain, err);

    if (rc < 0) {
        slw_buf_release(&plain);
        return rc;
    }
    const size_t head = plain.length < SLW_IMPORT_HEAD_BYTES ? plain.length : SLW_IMPORT_HEAD_BYTES;
    const struct slw_importer *inner = name || head == 0 ? NULL : slw_importer_of(plain.data, head);
    if (inner)
        *importer = inner;
    if ((*importer)->head_only) {
        slw_buf_release(&plain);
        slw_error_at(err, "%s", path);
        slw_error_hint(err, "unpack it first: gzip -d");
        return slw_fail(err, SLW_E_FORMAT, "'%s' is a compressed perf.data", path);
    }
    free(*data);
    *length = plain.length;
    *data = slw_buf_take(&plain);
    return 0;
}

static int read_all(const char *path, const char *name, const struct slw_importer *importer,
                    struct slw_imported *ret_imported, struct slw_error *err)
{
    char *SLW_AUTO(free) data = NULL;
    size_t length = 0;
    int rc = slw_file_read(path, SLW_MAX_IMPORT_BYTES, &data, &length, err);

    if (rc < 0)
        return rc;
    if (length == 0)
        return slw_fail(err, SLW_E_NODATA, "'%s' is empty", path);
    if (!importer)
        rc = choose(path, name, data, length, &importer, err);
    if (rc >= 0 && slw_gzip_recognise(data, length))
        rc = unpack(path, name, &data, &length, &importer, err);
    if (rc < 0)
        return rc;
    assert(importer);
    return importer->import(path, data ? data : "", length, ret_imported, err);
}

int slw_import(const char *path, const char *name_or_null, struct slw_imported *ret_imported,
               struct slw_error *err)
{
    const struct slw_importer *importer = NULL;
    char head[SLW_IMPORT_HEAD_BYTES];
    const size_t length = read_head(path, head);

    if (length > 0) {
        const int rc = choose(path, name_or_null, head, length, &importer, err);
        if (rc < 0)
            return rc;
        assert(importer);
        if (importer->head_only)
            return importer->import(path, head, length, ret_imported, err);
    }
    return read_all(path, name_or_null, importer, ret_imported, err);
}
