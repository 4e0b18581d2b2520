/* SPDX-License-Identifier: MIT */
/* Two runs made of bytes: names, units and values of metrics, provenance, lengths that differ. A
 * comparison of them, made by force, is refused with an error or rendered in every format as clean
 * text. */
#include "analyzer/compare/renderer.h"
#include "analyzer/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    const uint8_t *at, *end;
};

static uint8_t next(struct bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

static double next_value(struct bytes *b)
{
    const uint8_t kind = next(b);
    double value = 0;

    if (kind < 128) /* near each other, as measured ones are */
        return 1 + kind / 1000.0;
    if (kind < 192)
        return (double)(kind - 128);
    for (size_t i = 0; i < sizeof(value); i++)
        ((uint8_t *)&value)[i] = next(b);
    return value;
}

static void next_text(struct bytes *b, char *text, size_t size)
{
    size_t length = next(b) % size, i = 0;

    for (; i + 1 < length; i++) {
        text[i] = (char)next(b);
        if (text[i] == '\0')
            break;
    }
    text[i] = '\0';
}

static const char *next_name(struct bytes *b, char *text, size_t size)
{
    static const char *const names[] = {"cpu_per_request",    "p99",    "requests_per_flush",
                                        "requests",           "slots",  "errors_per_request",
                                        "client_requests",    "ipc",    "stage.x.cpu_per_request",
                                        "user_per_request",   "wait.x", "system_per_request",
                                        "requests_per_second"};
    const uint8_t which = next(b);

    if (which < 240)
        return names[which % (sizeof(names) / sizeof(names[0]))];
    next_text(b, text, size);
    return text;
}

static void add_metric(struct slw_run *run, struct bytes *b)
{
    char name[80], unit[16], why[64];
    double values[24];
    const uint8_t flags = next(b);
    struct slw_observation o = {.metric = next_name(b, name, sizeof(name)),
                                .title = name,
                                .unit = "ns",
                                .better = (enum slw_better)(flags % 3),
                                .gateable = flags & 4,
                                .values = values,
                                .length = next(b) % 25};

    if (o.metric != name)
        o.title = o.metric;
    if (flags & 8) {
        next_text(b, unit, sizeof(unit));
        o.unit = unit;
    }
    if (flags & 16) {
        next_text(b, why, sizeof(why));
        o.absent = why;
    }
    o.from.source = flags & 32 ? SLW_SOURCE_HARDWARE : SLW_SOURCE_SOFTWARE;
    o.step = flags & 64 ? next_value(b) : 0;
    for (size_t i = 0; i < o.length; i++)
        values[i] = next_value(b);
    if (!slw_run_find_observation(run, o.metric))
        (void)slw_run_add_observation(run, &o, NULL);
}

static void check(const char *text)
{
    while (*text) {
        uint32_t code = 0;
        const size_t n = slw_text_decode(text, &code);

        if (n == 0 || (code != '\n' && code != '\r' && slw_text_is_unsafe(code)))
            abort();
        text += n;
    }
}

static void render_all(const struct slw_comparison *c, int width)
{
    for (size_t i = 0; i < slw_comparison_renderer_count; i++) {
        const struct slw_render_options opts = {.width = width, .verbose = width % 2};
        struct slw_buf out = {0};

        if (slw_comparison_renderers[i]->render(c, &opts, &out, NULL) == 0 && out.data)
            check(out.data);
        slw_buf_release(&out);
    }
}

static void compare(struct slw_run *a, struct slw_run *b, struct bytes *bytes)
{
    const uint8_t flags = next(bytes);
    struct slw_gates gates = {0};
    struct slw_comparison *c = NULL;
    const struct slw_comparison_input in = {
        .a = {.name = "A", .run = a},
        .b = {.name = flags & 1 ? "other" : "B", .run = b},
        .gates = flags & 2 && slw_gates_parse("p99>+5%,cpu_per_request>1%", &gates, NULL) == 0
                     ? &gates
                     : NULL,
        .equivalence_90 = flags & 4,
        .force = !(flags & 8),
    };
    struct slw_error err = {0};

    if (flags & 16)
        a->experiment.id = b->experiment.id = "0123456789abcdef";
    if (slw_comparison_new(&in, &c, &err) == 0)
        render_all(c, 40 + flags);
    else if (err.code == SLW_E_OK || err.code == SLW_E_INTERNAL)
        abort();
    slw_comparison_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, data + size};
    struct slw_run *runs[2] = {NULL, NULL};

    if (slw_run_new(&runs[0], NULL) < 0 || slw_run_new(&runs[1], NULL) < 0) {
        slw_run_free(runs[0]);
        return 0;
    }
    const size_t metrics = next(&bytes) % 12;
    for (size_t i = 0; i < metrics; i++) {
        add_metric(runs[0], &bytes);
        add_metric(runs[1], &bytes);
    }
    compare(runs[0], runs[1], &bytes);
    slw_run_free(runs[0]);
    slw_run_free(runs[1]);
    return 0;
}
