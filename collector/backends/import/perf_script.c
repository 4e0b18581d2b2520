/* SPDX-License-Identifier: MIT */
/* The text of `perf script`, of its default fields or any with -F comm,tid,time,event and more: a
 * head line a sample, then a line a frame, leaf first, then an empty line. Without call chains the
 * address stands on the head line. Source: perf's builtin-script.c, 3.x to 6.x.
 *
 * Lines of other fields (registers, branch stacks, source lines) are left out and counted. An
 * address is that of the process, not of the file it was mapped from: only the kernel's are kept.
 */
#include "collector/import_stacks.h"

#include "base/arena.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS  (SLW_MAX_COLUMNS / 2) /* each has a column of counts and one of periods */
#define PROBE_LINES 64 /* comments before the first sample; perf's own header has about 40 */

struct event {
    const char *name;
    bool periods; /* printed */
    uint32_t count_column, period_column;
};

/* A sample being read. */
struct sample {
    bool open;
    size_t line;
    uint32_t thread, event;
    uint64_t period;
    uint32_t *frames;
    size_t depth, cut;
};

struct reader {
    struct slw_stack_import in;
    struct event events[MAX_EVENTS];
    uint32_t event_count;
    struct sample sample;
    size_t skipped, first_skipped; /* lines not understood */
    bool unclosed;                 /* the file ends without the empty line after a stack */
};

/* What a head line says. */
struct head {
    const char *comm;
    size_t comm_length;
    int32_t pid, tid;
    bool has_period;
    uint64_t period;
    const char *event;
    size_t event_length;
    const char *rest; /* what follows the event: a frame, or the fields of a tracepoint */
};

/* ---- head lines ---- */

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static const char *skip_word(const char *p)
{
    while (*p && *p != ' ' && *p != '\t')
        p++;
    return p;
}

/* A number of at most nine digits; perf writes -1 for a thread it does not know. */
static const char *skip_id(const char *p, int32_t *ret_id)
{
    const bool negative = *p == '-';
    int32_t id = 0;
    int digits = 0;

    p += negative;
    for (; isdigit((unsigned char)*p) && digits < 10; p++, digits++)
        id = digits < 9 ? id * 10 + (*p - '0') : id;
    if (digits == 0 || digits > 9)
        return NULL;
    *ret_id = negative ? -1 : id;
    return p;
}

/* "1234" or "1234/1235". */
static const char *skip_ids(const char *p, struct head *h)
{
    h->pid = -1;
    p = skip_id(p, &h->tid);
    if (p && *p == '/') {
        h->pid = h->tid;
        p = skip_id(p + 1, &h->tid);
    }
    return p && (*p == ' ' || *p == '\t') ? p : NULL;
}

/* "[003]" and the flags of a tracepoint ("d..2."), when they are there. */
static const char *skip_cpu(const char *p)
{
    p = skip_blanks(p);
    if (*p == '[') {
        const char *q = p + 1;

        while (isdigit((unsigned char)*q))
            q++;
        if (*q != ']')
            return p;
        p = skip_blanks(q + 1);
    }
    if (*p == '.' || (isalpha((unsigned char)*p) && strspn(p, ".dnNDXBHhsSpPIbL0123456789") == 5))
        p = skip_blanks(skip_word(p));
    return p;
}

/* "4711.123456:" */
static const char *skip_time(const char *p)
{
    const size_t seconds = strspn(p, "0123456789");

    if (seconds == 0 || p[seconds] != '.')
        return NULL;
    p += seconds + 1;
    const size_t fraction = strspn(p, "0123456789");
    return fraction > 0 && p[fraction] == ':' ? p + fraction + 1 : NULL;
}

/* "   250000 cycles:u:  ..." after the time. */
static bool read_event(const char *p, struct head *h)
{
    char *end = NULL;

    p = skip_blanks(p);
    h->has_period = false;
    if (isdigit((unsigned char)*p)) {
        const uint64_t period = strtoull(p, &end, 10);

        if (*end == ' ' || *end == '\t') {
            h->has_period = true;
            h->period = period;
            p = skip_blanks(end);
        }
    }
    const char *stop_at = skip_word(p);
    if (stop_at - p < 2 || stop_at[-1] != ':')
        return false;
    h->event = p;
    h->event_length = (size_t)(stop_at - p) - 1;
    h->rest = skip_blanks(stop_at);
    return true;
}

