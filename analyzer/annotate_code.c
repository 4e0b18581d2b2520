/* SPDX-License-Identifier: MIT */
/* The instructions of a function, and where each stands in the source. */
#include "analyzer/annotate_int.h"
#include "analyzer/disassembler.h"
#include "analyzer/symbols_int.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Parts of a function: the compiler puts what it takes for unlikely elsewhere ("f.cold"). */
#define MAX_PARTS 64

struct part {
    uint64_t start, end; /* file offsets */
};

struct work {
    struct slw_annotation *a;
    struct slw_modules modules;
    struct slw_symbols *symbols;
    const struct slw_symbols_module *file;
    struct slw_disassembler *disassembler;
    size_t capacity;
    struct part parts[MAX_PARTS];
    size_t part_count;
};

static int open_program(struct work *w, const struct slw_mapping *m, const char *debug_dir,
                        struct slw_error *err)
{
    const struct slw_module module = {
        .kind = SLW_MODULE_FILE, .path = m->path, .build_id = m->build_id, .pid = -1};
    const struct slw_symbols_options opts = {.debug_dir = debug_dir};
    uint32_t position;

    if (m->path[0] != '/')
        return slw_fail(err, SLW_E_NODATA, "code of '%.100s' is in no file", m->path);
    w->modules.arena = w->a->arena;
    if (slw_modules_intern(&w->modules, &module, &position) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a module");
    w->symbols = slw_symbols_new(&w->modules, &opts);
    w->file = w->symbols ? slw_symbols_loaded(w->symbols, position) : NULL;
    if (!w->file)
        return slw_fail(err, SLW_E_NOMEM, "no memory for symbols");
    if (w->file->problem == SLW_SYMBOLS_REPLACED) {
        slw_error_hint(err, "profile again with the program that is in place now");
        return slw_fail(err, SLW_E_NODATA, "'%.150s' is not the program that ran", m->path);
    }
    if (!w->file->elf.elf)
        return slw_fail(err, SLW_E_NODATA, "'%.150s' is not here or no program", m->path);
    w->a->unchecked = m->build_id[0] == '\0';
    return 0;
}

static unsigned machine_of(const struct work *w)
{
    GElf_Ehdr h;

    return gelf_getehdr(w->file->elf.elf, &h) ? h.e_machine : EM_NONE;
}

static bool has_part(const struct work *w, uint64_t offset)
{
    for (size_t i = 0; i < w->part_count; i++)
        if (offset >= w->parts[i].start && offset < w->parts[i].end)
            return true;
    return false;
}

/* The symbols that cover the weights: by address, so that a static function whose name another has
 * too is not mistaken for it. */
static int find_parts(struct work *w, const struct slw_annotate_weights *weights,
                      struct slw_error *err)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < weights->count && w->part_count < MAX_PARTS; i++) {
        const uint64_t offset = weights->weights[i].address;
        const struct slw_symbol *s = slw_symtab_find(&w->file->table, offset);
        if (!s || has_part(w, offset))
            continue;
        w->parts[w->part_count++] = (struct part){s->start, s->end};
        bytes += s->end - s->start;
    }
    if (w->part_count == 0)
        return slw_fail(err, SLW_E_NODATA, "'%.150s' has no symbol for these samples",
                        w->a->module);
    if (bytes > SLW_MAX_ANNOTATED_BYTES)
        return slw_fail(err, SLW_E_LIMIT, "the function has %llu bytes of code, too many to show",
                        (unsigned long long)bytes);
    return 0;
}

/* SLW_NO_SOURCE: unknown, or one too many. */
static uint32_t source_of(struct work *w, const char *file)
{
    struct slw_annotation *a = w->a;

    if (!*file)
        return SLW_NO_SOURCE;
    for (uint32_t i = 0; i < a->source_count; i++)
        if (strcmp(a->sources[i].path, file) == 0)
            return i;
    const char *path = slw_arena_strdup(a->arena, file);
    if (!path || a->source_count == SLW_MAX_ANNOTATED_SOURCES)
        return SLW_NO_SOURCE;
    a->sources[a->source_count] = (struct slw_annotated_source){.path = path};
    return (uint32_t)a->source_count++;
}

static int locate(struct work *w, uint64_t offset, struct slw_annotated_instruction *to)
{
    struct slw_symbols_place places[SLW_MAX_PLACES];
    const char *shown = "";
    size_t count;
    int rc = slw_symbols_places(w->symbols, 0, offset, places, &count);

    if (rc == 0 && count > 1)
        rc = slw_symbols_shown(w->symbols, places[0].name, &shown);
    if (rc < 0)
        return rc;
    to->inlined = slw_arena_strdup(w->a->arena, shown);
    to->source = source_of(w, places[0].file);
    to->line = to->source == SLW_NO_SOURCE ? 0 : places[0].line;
    return to->inlined ? 0 : -SLW_E_NOMEM;
}

