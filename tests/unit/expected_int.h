/* SPDX-License-Identifier: MIT */
/* Text that has to read as a file of tests/unit/expected does, byte for byte. SLW_BLESS=1 rewrites
 * the file; review the diff. */
#ifndef SLW_TESTS_UNIT_EXPECTED_INT_H
#define SLW_TESTS_UNIT_EXPECTED_INT_H

#include "base/file.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void assert_expected(const char *file, const char *text)
{
    char path[512];
    char *expected = NULL;
    size_t length;

    (void)snprintf(path, sizeof(path), "%s/unit/expected/%s", SLW_TEST_DIR, file);
    if (getenv("SLW_BLESS"))
        assert_int_equal(slw_file_write(path, text, strlen(text), NULL), 0);
    assert_int_equal(slw_file_read(path, 1 << 20, &expected, &length, NULL), 0);
    assert_string_equal(text, expected);
    free(expected);
}

#endif
