/* SPDX-License-Identifier: MIT */
#include "record/pprof_read_int.h"

#include "base/arena.h"
#include "record/run_json_int.h"
#include "record/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* An empty sample takes 2 bytes in the file and 100 in memory: bound what unpacking may take. */
#define MAX_UNPACKED_BYTES ((size_t)2 << 30)

int slw_pprof_bad(struct slw_pprof_reader *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int rc = slw_vfail(r->err, SLW_E_FORMAT, fmt, ap);
    va_end(ap);
    return rc;
}

int slw_pprof_no_memory(struct slw_pprof_reader *r)
{
    return slw_fail(r->err, SLW_E_NOMEM, "no memory for a stack profile");
}

int slw_pprof_get_string(struct slw_pprof_reader *r, int64_t index, const char *what, size_t i,
                         const char **ret_text)
{
    if (index == 0 && r->p->n_string_table == 0) {
        *ret_text = "";
        return 0;
    }
    if (index < 0 || (uint64_t)index >= r->p->n_string_table)
        return slw_pprof_bad(r, "%s %zu: string %" PRId64 " is outside the table of %zu", what, i,
                             index, r->p->n_string_table);
    *ret_text = r->p->string_table[index];
    return 0;
}

/* protobuf-c allocates into the arena: one bound for everything, freed at once. */
struct budget {
    struct slw_arena *arena;
    bool exceeded, no_memory;
};

static void *budget_alloc(void *data, size_t size)
{
    struct budget *b = data;

    size_t used = slw_arena_used(b->arena);

    if (used > MAX_UNPACKED_BYTES || size > MAX_UNPACKED_BYTES - used) {
        b->exceeded = true;
        return NULL;
    }
    void *p = slw_arena_alloc(b->arena, size);
    b->no_memory = b->no_memory || !p;
    return p;
}

static void budget_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer; /* the arena goes as a whole */
}

int slw_pprof_unpack(struct slw_pprof_reader *r, const void *bytes, size_t length)
{
    struct budget budget = {.arena = r->arena};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};

    r->p = perftools__profiles__profile__unpack(&allocator, length, bytes);
    if (r->p)
        return 0;
    if (budget.no_memory)
        return slw_pprof_no_memory(r);
    if (budget.exceeded)
        return slw_fail(r->err, SLW_E_LIMIT, "the stack profile needs more than %zu bytes",
                        MAX_UNPACKED_BYTES);
    return slw_pprof_bad(r, "not a pprof profile: the protobuf message is malformed");
}

/* ---- our header ---- */

/* The header comment's JSON text, or NULL. */
static const char *find_header(const Perftools__Profiles__Profile *p)
{
    const size_t prefix = strlen(SLW_PPROF_HEADER);

    for (size_t i = 0; i < p->n_comment; i++) {
        int64_t c = p->comment[i];

        if (c >= 0 && (uint64_t)c < p->n_string_table &&
            strncmp(p->string_table[c], SLW_PPROF_HEADER, prefix) == 0)
            return p->string_table[c] + prefix;
    }
    return NULL;
}

int slw_pprof_read_header(struct slw_pprof_reader *r)
{
    const char *text = find_header(r->p);
    json_error_t why;

    if (!text)
        return 0;
    r->ours = true;
    for (size_t i = 0; i < r->p->n_string_table; i++)
        slw_text_unescape(r->p->string_table[i]);
    r->header = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!r->header && !why.text[0])
        return slw_pprof_no_memory(r);
    if (!r->header)
        return slw_pprof_bad(r, "the header comment of slotwise is not JSON: %s", why.text);
    const json_t *version = json_object_get(r->header, "version");
    if (!json_is_integer(version) || json_integer_value(version) < 1)
        return slw_pprof_bad(r, "the header comment of slotwise has no version");
    if (json_integer_value(version) > SLW_PPROF_HEADER_VERSION)
        return slw_fail(r->err, SLW_E_VERSION, "the stack profile was written by a newer slotwise");
    return 0;
}

static int set_exceptions(struct slw_pprof_reader *r, const json_t *lists,
                          enum slw_pprof_exception which)
{
    const json_t *list = json_object_get(lists, slw_pprof_exception_keys[which]);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *range = json_array_get(list, i);
        json_int_t first = json_integer_value(json_array_get(range, 0));
        json_int_t count = json_integer_value(json_array_get(range, 1));

        /* The writer numbers locations from 1 in the order of the file. */
        if (first < 1 || count < 1 || (uint64_t)first > r->p->n_location ||
            (uint64_t)count > r->p->n_location - (uint64_t)first + 1)
            return slw_pprof_bad(r, "the list of locations of slotwise: \"%s\"[%zu] names none",
                                 slw_pprof_exception_keys[which], i);
        for (json_int_t id = first; id < first + count; id++)
            r->exceptions[id - 1] |= (uint8_t)(1U << which);
    }
    return 0;
}