static int add_instruction(struct work *w, uint64_t offset,
                           const struct slw_annotated_instruction *instruction)
{
    struct slw_annotation *a = w->a;

    if (a->instruction_count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 1024;
        struct slw_annotated_instruction *grown =
            slw_arena_array(a->arena, capacity, sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        if (a->instruction_count > 0)
            memcpy(grown, a->instructions, a->instruction_count * sizeof(*grown));
        a->instructions = grown;
        w->capacity = capacity;
    }
    struct slw_annotated_instruction *to = &a->instructions[a->instruction_count++];
    *to = *instruction;
    return locate(w, offset, to);
}

/* Weights of [offset, offset + bytes), which are sorted: *at goes along. */
static void weigh(const struct slw_annotate_weights *weights, size_t *at, uint64_t offset,
                  struct slw_annotated_instruction *to)
{
    while (*at < weights->count && weights->weights[*at].address < offset)
        ++*at;
    for (; *at < weights->count && weights->weights[*at].address < offset + to->bytes; ++*at) {
        to->self += weights->weights[*at].self;
        to->total += weights->weights[*at].total;
    }
}

static const char *text_of(struct slw_arena *arena, const struct slw_instruction *i)
{
    return i->operands[0] ? slw_arena_printf(arena, "%s %s", i->mnemonic, i->operands)
                          : slw_arena_strdup(arena, i->mnemonic);
}

static int decode(struct work *w, const struct part *p, const uint8_t *code, size_t length,
                  const struct slw_annotate_weights *weights)
{
    const size_t step = machine_of(w) == EM_AARCH64 ? 4 : 1;
    struct slw_instruction decoded;
    uint64_t address, delta = 0;
    size_t left = length, at = 0;
    int rc = 0;

    if (slw_elf_address_of_offset(&w->file->elf, p->start, &address))
        delta = address - p->start;
    address = p->start + delta;
    while (rc == 0 && left > 0) {
        const uint64_t offset = address - delta;
        struct slw_annotated_instruction i = {.address = address, .text = "(bad)"};
        if (slw_disassemble(w->disassembler, &code, &left, &address, &decoded)) {
            i.bytes = decoded.bytes;
            i.text = text_of(w->a->arena, &decoded);
        } else {
            i.bytes = (uint32_t)(left < step ? left : step);
            code += i.bytes;
            left -= i.bytes;
            address += i.bytes;
        }
        weigh(weights, &at, offset, &i);
        rc = i.text ? add_instruction(w, offset, &i) : -SLW_E_NOMEM;
    }
    return rc;
}

static int read_part(struct work *w, const struct part *p,
                     const struct slw_annotate_weights *weights)
{
    const size_t bytes = (size_t)(p->end - p->start);
    uint8_t *code = slw_arena_alloc(w->a->arena, bytes);
    ssize_t length = code ? pread(w->file->elf.fd, code, bytes, (off_t)p->start) : 0;

    if (!code)
        return -SLW_E_NOMEM;
    return length > 0 ? decode(w, p, code, (size_t)length, weights) : 0;
}

static int by_start(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

static int annotate(struct work *w, const struct slw_annotate_weights *weights,
                    struct slw_error *err)
{
    struct slw_annotation *a = w->a;
    struct stat st;
    int rc = find_parts(w, weights, err);

    if (rc == 0)
        rc = slw_disassembler_open(machine_of(w), &w->disassembler, err);
    if (rc < 0)
        return rc;
    a->sources = slw_arena_array(a->arena, SLW_MAX_ANNOTATED_SOURCES, sizeof(*a->sources));
    rc = a->sources ? 0 : -SLW_E_NOMEM;
    qsort(w->parts, w->part_count, sizeof(*w->parts), by_start);
    for (size_t i = 0; rc == 0 && i < w->part_count; i++)
        rc = read_part(w, &w->parts[i], weights);
    if (rc == 0 && fstat(w->file->elf.fd, &st) == 0)
        rc = slw_annotate_sources(a, &st);
    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "cannot annotate the function") : 0;
}

int slw_annotate_code(struct slw_annotation *a, const struct slw_mapping *mapping,
                      const struct slw_annotate_weights *weights, const char *debug_dir,
                      struct slw_error *err)
{
    struct work w = {.a = a};
    int rc = open_program(&w, mapping, debug_dir, err);

    if (rc == 0)
        rc = annotate(&w, weights, err);
    slw_disassembler_close(w.disassembler);
    slw_symbols_free(w.symbols);
    slw_modules_release(&w.modules);
    return rc;
}
