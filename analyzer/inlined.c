/* SPDX-License-Identifier: MIT */
#include "analyzer/inlined.h"

#include "base/error.h"

#include <assert.h>
#include <dwarf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>

/* Of one binary; the largest browsers have some 100,000 units and a unit some 100,000 functions. */
#define MAX_UNITS     1000000
#define MAX_FUNCTIONS 4000000
#define MAX_NEST      32     /* namespaces and classes around a function */
#define MAX_SIBLINGS  500000 /* children of one entry: broken files can go in circles */

/* Part of the text, and the entry that describes it. */
struct range {
    uint64_t low, high;
    Dwarf_Off die;
};

struct ranges {
    struct range *ranges;
    size_t count, capacity;
};

struct unit {
    Dwarf_Off die;
    struct ranges functions;
};

struct slw_inlined {
    Dwarf *dwarf;
    bool broken;         /* memory ran out inside libdw: it is not asked again */
    struct ranges units; /* of units that .debug_aranges does not list; read when one is missed */
    bool units_read;
    struct unit *read; /* units whose functions are known, sorted by die */
    size_t read_count, read_capacity;
    size_t functions;
};

/* Where memory runs out, libdw calls a handler that takes no argument and must not return; its own
 * ends the process. */
static _Thread_local jmp_buf *out_of_memory;

__attribute__((noreturn)) static void no_memory(void)
{
    assert(out_of_memory);
    longjmp(*out_of_memory, 1);
}

struct slw_inlined *slw_inlined_new(Dwarf *dwarf)
{
    struct slw_inlined *in = calloc(1, sizeof(*in));

    if (!in)
        return NULL;
    in->dwarf = dwarf;
    (void)dwarf_new_oom_handler(dwarf, no_memory);
    return in;
}

void slw_inlined_free(struct slw_inlined *in)
{
    if (!in)
        return;
    for (size_t i = 0; i < in->read_count; i++)
        free(in->read[i].functions.ranges);
    free(in->read);
    free(in->units.ranges);
    free(in);
}

static int add_range(struct ranges *r, const struct range *range)
{
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 64;
        struct range *grown = realloc(r->ranges, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        r->ranges = grown;
        r->capacity = capacity;
    }
    r->ranges[r->count++] = *range;
    return 0;
}

/* Whatever an entry covers; the limit is for all entries together. */
static int add_ranges(struct ranges *to, Dwarf_Die *die, size_t limit)
{
    Dwarf_Addr base, low, high;
    ptrdiff_t at = 0;
    int rc = 0;

    while (rc == 0 && to->count < limit && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0)
        if (low < high)
            rc = add_range(to, &(struct range){low, high, dwarf_dieoffset(die)});
    return rc;
}

static int by_low(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->high < y->high) - (x->high > y->high); /* what is around comes first */
}

/* The innermost of those that cover the address and of which at most a few overlap. */
static const struct range *find(const struct ranges *r, uint64_t address)
{
    size_t low = 0, high = r->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->ranges[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t back = 0; back < MAX_NEST && back < low; back++)
        if (address < r->ranges[low - 1 - back].high)
            return &r->ranges[low - 1 - back];
    return NULL;
}

static void sort(struct ranges *r)
{
    if (r->count > 1)
        qsort(r->ranges, r->count, sizeof(*r->ranges), by_low);
}

static int read_units(struct slw_inlined *in)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    uint8_t type;
    int rc = 0;

    in->units_read = true;
    for (size_t i = 0; rc == 0 && i < MAX_UNITS &&
                       dwarf_get_units(in->dwarf, cu, &cu, NULL, &type, &die, NULL) == 0;
         i++)
        if (type == DW_UT_compile)
            rc = add_ranges(&in->units, &die, MAX_FUNCTIONS);
    sort(&in->units);
    return rc;
}

/* libdw (0.188) goes on with a unit for whose abbreviations there was no memory, and falls over it
 * when they are used. Only errno tells. */