/* A thread name may hold blanks and numbers, or blanks alone: the first numbers that a time follows
 * are the ids. */
static bool read_head(const char *line, struct head *h)
{
    const char *start = skip_blanks(line);

    for (const char *p = start; *p; p = skip_blanks(skip_word(p))) {
        const char *q = p > line ? skip_ids(p, h) : NULL;

        if (!q)
            continue;
        q = skip_time(skip_cpu(q));
        if (!q || !read_event(q, h))
            continue;
        while (p > start && (p[-1] == ' ' || p[-1] == '\t'))
            p--;
        h->comm = start;
        h->comm_length = (size_t)(p - start);
        return true;
    }
    return false;
}

/* ---- frames ---- */

struct frame_text {
    uint64_t address;
    char *function, *module;
};

/* The last '(' that a blank comes before. */
static char *last_open(char *text, size_t length)
{
    char *open = memrchr(text, '(', length);

    while (open && open > text && open[-1] != ' ')
        open = memrchr(text, '(', (size_t)(open - text));
    return open;
}

/* "ffffffff81000000 name+0x12 (module)"; the line is cut up. */
static bool read_frame(char *text, struct frame_text *f)
{
    char *end = NULL;
    const size_t digits = strspn(text, "0123456789abcdef");

    if (digits == 0 || digits > 16 || (text[digits] != ' ' && text[digits] != '\t'))
        return false;
    f->address = strtoull(text, &end, 16);
    f->function = end + strspn(end, " \t");
    const size_t length = strlen(f->function);
    if (length < 2 || f->function[length - 1] != ')')
        return false;
    f->function[length - 1] = '\0';
    char *open = last_open(f->function, length - 1);
    if (open && strcmp(open, "(deleted)") == 0) /* "(/usr/bin/x (deleted))" */
        open = last_open(f->function, (size_t)(open - f->function));
    if (!open)
        return false;
    f->module = open + 1;
    while (open > f->function && open[-1] == ' ')
        open--;
    *open = '\0';
    return true;
}

/* "main+0x1f" -> "main"; what perf writes for no symbol -> "". */
static void trim_function(char *function)
{
    char *plus = strrchr(function, '+');

    if (plus && plus > function && strncmp(plus, "+0x", 3) == 0 && plus[3] &&
        strspn(plus + 3, "0123456789abcdef") == strlen(plus + 3))
        *plus = '\0';
    if (strcmp(function, "[unknown]") == 0)
        function[0] = '\0';
}

static int add_frame(struct reader *r, struct frame_text *text)
{
    struct slw_frame f = {.linkage = "", .file = "", .mapping = SLW_NO_MAPPING};
    const bool known = strcmp(text->module, "[unknown]") != 0 && text->module[0];
    int rc = 0;

    trim_function(text->function);
    f.function = text->function;
    f.inlined = strcmp(text->module, "inlined") == 0;
    if (known && !f.inlined) {
        const struct slw_mapping m = {.path = text->module, .build_id = ""};

        f.kind = slw_import_kind(text->module);
        rc = slw_stacks_add_mapping(r->in.stacks, &m, &f.mapping);
    }
    if (f.kind == SLW_FRAME_KERNEL)
        f.address = text->address;
    if (r->sample.depth == SLW_MAX_STACK_DEPTH) {
        r->sample.cut++;
        return rc;
    }
    if (rc == 0)
        rc = slw_stacks_add_frame(r->in.stacks, &f, &r->sample.frames[r->sample.depth]);
    r->sample.depth += rc == 0;
    return slw_stack_import_check(&r->in, rc);
}

/* ---- events ---- */

static bool is_clock(const char *event)
{
    return strncmp(event, "cpu-clock", 9) == 0 || strncmp(event, "task-clock", 10) == 0;
}

