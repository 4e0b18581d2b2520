/* SPDX-License-Identifier: MIT */
/* callgrind.out and cachegrind.out: costs of source lines, and of calls. Source: Valgrind manual,
 * "Callgrind Format Specification"; cachegrind's output is a part of it.
 *
 * The format holds calls, not stacks: which callers a cost came through is not in the file. Each
 * function is a stack of its own, by its own cost; what calls cost with all below is left out,
 * because it would count twice. */
#include "collector/import_stacks.h"

#include "base/arena.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 4000000 /* numbers of compressed names; a browser has about 500,000 functions */

/* Compressed names, "(7) main" and later "(7)". */
struct names {
    const char **by_number;
    uint32_t capacity;
};

struct reader {
    struct slw_stack_import in;
    struct names objects, files, functions;
    const char *object, *file, *function; /* NULL: not said yet */
    const char *creator;
    uint32_t positions; /* subpositions of a cost line */
    uint32_t line_position;
    uint64_t last[3];
    uint32_t event_count;
    char *events[SLW_MAX_COLUMNS];
    char *long_names[SLW_MAX_COLUMNS]; /* of "event: NAME : LONG", by place in long_keys */
    char *long_keys[SLW_MAX_COLUMNS];
    uint32_t long_count;
    /* What the file says all costs add up to: at the beginning of a part, and at its end. */
    uint64_t summary[SLW_MAX_COLUMNS], totals[SLW_MAX_COLUMNS];
    uint32_t summaries, ends;
    bool skip_next; /* the cost line of a call or a jump */
};

static int no_memory(struct reader *r)
{
    return slw_import_stop(&r->in, SLW_E_NOMEM, "no memory for the imported costs");
}

static size_t blanks(const char *p)
{
    return strspn(p, " \t");
}

/* ---- names ---- */

static int remember(struct reader *r, struct names *n, uint64_t number, const char *name)
{
    if (number >= MAX_NAMES)
        return slw_import_stop(&r->in, SLW_E_LIMIT, "name number %" PRIu64 " is past %d", number,
                               MAX_NAMES);
    if (number >= n->capacity) {
        const uint32_t capacity = (uint32_t)number * 2 + 256;
        const char **more = realloc(n->by_number, capacity * sizeof(*more));

        if (!more)
            return no_memory(r);
        memset(more + n->capacity, 0, (capacity - n->capacity) * sizeof(*more));
        n->by_number = more;
        n->capacity = capacity;
    }
    n->by_number[number] = name;
    return 0;
}

static const char *keep(struct reader *r, const char *text)
{
    return slw_arena_strdup(r->in.arena, strcmp(text, "???") == 0 ? "" : text);
}

/* "(7) main", "(7)" or "main". */
static int read_name(struct reader *r, struct names *n, const char *text, const char **ret_name)
{
    char *end = NULL;

    text += blanks(text);
    if (text[0] != '(' || !isdigit((unsigned char)text[1])) {
        *ret_name = keep(r, text);
        return *ret_name ? 0 : no_memory(r);
    }
    const uint64_t number = strtoull(text + 1, &end, 10);
    if (*end != ')')
        return slw_import_stop(&r->in, SLW_E_FORMAT, "a name's number without its ')'");
    end += 1 + blanks(end + 1);
    if (*end) {
        *ret_name = keep(r, end);
        return *ret_name ? remember(r, n, number, *ret_name) : no_memory(r);
    }
    if (number >= n->capacity || !n->by_number[number])
        return slw_import_stop(&r->in, SLW_E_FORMAT, "name (%" PRIu64 ") was never given", number);
    *ret_name = n->by_number[number];
    return 0;
}

/* A "KEY=VALUE" line. Names of the called side are read too: their numbers hold from there on. */
static int read_assignment(struct reader *r, const char *key, const char *value, bool *ret_known)
{
    const char *called = NULL;

    *ret_known = true;
    if (strcmp(key, "fn") == 0)
        return read_name(r, &r->functions, value, &r->function);
    if (strcmp(key, "fl") == 0 || strcmp(key, "fi") == 0 || strcmp(key, "fe") == 0)
        return read_name(r, &r->files, value, &r->file);
    if (strcmp(key, "ob") == 0)
        return read_name(r, &r->objects, value, &r->object);
    if (strcmp(key, "cfn") == 0 || strcmp(key, "jfn") == 0)
        return read_name(r, &r->functions, value, &called);
    if (strcmp(key, "cfi") == 0 || strcmp(key, "cfl") == 0 || strcmp(key, "jfi") == 0)
        return read_name(r, &r->files, value, &called);
    if (strcmp(key, "cob") == 0)
        return read_name(r, &r->objects, value, &called);
    if (strcmp(key, "calls") == 0 || strcmp(key, "jump") == 0 || strcmp(key, "jcnd") == 0) {
        r->skip_next = true;
        return 0;
    }
    *ret_known = false;
    return 0;
}

