/* SPDX-License-Identifier: MIT */
/* slotwise-workload verify: is what was acknowledged in the database, each once? */
#include "base/parse.h"
#include "cli/workload/workload_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IDS (UINT64_C(1) << 28)

struct ids {
    uint64_t *all;
    size_t count, capacity;
    bool full; /* no memory, or too many */
};

static void add(struct ids *ids, uint64_t id)
{
    if (ids->count == ids->capacity) {
        const size_t capacity = ids->capacity ? 2 * ids->capacity : 1024;
        uint64_t *all = capacity > MAX_IDS ? NULL : realloc(ids->all, capacity * sizeof(*ids->all));

        ids->full = ids->full || !all;
        if (!all)
            return;
        ids->all = all;
        ids->capacity = capacity;
    }
    ids->all[ids->count++] = id;
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* A last line without its end was being written when the program was killed: it says nothing. */
static int read_ids(const char *path, struct ids *ids, struct slw_error *err)
{
    FILE *f = fopen(path, "re");
    char line[64];
    size_t number = 0;
    int rc = 0;

    if (!f)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot read %.200s", path);
    while (rc == 0 && fgets(line, sizeof(line), f)) {
        char *end = strchr(line, '\n');
        uint64_t id = 0;

        number++;
        if (!end)
            break;
        *end = '\0';
        rc = slw_parse_u64(line, "an id", 1, INT64_MAX, &id, err);
        if (rc < 0)
            slw_error_at(err, "%.200s:%zu", path, number);
        else
            add(ids, id);
    }
    if (rc == 0 && ferror(f))
        rc = slw_fail_sys(err, SLW_E_IO, errno, "cannot read %.200s", path);
    (void)fclose(f);
    if (rc == 0 && ids->full)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the ids of %.200s", path);
    if (ids->count > 1)
        qsort(ids->all, ids->count, sizeof(*ids->all), compare);
    return rc;
}

/* Both lists ascend. */
struct comparison {
    const struct ids *wanted;
    size_t next;
    uint64_t stored, found, twice, last, missing, first_missing;
};

static void miss(struct comparison *c, uint64_t id)
{
    if (c->missing++ == 0)
        c->first_missing = id;
}

static int take(void *ctx, uint64_t id)
{
    struct comparison *c = ctx;
    const struct ids *w = c->wanted;

    c->twice += c->stored > 0 && id == c->last;
    c->stored++;
    c->last = id;
    for (; c->next < w->count && w->all[c->next] < id; c->next++)
        miss(c, w->all[c->next]);
    for (bool first = true; c->next < w->count && w->all[c->next] == id; c->next++, first = false)
        c->found += first;
    return 0;
}

static int compare_all(const struct slw_workload_command *c, const struct ids *ids,
                       struct comparison *ret, struct slw_error *err)
{
    void *connection = NULL;
    int rc = c->driver->open(slw_choices_text(&c->choices, "connect"),
                             slw_choices_text(&c->choices, "table"), &c->choices, &connection, err);

    if (rc < 0)
        return rc;
    *ret = (struct comparison){.wanted = ids};
    rc = c->driver->visit(connection, take, ret, err);
    for (; rc == 0 && ret->next < ids->count; ret->next++)
        miss(ret, ids->all[ret->next]);
    c->driver->close(connection);
    return rc;
}

static int tell(const struct comparison *c, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf out = {0};

    slw_buf_printf(&out,
                   "acknowledged %zu\nstored %" PRIu64 "\nfound %" PRIu64 "\nmissing %" PRIu64
                   "\nstored twice %" PRIu64 "\n",
                   c->wanted->count, c->stored, c->found, c->missing, c->twice);
    int rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    if (rc >= 0 && (c->missing || c->twice)) {
        slw_error_hint(err, "stored rows were lost or doubled: do not trust this database, or "
                            "report a bug of slotwise");
        rc = c->missing
                 ? slw_fail(err, SLW_E_NODATA,
                            "%" PRIu64 " acknowledged rows are not stored, the first is %" PRIu64,
                            c->missing, c->first_missing)
                 : slw_fail(err, SLW_E_NODATA, "%" PRIu64 " rows are stored twice", c->twice);
    }
    return rc;
}

int slw_workload_verify(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_workload_command c = {0};
    struct comparison result;
    struct ids ids = {0};
    int rc = slw_workload_parse(&c, slw_verify_settings, argc, argv, err);

    if (rc >= 0)
        rc = slw_args_operands(&c.args, 0, 0, "option", err);
    if (rc >= 0 && !slw_choices_text(&c.choices, "acknowledged"))
        rc = slw_fail(err, SLW_E_USAGE, "--acknowledged FILE is missing");
    if (rc >= 0)
        rc = read_ids(slw_choices_text(&c.choices, "acknowledged"), &ids, err);
    if (rc >= 0)
        rc = compare_all(&c, &ids, &result, err);
    if (rc >= 0)
        rc = tell(&result, t, err);
    free(ids.all);
    slw_workload_command_release(&c);
    return rc;
}
