/* SPDX-License-Identifier: MIT */
/* Any bytes as two profiles: the first line is the command of both, the first empty line parts base
 * and candidate, both folded stacks. What is drawn must be well-formed XML. */
#include "cli/graph_diff.h"
#include "collector/importer.h"
#include "tests/unit/xml_check_int.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct slw_importer slw_importer_folded;

static void draw(const struct slw_imported imported[2], const char *command, size_t how)
{
    const struct slw_graph_diff_request request = {.inverted = how % 2,
                                                   .width = slw_graph_diff_width(how % 3)};
    struct slw_loaded loaded[2];
    struct slw_buf svg = {0};
    struct slw_error err = {0};

    for (size_t i = 0; i < 2; i++) {
        loaded[i] = (struct slw_loaded){.run = imported[i].run, .stacks = imported[i].stacks};
        loaded[i].run->command.argv = &command;
        loaded[i].run->command.argc = 1;
        if (how % 5 == 0)
            loaded[i].run->requests = (struct slw_maybe_u64){how + i, NULL};
    }
    if (slw_graph_diff_render(&loaded[0], &loaded[1], &request, &svg, &err) == 0) {
        if (xml_check(svg.data, svg.length) != -1)
            abort();
    } else if (!err.text[0]) {
        abort();
    }
    slw_buf_release(&svg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_imported imported[2] = {{0}, {0}};
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    const size_t how = size;
    char command[256] = "";

    if (newline && (size_t)(newline - data) < sizeof(command)) {
        memcpy(command, data, (size_t)(newline - data));
        size -= (size_t)(newline + 1 - data);
        data = newline + 1;
    }
    const uint8_t *gap = size ? memmem(data, size, "\n\n", 2) : NULL;
    if (!gap)
        return 0;
    const size_t first = (size_t)(gap - data) + 1;
    if (slw_importer_folded.import("base", data, first, &imported[0], NULL) == 0 &&
        slw_importer_folded.import("candidate", gap + 2, size - first - 1, &imported[1], NULL) == 0)
        draw(imported, command, how);
    for (size_t i = 0; i < 2; i++) {
        slw_stacks_free(imported[i].stacks);
        slw_run_free(imported[i].run);
    }
    return 0;
}