/* ---- the head ---- */

/* "cpu-clock (nanoseconds; software)", as our own exporter writes long names. */
static bool split_long(char *text, const char **ret_event, const char **ret_unit)
{
    char *open = strrchr(text, '('), *end = open ? strpbrk(open, ";)") : NULL;

    if (!open || open == text || open[-1] != ' ' || !end)
        return false;
    open[-1] = *end = '\0';
    *ret_event = text;
    *ret_unit = open + 1;
    return true;
}

/* Costs of Valgrind's tools are counts of a simulated machine. */
static struct slw_provenance provenance(const struct reader *r)
{
    const bool ours = r->creator && strncmp(r->creator, "slotwise", 8) == 0;
    const bool valgrind = !r->creator || strncmp(r->creator, "callgrind", 9) == 0 ||
                          strncmp(r->creator, "cachegrind", 10) == 0;

    return (struct slw_provenance){.source = valgrind && !ours ? SLW_SOURCE_SIMULATED
                                                               : SLW_SOURCE_SOFTWARE,
                                   .imported = true,
                                   .detail = r->creator ? r->creator : "cachegrind"};
}

static int add_event(struct reader *r, const char *name)
{
    struct slw_column column = {.event = name, .unit = "events", .from = provenance(r)};
    uint32_t place;

    if (r->event_count == SLW_MAX_SAMPLINGS)
        return slw_import_stop(&r->in, SLW_E_LIMIT, "more than %d events", SLW_MAX_SAMPLINGS);
    r->events[r->event_count] = slw_arena_strdup(r->in.arena, name);
    if (!r->events[r->event_count++])
        return no_memory(r);
    for (uint32_t i = 0; i < r->long_count; i++)
        if (strcmp(r->long_keys[i], name) == 0 && strncmp(column.from.detail, "slotwise", 8) == 0)
            (void)split_long(r->long_names[i], &column.event, &column.unit);
    return slw_stack_import_column(&r->in, &column, &place);
}

/* A file of several parts says again what it counts. */
static int read_events(struct reader *r, char *value)
{
    const bool again = r->event_count > 0;
    uint32_t count = 0;
    char *state = NULL;

    for (char *name = strtok_r(value, " \t", &state); name; name = strtok_r(NULL, " \t", &state)) {
        if (again && (count >= r->event_count || strcmp(r->events[count], name) != 0))
            return slw_import_stop(&r->in, SLW_E_FORMAT,
                                   "the parts of the file count different events");
        const int rc = again ? 0 : add_event(r, name);
        if (rc < 0)
            return rc;
        count++;
    }
    if (count == 0 || count != r->event_count)
        return slw_import_stop(&r->in, SLW_E_FORMAT, "'events:' names %s",
                               count ? "fewer events" : "none");
    return 0;
}

static int read_positions(struct reader *r, const char *value)
{
    if (strcmp(value, "line") == 0) {
        r->positions = 1;
        r->line_position = 0;
    } else if (strcmp(value, "instr line") == 0) {
        r->positions = 2;
        r->line_position = 1;
    } else if (strcmp(value, "instr") == 0) {
        r->positions = 1;
        r->line_position = 1; /* past the last: lines are not known */
    } else {
        return slw_import_stop(&r->in, SLW_E_FORMAT,
                               "positions '%.40s' are neither lines nor instructions", value);
    }
    return 0;
}

static int read_long_name(struct reader *r, char *value)
{
    char *colon = strchr(value, ':');

    if (!colon || r->long_count == SLW_MAX_COLUMNS)
        return 0;
    *colon = '\0';
    value[strcspn(value, " \t=")] = '\0';
    r->long_keys[r->long_count] = slw_arena_strdup(r->in.arena, value);
    r->long_names[r->long_count] = slw_arena_strdup(r->in.arena, colon + 1 + blanks(colon + 1));
    if (!r->long_keys[r->long_count] || !r->long_names[r->long_count])
        return no_memory(r);
    r->long_count++;
    return 0;
}

static bool read_number(const char **text, uint64_t *ret_value)
{
    char *end = NULL;

    if (!isdigit((unsigned char)**text))
        return false;
    const bool hex = (*text)[0] == '0' && (*text)[1] == 'x';
    *ret_value = strtoull(*text, &end, hex ? 16 : 10);
    if (end == *text || (*ret_value == UINT64_MAX) || (*end && *end != ' ' && *end != '\t'))
        return false;
    *text = end + blanks(end);
    return true;
}

