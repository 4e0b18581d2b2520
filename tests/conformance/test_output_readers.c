/* SPDX-License-Identifier: MIT */
/* What every reader of client_output/readers.def must do, over all sample outputs: those of other
 * clients, cut anywhere, and with bytes changed. */
#include "analyzer/client_output/client_output.h"

#include "base/file.h"
#include "tests/unit/cmocka_int.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slw_client_readings readings, again;

static void assert_readings_are_sound(const char *reader, const struct slw_client_readings *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct slw_client_reading *g = &r->all[i];
        const bool own = strncmp(g->key, "client_", 7) == 0 || strcmp(g->key, "requests") == 0;

        if (!own || !g->title[0] || !g->unit[0] || !isfinite(g->value) || g->value < 0 ||
            !isfinite(g->step) || g->step < 0)
            fail_msg("%s: %s (%s, %s) is %g", reader, g->key, g->title, g->unit, g->value);
        if (strspn(g->key, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(g->key))
            fail_msg("%s: the key %s does not fit a gate", reader, g->key);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(g->key, r->all[k].key);
        if (g->step == 0 && strcmp(reader, "slotwise_workload") != 0 && g->value != floor(g->value))
            fail_msg("%s: %s is a count of %g", reader, g->key, g->value);
    }
}

/* Field by field: what is between them is nobody's. */
static void assert_same_readings(const struct slw_client_readings *a,
                                 const struct slw_client_readings *b)
{
    assert_ptr_equal(a->reader, b->reader);
    assert_int_equal(a->requests_asked_for, b->requests_asked_for);
    assert_string_equal(a->left_out, b->left_out);
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->all[i].key, b->all[i].key);
        assert_string_equal(a->all[i].title, b->all[i].title);
        assert_string_equal(a->all[i].unit, b->all[i].unit);
        assert_memory_equal(&a->all[i].value, &b->all[i].value, sizeof(double));
        assert_memory_equal(&a->all[i].step, &b->all[i].step, sizeof(double));
        assert_int_equal(a->all[i].better, b->all[i].better);
    }
}

static void read_one(const struct slw_output_reader *reader, const char *text, size_t length)
{
    struct slw_error err = {0};

    memset(&readings, 0, sizeof(readings));
    const int rc = reader->read(text, length, &readings, &err);
    if (rc < 0)
        assert_int_equal(rc, -SLW_E_LIMIT);
    assert_readings_are_sound(reader->name, &readings);
}

static void read_all(const char *text, size_t length)
{
    for (size_t i = 0; i < slw_output_reader_count; i++) {
        const struct slw_output_reader *reader = slw_output_readers[i];
        char *copy = strndup(text, length);

        assert_non_null(copy);
        read_one(reader, copy, length);
        memset(&again, 0, sizeof(again));
        (void)reader->read(copy, length, &again, NULL);
        assert_same_readings(&readings, &again); /* no hidden state */
        for (size_t cut = 0; cut < length; cut += 1 + length / 40) {
            copy[cut] = '\0';
            read_one(reader, copy, cut);
            copy[cut] = text[cut];
        }
        for (size_t at = 0; at < length; at += 1 + length / 100) {
            copy[at] = "9,.\n- \"\x80"[at % 8];
            read_one(reader, copy, length);
            copy[at] = text[at];
        }
        free(copy);
    }
}

static void readers_survive_every_output(void **state)
{
    char path[1024];
    size_t samples = 0;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/fuzz/corpus/client_output", SLW_TEST_DIR);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char *text = NULL;
        size_t length;
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/fuzz/corpus/client_output/%s", SLW_TEST_DIR,
                       e->d_name);
        assert_int_equal(slw_file_read(path, 1 << 20, &text, &length, NULL), 0);
        read_all(text, length);
        free(text);
        samples++;
    }
    (void)closedir(d);
    assert_true(samples >= 20);
}

static void readers_have_names_and_find_nothing_in_nothing(void **state)
{
    const char *const stranger[] = {"/bin/true"};

    (void)state;
    assert_true(slw_output_reader_count > 0);
    for (size_t i = 0; i < slw_output_reader_count; i++) {
        const struct slw_output_reader *reader = slw_output_readers[i];
        assert_true(reader->name[0] && reader->summary[0]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(reader->name, slw_output_readers[k]->name);
        assert_false(reader->recognises(1, stranger));
        assert_false(reader->recognises(0, NULL));
        read_one(reader, "", 0);
        assert_int_equal(readings.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_survive_every_output),
        cmocka_unit_test(readers_have_names_and_find_nothing_in_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
