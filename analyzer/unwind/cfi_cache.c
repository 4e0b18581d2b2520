/* SPDX-License-Identifier: MIT */
/* The file: header, rows, rules, sets of saved registers, which set is of which row, expressions.
 */
#include "analyzer/unwind/cfi_cache.h"

#include "analyzer/cache_file.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER         "unwind"
#define MAX_FILE_BYTES ((size_t)256 << 20)
#define MAX_FILES      4096
#define MAX_BYTES      ((uint64_t)512 << 20)
#define MIN_ID         8 /* digits; shorter ones are no hashes */
#define MAX_ID         128

/* To be changed whenever rows come to mean something else, or to be made otherwise. */
static const char magic[8] = "SLWCFI03";

struct header {
    char magic[8];
    char build_id[MAX_ID];
    uint32_t machine, row_count, rule_count, expression_bytes, bad_entries, saves_count;
    uint64_t checksum; /* of all that stands before and behind it */
};

static uint64_t sum_of(const struct header *h, size_t length)
{
    return slw_cache_checksum(h, offsetof(struct header, checksum)) * 3 ^
           slw_cache_checksum(h + 1, length - sizeof(*h));
}

void slw_cfi_cache_seal(void *data, size_t length)
{
    struct header *h = data;

    if (length >= sizeof(*h))
        h->checksum = sum_of(h, length);
}

/* Build ids come from files: as a name, one must not lead elsewhere. */
static bool is_id(const char *build_id)
{
    size_t length = strspn(build_id, "0123456789abcdef");

    return length >= MIN_ID && length <= MAX_ID && build_id[length] == '\0';
}

static size_t whole_size(const struct header *h)
{
    if (h->row_count > SLW_MAX_CFI_ROWS || h->rule_count > SLW_MAX_CFI_RULES ||
        h->saves_count > SLW_MAX_CFI_SAVES || h->expression_bytes > SLW_MAX_CFI_EXPRESSION_BYTES)
        return 0;
    return sizeof(*h) + h->row_count * (sizeof(struct slw_cfi_row) + sizeof(uint16_t)) +
           h->rule_count * sizeof(struct slw_cfi_rule) +
           h->saves_count * sizeof(struct slw_cfi_saves) + h->expression_bytes;
}

static bool is_sound(const struct header *h, size_t length, const char *build_id)
{
    return length >= sizeof(*h) && memcmp(h->magic, magic, sizeof(magic)) == 0 &&
           strncmp(h->build_id, build_id, sizeof(h->build_id)) == 0 && whole_size(h) == length &&
           (h->machine == SLW_CFI_X86_64 || h->machine == SLW_CFI_AARCH64) &&
           h->checksum == sum_of(h, length);
}

bool slw_cfi_cache_take(void *data, size_t length, const char *build_id,
                        struct slw_cfi_table *ret_table)
{
    const struct header *h = data;

    if (!is_id(build_id) || !is_sound(h, length, build_id)) {
        free(data);
        return false;
    }
    const struct slw_cfi_row *rows = (const void *)(h + 1);
    const struct slw_cfi_rule *rules = (const void *)(rows + h->row_count);
    const struct slw_cfi_saves *saves = (const void *)(rules + h->rule_count);
    const uint16_t *saves_of = (const void *)(saves + h->saves_count);
    *ret_table = (struct slw_cfi_table){.rows = rows,
                                        .rules = rules,
                                        .saves = saves,
                                        .saves_of = saves_of,
                                        .expressions = (const void *)(saves_of + h->row_count),
                                        .row_count = h->row_count,
                                        .rule_count = h->rule_count,
                                        .saves_count = h->saves_count,
                                        .expression_bytes = h->expression_bytes,
                                        .machine = (enum slw_cfi_machine)h->machine,
                                        .bad_entries = h->bad_entries,
                                        .owned = data};
    return true;
}

static bool path_of(const char *dir, const char *build_id, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%s/" FOLDER "/%s", dir, build_id);

    return n > 0 && n < PATH_MAX;
}

/* Read, not mapped: a file that is cut short meanwhile must not end the process. */
bool slw_cfi_cache_load(const char *dir, const char *build_id, struct slw_cfi_table *ret_table)
{
    char path[PATH_MAX];
    size_t length = 0;

    if (!is_id(build_id) || !path_of(dir, build_id, path))
        return false;
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || !slw_cache_is_ours(fd, MAX_FILE_BYTES, &length))
        return false;
    void *data = malloc(length);
    if (!data)
        return false;
    if (slw_read_full(fd, data, length) != (long long)length) {
        free(data);
        return false;
    }
    return slw_cfi_cache_take(data, length, build_id, ret_table);
}

static uint8_t *append(uint8_t *at, const void *from, size_t bytes)
{
    if (bytes > 0)
        memcpy(at, from, bytes);
    return at + bytes;
}

static void fill(void *data, const struct header *h, const struct slw_cfi_table *t)
{
    uint8_t *at = append(data, h, sizeof(*h));

    at = append(at, t->rows, t->row_count * sizeof(*t->rows));
    at = append(at, t->rules, t->rule_count * sizeof(*t->rules));
    at = append(at, t->saves, t->saves_count * sizeof(*t->saves));
    at = append(at, t->saves_of, t->row_count * sizeof(*t->saves_of));
    (void)append(at, t->expressions, t->expression_bytes);
}

static int write_file(const char *dir, const char *build_id, const void *data, size_t length,
                      struct slw_error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];

    if (!path_of(dir, build_id, path))
        return slw_fail(err, SLW_E_LIMIT, "the name of the cache is too long");
    (void)snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = '\0';
    int rc = slw_cache_make_dir(dir, err);
    if (rc == 0)
        rc = slw_cache_make_dir(folder, err);
    if (rc < 0)
        return rc;
    slw_cache_trim(folder, MAX_FILES, MAX_BYTES);
    return slw_file_write_private(path, data, length, err);
}

int slw_cfi_cache_store(const char *dir, const char *build_id, const struct slw_cfi_table *table,
                        struct slw_error *err)
{
    struct header h = {.machine = table->machine,
                       .row_count = table->row_count,
                       .rule_count = table->rule_count,
                       .saves_count = table->saves_count,
                       .expression_bytes = table->expression_bytes,
                       .bad_entries = table->bad_entries};

    if (!is_id(build_id) || table->row_count < SLW_MIN_CFI_CACHE_ROWS)
        return slw_fail(err, SLW_E_INVAL, "no build id, or no table worth keeping");
    memcpy(h.magic, magic, sizeof(magic));
    memcpy(h.build_id, build_id, strlen(build_id));
    size_t length = whole_size(&h);
    void *SLW_AUTO(free) data = malloc(length);
    if (!data)
        return slw_fail(err, SLW_E_NOMEM, "no memory to keep a table");
    fill(data, &h, table);
    slw_cfi_cache_seal(data, length);
    return write_file(dir, build_id, data, length, err);
}