static bool ran_out(void)
{
    return errno == ENOMEM;
}

/* 1 and the unit's entry, 0: no unit covers the address. .debug_aranges is a short table, but not
 * every compiler writes one. */
static int find_unit(struct slw_inlined *in, uint64_t address, Dwarf_Die *ret_die)
{
    errno = 0;
    bool found = dwarf_addrdie(in->dwarf, address, ret_die) != NULL;
    int rc = found || in->units_read ? 0 : read_units(in);
    if (ran_out())
        return -SLW_E_NOMEM;
    if (found)
        return 1;
    const struct range *r = rc == 0 ? find(&in->units, address) : NULL;
    return rc == 0 ? r && dwarf_offdie(in->dwarf, r->die, ret_die) : rc;
}

static bool holds_functions(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_structure_type ||
           tag == DW_TAG_class_type || tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

/* Walks entries with a stack of its own: the nesting is the file's. */
static int add_functions(struct slw_inlined *in, Dwarf_Die *unit, struct ranges *to)
{
    Dwarf_Die nest[MAX_NEST];
    size_t depth = 0;
    int rc = 0;

    if (dwarf_child(unit, &nest[0]) != 0)
        return 0;
    for (size_t seen = 0; rc == 0 && seen < MAX_FUNCTIONS; seen++) {
        int tag = dwarf_tag(&nest[depth]);
        if (tag == DW_TAG_subprogram)
            rc = add_ranges(to, &nest[depth], MAX_FUNCTIONS - in->functions);
        if (holds_functions(tag) && depth + 1 < MAX_NEST &&
            dwarf_child(&nest[depth], &nest[depth + 1]) == 0) {
            depth++;
            continue;
        }
        while (dwarf_siblingof(&nest[depth], &nest[depth]) != 0)
            if (depth-- == 0)
                return rc;
    }
    return rc;
}

/* Position in in->read, or where it belongs. */
static size_t unit_position(const struct slw_inlined *in, Dwarf_Off die)
{
    size_t low = 0, high = in->read_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (in->read[middle].die < die)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int insert_unit(struct slw_inlined *in, size_t position, Dwarf_Off die)
{
    if (in->read_count == in->read_capacity) {
        size_t capacity = in->read_capacity ? in->read_capacity * 2 : 16;
        struct unit *grown = realloc(in->read, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        in->read = grown;
        in->read_capacity = capacity;
    }
    for (size_t i = in->read_count; i > position; i--)
        in->read[i] = in->read[i - 1];
    in->read[position] = (struct unit){.die = die};
    in->read_count++;
    return 0;
}

static int find_function(struct slw_inlined *in, uint64_t address, Dwarf_Die *unit,
                         Dwarf_Die *ret_die)
{
    Dwarf_Off die = dwarf_dieoffset(unit);
    size_t position = unit_position(in, die);

    if (position == in->read_count || in->read[position].die != die) {
        int rc = insert_unit(in, position, die);
        struct ranges *functions = &in->read[position].functions;
        if (rc == 0)
            rc = add_functions(in, unit, functions);
        if (rc < 0)
            return rc;
        sort(functions);
        in->functions += functions->count;
    }
    const struct range *r = find(&in->read[position].functions, address);
    return r && dwarf_offdie(in->dwarf, r->die, ret_die);
}

static const char *call_file(Dwarf_Die *call, Dwarf_Files *files)
{
    Dwarf_Attribute attr;
    Dwarf_Word index;

    if (!files || dwarf_formudata(dwarf_attr(call, DW_AT_call_file, &attr), &index) != 0)
        return "";
    const char *file = dwarf_filesrc(files, index, NULL, NULL);
    return file ? file : "";
}

static uint32_t call_line(Dwarf_Die *call)
{
    Dwarf_Attribute attr;
    Dwarf_Word line;

    if (dwarf_formudata(dwarf_attr(call, DW_AT_call_line, &attr), &line) != 0 || line > INT32_MAX)
        return 0;
    return (uint32_t)line;
}

static const char *call_name(Dwarf_Die *call)
{
    static const unsigned names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name};
    Dwarf_Attribute attr;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *name = dwarf_formstring(dwarf_attr_integrate(call, names[i], &attr));
        if (name && *name)
            return name;
    }
    return NULL;
}

static bool opens_scope(int tag)
{
    return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
           tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* The child that covers the address, into *die; false: none does. */
static bool descend(Dwarf_Die *die, uint64_t address)
{
    Dwarf_Die child;

    if (dwarf_child(die, &child) != 0)
        return false;
    for (size_t i = 0; i < MAX_SIBLINGS; i++) {
        if (opens_scope(dwarf_tag(&child)) && dwarf_haspc(&child, address) > 0) {
            *die = child;
            return true;
        }
        if (dwarf_siblingof(&child, &child) != 0)
            return false;
    }
    return false;
}

static int find_calls(struct slw_inlined *in, uint64_t address,
                      struct slw_inlined_call ret_calls[SLW_MAX_INLINED], size_t *ret_count)
{
    Dwarf_Die unit, die;
    Dwarf_Files *files = NULL;
    size_t count = 0;
    int rc = find_unit(in, address, &unit);

    if (rc > 0)
        rc = find_function(in, address, &unit, &die);
    if (rc < 0)
        return rc;
    errno = 0;
    while (rc > 0 && count < SLW_MAX_INLINED && descend(&die, address)) {
        const char *name = dwarf_tag(&die) == DW_TAG_inlined_subroutine ? call_name(&die) : NULL;
        if (ran_out())
            return -SLW_E_NOMEM;
        if (!name)
            continue;
        if (!files && dwarf_getsrcfiles(&unit, &files, NULL) != 0)
            files = NULL;
        if (ran_out())
            return -SLW_E_NOMEM;
        ret_calls[count++] =
            (struct slw_inlined_call){name, call_file(&die, files), call_line(&die)};
    }
    *ret_count = count;
    return 0;
}

static int find_line(struct slw_inlined *in, uint64_t address, const char **ret_file,
                     uint32_t *ret_line)
{
    Dwarf_Die unit;
    int rc = find_unit(in, address, &unit), line = 0;
    Dwarf_Line *found = rc > 0 ? dwarf_getsrc_die(&unit, address) : NULL;
    const char *file = found ? dwarf_linesrc(found, NULL, NULL) : NULL;
    const bool known = file && dwarf_lineno(found, &line) == 0 && line > 0;

    if (rc < 0)
        return rc;
    if (ran_out())
        return -SLW_E_NOMEM;
    *ret_file = known ? file : "";
    *ret_line = known ? (uint32_t)line : 0;
    return 0;
}

/* 0 the first time, 1 when memory ran out: as setjmp. */
#define GUARD(in, here) ((in)->broken || setjmp(*(out_of_memory = &(here))))

static int give_up(struct slw_inlined *in)
{
    in->broken = true;
    return -SLW_E_NOMEM;
}

int slw_inlined_at(struct slw_inlined *in, uint64_t address,
                   struct slw_inlined_call ret_calls[SLW_MAX_INLINED], size_t *ret_count)
{
    jmp_buf here;
    const int rc = GUARD(in, here) ? give_up(in) : find_calls(in, address, ret_calls, ret_count);

    out_of_memory = NULL; /* `here` goes */
    return rc;
}

int slw_inlined_line(struct slw_inlined *in, uint64_t address, const char **ret_file,
                     uint32_t *ret_line)
{
    jmp_buf here;
    const int rc = GUARD(in, here) ? give_up(in) : find_line(in, address, ret_file, ret_line);

    out_of_memory = NULL; /* `here` goes */
    return rc;
}