/* perf's software events and tracepoints; the rest is taken for the hardware's. */
static struct slw_provenance provenance(const char *event)
{
    static const char *const software[] = {"page-faults",      "minor-faults", "major-faults",
                                           "context-switches", "cs",           "cpu-migrations",
                                           "alignment-faults", "dummy",        "bpf-output"};
    struct slw_provenance from = {
        .source = SLW_SOURCE_HARDWARE, .imported = true, .detail = "perf script text"};
    const char *colon = strchr(event, ':');

    for (size_t i = 0; i < sizeof(software) / sizeof(software[0]); i++) {
        const size_t n = strlen(software[i]);
        if (strncmp(event, software[i], n) == 0 && (event[n] == '\0' || event[n] == ':'))
            from.source = SLW_SOURCE_SOFTWARE;
    }
    /* "sched:sched_switch", but not "cycles:u". */
    if (is_clock(event) || (colon && strspn(colon + 1, "ukhGHIpPSDeW") != strlen(colon + 1)))
        from.source = SLW_SOURCE_SOFTWARE;
    return from;
}

static int add_event(struct reader *r, const struct head *h)
{
    struct event *e = &r->events[r->event_count];

    if (r->event_count == MAX_EVENTS)
        return slw_import_stop(&r->in, SLW_E_LIMIT, "more than %d events", MAX_EVENTS);
    e->name = slw_arena_strndup(r->in.arena, h->event, h->event_length);
    if (!e->name)
        return slw_import_stop(&r->in, SLW_E_NOMEM, "no memory for an event");
    e->periods = h->has_period;
    struct slw_column column = {.event = e->name, .unit = "count", .from = provenance(e->name)};
    int rc = slw_stack_import_column(&r->in, &column, &e->count_column);
    column.unit = is_clock(e->name) ? "nanoseconds" : "events";
    if (rc == 0 && e->periods)
        rc = slw_stack_import_column(&r->in, &column, &e->period_column);
    r->event_count += rc == 0;
    return rc;
}

static int find_event(struct reader *r, const struct head *h, uint32_t *ret_event)
{
    uint32_t i = 0;
    int rc = 0;

    while (i < r->event_count && (strlen(r->events[i].name) != h->event_length ||
                                  memcmp(r->events[i].name, h->event, h->event_length) != 0))
        i++;
    if (i == r->event_count)
        rc = add_event(r, h);
    if (rc < 0)
        return rc;
    if (r->events[i].periods && !h->has_period)
        return slw_import_stop(&r->in, SLW_E_FORMAT,
                               "a sample of %.60s without a period, where others have one",
                               r->events[i].name);
    *ret_event = i;
    return 0;
}

/* ---- samples ---- */

static int end_sample(struct reader *r)
{
    uint64_t weights[SLW_MAX_COLUMNS] = {0};
    const struct event *e = &r->events[r->sample.event];

    if (!r->sample.open)
        return 0;
    r->sample.open = false;
    r->in.cut += r->sample.cut > 0;
    weights[e->count_column] = 1;
    if (e->periods)
        weights[e->period_column] = r->sample.period;
    return slw_stack_import_add(&r->in, r->sample.frames, r->sample.depth, r->sample.thread,
                                weights);
}

/* Branch stacks and registers may stand there as well: only a frame is taken. */
static int read_rest(struct reader *r, char *rest)
{
    struct frame_text f;

    return read_frame(rest, &f) ? add_frame(r, &f) : 0;
}

static int start_sample(struct reader *r, char *line, const struct head *h)
{
    char comm[64];
    const size_t length = h->comm_length < sizeof(comm) - 1 ? h->comm_length : sizeof(comm) - 1;
    const struct slw_thread t = {.comm = comm, .pid = h->pid, .tid = h->tid};
    int rc = end_sample(r);

    if (rc < 0)
        return rc;
    memcpy(comm, h->comm, length);
    comm[length] = '\0';
    if (strcmp(comm, "[unknown]") == 0)
        comm[0] = '\0';
    r->sample.depth = r->sample.cut = 0;
    r->sample.line = r->in.line;
    r->sample.period = h->period;
    if (h->has_period && h->period > INT64_MAX)
        return slw_import_stop(&r->in, SLW_E_RANGE, "a period of more than 63 bits");
    rc = find_event(r, h, &r->sample.event);
    if (rc == 0)
        rc = slw_stack_import_check(&r->in,
                                    slw_stacks_add_thread(r->in.stacks, &t, &r->sample.thread));
    if (rc == 0)
        rc = read_rest(r, line + (h->rest - line));
    r->sample.open = rc == 0;
    return rc;
}

