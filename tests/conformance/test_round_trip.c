/* SPDX-License-Identifier: MIT */
/* Profiles through the formats of other tools and back: whatever exporters.def can write and
 * importers.def can read, alone and one after the other, loses no weight. */
#include "collector/importer.h"
#include "flamegraph/exporter.h"
#include "tests/unit/run_fixture_int.h"

#define MAX_FORMATS 32

struct format {
    const struct slw_exporter *exporter;
    const struct slw_importer *importer;
};

static struct format formats[MAX_FORMATS];
static size_t format_count;

/* Formats that both tables have, by their names. */
static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_exporter_count; i++)
        for (size_t j = 0; j < slw_importer_count; j++)
            if (strcmp(slw_exporters[i]->name, slw_importers[j]->name) == 0) {
                if (format_count == MAX_FORMATS)
                    return -1;
                formats[format_count++] = (struct format){slw_exporters[i], slw_importers[j]};
            }
    return 0;
}

/* The main column, which every format carries. */
static uint64_t total(const struct slw_stacks *s)
{
    const int column = slw_stacks_find_column(s, NULL, NULL);

    assert_true(column >= 0);
    return slw_stacks_total(s, (size_t)column);
}

static void write_as(const struct slw_exporter *e, const struct slw_run *run,
                     const struct slw_stacks *s, struct slw_buf *out)
{
    struct slw_error err = {0};

    if (e->export(run, s, NULL, out, &err) < 0)
        fail_msg("%s does not export: %s", e->name, err.text);
    assert_true(out->length > 0);
}

static struct slw_imported read_as(const struct slw_importer *m, const struct slw_buf *bytes)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};
    const size_t head =
        bytes->length < SLW_IMPORT_HEAD_BYTES ? bytes->length : SLW_IMPORT_HEAD_BYTES;
    const struct slw_importer *found = slw_importer_of(bytes->data, head);

    if (found != m)
        fail_msg("%s is taken for %s", m->name, found ? found->name : "nothing");
    if (m->import("bytes", bytes->data, bytes->length, &imported, &err) < 0)
        fail_msg("%s does not import what it exported: %s: %s", m->name, err.where, err.text);
    assert_non_null(imported.stacks);
    return imported;
}

static void release(struct slw_imported *m)
{
    slw_stacks_free(m->stacks);
    slw_run_free(m->run);
}

static struct slw_imported through(const struct format *f, const struct slw_run *run,
                                   const struct slw_stacks *s)
{
    struct slw_buf bytes = {0};

    write_as(f->exporter, run, s, &bytes);
    struct slw_imported imported = read_as(f->importer, &bytes);
    slw_buf_release(&bytes);
    return imported;
}

static void six_formats_go_both_ways(void **state)
{
    (void)state;
    static const char *const known[] = {"folded",  "pprof",       "speedscope",
                                        "firefox", "perf-script", "callgrind"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        bool found = false;

        for (size_t j = 0; j < format_count; j++)
            found = found || strcmp(known[i], formats[j].exporter->name) == 0;
        if (!found)
            fail_msg("%s is not in both tables", known[i]);
    }
}

static void every_pair_of_formats_keeps_the_weight(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_run *run = rich_run();

    for (size_t i = 0; i < format_count; i++) {
        struct slw_imported first = through(&formats[i], run, s);

        assert_true(total(first.stacks) == total(s));
        for (size_t j = 0; j < format_count; j++) {
            struct slw_imported second = through(&formats[j], first.run, first.stacks);

            if (total(second.stacks) != total(s))
                fail_msg("%s then %s: %llu is not %llu", formats[i].exporter->name,
                         formats[j].exporter->name, (unsigned long long)total(second.stacks),
                         (unsigned long long)total(s));
            release(&second);
        }
        release(&first);
    }
    slw_run_free(run);
    slw_stacks_free(s);
}

/* Of every event that a format carries, both what the periods add up to and how many samples there
 * were. What a format carries of a profile shows in what it gives back. */
static void events_that_come_back_come_back_whole(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_run *run = rich_run();

    for (size_t i = 0; i < format_count; i++) {
        struct slw_imported m = through(&formats[i], run, s);
        size_t compared = 0;

        for (size_t c = 0; c < slw_stacks_column_count(m.stacks); c++) {
            const struct slw_column *column = slw_stacks_column(m.stacks, c);
            const int from = slw_stacks_find_column(s, column->event, column->unit);

            /* pprof is our own file too, and keeps where its numbers come from. */
            assert_true(column->from.imported || strcmp(formats[i].exporter->name, "pprof") == 0);
            /* A stack without a period is no sample of perf script's. */
            if (from < 0 || (strcmp(formats[i].exporter->name, "perf-script") == 0 &&
                             strcmp(column->unit, "count") == 0))
                continue;
            assert_true(slw_stacks_total(m.stacks, c) == slw_stacks_total(s, (size_t)from));
            compared++;
        }
        if (compared == 0 && strcmp(formats[i].exporter->name, "folded") != 0)
            fail_msg("%s lost the names of all events", formats[i].exporter->name);
        release(&m);
    }
    slw_run_free(run);
    slw_stacks_free(s);
}

static bool says_partial(const struct slw_run *run)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, "partial-import") == 0 &&
            strstr(run->notes[i].text, "partial"))
            return true;
    return false;
}

/* A beginning is refused at a place, or kept and called partial, or whole. Folded text and samples
 * of perf script may end anywhere that a line or a sample ends. */
static void a_cut_file_is_refused_or_called_partial(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_run *run = rich_run();

    for (size_t i = 0; i < format_count; i++) {
        const struct format *f = &formats[i];
        const bool open_ended = strcmp(f->exporter->name, "folded") == 0 ||
                                strcmp(f->exporter->name, "perf-script") == 0;
        struct slw_buf bytes = {0};

        write_as(f->exporter, run, s, &bytes);
        const size_t step = bytes.length / 61 + 1;
        for (size_t length = 1; length < bytes.length; length += step) {
            struct slw_imported m = {0};
            struct slw_error err = {0};
            char *copy = malloc(length); /* exact, so that a byte too many is seen */

            assert_non_null(copy);
            memcpy(copy, bytes.data, length);
            if (f->importer->import("cut", copy, length, &m, &err) < 0) {
                assert_true(err.code != SLW_E_OK && err.text[0]);
                assert_non_null(strstr(err.where, "cut"));
                assert_true(!m.run && !m.stacks);
            } else if (!open_ended && !says_partial(m.run) && total(m.stacks) != total(s)) {
                fail_msg("%s: %zu of %zu bytes pass for the whole", f->exporter->name, length,
                         bytes.length);
            }
            release(&m);
            free(copy);
        }
        slw_buf_release(&bytes);
    }
    slw_run_free(run);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_formats_go_both_ways),
        cmocka_unit_test(every_pair_of_formats_keeps_the_weight),
        cmocka_unit_test(events_that_come_back_come_back_whole),
        cmocka_unit_test(a_cut_file_is_refused_or_called_partial),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
