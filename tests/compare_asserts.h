/* SPDX-License-Identifier: MIT */
/* What tests ask of a comparison. */
#ifndef SLW_TESTS_COMPARE_ASSERTS_H
#define SLW_TESTS_COMPARE_ASSERTS_H

#include "analyzer/compare/words.h"
#include "tests/compare_fixture.h"

static inline const struct slw_metric_row *row_of(const struct slw_comparison *c,
                                                  const char *metric)
{
    const struct slw_metric_row *row = slw_comparison_find(c, metric);

    if (!row)
        fail_msg("no row '%s'", metric);
    return row;
}

static inline void assert_word(const struct slw_comparison *c, const char *metric, const char *word)
{
    assert_string_equal(slw_row_word(row_of(c, metric)), word);
}

static inline const struct slw_note *find_note(const struct slw_comparison *c, const char *code)
{
    for (size_t i = 0; i < c->note_count; i++)
        if (strcmp(c->notes[i].code, code) == 0)
            return &c->notes[i];
    return NULL;
}

static inline int refused(struct versus *v, struct slw_error *err)
{
    *err = (struct slw_error){0};
    v->comparison = NULL;
    return slw_comparison_new(&v->in, &v->comparison, err);
}

#endif