static void skip_line(struct reader *r)
{
    if (r->skipped++ == 0)
        r->first_skipped = r->in.line;
}

static bool ends_whole(const char *line)
{
    const size_t n = strlen(line);

    return n == 0 || line[n - 1] == ')' || line[n - 1] == ':' || line[n - 1] == ' ';
}

static int read_line(void *reader, char *line, bool is_whole)
{
    struct reader *r = reader;
    char *text = line + strspn(line, " \t");
    struct frame_text f;
    struct head h = {0};

    if (!is_whole && !ends_whole(line))
        return slw_import_stop(&r->in, SLW_E_FORMAT,
                               "the file ends within a line: it is truncated");
    if (!*text)
        return end_sample(r);
    if (line[0] == '#')
        return 0;
    /* Frames start with a tab, heads never do: a function may be called anything. */
    if (line[0] != '\t' && read_head(line, &h))
        return start_sample(r, line, &h);
    if (r->sample.open && text > line && read_frame(text, &f))
        return add_frame(r, &f);
    skip_line(r);
    return 0;
}

static int read_lines(struct reader *r, const char *bytes, size_t length)
{
    const int rc = slw_import_lines(&r->in, bytes, length, read_line, r);

    r->unclosed = rc == 0 && r->sample.open && r->sample.line < r->in.line;
    return rc < 0 ? rc : end_sample(r);
}

static int note(struct reader *r)
{
    int rc = 0;

    if (r->skipped > 0)
        rc = slw_run_note(r->in.run, SLW_NOTE_INFO, "lines-left-out", NULL,
                          "%zu lines are neither the head of a sample nor a frame and were left "
                          "out; the first is line %zu",
                          r->skipped, r->first_skipped);
    if (rc == 0 && r->unclosed)
        rc = slw_run_note(r->in.run, SLW_NOTE_WARNING, "partial-import", NULL,
                          "partial: the file ends within the sample of line %zu, whose stack may "
                          "have lost its outer frames",
                          r->sample.line);
    return rc < 0 ? slw_import_stop(&r->in, SLW_E_NOMEM, "no memory for an imported run") : 0;
}

/* ---- all of it ---- */

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct reader *r = calloc(1, sizeof(*r));

    if (!r)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
    int rc = slw_stack_import_start(&r->in, path);
    if (rc == 0) {
        r->sample.frames =
            slw_arena_array(r->in.arena, SLW_MAX_STACK_DEPTH, sizeof(*r->sample.frames));
        rc = r->sample.frames ? read_lines(r, bytes, length)
                              : slw_import_stop(&r->in, SLW_E_NOMEM, "no memory for a stack");
    }
    if (rc == 0 && r->in.samples == 0) {
        r->in.line = r->skipped ? r->first_skipped : 1;
        rc = slw_import_stop(&r->in, SLW_E_FORMAT,
                             "'%s' holds no sample as perf script prints them", path);
    }
    if (r->in.samples > 0 && note(r) < 0)
        rc = -SLW_E_NOMEM;
    rc = slw_stack_import_end(&r->in, rc, ret_imported, err);
    free(r);
    return rc;
}

/* ---- recognition ---- */

/* Is the first line that is no comment the head of a sample? */
static bool recognise(const void *head, size_t length)
{
    const char *p = head, *end = p + length;
    char line[1024];
    struct head h;

    for (int i = 0; i < PROBE_LINES && p < end; i++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const size_t n = (size_t)((newline ? newline : end) - p);

        if (n > 0 && *p != '#' && *p != '\r') {
            if (n >= sizeof(line) || memchr(p, '\0', n))
                return false;
            memcpy(line, p, n);
            line[n] = '\0';
            return read_head(line, &h);
        }
        p = newline ? newline + 1 : end;
    }
    return false;
}

const struct slw_importer slw_importer_perf_script = {
    .name = "perf-script",
    .summary = "text of perf script",
    .recognise = recognise,
    .import = import,
};
