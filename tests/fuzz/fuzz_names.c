/* SPDX-License-Identifier: MIT */
/* Foreign names on their way to people: whatever a binary calls its functions, text stays one clean
 * line of UTF-8 within its width, and every renderer writes valid UTF-8 without control characters.
 */
#include "analyzer/renderer.h"
#include "analyzer/text.h"

#include <stdlib.h>
#include <string.h>

static void check(const char *text, bool newlines)
{
    while (*text) {
        uint32_t code = 0;
        size_t n = slw_text_decode(text, &code);

        if (n == 0 || (slw_text_is_unsafe(code) && !(newlines && code == '\n')))
            abort();
        text += n;
    }
}

static void check_text(const char *name, size_t columns)
{
    struct slw_buf b = {0};

    slw_text_clean(&b, name);
    if (b.data)
        check(b.data, false);
    slw_buf_release(&b);
    slw_text_fit(&b, name, columns);
    if (b.data) {
        check(b.data, false);
        if (slw_text_columns(b.data) > columns)
            abort();
    }
    slw_buf_release(&b);
    slw_text_cell(&b, name, columns);
    if (!b.data || slw_text_columns(b.data) != columns)
        abort();
    slw_buf_release(&b);
    slw_text_wrap(&b, name, columns, columns % 5);
    if (b.data)
        check(b.data, true);
    slw_buf_release(&b);
}

static void check_renderers(const struct slw_report *r, int width)
{
    for (size_t i = 0; i < slw_renderer_count; i++) {
        const struct slw_render_options opts = {.width = width, .verbose = true};
        struct slw_buf b = {0};

        if (slw_renderers[i]->render(r, &opts, &b, NULL) < 0 || !b.data)
            abort();
        check(b.data, true);
        slw_buf_release(&b);
    }
}

static void check_report(const char *name, int width)
{
    const struct slw_column column = {.event = "cpu-clock", .unit = "count"};
    const struct slw_mapping mapping = {.path = name, .build_id = ""};
    const uint64_t weight = 1000;
    struct slw_frame frame = {.function = name, .linkage = "", .file = ""};
    struct slw_run *run = NULL;
    struct slw_stacks *stacks = NULL;
    struct slw_report *r = NULL;
    uint32_t id = 0;

    if (slw_run_new(&run, NULL) < 0 || slw_stacks_new(&column, 1, &stacks, NULL) < 0 ||
        slw_run_note(run, SLW_NOTE_WARNING, name, name, "%s", name) < 0 ||
        slw_stacks_add_mapping(stacks, &mapping, &frame.mapping) < 0 ||
        slw_stacks_add_frame(stacks, &frame, &id) < 0 ||
        slw_stacks_add(stacks, &id, 1, SLW_NO_THREAD, &weight) < 0 ||
        slw_report_new(run, stacks, NULL, &r, NULL) < 0)
        abort();
    check(r->verdict, false);
    check_renderers(r, width);
    slw_report_free(r);
    slw_stacks_free(stacks);
    slw_run_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1);

    if (!name)
        abort();
    if (size > 0)
        memcpy(name, data, size);
    name[size] = '\0';
    check_text(name, size > 0 ? 1 + data[0] % 100 : 1);
    check_report(name, size > 0 ? data[0] : 0);
    free(name);
    return 0;
}
