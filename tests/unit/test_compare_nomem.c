/* SPDX-License-Identifier: MIT */
/* Every allocation of every export of a comparison or a run fails once: the whole document comes
 * out, or an error, and never a document that lacks something. */
#include "flamegraph/exporter.h"
#include "tests/comparison_fixture.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#define MOST 400 /* allocations of one document that are made to fail, evenly spread */

#ifndef SANITIZED /* which have the same functions replaced */

/* glibc's own names of the functions that are replaced here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static bool counting;
static size_t allocations, fail_at; /* from 1; 0: none */

static bool fails(void)
{
    return counting && ++allocations == fail_at;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return fails() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __libc_realloc(ptr, size);
}

typedef int (*write_fn)(const void *what, const void *format, struct slw_buf *out,
                        struct slw_error *err);

static int write_comparison(const void *what, const void *format, struct slw_buf *out,
                            struct slw_error *err)
{
    const struct slw_comparison_renderer *r = format;
    const struct slw_render_options opts = {0};

    return r->render(what, &opts, out, err);
}

static int write_run(const void *what, const void *format, struct slw_buf *out,
                     struct slw_error *err)
{
    const struct slw_exporter *e = format;

    return e->export(what, NULL, NULL, out, err);
}

/* How many allocations a document takes: the error tells nothing when there is memory. */
static size_t written(write_fn write, const void *what, const void *format, size_t fail,
                      struct slw_buf *ret_out, int *ret_rc)
{
    struct slw_error err = {0};

    allocations = 0;
    fail_at = fail;
    counting = true;
    *ret_rc = write(what, format, ret_out, &err);
    counting = false;
    assert_int_equal(*ret_rc < 0, err.code != SLW_E_OK);
    return allocations;
}

static void whole_or_nothing(const char *name, write_fn write, const void *what, const void *format)
{
    struct slw_buf whole = {0}, out = {0};
    int rc;
    const size_t count = written(write, what, format, 0, &whole, &rc);
    const size_t step = count / MOST + 1;

    assert_int_equal(rc, 0);
    assert_true(count > 0);
    for (size_t i = 1; i <= count; i += step) {
        (void)written(write, what, format, i, &out, &rc);
        if (rc == 0 && (out.length != whole.length || strcmp(out.data, whole.data) != 0))
            fail_msg("%s: allocation %zu of %zu failed, and the document differs", name, i, count);
        if (rc < 0)
            assert_int_equal(rc, -SLW_E_NOMEM);
        slw_buf_release(&out);
    }
    slw_buf_release(&whole);
}

static void every_renderer_is_whole_or_fails(void **state)
{
    (void)state;
    struct hand h = hand_batching();

    h.experiment.arms = h.arms;
    h.c.in.experiment = &h.experiment;
    hand_mismatch(&h, "kernel", "6.1", "6.2", true);
    for (size_t i = 0; i < slw_comparison_renderer_count; i++)
        whole_or_nothing(slw_comparison_renderers[i]->name, write_comparison, &h.c,
                         slw_comparison_renderers[i]);
    hand_free(&h);
}

static void every_exporter_is_whole_or_fails(void **state)
{
    (void)state;
    struct hand h = hand_batching();

    for (size_t i = 0; i < slw_exporter_count; i++)
        if (slw_exporters[i]->needs_observations)
            whole_or_nothing(slw_exporters[i]->name, write_run, h.b, slw_exporters[i]);
    hand_free(&h);
}
#else
static void every_renderer_is_whole_or_fails(void **state)
{
    (void)state;
    print_message("skipped: a sanitizer replaces the functions that are to fail\n");
    skip();
}
#define every_exporter_is_whole_or_fails every_renderer_is_whole_or_fails
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_renderer_is_whole_or_fails),
        cmocka_unit_test(every_exporter_is_whole_or_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
