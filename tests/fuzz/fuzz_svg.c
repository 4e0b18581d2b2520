/* SPDX-License-Identifier: MIT */
/* Any bytes as names: the first line is the title, the rest folded stacks. What is drawn must be
 * well-formed XML. */
#include "collector/importer.h"
#include "flamegraph/flamegraph.h"
#include "tests/unit/xml_check_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct slw_importer slw_importer_folded;

static void draw(const struct slw_stacks *stacks, const char *title, bool inverted)
{
    const struct slw_tree_options tree_options = {.inverted = inverted};
    const struct slw_svg_options options = {.title = title, .subtitle = title};
    struct slw_tree *tree = NULL;
    struct slw_buf svg = {0};

    if (slw_tree_new(stacks, 0, &tree_options, &tree, NULL) == 0 &&
        slw_svg_render(tree, &options, &svg, NULL) == 0 && xml_check(svg.data, svg.length) != -1)
        abort();
    slw_buf_release(&svg);
    slw_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_imported imported = {0};
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    char title[256] = "";

    if (newline && (size_t)(newline - data) < sizeof(title)) {
        memcpy(title, data, (size_t)(newline - data));
        size -= (size_t)(newline + 1 - data);
        data = newline + 1;
    }
    if (slw_importer_folded.import("bytes", data, size, &imported, NULL) < 0)
        return 0;
    draw(imported.stacks, title, size % 2);
    slw_stacks_free(imported.stacks);
    slw_run_free(imported.run);
    return 0;
}