/* Is this the fingerprint of the locations as they are? */
static bool fingerprint_fits(const struct slw_pprof_reader *r, const json_t *lists)
{
    const char *written = json_string_value(json_object_get(lists, "fingerprint"));
    char fingerprint[17];
    uint64_t hash = 0;

    if (!written)
        return false;
    for (size_t i = 0; i < r->p->n_location; i++)
        hash = slw_pprof_fingerprint(hash, r->p->location[i]);
    (void)snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, hash);
    return strcmp(written, fingerprint) == 0;
}

/* The writer's lists of locations, only while the locations are those it made: another tool may
 * have renumbered them, and then the kinds are what module and address tell. */
int slw_pprof_read_exceptions(struct slw_pprof_reader *r)
{
    const size_t prefix = strlen(SLW_PPROF_LOCATIONS);
    const char *last = r->p->string_table[r->p->n_string_table - 1];
    json_error_t why;
    int rc = 0;

    if (strncmp(last, SLW_PPROF_LOCATIONS, prefix) != 0)
        return 0;
    json_t *lists = json_loads(last + prefix, JSON_REJECT_DUPLICATES, &why);
    if (!lists && !why.text[0]) /* jansson says nothing at all when it is out of memory */
        return slw_pprof_no_memory(r);
    if (lists && fingerprint_fits(r, lists)) {
        r->exceptions = slw_arena_array(r->arena, r->p->n_location, sizeof(*r->exceptions));
        rc = r->exceptions ? 0 : slw_pprof_no_memory(r);
        for (unsigned which = 0; rc == 0 && which < SLW_PPROF_EXCEPTION_COUNT; which++)
            rc = set_exceptions(r, lists, (enum slw_pprof_exception)which);
    }
    json_decref(lists);
    return rc;
}

/* ---- columns ---- */

/* Columns of another tool: somebody else measured them, and the format does not say how. */
static int foreign_columns(struct slw_pprof_reader *r, struct slw_column *columns)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < r->p->n_sample_type; i++) {
        columns[i].from = (struct slw_provenance){
            .source = SLW_SOURCE_SOFTWARE, .imported = true, .detail = "pprof profile"};
        rc = slw_pprof_get_string(r, r->p->sample_type[i]->type, "sample type", i,
                                  &columns[i].event);
        if (rc == 0)
            rc = slw_pprof_get_string(r, r->p->sample_type[i]->unit, "sample type", i,
                                      &columns[i].unit);
    }
    return rc;
}

/* Does the header list as many columns, with the same units, as the profile has? */
static int header_fits(struct slw_pprof_reader *r, const json_t *list, bool *ret_fits)
{
    struct slw_buf escaped = {0};
    bool fits = json_array_size(list) == r->p->n_sample_type;

    for (size_t i = 0; fits && i < r->p->n_sample_type; i++) {
        const char *unit = json_string_value(json_object_get(json_array_get(list, i), "unit"));
        int64_t index = r->p->sample_type[i]->unit;

        escaped.length = 0;
        fits = unit && index >= 0 && (uint64_t)index < r->p->n_string_table;
        if (fits)
            slw_text_escape(&escaped, r->p->string_table[index]);
        fits = fits && strcmp(escaped.length ? escaped.data : "", unit) == 0;
    }
    /* Without memory nothing fits, and another tool's columns would take the place of ours. */
    const bool failed = slw_buf_failed(&escaped);
    slw_buf_release(&escaped);
    *ret_fits = fits;
    return failed ? slw_pprof_no_memory(r) : 0;
}

int slw_pprof_read_columns(struct slw_pprof_reader *r)
{
    size_t count = r->p->n_sample_type;
    struct slw_column *columns = slw_arena_array(r->arena, count, sizeof(*columns));
    const json_t *list = json_object_get(r->header, "columns");
    bool ours = false;
    int rc = 0;

    if (!columns)
        return slw_pprof_no_memory(r);
    if (count == 0)
        return slw_pprof_bad(r, "the pprof profile has no sample types");
    if (r->header)
        rc = header_fits(r, list, &ours);
    if (rc == 0 && !ours)
        rc = foreign_columns(r, columns);
    else
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = slw_fields_from_json("header comment", r->arena, slw_column_fields,
                                      json_array_get(list, i), &columns[i], r->err);
    return rc < 0 ? rc : slw_stacks_new(columns, count, &r->s, r->err);
}
