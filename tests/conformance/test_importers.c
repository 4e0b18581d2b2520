/* SPDX-License-Identifier: MIT */
/* What every importer of importers.def must do. */
#include "collector/importer.h"
#include "tests/unit/cmocka_int.h"

#include <stdlib.h>
#include <string.h>

static void every_importer_introduces_itself(void **state)
{
    (void)state;
    assert_true(slw_importer_count > 0);
    for (size_t i = 0; i < slw_importer_count; i++) {
        const struct slw_importer *m = slw_importers[i];

        assert_true(m->name && m->name[0] && m->summary && m->summary[0]);
        assert_true(m->recognise && m->import);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(m->name, slw_importers[j]->name);
    }
}

/* Exact-size heap buffers, so that the sanitizers see a byte read past the end. */
static void recognising_reads_no_byte_too_many(void **state)
{
    (void)state;
    static const char *const heads[] = {"",    "P",   "PERFILE",      "PERFILE2", "a",
                                        "a -", "a 1", "a;b",          "\n",       " \n ",
                                        "# ",  "#",   "\xEF\xBB\xBF", "{",        "a\t-5"};

    for (size_t i = 0; i < slw_importer_count; i++)
        for (size_t j = 0; j < sizeof(heads) / sizeof(heads[0]); j++) {
            const size_t length = strlen(heads[j]);
            char *copy = malloc(length ? length : 1);

            assert_non_null(copy);
            memcpy(copy, heads[j], length);
            const bool first = slw_importers[i]->recognise(copy, length);
            assert_int_equal(slw_importers[i]->recognise(copy, length), first);
            free(copy);
        }
}

static void a_failure_says_why_and_leaves_nothing(void **state)
{
    (void)state;
    static const char junk[] = {'j', 0, 1, 2, 3, '\n', 'x'};

    for (size_t i = 0; i < slw_importer_count; i++) {
        struct slw_imported imported = {0};
        struct slw_error err = {0};

        assert_false(slw_importers[i]->recognise(junk, sizeof(junk)));
        assert_true(slw_importers[i]->import("junk", junk, sizeof(junk), &imported, &err) < 0);
        assert_true(err.code != SLW_E_OK && err.text[0]);
        assert_non_null(strstr(err.where, "junk"));
        assert_true(!imported.run && !imported.stacks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_importer_introduces_itself),
        cmocka_unit_test(recognising_reads_no_byte_too_many),
        cmocka_unit_test(a_failure_says_why_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
