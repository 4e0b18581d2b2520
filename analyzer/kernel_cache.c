/* SPDX-License-Identifier: MIT */
/* The file: header, spans (ascending), symbols (ascending), names (each ends with 0). Written and
 * read on one machine, so that numbers are as the machine has them. */
#include "analyzer/kernel_cache.h"

#include "analyzer/cache_file.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_NAME "kernel-symbols"
#define MAX_BYTES ((size_t)256 << 20)

static const char magic[8] = "SLWKSYM2";

struct header {
    char magic[8];
    struct slw_kernel_identity id;
    uint64_t text_start[2];
    uint64_t span_count, symbol_count, name_bytes;
    uint64_t checksum; /* of all that stands before and behind it */
};

struct kept_symbol {
    uint64_t start;
    uint32_t bytes, name; /* name: offset into the names */
};

struct slw_kernel_cache {
    const struct header *head;
    const struct slw_kernel_span *spans;
    const struct kept_symbol *symbols;
    const char *names;
    void *map; /* NULL: the bytes are lent */
    size_t map_bytes;
};

static uint64_t sum_of(const struct header *h, size_t length)
{
    return slw_cache_checksum(h, offsetof(struct header, checksum)) * 3 ^
           slw_cache_checksum(h + 1, length - sizeof(*h));
}

/* ---- reading ---- */

/* The bytes that header's counts stand for; 0: more than there can be. */
static size_t whole_size(const struct header *h)
{
    if (h->span_count > SLW_MAX_KERNEL_SPANS || h->symbol_count > SLW_MAX_SYMBOLS ||
        h->name_bytes > MAX_BYTES)
        return 0;
    return sizeof(*h) + h->span_count * sizeof(struct slw_kernel_span) +
           h->symbol_count * sizeof(struct kept_symbol) + h->name_bytes;
}

struct slw_kernel_cache *slw_kernel_cache_view(const void *data, size_t length,
                                               const struct slw_kernel_identity *id)
{
    const struct header *h = data;

    if (length < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0 ||
        memcmp(&h->id, id, sizeof(*id)) != 0 || whole_size(h) != length ||
        h->checksum != sum_of(h, length))
        return NULL;
    const struct slw_kernel_span *spans = (const void *)(h + 1);
    const struct kept_symbol *symbols = (const void *)(spans + h->span_count);
    const char *names = (const char *)(symbols + h->symbol_count);
    if (h->name_bytes == 0 || names[h->name_bytes - 1] != '\0')
        return NULL;
    struct slw_kernel_cache *c = calloc(1, sizeof(*c));
    if (c)
        *c = (struct slw_kernel_cache){
            .head = h, .spans = spans, .symbols = symbols, .names = names};
    return c;
}

static bool path_of(const char *dir, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%s/" FILE_NAME, dir);

    return n > 0 && n < PATH_MAX;
}

struct slw_kernel_cache *slw_kernel_cache_open(const char *dir,
                                               const struct slw_kernel_identity *id)
{
    char path[PATH_MAX];
    size_t length = 0;

    if (!path_of(dir, path))
        return NULL;
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || !slw_cache_is_ours(fd, MAX_BYTES, &length))
        return NULL;
    void *map = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED)
        return NULL;
    struct slw_kernel_cache *c = slw_kernel_cache_view(map, length, id);
    if (!c) {
        (void)munmap(map, length);
        return NULL;
    }
    c->map = map;
    c->map_bytes = length;
    return c;
}

void slw_kernel_cache_close(struct slw_kernel_cache *c)
{
    if (!c)
        return;
    if (c->map)
        (void)munmap(c->map, c->map_bytes);
    free(c);
}

bool slw_kernel_cache_begins_at(const struct slw_kernel_cache *c, uint64_t address)
{
    return address != 0 && (c->head->text_start[0] == address || c->head->text_start[1] == address);
}

/* Chains that follow garbage hold any number. Where no code of a kernel can be, there is no name to
 * ask for. Source: Documentation/arch/x86/x86_64/mm.rst ("kernel text mapping" to "module mapping
 * space"), Documentation/arch/arm64/memory.rst (52-bit). */
