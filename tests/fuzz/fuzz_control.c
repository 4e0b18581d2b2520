/* SPDX-License-Identifier: MIT */
/* Bytes from whoever may write to the control FIFO. */
#include "collector/control.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_control_lines lines = {0};
    enum slw_control_command command;

    for (size_t i = 0; i < size; i++) {
        if (slw_control_feed(&lines, (char)data[i], &command))
            assert(command <= SLW_CONTROL_QUIT);
        assert(lines.length <= sizeof(lines.line));
    }
    assert(lines.unknown_count <= size);
    return 0;
}