/* Of several parts: their sum. */
static int add_sums(struct reader *r, const char *value, uint64_t *sums)
{
    for (uint32_t i = 0; i < r->event_count && *value; i++) {
        uint64_t number;

        if (!read_number(&value, &number) || __builtin_add_overflow(sums[i], number, &sums[i]))
            return slw_import_stop(&r->in, SLW_E_FORMAT, "bad number in the summary: '%.40s'",
                                   value);
    }
    return 0;
}

static int read_header(struct reader *r, const char *key, char *value)
{
    if (strcmp(key, "events") == 0)
        return read_events(r, value);
    if (strcmp(key, "positions") == 0)
        return read_positions(r, value);
    if (strcmp(key, "event") == 0)
        return read_long_name(r, value);
    if (strcmp(key, "summary") == 0) {
        r->summaries++;
        return add_sums(r, value, r->summary);
    }
    if (strcmp(key, "totals") == 0) {
        r->ends++;
        return add_sums(r, value, r->totals);
    }
    if (strcmp(key, "creator") == 0) {
        r->creator = slw_arena_strdup(r->in.arena, value);
        return r->creator ? 0 : no_memory(r);
    }
    if (strcmp(key, "version") == 0 && strcmp(value, "1") != 0)
        return slw_import_stop(&r->in, SLW_E_VERSION,
                               "version '%.20s' of the format: only 1 is known", value);
    return 0; /* pid, cmd, part, thread, desc, ... */
}

/* ---- costs ---- */

/* "12", "0x4f", "+3", "-3" against the line before, "*": the same. */
static bool read_position(const char **text, uint64_t *last)
{
    const char sign = **text;
    uint64_t number = 0;

    if (sign == '*') {
        *text += 1 + blanks(*text + 1);
        return true;
    }
    if (sign == '+' || sign == '-')
        (*text)++;
    if (!read_number(text, &number))
        return false;
    if (sign == '+')
        *last += number;
    else if (sign == '-')
        *last -= number;
    else
        *last = number;
    return true;
}

static int add_cost(struct reader *r, const uint64_t *weights)
{
    const uint64_t line = r->line_position < r->positions ? r->last[r->line_position] : 0;
    const struct slw_mapping m = {.path = r->object ? r->object : "", .build_id = ""};
    struct slw_frame f = {.function = r->function,
                          .linkage = "",
                          .file = r->file ? r->file : "",
                          .line = line <= UINT32_MAX ? (uint32_t)line : 0,
                          .mapping = SLW_NO_MAPPING,
                          .kind = slw_import_kind(m.path)};
    uint32_t frame;
    int rc = 0;

    if (m.path[0])
        rc = slw_stacks_add_mapping(r->in.stacks, &m, &f.mapping);
    if (rc == 0)
        rc = slw_stacks_add_frame(r->in.stacks, &f, &frame);
    if (rc < 0)
        return slw_stack_import_check(&r->in, rc);
    return slw_stack_import_add(&r->in, &frame, 1, SLW_NO_THREAD, weights);
}

/* Counts at the end may be left out: they are 0. */
static int read_costs(struct reader *r, const char *text)
{
    uint64_t weights[SLW_MAX_COLUMNS] = {0};
    const bool skip = r->skip_next;

    r->skip_next = false;
    for (uint32_t i = 0; i < r->positions; i++)
        if (!read_position(&text, &r->last[i]))
            return slw_import_stop(&r->in, SLW_E_FORMAT, "no position at '%.40s'", text);
    for (uint32_t i = 0; *text; i++) {
        if (i == r->event_count)
            return slw_import_stop(&r->in, SLW_E_FORMAT, "more costs than events, at '%.40s'",
                                   text);
        if (!read_number(&text, &weights[i]))
            return slw_import_stop(&r->in, SLW_E_FORMAT, "no cost at '%.40s'", text);
    }
    if (skip)
        return 0;
    if (r->event_count == 0)
        return slw_import_stop(&r->in, SLW_E_FORMAT, "costs before 'events:' says what they are");
    if (!r->function)
        return slw_import_stop(&r->in, SLW_E_FORMAT, "costs before 'fn=' says of which function");
    return add_cost(r, weights);
}

/* ---- lines ---- */

/* "key=" or "key:" at the start: the key is cut off, and what follows returned. */
static char *cut_key(char *line, char mark)
{
    size_t n = 0;

    while (isalpha((unsigned char)line[n]))
        n++;
    if (n == 0 || line[n] != mark)
        return NULL;
    line[n] = '\0';
    return line + n + 1;
}