static bool is_no_kernel(uint64_t address)
{
#if defined(__x86_64__)
    return address < UINT64_C(0xffffffff80000000) || address >= UINT64_C(0xffffffffff000000);
#elif defined(__aarch64__)
    return address < UINT64_C(0xfff0000000000000);
#else
    (void)address;
    return false;
#endif
}

static bool is_covered(const struct slw_kernel_cache *c, uint64_t address)
{
    if (is_no_kernel(address))
        return true;
    for (uint64_t i = 0; i < c->head->span_count; i++)
        if (address >= c->spans[i].low && address < c->spans[i].high)
            return true;
    return false;
}

bool slw_kernel_cache_find(const struct slw_kernel_cache *c, uint64_t address,
                           const char **ret_name)
{
    uint64_t low = 0, high = c->head->symbol_count; /* the last that starts at or before it */

    if (!is_covered(c, address))
        return false;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (c->symbols[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct kept_symbol *s = low > 0 ? &c->symbols[low - 1] : NULL;
    bool hit = s && address - s->start < s->bytes && s->name < c->head->name_bytes;
    *ret_name = hit ? c->names + s->name : "";
    return true;
}

/* ---- writing ---- */

static bool in_spans(const struct slw_kernel_span *spans, size_t count, uint64_t address)
{
    for (size_t i = 0; i < count; i++)
        if (address >= spans[i].low && address < spans[i].high)
            return true;
    return false;
}

static void count_up(struct header *h, const struct slw_symtab *t,
                     const struct slw_kernel_span *spans)
{
    for (size_t i = 0; i < t->count; i++)
        if (in_spans(spans, h->span_count, t->symbols[i].start)) {
            h->symbol_count++;
            h->name_bytes += strlen(t->symbols[i].name) + 1;
        }
}

static void fill(void *data, const struct header *counts, const struct slw_symtab *t,
                 const struct slw_kernel_span *spans)
{
    struct header *h = data;
    struct slw_kernel_span *kept_spans = (void *)(h + 1);
    struct kept_symbol *symbol = (void *)(kept_spans + counts->span_count);
    char *names = (char *)(symbol + counts->symbol_count);
    uint32_t used = 0;

    *h = *counts;
    memcpy(kept_spans, spans, counts->span_count * sizeof(*spans));
    for (size_t i = 0; i < t->count; i++) {
        const struct slw_symbol *s = &t->symbols[i];
        size_t n = strlen(s->name) + 1;

        if (!in_spans(spans, counts->span_count, s->start))
            continue;
        *symbol++ = (struct kept_symbol){s->start, (uint32_t)(s->end - s->start), used};
        memcpy(names + used, s->name, n);
        used += (uint32_t)n;
    }
}

void slw_kernel_cache_seal(void *data, size_t length)
{
    struct header *h = data;

    if (length >= sizeof(*h))
        h->checksum = sum_of(h, length);
}

int slw_kernel_cache_write(const char *dir, const struct slw_kernel_identity *id,
                           const struct slw_symtab *table, const uint64_t text_start[2],
                           const struct slw_kernel_span *spans, size_t span_count,
                           struct slw_error *err)
{
    struct header h = {.id = *id, .span_count = span_count};
    char path[PATH_MAX];

    memcpy(h.magic, magic, sizeof(magic));
    memcpy(h.text_start, text_start, sizeof(h.text_start));
    count_up(&h, table, spans);
    size_t length = whole_size(&h);
    if (length == 0 || length > MAX_BYTES || h.name_bytes == 0 || !path_of(dir, path))
        return slw_fail(err, SLW_E_LIMIT, "nothing to keep of the kernel's symbols, or too much");
    void *SLW_AUTO(free) data = malloc(length);
    if (!data)
        return slw_fail(err, SLW_E_NOMEM, "no memory to keep the kernel's symbols");
    fill(data, &h, table, spans);
    slw_kernel_cache_seal(data, length);
    int rc = slw_cache_make_dir(dir, err);
    return rc < 0 ? rc : slw_file_write_private(path, data, length, err);
}
