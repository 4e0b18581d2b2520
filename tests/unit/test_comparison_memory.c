/* SPDX-License-Identifier: MIT */
/* Every allocation of a comparison may fail: it is an error then, with nothing left behind, and no
 * shorter answer. The linker puts the functions below in front of the library's. */
#include "analyzer/compare/observe.h"
#include "tests/compare_fixture.h"
#include "tests/traffic_fixture.h"

static size_t allocations, fail_at; /* fail_at 0: none fails */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails(void)
{
    return ++allocations == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static int compare_and_render(const struct slw_comparison_input *in, struct slw_buf *out)
{
    struct slw_comparison *c = NULL;
    struct slw_error err = {0};
    int rc = slw_comparison_new(in, &c, &err);

    assert_int_equal(-rc, (int)err.code);
    if (rc < 0) {
        assert_null(c);
        return rc;
    }
    for (size_t i = 0; i < slw_comparison_renderer_count && rc == 0; i++)
        if (strcmp(slw_comparison_renderers[i]->name, "term") == 0 ||
            strcmp(slw_comparison_renderers[i]->name, "json") == 0)
            rc = slw_comparison_renderers[i]->render(c, &(struct slw_render_options){0}, out, NULL);
    slw_comparison_free(c);
    return rc;
}

/* Fail the first allocation, then the second, ... until none is left to fail. */
static void a_comparison_survives_any_allocation(void **state)
{
    (void)state;
    struct versus v = versus_batching(8);
    struct slw_buf whole = {0};

    versus_apart(&v);
    v.b->host.kernel = "6.8.0";
    versus_gates(&v, "cpu_per_request>+3%,p99>+5%");
    fail_at = 0;
    assert_int_equal(compare_and_render(&v.in, &whole), 0);
    for (size_t n = 1;; n++) {
        struct slw_buf out = {0};

        assert_true(n < 20000);
        allocations = 0;
        fail_at = n;
        const int rc = compare_and_render(&v.in, &out);
        const bool reached = allocations >= n;
        fail_at = 0;
        if (rc != (reached ? -SLW_E_NOMEM : 0))
            fail_msg("allocation %zu: %d", n, rc);
        if (rc == 0)
            assert_string_equal(out.data, whole.data);
        slw_buf_release(&out);
        if (!reached)
            break;
    }
    slw_buf_release(&whole);
    versus_free(&v);
}

static void observing_survives_any_allocation(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();

    f.run->requests = (struct slw_maybe_u64){.value = 1000};
    const struct slw_report *report = fixture_report(&f);
    for (size_t n = 1;; n++) {
        struct slw_run *arm = NULL;
        struct slw_error err = {0};

        fail_at = 0;
        assert_int_equal(slw_run_new(&arm, NULL), 0);
        allocations = 0;
        fail_at = n;
        int rc = slw_observe_round(arm, 0, report, NULL, &err);
        if (rc == 0)
            rc = slw_observe_round(arm, 1, report, NULL, &err);
        const bool reached = allocations >= n;
        fail_at = 0;
        assert_int_equal(rc, reached ? -SLW_E_NOMEM : 0);
        for (size_t i = 0; rc == 0 && i < arm->observation_count; i++)
            assert_int_equal(arm->observations[i].length, 2);
        slw_run_free(arm);
        if (!reached)
            break;
    }
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comparison_survives_any_allocation),
        cmocka_unit_test(observing_survives_any_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