static void trim_end(char *line)
{
    size_t n = strlen(line);

    while (n > 0 && strchr(" \t\r", line[n - 1]))
        n--;
    line[n] = '\0';
}

static int read_line(void *reader, char *line, bool is_whole)
{
    struct reader *r = reader;
    bool known = false;
    char *value;

    (void)is_whole; /* the last may end with the file */
    trim_end(line);
    line += blanks(line);
    if (line[0] == '\0' || line[0] == '#')
        return 0;
    if (isdigit((unsigned char)line[0]) || strchr("+-*", line[0]))
        return read_costs(r, line);
    value = cut_key(line, '=');
    if (value) {
        const int rc = read_assignment(r, line, value, &known);
        if (rc < 0 || known)
            return rc;
        return slw_import_stop(&r->in, SLW_E_FORMAT, "'%.20s=' is no part of callgrind's format",
                               line);
    }
    value = cut_key(line, ':');
    if (value)
        return read_header(r, line, value + blanks(value));
    return slw_import_stop(&r->in, SLW_E_FORMAT, "neither a name nor a cost: '%.40s'", line);
}

/* ---- all of it ---- */

/* The end of a part says what its lines add up to, the beginning what was counted: a few costs of
 * the simulator's may belong to no line. */
static int note_sum(struct reader *r, uint32_t event)
{
    const bool ended = r->ends > 0 && r->ends >= r->summaries;
    const uint64_t total = slw_stacks_total(r->in.stacks, event);
    const uint64_t told = ended ? r->totals[event] : r->summary[event];

    if (!ended && r->summaries == 0)
        return 0;
    if (total != told)
        return slw_run_note(r->in.run, SLW_NOTE_WARNING, "partial-import", NULL,
                            "partial: the costs of %s add up to %" PRIu64 ", but the file itself "
                            "says %" PRIu64,
                            r->events[event], total, told);
    if (r->summaries > 0 && total != r->summary[event])
        return slw_run_note(r->in.run, SLW_NOTE_INFO, "callgrind-summary", NULL,
                            "the file is whole, with %" PRIu64 " of %s; its summary says %" PRIu64
                            ": the rest stands in no line",
                            total, r->events[event], r->summary[event]);
    return 0;
}

static int note(struct reader *r)
{
    int rc = slw_run_note(r->in.run, SLW_NOTE_INFO, "callgrind-import", NULL,
                          "the file holds costs of lines and of calls, not stacks: each function "
                          "stands by itself with its own cost");

    for (uint32_t i = 0; rc == 0 && i < r->event_count; i++)
        rc = note_sum(r, i);
    return rc < 0 ? slw_fail(&r->in.stop, SLW_E_NOMEM, "no memory for an imported run") : 0;
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct reader *r = calloc(1, sizeof(*r));

    if (!r)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
    int rc = slw_stack_import_start(&r->in, path);
    r->positions = 1;
    if (rc == 0)
        rc = slw_import_lines(&r->in, bytes, length, read_line, r);
    if (rc == 0 && r->in.samples == 0)
        rc = slw_import_stop(&r->in, SLW_E_NODATA, "'%s' holds no costs", path);
    if (r->in.samples > 0 && note(r) < 0)
        rc = -SLW_E_NOMEM;
    rc = slw_stack_import_end(&r->in, rc, ret_imported, err);
    free(r->objects.by_number);
    free(r->files.by_number);
    free(r->functions.by_number);
    free(r);
    return rc;
}

/* ---- recognition ---- */

static bool starts(const char *p, const char *end, const char *word)
{
    const size_t n = strlen(word);

    return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

static bool recognise(const void *head, size_t length)
{
    static const char *const first[] = {"# callgrind format", "version:", "creator:", "desc:",
                                        "positions:",         "events:",  "pid:",     "cmd:"};
    const char *p = head, *end = p + length;
    bool opens = false;

    while (p < end && (*p == '\n' || *p == '\r'))
        p++;
    if (starts(p, end, first[0]))
        return true;
    for (size_t i = 1; i < sizeof(first) / sizeof(first[0]); i++)
        opens = opens || starts(p, end, first[i]);
    /* "desc:" alone could be anything; what is counted stands near the start. */
    return opens && (starts(p, end, "events: ") || memmem(head, length, "\nevents: ", 9));
}

const struct slw_importer slw_importer_callgrind = {
    .name = "callgrind",
    .summary = "callgrind.out and cachegrind.out",
    .recognise = recognise,
    .import = import,
};
