/* SPDX-License-Identifier: MIT */
/* An ELF file from anywhere: the stages it marks. */
#include "collector/taps/stage/marks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t size;
};

static bool read_bytes(void *ctx, void *data, size_t size, uint64_t offset)
{
    const struct bytes *b = ctx;

    if (offset > b->size || size > b->size - offset)
        return false;
    memcpy(data, b->data + offset, size);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slw_stage_marks m;
    struct bytes b = {data, size};

    memset(&m, 0, sizeof(m));
    (void)slw_stage_marks_read(&m, "fuzz", read_bytes, &b, NULL);
    for (size_t i = 0; i < m.mark_count; i++)
        if (m.marks[i].offset >= INT64_MAX || m.marks[i].stage >= m.stage_count ||
            m.marks[i].file >= m.file_count)
            abort();
    for (size_t i = 0; i < m.stage_count; i++)
        if (strlen(m.stages[i].name) == 0)
            abort();
    slw_stage_marks_release(&m);
    return 0;
}
