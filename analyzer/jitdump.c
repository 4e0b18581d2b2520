/* SPDX-License-Identifier: MIT */
#include "analyzer/jitdump.h"

#include "base/arena.h"
#include "base/error.h"

#include <byteswap.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC         UINT32_C(0x4a695444) /* "JiTD" */
#define MAGIC_SWAPPED UINT32_C(0x4454694a)
#define HEADER_BYTES  40
#define PREFIX_BYTES  16
#define LOAD_BYTES    40 /* behind the prefix, before the name */
#define MOVE_BYTES    48

enum { LOAD = 0, MOVE = 1 };
#define OTHER_CLOCK UINT64_C(1) /* JITDUMP_FLAGS_ARCH_TIMESTAMP: that of the CPU */

struct reader {
    FILE *file;
    struct slw_arena *arena;
    struct slw_symtab *table;
    struct slw_jit_times *times; /* NULL: nobody asks */
    bool swap;
    uint64_t search_left; /* symbols that may be looked at for all moves together */
};

#define MAX_RECORDS 50000000 /* as many compilations take days */
#define MAX_SEARCH  ((uint64_t)1 << 28)

static uint32_t get32(const struct reader *r, const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof(v));
    return r->swap ? bswap_32(v) : v;
}

static uint64_t get64(const struct reader *r, const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof(v));
    return r->swap ? bswap_64(v) : v;
}

static int read_header(struct reader *r)
{
    uint8_t h[HEADER_BYTES];

    if (fread(h, sizeof(h), 1, r->file) != 1)
        return -SLW_E_FORMAT;
    uint32_t magic = get32(r, h);
    r->swap = magic == MAGIC_SWAPPED;
    uint32_t bytes = get32(r, h + 8);
    if ((magic != MAGIC && !r->swap) || get32(r, h + 4) != 1 || bytes < HEADER_BYTES ||
        bytes > 65536 || fseeko(r->file, bytes, SEEK_SET) != 0)
        return -SLW_E_FORMAT;
    if (r->times)
        r->times->comparable = !(get64(r, h + 32) & OTHER_CLOCK);
    return 0;
}

static int add_time(struct slw_jit_times *t, uint64_t ns)
{
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 1024;
        uint64_t *grown = realloc(t->ns, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        t->ns = grown;
        t->capacity = capacity;
    }
    t->ns[t->count++] = ns;
    return 0;
}

static int add(struct reader *r, uint64_t start, uint64_t size, const char *name)
{
    struct slw_symbol s = {.start = start, .name = name, .binding = STB_GLOBAL, .type = STT_FUNC};

    if (size == 0 || __builtin_add_overflow(start, size, &s.end))
        return 0;
    return slw_symtab_add(r->table, &s);
}

static int add_load(struct reader *r, size_t body)
{
    uint8_t head[LOAD_BYTES];
    char name[SLW_MAX_JIT_NAME + 1];
    size_t most = body - LOAD_BYTES < SLW_MAX_JIT_NAME ? body - LOAD_BYTES : SLW_MAX_JIT_NAME;

    if (fread(head, sizeof(head), 1, r->file) != 1)
        return -SLW_E_FORMAT;
    size_t length = fread(name, 1, most, r->file);
    name[length] = '\0';
    const char *kept = slw_arena_strdup(r->arena, name);
    return kept ? add(r, get64(r, head + 16), get64(r, head + 24), kept) : -SLW_E_NOMEM;
}

/* Code that moves keeps its name. The one that was there last is meant. */
static int add_move(struct reader *r)
{
    uint8_t body[MOVE_BYTES];

    if (fread(body, sizeof(body), 1, r->file) != 1)
        return -SLW_E_FORMAT;
    uint64_t from = get64(r, body + 16), to = get64(r, body + 24), size = get64(r, body + 32);
    const struct slw_symtab *t = r->table;
    for (size_t i = t->count; i-- > 0 && r->search_left > 0; r->search_left--)
        if (t->symbols[i].start == from)
            return add(r, to, size, t->symbols[i].name);
    return 0;
}

/* One record; -SLW_E_FORMAT: the file ends here, or makes no sense from here on. */
static int read_record(struct reader *r)
{
    uint8_t prefix[PREFIX_BYTES];
    off_t at = ftello(r->file);

    if (at < 0 || fread(prefix, sizeof(prefix), 1, r->file) != 1)
        return -SLW_E_FORMAT;
    const uint32_t id = get32(r, prefix), bytes = get32(r, prefix + 4);
    int rc = bytes < PREFIX_BYTES ? -SLW_E_FORMAT : 0;
    if (rc == 0 && id == LOAD && bytes > PREFIX_BYTES + LOAD_BYTES)
        rc = add_load(r, bytes - PREFIX_BYTES);
    else if (rc == 0 && id == MOVE && bytes >= PREFIX_BYTES + MOVE_BYTES)
        rc = add_move(r);
    /* A record adds one function, or none. */
    if (rc == 0 && r->times && r->times->comparable && r->times->count < r->table->count)
        rc = add_time(r->times, get64(r, prefix + 8));
    if (rc == 0 && fseeko(r->file, at + (off_t)bytes, SEEK_SET) != 0)
        rc = -SLW_E_FORMAT;
    return rc;
}

static int read_all(struct reader *r)
{
    int rc = read_header(r);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < MAX_RECORDS; i++)
        rc = read_record(r);
    return rc == -SLW_E_FORMAT ? 0 : rc;
}

int slw_jitdump_read(FILE *f, struct slw_arena *arena, struct slw_symtab *t)
{
    struct reader r = {.file = f, .arena = arena, .table = t, .search_left = MAX_SEARCH};

    return read_all(&r);
}

int slw_jitdump_read_timed(FILE *f, struct slw_arena *arena, struct slw_symtab *t,
                           struct slw_jit_times *times)
{
    struct reader r = {
        .file = f, .arena = arena, .table = t, .times = times, .search_left = MAX_SEARCH};

    return read_all(&r);
}

void slw_jit_times_release(struct slw_jit_times *times)
{
    free(times->ns);
    *times = (struct slw_jit_times){0};
}

bool slw_jitdump_is_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t digits;

    if (strncmp(name, "jit-", 4) != 0)
        return false;
    digits = strspn(name + 4, "0123456789");
    return digits > 0 && digits <= 10 && strcmp(name + 4 + digits, ".dump") == 0;
}
